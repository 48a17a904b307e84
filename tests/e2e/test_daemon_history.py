"""A running daemon while a person works on history: what they do stays done, and nothing that was captured is lost."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from support.daemon import FAST, running, until
from support.remotes import needed
from support.repo import Repo

LOOKING = FAST.replace('scan = "1h"', 'scan = "1s"')


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    made = Repo(tmp_path / "ws")
    made.commit("Start", {"MEMORY.md": "# Memory\n", "app.py": "print(1)\n", "memory/a.md": "- a\n"})
    made.checkout()
    return made


def held(repo: Repo, name: str, at: str = "HEAD") -> bytes | None:
    """A file as a commit has it."""
    child = subprocess.run(["git", "-C", str(repo.path), "show", f"{at}:{name}"], capture_output=True, check=False)
    return child.stdout if child.returncode == 0 else None


def write(repo: Repo, name: str, text: str) -> None:
    (repo.path / name).write_text(text)
    until(lambda: held(repo, name) == text.encode(), f"{name} was not captured")
    until(lambda: not (repo.git_dir / "index.lock").exists())


def test_what_a_reset_discards_stays_discarded_and_can_be_restored(repo: Repo) -> None:
    """No reflog is needed for it."""
    with running(repo.path, config=LOOKING) as daemon:
        write(repo, "memory/gone.md", "gone\n")
        thrown_away = repo.head().decode()
        repo.git("reset", "-q", "--hard", "HEAD~1")
        write(repo, "memory/next.md", "next\n")
        daemon.stop()
    assert held(repo, "memory/gone.md") is None
    assert not (repo.path / "memory" / "gone.md").exists()
    assert repo.git("rev-list", "--count", "HEAD") == b"2\n"
    repo.git("reflog", "expire", "--expire=now", "--all")
    repo.git("gc", "-q", "--prune=now")
    assert thrown_away[:10] in repo.memgit("log", "--raw", "memory/gone.md").out
    assert "There is nothing to take back" in repo.memgit("undo", ok=2).err
    repo.memgit("restore", "memory/gone.md", "--at", thrown_away)
    assert (repo.path / "memory" / "gone.md").read_text() == "gone\n"


def test_a_persons_own_commits_that_are_amended_are_no_business_of_ours(repo: Repo) -> None:
    (repo.path / "memory" / "a.md").write_text("- b\n")
    repo.memgit("commit")
    repo.git("commit", "-q", "--allow-empty", "-m", "Mine")
    repo.memgit("commit")
    repo.git("commit", "-q", "--allow-empty", "--amend", "-m", "Mine, better")
    (repo.path / "memory" / "a.md").write_text("- c\n")
    repo.memgit("commit")
    assert repo.git("for-each-ref", "refs/memgit") == b""


def test_a_rebase_goes_on_undisturbed_and_what_is_written_meanwhile_comes_after_it(repo: Repo) -> None:
    repo.git("checkout", "-q", "-b", "topic")
    for number, branch in enumerate(("topic", "main")):
        repo.git("checkout", "-q", branch)
        (repo.path / "app.py").write_text(f"print({number + 2})\n")
        repo.git("commit", "-q", "-a", "-m", f"On {branch}")
    repo.git("checkout", "-q", "topic")
    with running(repo.path, config=LOOKING) as daemon:
        stopped = subprocess.run(
            ["git", "-C", str(repo.path), "rebase", "-q", "main"], capture_output=True, check=False
        )
        assert stopped.returncode != 0
        at = repo.git("rev-parse", "HEAD")
        (repo.path / "memory" / "during.md").write_text("during\n")
        until(lambda: repo.git("for-each-ref", "--format=%(refname)", "refs/memgit/capture"))
        assert repo.git("rev-parse", "HEAD") == at
        assert repo.git("status", "--porcelain") == b"UU app.py\n?? memory/during.md\n"
        (repo.path / "app.py").write_text("print(4)\n")
        repo.git("add", "app.py")
        repo.git("rebase", "--continue", env={"GIT_EDITOR": "true"})
        until(lambda: held(repo, "memory/during.md") == b"during\n")
        until(lambda: not repo.git("for-each-ref", "refs/memgit/capture"))
        daemon.stop()
    assert repo.git("log", "--format=%s", "--reverse").decode().splitlines()[:3] == ["Start", "On main", "On topic"]
    assert repo.git("status", "--porcelain") == b""


def test_on_another_branch_the_first_one_stays_where_it_was(repo: Repo) -> None:
    with running(repo.path, config=LOOKING) as daemon:
        write(repo, "memory/main.md", "main\n")
        main = repo.git("rev-parse", "main")
        repo.git("checkout", "-q", "-b", "other", "main~1")
        write(repo, "memory/other.md", "other\n")
        assert repo.git("rev-parse", "main") == main
        repo.git("checkout", "-q", "main")
        write(repo, "memory/back.md", "back\n")
        daemon.stop()
    assert repo.git("rev-parse", "main~1") == main
    assert held(repo, "memory/main.md", "other") is None
    assert held(repo, "memory/other.md", "main") is None


def test_a_history_that_was_filtered_stays_filtered(repo: Repo) -> None:
    program = needed("git-filter-repo")
    with running(repo.path, config=LOOKING) as daemon:
        write(repo, "memory/keep.md", "keep\n")
        write(repo, "memory/drop.md", "drop\n")
        argv = [program, "--force", "--invert-paths", "--path", "memory/drop.md"]
        subprocess.run(argv, cwd=repo.path, check=True, capture_output=True, env={**os.environ, "PYTHONPATH": ""})
        write(repo, "memory/after.md", "after\n")
        daemon.stop()
    assert held(repo, "memory/keep.md") == b"keep\n"
    assert repo.git("log", "--all", "--format=%h", "--", "memory/drop.md") == b""
    assert not (repo.path / "memory" / "drop.md").exists()
    repo.git("fsck", "--strict")
