"""`memgit status`: one screen, and an exit status that a monitor can use."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

import pytest

from support import clone
from support.clone import git
from support.repo import memgit

AUTO = "auto: MEMORY.md\n\nMemgit-Auto: laptop"


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    made = clone.make(tmp_path / "work")
    git(made, "clone", "-q", "--bare", str(made), str(tmp_path / "remote.git"))
    git(made, "remote", "add", "origin", str(tmp_path / "remote.git"))
    git(made, "fetch", "-q", "origin")
    git(made, "branch", "-q", "--set-upstream-to=origin/main")
    return made


def capture(repo: Path, number: int, at_s: float) -> None:
    (repo / "MEMORY.md").write_text(f"# Memory\n\n- {number}\n")
    date = {"GIT_AUTHOR_DATE": f"{int(at_s)} +0000", "GIT_COMMITTER_DATE": f"{int(at_s)} +0000"}
    git(repo, "commit", "-q", "-a", "-m", AUTO, extra=date)


def test_a_quiet_workspace(repo: Path) -> None:
    assert memgit(repo, "status").out == (
        "Captures go to main.\nLast capture: never. 0 memory files to capture.\n"
        "Nothing is held back.\nEverything is pushed.\n"
    )
    assert memgit(repo, "status", "-q").out == ""


def test_one_screen_tells_all(repo: Path) -> None:
    now = time.time()
    for number in range(3):
        capture(repo, number, now - 10 * 86400 + number)
    capture(repo, 3, now)
    capture(repo, 4, now)
    (repo / "memory" / "2026-02-04.md").write_text("# 2026-02-04\n\n- 09:00 new\n")
    shown = memgit(repo, "status").out
    expected = r"""Captures go to main\.
Last capture: \d+ seconds? ago\. 1 memory file to capture\.
  memory/2026-02-04\.md
Nothing is held back\.
2 automatic commits in a window that ends \d{4}-\d\d-\d\d 00:00\.
3 automatic commits due to be joined: memgit consolidate
5 commits not pushed, the oldest 10 days old\.
"""
    assert re.fullmatch(expected, shown), shown
    told = memgit(repo, "status", "--json").json
    assert (told["in_open_window"], told["due"], told["changed"]) == (2, 3, ["memory/2026-02-04.md"])
    assert told["unpushed"]["commits"] == 5
    assert told["unpushed"]["age_s"] >= 10 * 86400 - 5
    assert told["window_ends"] % 86400 == 0
    memgit(repo, "consolidate")
    assert "consolidate main: 5 -> 3 commits\n" in memgit(repo, "status").out
    memgit(repo, "undo")
    for command in ("status", "log"):
        assert "consolidate main: 5 -> 3 commits  (taken back)\n" in memgit(repo, command).out


def test_a_monitor_sees_what_is_held_and_what_waits(repo: Path) -> None:
    git(repo, "checkout", "-q", "--detach")
    (repo / "MEMORY.md").write_text("# Memory\n\n- detached\n")
    memgit(repo, "commit")
    assert "waits at" in memgit(repo, "status", ok=6).out
    git(repo, "stash", "-q")
    git(repo, "checkout", "-q", "main")
    git(repo, "stash", "pop", "-q")
    memgit(repo, "commit")
    memgit(repo, "status")
    (repo / "MEMORY.md").write_text(clone.secret())
    memgit(repo, "commit", ok=4)
    assert "held back: MEMORY.md" in memgit(repo, "status", ok=4).err
    assert memgit(repo, "status", "-q", ok=4).out == ""


def test_what_an_excluded_branch_keeps_aside_alarms_nobody(repo: Path) -> None:
    (repo / ".git/memgit").mkdir(exist_ok=True)
    (repo / ".git/memgit/config.toml").write_text('[capture]\nexclude_branches = ["try/*"]\n')
    git(repo, "switch", "-q", "-c", "try/one")
    (repo / "MEMORY.md").write_text("# Memory\n\n- tried\n")
    memgit(repo, "commit")
    shown = memgit(repo, "status").out
    assert re.search(r"refs/memgit/capture/\S+/try/one is at \w+; it stays there, since its branch is excluded", shown)
    told = memgit(repo, "status", "--json").json
    assert (len(told["aside"]), told["waiting"]) == (1, [])
    (repo / ".git/memgit/config.toml").unlink()
    assert "try/one waits at" in memgit(repo, "status", ok=6).out


def test_without_an_upstream_that_is_said(tmp_path: Path) -> None:
    repo = clone.make(tmp_path / "work")
    assert "No upstream: nothing of this branch is anywhere else." in memgit(repo, "status").out
    assert memgit(repo, "status", "--json").json["unpushed"] is None


def test_in_the_middle_of_a_merge_captures_go_aside_and_nothing_is_due(repo: Path) -> None:
    (repo / ".git/MERGE_HEAD").write_text(git(repo, "rev-parse", "HEAD").stdout)
    assert "Captures go to a private ref, since a merge is in progress." in memgit(repo, "status").out


def test_a_bare_repository_has_a_status(repo: Path, tmp_path: Path) -> None:
    assert "the repository is bare" in memgit(tmp_path / "remote.git", "status").out


def test_looking_writes_nothing(tmp_path: Path) -> None:
    repo = clone.make(tmp_path / "work")
    guessable = "the database pass" + "word is Blue-Horse7!Staple\n"
    (repo / "MEMORY.md").write_text("# Memory\n\n" + guessable)
    os.utime(repo / "MEMORY.md", (1_700_000_000,) * 2)

    def everything() -> dict[str, bytes]:
        return {str(path): path.read_bytes() for path in sorted(repo.rglob("*")) if path.is_file()}

    before = everything()
    told = memgit(repo, "status", ok=4)
    assert "held back: MEMORY.md holds what looks like a secret" in told.err
    for look in ("commit --dry-run", "log", "log --raw MEMORY.md", "consolidate --dry-run", "doctor", "config"):
        memgit(repo, *look.split(), ok=4 if look.startswith("commit") else 0)
        assert everything() == before, look
    memgit(repo, "restore", "MEMORY.md", "--at", "HEAD", "--dry-run", ok=4)
    memgit(repo, "guard", "scan", "--range", "HEAD")
    assert everything() == before
    scanned = memgit(repo, "guard", "scan", ok=4)
    name = scanned.out.split()[-1].strip("[]()")
    memgit(repo, "guard", "allow", name)
    assert memgit(repo, "guard", "scan").out == ""
    memgit(repo, "commit")
