"""The operation log: undo to the identical tip, undo of undo, later commits, retention."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from support.repo import DAY_S, Oid, Repo, run


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    repo = Repo(tmp_path / "repo")
    repo.commit("start", {"README": "x", "MEMORY.md": "0"}, at=repo.time_s - DAY_S)
    for number in range(1, 5):
        repo.commit(f"auto {number}", {"MEMORY.md": f"{number}"})
    return repo


def exists(repo: Repo, oids: list[Oid]) -> bool:
    out = repo.git("cat-file", "--batch-check=%(objectname)", stdin=b"".join(oid + b"\n" for oid in oids))
    return out.split(b"\n")[:-1] == oids


def collect_garbage(repo: Repo) -> None:
    repo.git("reflog", "expire", "--expire=now", "--all")
    repo.git("gc", "-q", "--prune=now")


def test_everything_replaced_lives_in_the_log_alone(repo: Repo) -> None:
    old = [commit.oid for commit in repo.history()]
    for _ in range(3):
        repo.consolidate()
        repo.commit("auto later", {"MEMORY.md": f"{repo.time_s}"})
        old += [commit.oid for commit in repo.history()]
    collect_garbage(repo)
    assert exists(repo, old)


def test_undo_restores_the_identical_tip_and_is_an_operation(repo: Repo) -> None:
    old = repo.head()
    done = repo.consolidate("--json").json
    undone = repo.memgit("undo", "--json").json
    assert repo.head() == old
    assert (undone["operation"], undone["old_tip"], undone["new_tip"]) == (
        done["operation"], done["new_tip"], old.decode(),
    )  # fmt: skip
    operations = repo.memgit("log", "--json").json["operations"]
    assert [(op["kind"], op["undoes"]) for op in operations] == [("undo", done["operation"]), ("consolidate", None)]
    assert operations[0]["refs"] == [{"ref": "refs/heads/main", "old": done["new_tip"], "new": old.decode()}]


def test_undo_can_be_undone_and_done_again(repo: Repo) -> None:
    raw = repo.head()
    repo.consolidate()
    consolidated = repo.head()
    redo = repo.memgit("undo", "--json").json["entry"]
    repo.memgit("undo", redo[:10])
    assert repo.head() == consolidated
    assert "(taken back)" not in repo.memgit("log").out.splitlines()[-1]
    repo.memgit("undo")
    assert repo.head() == raw
    said = repo.memgit("undo", ok=2).err
    assert said == "memgit: There is nothing to take back on main.\n  `memgit log` lists all operations.\n"
    taken_back = ["(taken back)" in line for line in repo.memgit("log").out.splitlines()]
    assert taken_back == [False, False, True, True]


def test_undo_goes_back_operation_by_operation(repo: Repo) -> None:
    first = repo.head()
    repo.consolidate()
    repo.commit("auto 5", {"MEMORY.md": "5"})
    second = repo.head()
    repo.consolidate()
    repo.memgit("undo")
    assert repo.head() == second
    repo.memgit("undo")
    later = repo.history()[-1]
    assert (later.subject, later.parents) == ("auto 5", (first,))


def test_undo_carries_later_commits_over(repo: Repo) -> None:
    old = repo.head()
    repo.consolidate()
    side = repo.commit("side", {"side": "1"}, branch=None, parents=[repo.head()])
    repo.commit("mine\n\nno final newline", {"src": "1"}, raw_message=True, headers=b"x-tool y\n")
    repo.commit("merge", {"side": "1"}, parents=[repo.head(), side])
    before = repo.history()
    undone = repo.memgit("undo", "--json").json
    after = repo.history()
    assert undone["carried_over"] == 3
    assert [c.person for c in after[-3:]] == [c.person for c in before[-3:]]
    assert [c.tree for c in after[-3:]] == [c.tree for c in before[-3:]]
    assert old in [commit.oid for commit in after]
    assert run("git", "-C", str(repo.path), "fsck", "--no-dangling", "--connectivity-only") == b""


def test_undo_refuses_to_drop_the_signature_of_a_later_commit(repo: Repo) -> None:
    repo.consolidate()
    signature = b"gpgsig -----BEGIN SSH SIGNATURE-----\n abc\n -----END SSH SIGNATURE-----\n"
    signed = repo.commit("signed", {"src": "1"}, headers=signature)
    refs = repo.refs()
    said = repo.memgit("undo", ok=2).err
    assert said == f"memgit: The signed commit {signed.decode()[:12]} was made since and would lose its signature.\n"
    assert repo.refs() == refs


def test_undo_refuses_after_surgery(repo: Repo) -> None:
    repo.consolidate()
    repo.commit("elsewhere", {"a": "b"}, parents=[repo.history()[0].oid])
    refs = repo.refs()
    said = repo.memgit("undo", ok=2).err
    assert said.startswith("memgit: main no longer contains what the operation made.\n")
    assert repo.refs() == refs


def test_undo_refuses_what_is_published(repo: Repo) -> None:
    repo.consolidate()
    repo.point("refs/remotes/origin/main", repo.head())
    said = repo.memgit("undo", ok=2).err
    assert said.startswith("memgit: What the operation made on main is published already.\n")


def test_undo_of_a_branch_that_is_gone(repo: Repo) -> None:
    repo.consolidate()
    (repo.git_dir / "refs/heads/main").unlink()
    assert "refs/heads/main is gone" in repo.memgit("undo", ok=2).err


def test_undo_works_on_the_branch_named(repo: Repo) -> None:
    repo.point("refs/heads/side", repo.commit("auto side", {"MEMORY.md": "side"}, branch=None, parents=[repo.head()]))
    for number in range(2):
        repo.commit(f"auto side {number}", {"MEMORY.md": f"side {number}"}, branch="side")
    tip = repo.head("side")
    repo.consolidate("--branch", "side")
    assert repo.memgit("undo", ok=2).err.startswith("memgit: There is nothing to take back on main.\n")
    assert repo.memgit("undo", "--branch", "side", "--json").json["branch"] == "refs/heads/side"
    assert repo.head("side") == tip


@pytest.mark.parametrize("wanted", ["zzzz", "abc", "\udcff"])
def test_undo_of_an_operation_that_is_none(wanted: str, repo: Repo) -> None:
    repo.consolidate()
    said = repo.memgit("undo", wanted, ok=2).err
    assert "names no operation.\n  `memgit log` lists them.\n" in said


def test_undo_dry_run_changes_nothing(repo: Repo) -> None:
    repo.consolidate()
    refs = repo.refs()
    assert repo.memgit("undo", "--dry-run").out.startswith("Would take back ")
    assert repo.refs() == refs


def test_undo_output(repo: Repo) -> None:
    old = repo.head().decode()
    done = repo.consolidate("--json").json
    said = repo.memgit("undo").out.splitlines()
    entry = repo.refs()["refs/memgit/ops"].decode()
    assert said == [
        f"Took back {done['operation'][:10]}: consolidate main: 5 -> 2 commits",
        f"main: {done['new_tip'][:10]} -> {old[:10]}",
        f"Do it again with: memgit undo {entry[:10]}",
    ]


def test_log_of_an_untouched_repository(repo: Repo) -> None:
    assert repo.memgit("log").out == "memgit has not changed anything here yet.\n"
    assert repo.memgit("log", "--json").json["operations"] == []


def test_log_lists_windows_with_their_sources(repo: Repo) -> None:
    raw = repo.history()
    done = repo.consolidate("--json").json
    made = done["created"][0]
    said = repo.memgit("log", "--windows").out.splitlines()
    sources = f"{raw[1].oid.decode()[:10]}..{raw[4].oid.decode()[:10]}"
    assert said[1] == f"    2024-01-29  {made['commit'][:10]}       4  {sources}"
    assert (made["first"], made["last"]) == (raw[1].oid.decode(), raw[4].oid.decode())


def test_a_log_that_is_none_is_not_written_to(repo: Repo) -> None:
    repo.point("refs/memgit/ops", repo.history()[0].oid)
    refs = repo.refs()
    said = repo.memgit("undo", ok=1).err
    assert "is no operation that this memgit can read" in said
    assert repo.refs() == refs


# -- retention -----------------------------------------------------------------------------------------


def log_of(repo: Repo, times: list[int]) -> list[Oid]:
    """Operations at these times, oldest first; each replaces a commit that nothing else holds. The held ones."""
    from memgit.core.operations import LOG_REF, Operation, RefChange, write

    held, previous = [], None
    for at, time_s in enumerate(times):
        old = repo.commit(f"replaced {at}", branch=None, parents=[])
        change = RefChange("refs/heads/main", old, repo.head())
        for kind, raw in write(Operation("consolidate", time_s, (change,), f"operation {at}"), previous, ()):
            oid = repo.store(kind, raw)
        held.append(old)
        previous = oid
    repo.point(LOG_REF, oid)
    return held


NOW_S = 4_000_000_000  # far ahead of any clock that runs these tests
OLD_S = 1_600_000_000


def test_prune_forgets_by_age_but_never_the_newest_ten(repo: Repo) -> None:
    held = log_of(repo, [OLD_S + at for at in range(15)])
    report = repo.memgit("prune", "--json").json
    assert (len(report["forgotten"]), report["kept"]) == (5, 10)
    assert [op["summary"] for op in repo.memgit("log", "--json").json["operations"]] == [
        f"operation {at}" for at in range(14, 4, -1)
    ]
    collect_garbage(repo)
    assert exists(repo, held[5:])
    assert not exists(repo, held[:5])


def test_prune_keeps_what_undo_needs(repo: Repo) -> None:
    log_of(repo, [OLD_S + at for at in range(12)])
    old = repo.head()
    repo.consolidate()
    repo.memgit("undo")
    repo.consolidate()
    repo.memgit("prune")
    undone = [op for op in repo.memgit("log", "--json").json["operations"] if op["undoes"]]
    kept = {op["operation"] for op in repo.memgit("log", "--json").json["operations"]}
    assert undone[0]["undoes"] in kept
    assert len(repo.memgit("log", "--windows").out.splitlines()) == 10 + 2
    repo.memgit("undo")
    assert repo.head() == old


def test_prune_dry_run_and_nothing_to_prune(repo: Repo) -> None:
    log_of(repo, [OLD_S + at for at in range(12)])
    refs = repo.refs()
    assert repo.memgit("prune", "--dry-run").out.splitlines()[-1] == "2 operations would be forgotten, 10 kept."
    assert repo.refs() == refs
    assert repo.memgit("prune", "--keep", "9000d").out == "0 operations forgotten, 12 kept.\n"
    assert repo.refs() == refs


@pytest.mark.parametrize("wrong_s", [0, NOW_S])
def test_no_clock_makes_an_entry_older_than_it_is(wrong_s: int, repo: Repo) -> None:
    now = int(time.time())
    times = [now - DAY_S + at for at in range(14)]
    times[2] = wrong_s
    log_of(repo, times)
    assert repo.memgit("prune", "--keep", "30d", "--json").json["forgotten"] == []


def test_prune_refuses_an_age_that_is_none(repo: Repo) -> None:
    said = repo.memgit("prune", "--keep", "soon", ok=2).err
    assert said == 'memgit: --keep must be a duration such as 90d, 12h, 1h30m or 45s, not "soon".\n'


def test_operations_are_json_that_later_versions_can_read(repo: Repo) -> None:
    done = repo.consolidate("--json").json
    raw = repo.git("cat-file", "commit", done["operation"])
    record = json.loads(raw.splitlines()[-1])
    assert set(record) == {"schema", "kind", "time", "refs", "digest"}
    assert record["refs"] == [["refs/heads/main", done["old_tip"], done["new_tip"]]]


def test_an_operation_of_a_newer_memgit_is_left_alone(repo: Repo) -> None:
    repo.point("refs/memgit/ops", repo.commit('x\n\n{"schema": 2}', branch=None))
    said = repo.memgit("undo", ok=1).err
    assert "was written by a newer memgit.\n  Update memgit to work with it.\n" in said
