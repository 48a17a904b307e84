"""memgit sync and run --once, killed at any system call: the next run completes, nothing is lost, nobody is locked out.

RELIABILITY I14 to I18. The ordinary run samples the points; `-m slow` takes many more.
"""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

import pytest

from support import remotes
from support.faults import inject
from support.repo import run

SYNC = "memgit sync --now -q"
ONCE = "memgit run --once -q"
SAMPLES = {"killtree": 6, "killproc": 3, "term": 3}
EVERY_MODE = (*SAMPLES, "torn", "err:ENOSPC", "errfrom:ENOSPC", "errfrom:EIO")
MAY_LOCK_OUT_AT = 15  # I17


@pytest.fixture
def fixture(tmp_path: Path) -> Path:
    """repo/ with commits, staged and unwritten work of its own, and remote.git with news that touch the same file."""
    place = tmp_path / "fixture"
    remotes.bare(place / "remote.git")
    first = place / "first"
    run("git", "clone", "-q", str(place / "remote.git"), str(first))
    write(first, {"MEMORY.md": "# Memory\n\n- first\n", "app.py": "print(1)\n", "other.py": "x\n"})
    commit(first, "Start")
    run("git", "-C", str(first), "push", "-q", "origin", "HEAD:main")
    repo = place / "repo"
    run("git", "clone", "-q", str(place / "remote.git"), str(repo))
    run("git", "-C", str(repo), "remote", "set-url", "origin", "../remote.git")
    write(first, {"MEMORY.md": "# Memory\n\n- first\n- theirs\n", "app.py": "print(2)\n", "memory/new.md": "new\n"})
    commit(first, "Theirs")
    run("git", "-C", str(first), "push", "-q", "origin", "HEAD:main")
    shutil.rmtree(first)
    for number in range(3):  # of a window that has ended: they become one
        write(repo, {"memory/mine.md": "- mine\n" * (number + 1)})
        commit(repo, "auto: mine\n\nMemgit-Auto: laptop", at_s=int(time.time()) - 3 * 86_400 + number)
    write(repo, {"MEMORY.md": "# Memory\n\n- first\n- mine, not committed\n", "other.py": "staged\n"})
    run("git", "-C", str(repo), "add", "other.py")
    write(repo, {"other.py": "unstaged\n"})
    return place


def write(place: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (place / name).parent.mkdir(exist_ok=True)
        (place / name).write_text(text)


def commit(place: Path, message: str, at_s: int | None = None) -> None:
    dates = {} if at_s is None else {"GIT_AUTHOR_DATE": f"{at_s} +0000", "GIT_COMMITTER_DATE": f"{at_s} +0000"}
    run("git", "-C", str(place), "add", "-A")
    run("git", "-C", str(place), "commit", "-q", "-m", message, env=dates)


@pytest.mark.parametrize("mode", SAMPLES)
def test_sync_survives_a_sample(mode: str, fixture: Path, tmp_path: Path) -> None:
    sweep(fixture, tmp_path, mode, SYNC, str(SAMPLES[mode]))


def test_run_survives_a_sample(fixture: Path, tmp_path: Path) -> None:
    sweep_run(fixture, tmp_path, "killtree", "4")


@pytest.mark.slow
@pytest.mark.parametrize("mode", EVERY_MODE)
def test_sync_survives_nearly_everywhere(mode: str, fixture: Path, tmp_path: Path) -> None:
    sweep(fixture, tmp_path, mode, SYNC, "120")


@pytest.mark.slow
@pytest.mark.parametrize("mode", EVERY_MODE)
def test_run_survives_nearly_everywhere(mode: str, fixture: Path, tmp_path: Path) -> None:
    sweep_run(fixture, tmp_path, mode, "80")


def sweep_run(fixture: Path, place: Path, mode: str, points: str) -> None:
    """Capture, consolidate and sync, all of them due."""
    again = f"rm -f .git/memgit/jobs.json; {ONCE}"  # what was done is not due again, what was not is
    sweep(fixture, place, mode, ONCE, points, "--rerun", again, "--env", "MEMGIT_SCHEDULE_SYNC=every 30m")


def sweep(fixture: Path, place: Path, mode: str, command: str, points: str, *more: str) -> None:
    found = inject(
        "killsweep.py", place, "--fixture", str(fixture), "--archive", "refs/memgit/", "--goal", "same-tree",
        "--jobs", "1", "--also", "remote.git", "--env", "MEMGIT_MACHINE=laptop", "--mode", mode, "--points", points,
        "--cmd", command, *more, timeout_s=1800,
    )  # fmt: skip
    # A server that is killed leaves its own locks in its own repository; those are not ours to take away.
    ours = [point for point in found["points"] if not point.get("at", "").startswith("git-receive-pac")]
    worst = [point for point in ours if point["verdict"] in ("corrupt", "loss", "manual")]
    assert not worst, json.dumps(worst[:3], indent=1)
    assert found["summary"]["clean_rc"] == 0
    assert sum(point["verdict"] == "blocked" for point in ours) <= MAY_LOCK_OUT_AT
