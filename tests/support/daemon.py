"""A running `memgit run`, and waiting for what it does."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from support.repo import memgit_program
from support.shared import needs

PATIENCE_S = 60.0


class Running:
    """The process and what it writes down."""

    def __init__(self, child: subprocess.Popen[bytes], paths: tuple[Path, ...]) -> None:
        self.child = child
        self.paths = paths

    def events(self, number: int = 0) -> list[dict[str, Any]]:
        """The log of a workspace."""
        log = self.paths[number] / ".git" / "memgit" / "log" / "run.jsonl"
        return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []

    def state(self, number: int = 0) -> dict[str, Any]:
        """What it tells `memgit status`."""
        found: dict[str, Any] = json.loads((self.paths[number] / ".git" / "memgit" / "run.json").read_text())
        return found

    def stop(self) -> int:
        """Ask it to stop; its exit status."""
        self.child.send_signal(signal.SIGTERM)
        return self.child.wait(PATIENCE_S)


def until(happened: Callable[[], object], what: str = "") -> None:
    """Wait for something to become true, however slow the machine is."""
    deadline = time.monotonic() + PATIENCE_S
    while not happened():
        assert time.monotonic() < deadline, what or "it did not happen"
        time.sleep(0.02)


def children(top: int) -> list[int]:
    """Everything that a process has started, however far down."""
    found, todo = [], [top]
    while todo:
        try:
            below = Path(f"/proc/{todo[0]}/task/{todo[0]}/children").read_text().split()
        except OSError:
            below = []
        todo = [*todo[1:], *map(int, below)]
        found += list(map(int, below))
    return found


def program(pid: int) -> bytes:
    """What a process runs, as it was called; nothing once it has gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().partition(b"\0")[0]
    except OSError:
        return b""


def faketime() -> str:
    """The library that lies about the time."""
    found = importlib.util.find_spec("libfaketime")
    if found is None or found.origin is None:
        needs("libfaketime")
        raise AssertionError
    return str(next(Path(found.origin).parent.rglob("libfaketime.so.1")))


def shifted(offset: str) -> dict[str, str]:
    """Environment of a program for which it is earlier or later: `+2d`. What is waited for takes as long as ever."""
    steady = {"FAKETIME_DONT_FAKE_MONOTONIC": "1", "NO_FAKE_STAT": "1"}
    return {"LD_PRELOAD": faketime(), "FAKETIME": offset, **steady}


@contextmanager
def running(*paths: Path, env: Mapping[str, str] | None = None, config: str = "") -> Iterator[Running]:
    """`memgit run` on these workspaces, ready; ended with all it started. config: the local one of each."""
    for path in paths:
        settings = path / ".git" / "memgit" / "config.toml"
        settings.parent.mkdir(exist_ok=True)
        settings.write_text(config or FAST)
    child = subprocess.Popen(
        [memgit_program(), "run", *map(str, paths)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={**os.environ, **(env or {})},
        start_new_session=True,
    )
    found = Running(child, paths)
    try:
        for number in range(len(paths)):
            until(lambda number=number: (paths[number] / ".git" / "memgit" / "run.json").exists())  # type: ignore[misc]
        yield found
    finally:
        if child.poll() is None:
            child.kill()
        child.wait()
        assert child.stderr is not None
        said = child.stderr.read().decode()
        child.stderr.close()
        assert "Traceback" not in said, said


JOBS = ("capture", "mirror", "consolidate", "push", "backup", "backup_prune", "prune")
QUIET_JOBS = "".join(f'{job} = "never"\n' for job in JOBS)
FAST = f'[watch]\ndebounce = "1s"\nmax_wait = "3s"\nscan = "1h"\n[schedule]\n{QUIET_JOBS}'
