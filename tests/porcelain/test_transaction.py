"""What a dead writer left is cleared by proof, and a half-made move is taken back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from memgit.core.objects import ZERO
from memgit.errors import CommandFailed
from memgit.git import refs
from memgit.git.command import Git
from memgit.git.refs import RefUpdate
from memgit.git.repository import Repository, discover
from memgit.porcelain import transaction
from support.repo import Oid, Repo

MAIN, LOG = "refs/heads/main", "refs/memgit/ops"


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    repo = Repo(tmp_path / "repo")
    repo.commit("first", {"a": "1"})
    return repo


def opened(repo: Repo) -> Repository:
    return discover(str(repo.path))


def plant_journal(repo: Repo, *updates: tuple[str, Oid, Oid]) -> None:
    """As a writer leaves it that dies in the middle. updates: ref, new, expected."""
    (repo.git_dir / "memgit").mkdir(exist_ok=True)
    record = {"schema": 1, "keep": "memgit 1", "refs": [[ref, new.decode(), old.decode()] for ref, new, old in updates]}
    (repo.git_dir / "memgit" / "journal.json").write_text(json.dumps(record))


def recover(repo: Repo) -> None:
    with transaction.begin(opened(repo)):
        pass
    assert not (repo.git_dir / "memgit" / "journal.json").exists()


def test_own_locks_go(repo: Repo) -> None:
    old, new = repo.head(), repo.commit("next", {"a": "2"}, branch=None, parents=[repo.head()])
    plant_journal(repo, (LOG, new, ZERO), (MAIN, new, old))
    (repo.git_dir / "refs" / "memgit").mkdir()
    locks = [repo.git_dir / f"{LOG}.lock", repo.git_dir / f"{MAIN}.lock", repo.git_dir / "HEAD.lock"]
    for lock, content in zip(locks, (new + b"\n", new[:7], b""), strict=True):
        lock.write_bytes(content)
    recover(repo)
    assert [lock.exists() for lock in locks] == [False, False, False]


@pytest.mark.parametrize("how", ["other content", "older", "open", "head of a running commit"])
def test_foreign_locks_stay(repo: Repo, how: str) -> None:
    import os

    old, new = repo.head(), repo.commit("next", {"a": "2"}, branch=None, parents=[repo.head()])
    plant_journal(repo, (LOG, new, ZERO), (MAIN, new, old))
    main, head = repo.git_dir / f"{MAIN}.lock", repo.git_dir / "HEAD.lock"
    main.write_bytes(b"f" * 40 + b"\n" if how in ("other content", "head of a running commit") else new + b"\n")
    if how == "head of a running commit":
        head.write_bytes(b"")
    if how == "older":
        os.utime(main, (1, 1))
    handle = main.open("rb") if how == "open" else None
    recover(repo)
    assert main.exists()
    assert head.exists() == (how == "head of a running commit")
    if handle:
        handle.close()


def test_log_entry_without_its_move_is_taken_back(repo: Repo) -> None:
    old = repo.head()
    before, entry = (repo.commit(text, branch=None, parents=[old]) for text in ("before", "entry"))
    new = repo.commit("next", {"a": "2"}, branch=None, parents=[old])
    repo.point(LOG, entry)
    repo.point("refs/notes/commits", new)
    plant_journal(repo, (LOG, entry, before), ("refs/notes/commits", new, ZERO), (MAIN, new, old))
    recover(repo)
    assert repo.refs() == {MAIN: old, LOG: before}


def test_log_entry_stays_when_its_move_was_made_and_people_went_on(repo: Repo) -> None:
    old = repo.head()
    new = repo.commit("next", {"a": "2"}, branch=None, parents=[old])
    entry = repo.commit("entry", branch=None, parents=[old])
    repo.point(LOG, entry)
    repo.point(MAIN, repo.commit("by a person", branch=None, parents=[new]))
    plant_journal(repo, (LOG, entry, ZERO), (MAIN, new, old))
    recover(repo)
    assert repo.refs()[LOG] == entry


def test_log_entry_is_taken_back_when_people_went_on_from_the_old_tip(repo: Repo) -> None:
    base = repo.head()
    old = repo.commit("raw", {"a": "2"})
    entry = repo.commit("entry", branch=None, parents=[base])
    repo.point(LOG, entry)
    repo.commit("by a person")
    plant_journal(repo, (LOG, entry, ZERO), (MAIN, base, old))  # a move back, so new is an ancestor of old
    recover(repo)
    assert LOG not in repo.refs()


def test_locks_of_a_child_that_was_killed_go_at_once(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = repo.head(), repo.commit("next", {"a": "2"}, branch=None, parents=[repo.head()])
    lock = repo.git_dir / f"{MAIN}.lock"

    def dies(*_: object) -> None:
        lock.write_bytes(new + b"\n")
        raise CommandFailed(("git", "update-ref"), -9, "")

    monkeypatch.setattr(refs, "move", dies)
    with pytest.raises(CommandFailed), transaction.begin(opened(repo)) as change:
        change.move([RefUpdate(MAIN, new, old)], "test")
    assert not lock.exists()
    assert repo.refs() == {MAIN: old}


def test_a_move_that_failed_half_way_is_taken_back_at_once(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    old = repo.head()
    entry, new = (repo.commit(text, branch=None, parents=[old]) for text in ("entry", "new"))
    move = refs.move

    def fails(git: Git, updates: tuple[RefUpdate, ...], reason: str) -> None:
        monkeypatch.setattr(refs, "move", move)
        repo.point(LOG, entry)  # a full disk, met between two renames
        raise CommandFailed(("git", "update-ref"), 128, "")

    monkeypatch.setattr(refs, "move", fails)
    with pytest.raises(CommandFailed), transaction.begin(opened(repo)) as change:
        change.move([RefUpdate(LOG, entry, ZERO), RefUpdate(MAIN, new, old)], "test")
    assert repo.refs() == {MAIN: old}
    assert not (repo.git_dir / "memgit" / "journal.json").exists()


def test_any_command_clears_what_a_dead_writer_left(repo: Repo) -> None:
    old, new = repo.head(), repo.commit("next", {"a": "2"}, branch=None, parents=[repo.head()])
    lock = repo.git_dir / f"{MAIN}.lock"
    plant_journal(repo, (MAIN, new, old))
    lock.write_bytes(new + b"\n")
    repo.memgit("log")
    assert not lock.exists()


def test_journal_of_another_version_stops_the_command(repo: Repo) -> None:
    plant_journal(repo)
    (repo.git_dir / "memgit" / "journal.json").write_text('{"schema": 99}')
    said = repo.memgit("consolidate", ok=1).err
    assert "can't be read by this version of memgit" in said
    assert (repo.git_dir / "memgit" / "journal.json").exists()
