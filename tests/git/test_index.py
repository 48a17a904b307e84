"""The index is changed on a copy by git, and put in place under a lock held for a moment."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from memgit.core.objects import ZERO
from memgit.git import index
from memgit.git.command import Git
from memgit.git.index import FileStat, IndexLocked, IndexUnusable, NextIndex, Update
from support.workspace import Workspace


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "ws", {"a.md": "a\n", "b/c.md": "c\n", "other.txt": "o\n"})


def replace(ws: Workspace, *updates: Update) -> None:
    copy = NextIndex(Git(str(ws.path)), str(ws.git_dir), str(ws.git_dir / "waiting"))
    copy.prepare(updates)
    copy.lock()
    copy.install()
    copy.drop()


def updated(ws: Workspace, path: str, content: str) -> Update:
    ws.write(path, content)
    oid = ws.git("hash-object", "-w", path).strip()
    return Update(path.encode(), b"100644", oid, FileStat.of(os.stat(ws.path / path)))


@pytest.mark.parametrize("kind", ["plain", "version 4", "split", "untracked cache", "no checksum"])
def test_entry_is_as_git_itself_would_have_written_it(ws: Workspace, kind: str) -> None:
    if kind == "version 4":
        ws.git("update-index", "--index-version", "4")
    elif kind == "split":
        ws.git("update-index", "--split-index")
    elif kind == "untracked cache":
        ws.git("update-index", "--force-untracked-cache")
    elif kind == "no checksum":
        ws.git("config", "index.skipHash", "true")
        ws.git("update-index", "--force-write-index", "--refresh")
    replace(ws, updated(ws, "a.md", "other\n"), updated(ws, "b/new.md", "n\n"), Update(b"other.txt", b"0", ZERO))
    assert ws.git("ls-files").split() == [b"a.md", b"b/c.md", b"b/new.md"]
    assert ws.staged() == ["A\tb/new.md", "D\tother.txt", "M\ta.md"]
    if kind in ("plain", "untracked cache"):
        assert ws.git("diff-files") == b"", "git has to read no file to see that nothing has changed"
    assert [line for line in ws.status() if line[1] != " "] == ["?? other.txt"]
    ws.fsck()


def test_lock_of_somebody_else_is_respected(ws: Workspace) -> None:
    before = (ws.git_dir / "index").read_bytes()
    (ws.git_dir / "index.lock").write_bytes(b"mine")
    with pytest.raises(IndexLocked):
        replace(ws, updated(ws, "a.md", "x\n"))
    assert (ws.git_dir / "index.lock").read_bytes() == b"mine"
    assert (ws.git_dir / "index").read_bytes() == before


def test_index_that_changed_meanwhile_is_left_alone(ws: Workspace) -> None:
    copy = NextIndex(Git(str(ws.path)), str(ws.git_dir), str(ws.git_dir / "waiting"))
    copy.prepare([updated(ws, "a.md", "x\n")])
    ws.write("other.txt", "by the user\n")
    ws.git("add", "other.txt")
    with pytest.raises(IndexLocked):
        copy.lock()
    copy.drop()
    assert ws.staged() == ["M\tother.txt"]
    assert not (ws.git_dir / "index.lock").exists()


def test_a_lock_that_was_just_taken_when_a_signal_came_is_given_back(ws: Workspace) -> None:
    copy = NextIndex(Git(str(ws.path)), str(ws.git_dir), str(ws.git_dir / "waiting"))
    copy.prepare([updated(ws, "a.md", "x\n")])
    os.link(copy.waiting, copy.lock_path)  # the signal came before lock() could note that it has it
    copy.drop()
    assert not (ws.git_dir / "index.lock").exists()


@pytest.mark.parametrize("installed", [False, True])
def test_a_lock_of_somebody_else_is_never_given_back(ws: Workspace, installed: bool) -> None:
    copy = NextIndex(Git(str(ws.path)), str(ws.git_dir), str(ws.git_dir / "waiting"))
    copy.prepare([updated(ws, "a.md", "x\n")])
    if installed:
        copy.lock()
        copy.install()
    (ws.git_dir / "index.lock").write_bytes((ws.git_dir / "waiting").read_bytes())
    if not installed:
        with pytest.raises(IndexLocked):
            copy.lock()
    copy.drop()
    assert (ws.git_dir / "index.lock").exists()


def test_index_itself_is_never_written_into(ws: Workspace) -> None:
    before = (ws.git_dir / "index").read_bytes()
    copy = NextIndex(Git(str(ws.path)), str(ws.git_dir), str(ws.git_dir / "waiting"))
    copy.prepare([updated(ws, "a.md", "x\n")])
    assert (ws.git_dir / "index").read_bytes() == before
    copy.drop()
    assert not (ws.git_dir / "waiting").exists()


def test_cut_index_is_refused(ws: Workspace) -> None:
    place = ws.git_dir / "index"
    place.write_bytes(place.read_bytes()[:60])
    with pytest.raises(IndexUnusable):
        replace(ws, Update(b"a.md", b"0", ZERO))


@pytest.mark.parametrize("flag", ["", "--assume-unchanged", "--skip-worktree"])
def test_intent_to_add_is_told_from_an_empty_file(ws: Workspace, flag: str) -> None:
    ws.write("intent.md", "x\n")
    ws.write("empty.md", "")
    ws.git("add", "-N", "intent.md")
    ws.git("add", "empty.md")
    if flag:
        ws.git("update-index", flag, "intent.md", "empty.md")
    found = index.entries(Git(str(ws.path)), [b"intent.md", b"empty.md", b"none.md"])
    assert {path: entry.intent_to_add for path, entry in found.items()} == {b"intent.md": True, b"empty.md": False}


def test_many_paths_are_looked_up_at_once(ws: Workspace) -> None:
    found = index.entries(Git(str(ws.path)), [b"a.md", *(b"x%d" % number for number in range(5000))])
    assert list(found) == [b"a.md"]


def test_own_lock_is_known_by_the_copy_it_is(ws: Workspace) -> None:
    waiting, lock = ws.git_dir / "waiting", ws.git_dir / "index.lock"
    waiting.write_bytes(b"copy")
    lock.write_bytes(b"somebody else's")
    assert index.take_back_lock(str(ws.git_dir), str(waiting)) is None
    lock.unlink()
    os.link(waiting, lock)
    assert index.take_back_lock(str(ws.git_dir), str(waiting)) == str(lock)
    assert not lock.exists()
