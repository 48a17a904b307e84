"""A daemon whose hints, clock or repository go wrong still captures everything, and says what it does."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from support.daemon import FAST, QUIET_JOBS, faketime, running, until
from support.repo import Repo, memgit_program
from support.shared import needs


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    made = Repo(tmp_path / "ws")
    made.commit("Start", {"MEMORY.md": "# Memory\n", "memory/a.md": "- a\n"})
    made.checkout()
    return made


def captured(repo: Repo, name: str) -> bytes | None:
    """A file as the branch has it."""
    child = subprocess.run(["git", "-C", str(repo.path), "show", f"HEAD:{name}"], capture_output=True, check=False)
    return child.stdout if child.returncode == 0 else None


def test_what_happened_while_the_queue_of_hints_was_full_is_found(repo: Repo) -> None:
    """More happens than the system keeps, and the last of it is known from a scan alone."""
    limit = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    if limit > 100_000:
        pytest.skip("the queue of this system is too long to fill")
    memory = repo.path / "memory"
    with running(repo.path) as daemon:  # it scans once an hour, so nothing but the loss makes it look
        until(lambda: daemon.events())
        daemon.child.send_signal(signal.SIGSTOP)
        for number in range(limit // 2 + 100):
            place = memory / f"{number}.tmp"  # no memory: an editor's scratch file
            place.touch()
            place.unlink()
        (memory / "last.md").write_text("last\n")
        daemon.child.send_signal(signal.SIGCONT)
        until(lambda: captured(repo, "memory/last.md") == b"last\n")


def test_where_no_more_can_be_watched_it_polls_and_says_so(repo: Repo) -> None:
    """The limit is that of a user namespace made for this test, which is the only one it counts for."""
    unshare = needs("unshare")
    for number in range(6):
        (repo.path / "memory" / str(number)).mkdir()
    settings = repo.git_dir / "memgit" / "config.toml"
    settings.parent.mkdir()
    settings.write_text(FAST.replace('scan = "1h"', 'scan = "1s"'))
    script = f'echo 3 > /proc/sys/user/max_inotify_watches && exec "{memgit_program()}" run "{repo.path}"'
    if subprocess.run([unshare, "--user", "--map-root-user", "true"], capture_output=True, check=False).returncode:
        pytest.skip("this system lets nobody make a user namespace")
    child = subprocess.Popen([unshare, "--user", "--map-root-user", "sh", "-c", script], stdin=subprocess.DEVNULL)
    state = repo.git_dir / "memgit" / "run.json"
    try:
        until(lambda: state.exists() and json.loads(state.read_text())["watching"] == "polling")
        assert "max_user_watches" in json.loads(state.read_text())["why"]
        assert "polling" in repo.memgit("status").out
        (repo.path / "memory" / "5" / "x.md").write_text("x\n")
        until(lambda: captured(repo, "memory/5/x.md") == b"x\n")
    finally:
        child.terminate()
        assert child.wait() == 0


def test_a_machine_that_slept_goes_on_where_it_was(repo: Repo) -> None:
    with running(repo.path) as daemon:
        daemon.child.send_signal(signal.SIGSTOP)
        (repo.path / "memory" / "asleep.md").write_text("written meanwhile\n")
        time.sleep(2)
        assert captured(repo, "memory/asleep.md") is None
        daemon.child.send_signal(signal.SIGCONT)
        until(lambda: captured(repo, "memory/asleep.md") == b"written meanwhile\n")
        assert daemon.stop() == 0


def test_a_clock_that_jumps_makes_one_run_and_no_burst_and_stops_no_capture(repo: Repo, tmp_path: Path) -> None:
    """A week ahead, then far back."""
    jobs = QUIET_JOBS.replace('consolidate = "never"', 'consolidate = "every 1h"')
    config = f'[watch]\ndebounce = "1s"\nmax_wait = "3s"\nscan = "1s"\n[schedule]\njitter = "0s"\n{jobs}'
    clock = tmp_path / "clock"
    clock.write_text("+0")
    env = {
        "LD_PRELOAD": faketime(),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "NO_FAKE_STAT": "1",
    }

    with running(repo.path, env=env, config=config) as daemon:

        def runs() -> int:
            return sum(1 for event in daemon.events() if event.get("job") == "consolidate")

        until(lambda: runs() == 1)
        clock.write_text("+7d")
        until(lambda: runs() == 2)
        (repo.path / "memory" / "ahead.md").write_text("ahead\n")
        until(lambda: captured(repo, "memory/ahead.md"))
        clock.write_text("-20y")
        (repo.path / "memory" / "back.md").write_text("back\n")
        until(lambda: captured(repo, "memory/back.md"))
        clock.write_text("+0")
        (repo.path / "memory" / "now.md").write_text("now\n")
        until(lambda: captured(repo, "memory/now.md"))
        assert runs() <= 4  # one for each time the clock was set
        daemon.stop()


def test_a_repository_that_is_deleted_is_let_go_of(repo: Repo, tmp_path: Path) -> None:
    other = Repo(tmp_path / "other")
    other.commit("Start", {"MEMORY.md": "x\n"})
    other.checkout()
    with running(repo.path, other.path, config=FAST.replace('scan = "1h"', 'scan = "1s"')) as daemon:
        shutil.rmtree(other.path)
        for number in range(2):
            (repo.path / "memory" / "on.md").write_text(f"on {number}\n")
            until(lambda number=number: captured(repo, "memory/on.md") == b"on %d\n" % number)  # type: ignore[misc]
        assert daemon.stop() == 0
    assert not other.path.exists()


def test_a_repository_that_is_moved_takes_its_memory_with_it(repo: Repo, tmp_path: Path) -> None:
    """Nothing is written where it was or where it is; a runner of the new place takes over."""
    with running(repo.path, config=FAST.replace('scan = "1h"', 'scan = "1s"')) as daemon:
        moved = tmp_path / "moved"
        os.rename(repo.path, moved)
        (moved / "memory" / "new.md").write_text("new\n")
        once = [memgit_program(), "-C", str(moved), "run", "--once", "-q"]
        until(lambda: subprocess.run(once, capture_output=True, check=False).returncode == 0)  # it was let go of
        assert not repo.path.exists()
        with running(moved):
            until(lambda: (moved / ".git" / "memgit" / "run.json").exists())
            until(lambda: subprocess.run(["git", "-C", str(moved), "cat-file", "-e", "HEAD:memory/new.md"],
                                         capture_output=True, check=False).returncode == 0)  # fmt: skip
        assert daemon.stop() == 0
