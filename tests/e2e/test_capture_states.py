"""Capture never stops: in every state each change is on the branch or on its stand-in, and folds back by itself."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.workspace import Workspace

FILE = "memory/log.md"
CAPTURED = "refs/memgit/capture/main/"


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    ws = Workspace(tmp_path / "ws", {"memory/log.md": "- 1\n", "app.py": "print(1)\n"})
    ws.git("branch", "other")
    ws.write("app.py", "print(2)\n")
    ws.git("commit", "-qam", "two")
    return ws


def diverge(ws: Workspace) -> None:
    ws.git("switch", "-q", "other")
    ws.write("app.py", "print('other')\n")
    ws.git("commit", "-qam", "elsewhere")
    ws.git("switch", "-q", "main")


def fails(ws: Workspace, *args: str) -> None:
    assert subprocess.run(("git", "-C", str(ws.path), *args), capture_output=True, check=False).returncode != 0


def detach(ws: Workspace) -> Callable[[], object]:
    ws.git("checkout", "-q", "--detach")
    return lambda: ws.git("checkout", "-q", "main")


def merge(ws: Workspace) -> Callable[[], object]:
    diverge(ws)
    fails(ws, "merge", "-q", "other")
    return lambda: (ws.write("app.py", "merged\n"), ws.git("add", "app.py"), ws.git("commit", "-qm", "merged"))


def rebase(ws: Workspace) -> Callable[[], object]:
    diverge(ws)
    fails(ws, "rebase", "-q", "other")
    # An abort takes uncommitted changes of tracked files with it; here the agent goes on from its own memory.
    return lambda: (ws.git("rebase", "--abort"), ws.write(FILE, "- 1\n- 2\n- 3\n"))


def cherry_pick(ws: Workspace) -> Callable[[], object]:
    diverge(ws)
    fails(ws, "cherry-pick", "other")
    return lambda: ws.git("cherry-pick", "--quit") + ws.git("reset", "-q", "--", "app.py")


def revert(ws: Workspace) -> Callable[[], object]:
    ws.git("revert", "--no-commit", "HEAD")
    return lambda: ws.git("revert", "--quit") + ws.git("commit", "-qm", "reverted")


def bisect(ws: Workspace) -> Callable[[], object]:
    ws.git("bisect", "start", "-q", "HEAD", "HEAD~1")
    return lambda: ws.git("bisect", "reset")


def am(ws: Workspace) -> Callable[[], object]:
    diverge(ws)
    patch = ws.path.parent / "patch"
    patch.write_bytes(ws.git("format-patch", "-1", "other", "--stdout"))
    fails(ws, "am", "-q", str(patch))
    return lambda: ws.git("am", "--quit")


def excluded(ws: Workspace) -> Callable[[], object]:
    config = ws.git_dir / "memgit" / "config.toml"
    config.parent.mkdir(exist_ok=True)
    config.write_text('[capture]\nexclude_branches = ["ma*"]\n')
    return config.unlink


def orphan(ws: Workspace) -> Callable[[], object]:
    ws.git("symbolic-ref", "HEAD", "refs/heads/fresh")
    ws.git("read-tree", "--empty")
    return lambda: (ws.git("symbolic-ref", "HEAD", "refs/heads/main"), ws.git("read-tree", "main"))


def stale_lock(ws: Workspace) -> Callable[[], object]:
    lock = ws.git_dir / "index.lock"
    lock.write_bytes(b"")
    os.utime(lock, (1_700_000_000,) * 2)

    def over() -> None:
        assert lock.exists(), "a lock that may be somebody's was removed"
        lock.unlink()

    return over


def held_lock(ws: Workspace) -> Callable[[], object]:
    lock = ws.git_dir / "index.lock"
    child = subprocess.Popen(
        (sys.executable, "-c", f"import time; file = open({str(lock)!r}, 'x'); time.sleep(60)"),
        stdin=subprocess.DEVNULL,
    )
    while not lock.exists():
        time.sleep(0.01)

    def over() -> None:
        child.kill()
        child.wait()
        lock.unlink()

    return over


def broken_index(ws: Workspace) -> Callable[[], object]:
    whole = (ws.git_dir / "index").read_bytes()
    (ws.git_dir / "index").write_bytes(whole[:40])
    return lambda: (ws.git_dir / "index").write_bytes(whole)


def ref_lock(ws: Workspace) -> Callable[[], object]:
    lock = ws.git_dir / "refs/heads/main.lock"
    lock.write_bytes(b"")
    return lock.unlink


STATES: dict[str, tuple[Callable[[Workspace], Callable[[], object]], str, str]] = {
    "detached": (detach, "HEAD", "HEAD is detached"),
    "merge": (merge, "main", "a merge is in progress"),
    "rebase": (rebase, "main", "a rebase is in progress"),
    "cherry-pick": (cherry_pick, "main", "a cherry-pick is in progress"),
    "revert": (revert, "main", "a revert is in progress"),
    "bisect": (bisect, "main", "a bisect is in progress"),
    "am": (am, "main", "a rebase or am is in progress"),
    "excluded branch": (excluded, "main", "branch main is excluded by [capture] exclude_branches"),
    "unborn branch": (orphan, "fresh", "branch fresh has no commit yet"),
    "stale index.lock": (stale_lock, "main", "no running program has it open"),
    "held index.lock": (held_lock, "main", "holds"),
    "broken index": (broken_index, "main", "the index is damaged"),
    "locked branch": (ref_lock, "main", "another program holds"),
}


@pytest.mark.parametrize("name", STATES)
def test_change_is_kept_and_folds_back(ws: Workspace, name: str) -> None:
    enter, where, why = STATES[name]
    leave = enter(ws)
    ws.write(FILE, "- 1\n- 2\n")
    before = ws.refs()
    report = ws.capture(ok=6 if name == "broken index" else 0)
    ref = CAPTURED + where
    assert report["ref"] == ref
    assert why in report["why_not_on_branch"]
    assert ws.content(ref, FILE) == b"- 1\n- 2\n"
    assert {name: oid for name, oid in ws.refs().items() if name != ref} == before

    assert ws.capture()["commit"] is None, "the same content is captured once"
    ws.write(FILE, "- 1\n- 2\n- 3\n")
    ws.capture(ok=None)
    assert ws.content(ref, FILE) == b"- 1\n- 2\n- 3\n"
    held = ws.ref(ref)

    leave()
    report = ws.capture()
    assert ws.content("main", FILE) == b"- 1\n- 2\n- 3\n"
    assert ws.status() == ([] if name != "cherry-pick" else ws.status())
    if where in ("main", "HEAD"):
        assert report["folded"] == [ref]
        assert ws.ref(ref) is None
    assert held is not None
    ws.git("reflog", "expire", "--expire=now", "--all")
    ws.git("gc", "-q", "--prune=now")
    assert ws.content(held.decode(), FILE) == b"- 1\n- 2\n- 3\n", "what was captured stays reachable"
    assert ws.capture()["commit"] is None
    ws.fsck()


def test_captured_state_that_the_work_tree_lost_is_named(ws: Workspace) -> None:
    """An aborted merge takes uncommitted changes with it; the capture has them."""
    diverge(ws)
    fails(ws, "merge", "-q", "other")
    ws.write(FILE, "- 1\n- precious\n")
    captured = ws.capture()["commit"]
    ws.git("reset", "-q", "--hard")
    assert ws.capture()["set_aside"] == [{"path": FILE, "commit": captured}]


@contextmanager
def git_commit_with_an_editor(ws: Workspace) -> Iterator[subprocess.Popen[bytes]]:
    opened = ws.path.parent / "opened"
    script = ws.path.parent / "editor"
    script.write_text(
        f'#!/bin/sh\necho by the user > "$1"\ntouch {opened}\nwhile [ -e {opened} ]; do sleep 0.05; done\n'
    )
    script.chmod(0o755)
    child = subprocess.Popen(("git", "-C", str(ws.path), "commit", "-q"), env={**os.environ, "GIT_EDITOR": str(script)})
    try:
        while not opened.exists():
            time.sleep(0.01)
        yield child
        opened.unlink()
        assert child.wait(10) == 0, "the user's commit failed because of us"
    finally:
        if child.poll() is None:
            child.send_signal(signal.SIGTERM)
            child.wait()


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="the system does not list processes")
def test_commit_with_an_open_editor_is_not_disturbed(ws: Workspace) -> None:
    ws.write("app.py", "print(3)\n")
    ws.git("add", "app.py")
    with git_commit_with_an_editor(ws):
        ws.write(FILE, "- 1\n- 2\n")
        report = ws.capture()
        assert "git commit (process" in report["why_not_on_branch"]
    assert ws.capture()["folded"] == [CAPTURED + "main"]
    assert ws.content("main", FILE) == b"- 1\n- 2\n"
    assert ws.git("log", "-3", "--format=%s").decode().splitlines()[1] == "by the user"


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="the system does not list processes")
@pytest.mark.parametrize("command", [("consolidate", "--now"), ("undo",)])
@pytest.mark.parametrize("is_linked", [False, True])
def test_no_branch_moves_under_an_open_commit(ws: Workspace, command: tuple[str, ...], is_linked: bool) -> None:
    """Also from another work tree than the one where somebody commits."""
    for number in range(4):
        ws.write(FILE, f"- {number}\n")
        ws.capture()
    if command[0] == "undo":
        ws.run("consolidate", "--now")
    ws.write("app.py", "print(3)\n")
    ws.git("add", "app.py")
    other = ws
    where = ["--branch", "main"] if is_linked else []
    if is_linked:
        ws.git("worktree", "add", "-q", "--detach", str(ws.path.parent / "linked"))
        other = Workspace.__new__(Workspace)
        other.path = ws.path.parent / "linked"
    before = ws.head()
    with git_commit_with_an_editor(ws):
        said = other.run(*command, *where, ok=6).err
        assert "git commit (process" in said
        assert "would fail if its branch moved" in said
        assert ws.head() == before
    other.run(*command, *where)
    assert ws.git("log", "-1", "--format=%s", "main").strip() == b"by the user"
    ws.fsck()


def test_holder_of_a_lock_is_named(ws: Workspace) -> None:
    leave = held_lock(ws)
    ws.write(FILE, "- 2\n")
    why = ws.capture()["why_not_on_branch"]
    leave()
    assert why.startswith("python")
    assert f"holds {ws.git_dir / 'index.lock'}" in why


def test_unsigned_capture_waits_where_signing_does_not_work_unattended(ws: Workspace) -> None:
    ws.git("config", "commit.gpgSign", "true")
    ws.git("config", "gpg.program", "false")
    ws.write(FILE, "- 1\n- 2\n")
    report = ws.capture()
    assert report["ref"] == CAPTURED + "main"
    assert "igning failed" in report["why_not_on_branch"]
    ws.git("config", "commit.gpgSign", "false")
    assert ws.capture()["ref"] == "refs/heads/main"
