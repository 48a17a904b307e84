"""What waits for git to be free is done by the hooks that run afterwards."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from support import clone
from support.clone import git
from support.repo import memgit


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return clone.make_set_up(tmp_path / "work")


def waiting(repo: Path) -> list[str]:
    return git(repo, "for-each-ref", "--format=%(refname)", "refs/memgit/capture").stdout.split()


def test_a_capture_of_a_detached_head_folds_back_when_a_branch_is_checked_out(repo: Path) -> None:
    git(repo, "checkout", "-q", "--detach")
    (repo / "MEMORY.md").write_text("# Memory\n\n- one\n- while detached\n")
    memgit(repo, "commit")
    assert waiting(repo)
    done = git(repo, "checkout", "main")
    assert "memgit: folded back what had waited" in done.stderr
    assert not waiting(repo)
    assert "- while detached" in git(repo, "show", "main:MEMORY.md").stdout
    assert git(repo, "status", "--porcelain").stdout == ""


def test_a_capture_of_a_merge_folds_back_when_it_is_committed(repo: Path) -> None:
    git(repo, "checkout", "-q", "-b", "other")
    (repo / "app.py").write_text("print('other')\n")
    git(repo, "commit", "-q", "-a", "-m", "other")
    git(repo, "checkout", "-q", "main")
    (repo / "app.py").write_text("print('main')\n")
    git(repo, "commit", "-q", "-a", "-m", "main")
    assert git(repo, "merge", "other", ok=False).returncode == 1
    (repo / "MEMORY.md").write_text("# Memory\n\n- one\n- while merging\n")
    memgit(repo, "commit")
    assert waiting(repo)
    (repo / "app.py").write_text("print('both')\n")
    git(repo, "add", "app.py")
    said = git(repo, "commit", "-q", "--no-edit").stderr
    assert not waiting(repo), said
    assert "- while merging" in git(repo, "show", "main:MEMORY.md").stdout
    assert git(repo, "log", "-1", "--format=%s", "main~1").stdout.startswith("Merge branch")


def test_a_due_consolidation_is_mentioned_once_a_day(repo: Path) -> None:
    for number in range(4):
        (repo / "MEMORY.md").write_text(f"# Memory\n\n- {number}\n")
        date = {"GIT_AUTHOR_DATE": f"2026-01-0{number // 2 + 1}T10:0{number}:00Z"}
        git(repo, "commit", "-q", "-a", "-m", "auto: MEMORY.md\n\nMemgit-Auto: laptop", extra=date)
    due = repo / ".git/memgit/due"
    os.utime(due, (time.time() - 90_000, time.time() - 90_000))
    said = git(repo, "commit", "--allow-empty", "-m", "x").stderr
    assert said == "memgit: 4 automatic commits could become 2: memgit consolidate.\n"
    assert git(repo, "commit", "--allow-empty", "-m", "y").stderr == ""


def test_a_lost_write_is_merged_by_the_next_commit(repo: Path) -> None:
    place = repo / ".git/memgit/windows/999999999-1"
    place.mkdir(parents=True)
    oid = git(repo, "rev-parse", "HEAD:MEMORY.md").stdout.strip()
    record = {"tree": str(repo), "git_dir": str(repo / ".git"), "files": [["MEMORY.md", oid]]}
    (place / "files.json").write_text(json.dumps(record))
    (place / "0").write_text("# Memory\n\n- one\n- written in the window\n")
    said = git(repo, "commit", "--allow-empty", "-m", "x").stderr
    assert said == "memgit: MEMORY.md was written to while the tree was stashed; the write is back.\n"
    assert (repo / "MEMORY.md").read_text() == "# Memory\n\n- one\n- written in the window\n"


def test_a_capture_by_a_hook_and_by_a_restore_name_the_machine_as_a_command_does(repo: Path) -> None:
    named = {"MEMGIT_MACHINE": "Ann's box.lan"}
    git(repo, "checkout", "-q", "--detach")
    (repo / "MEMORY.md").write_text("# Memory\n\n- one\n- while detached\n")
    memgit(repo, "commit", env=named)
    git(repo, "checkout", "main", extra=named)
    memgit(repo, "restore", "MEMORY.md", "--at", "main~1", env=named)
    found = git(repo, "log", "--format=%(trailers:key=Memgit-Auto,valueonly,separator=)", "main").stdout.split()
    assert found == ["Ann-s-box-lan"] * 2
