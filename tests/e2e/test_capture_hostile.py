"""Captures in a hurry and among strangers: files that change under the look, hooks, variables, others at once."""

from __future__ import annotations

import os
import subprocess
import threading
from pathlib import Path

import pytest

from support.repo import Repo, memgit_program
from support.workspace import Workspace

LOG = "memory/log.md"


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "ws", {LOG: "- 1\n", "MEMORY.md": "# Memory\n", "src/app.py": "print(1)\n"})


def every_object(ws: Workspace) -> bytes:
    return ws.git("cat-file", "--batch-all-objects", "--batch", "--unordered")


def test_what_is_stored_is_what_was_looked_at(ws: Workspace) -> None:
    """A secret that comes and goes under the guard is in no object, whatever the moment."""
    secret = "gh" + "p_" + "Zk3Qw9xT7vB2nM5pL8sD4fG6hJ1rC0yA3eUiO"
    done = threading.Event()

    def come_and_go() -> None:
        number = 0
        while not done.is_set():
            number += 1
            for text in (f"- {number}\n", f"- {number} {secret}\n"):
                new = ws.path / "memory/.log.tmp"
                new.write_text(text)
                new.replace(ws.path / LOG)

    agent = threading.Thread(target=come_and_go)
    agent.start()
    try:
        reports = [ws.capture(ok=None) for _ in range(30)]
    finally:
        done.set()
        agent.join()
    assert any(report["commit"] for report in reports)
    assert any(report["held"] for report in reports)
    assert secret.encode() not in every_object(ws)


def test_no_byte_mode_or_time_in_the_work_tree_changes(ws: Workspace) -> None:

    def picture() -> dict[str, tuple[int, int, int, bytes]]:
        found = {}
        for directory, names, files in os.walk(ws.path):
            names[:] = [name for name in names if name != ".git"]
            for name in files:
                place = Path(directory, name)
                looks = place.lstat()
                found[str(place)] = (looks.st_ino, looks.st_mode, looks.st_mtime_ns, place.read_bytes())
        return found

    ws.write(LOG, "- 1\n- 2\n").chmod(0o600)
    ws.write("memory/new.md", "- n\r\n", executable=True)
    ws.write("src/app.py", "print(2)\n")
    ws.write("notes.txt", "of nobody\n")
    before = picture()
    ws.capture()
    assert picture() == before
    assert ws.status() == [" M src/app.py", "?? notes.txt"]


def test_programs_that_a_repository_names_do_not_run(ws: Workspace, tmp_path: Path) -> None:
    trap, sprung = tmp_path / "trap", tmp_path / "sprung"
    trap.write_text(f"#!/bin/sh\necho \"$0\" >> '{sprung}'\n")
    trap.chmod(0o755)
    hooks = ws.git_dir / "hooks"
    hooks.mkdir(exist_ok=True)
    names = "pre-commit prepare-commit-msg commit-msg post-commit post-index-change reference-transaction pre-auto-gc"
    for name in names.split():
        (hooks / name).symlink_to(trap)
    keys = "core.fsmonitor core.pager core.editor core.sshCommand diff.external diff.x.textconv gpg.program"
    for key in keys.split():
        ws.git("config", key, str(trap))
    ws.write(".gitattributes", "*.md diff=x\n")
    sprung.unlink(missing_ok=True)  # `git config` may have started one
    ws.write(LOG, "- 1\n- 2\n")
    ws.run("status")
    ws.capture()
    ws.run("restore", LOG, "--at", "HEAD~1")
    ws.run("log", "--raw", LOG)
    ws.run("guard", "scan", "--range", "HEAD~2..HEAD")
    assert not sprung.exists(), sprung.read_text()
    ws.git("commit", "-q", "--allow-empty", "-m", "by the user")
    assert sprung.exists()  # the trap itself works


def test_git_variables_of_a_hook_do_not_bend_a_capture(ws: Workspace, tmp_path: Path) -> None:
    other = Repo(tmp_path / "other")
    other.commit("not mine", {"a": "b"})
    refs = other.refs()
    env = {
        "GIT_DIR": str(other.git_dir),
        "GIT_WORK_TREE": str(other.path),
        "GIT_INDEX_FILE": "/nowhere",
        "GIT_OBJECT_DIRECTORY": str(other.git_dir / "objects"),
        "GIT_PREFIX": "elsewhere/",
    }
    ws.write(LOG, "- 1\n- 2\n")
    assert ws.capture(env=env)["ref"] == "refs/heads/main"
    assert ws.content("main", LOG) == b"- 1\n- 2\n"
    assert ws.status() == []
    assert other.refs() == refs


def test_many_at_once_make_one_capture_of_each_state(ws: Workspace) -> None:
    """One writer, also from linked work trees; whoever can't wait any longer says so."""
    linked = ws.path.parent / "linked"
    ws.git("worktree", "add", "-q", str(linked), "-b", "side")
    for number in range(3):
        ws.write(LOG, f"- {number}\n")
        (linked / LOG).write_text(f"- side {number}\n")
        start = [
            subprocess.Popen((memgit_program(), "-C", str(place), "commit", "-q"), stderr=subprocess.PIPE)
            for place in (ws.path, linked) * 4
        ]
        said = [child.communicate(timeout=60)[1] for child in start]
        assert {child.returncode for child in start} <= {0, 6}, said
    ws.run("commit", "-q")
    assert ws.content("main", LOG) == b"- 2\n"
    assert ws.content("side", LOG) == b"- side 2\n"
    for branch in ("main", "side"):
        assert ws.git("rev-list", "--count", branch).strip() == b"4"
    assert ws.status() == []
    ws.fsck()
