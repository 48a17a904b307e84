"""The fault injectors of the shared directory, run on the installed command."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from support.repo import memgit_program
from support.shared import shared

_LOOK_S = 2
# Calls that meet a full or failing disk; taking away still works there.
_ALLOCATING = (
    "open,openat,creat,write,pwrite64,mkdir,mkdirat,link,linkat,rename,renameat,renameat2,symlink,symlinkat,ftruncate,"
    "fsync,fdatasync,copy_file_range"
)


def inject(name: str, place: Path, *args: str, timeout_s: int = 900) -> dict[str, Any]:
    """What an injector reports. place: of the test alone."""
    tool = shared("tools", "faults", name)
    if sys.platform != "linux" or shutil.which("gcc") is None:
        pytest.skip("the fault injectors need Linux and gcc")
    result = place / "result.json"
    argv = [
        *(sys.executable, str(tool), *args),
        *("--work", str(place.parent / "faults"), "--json", str(result)),
        *("--env", f"PATH={Path(memgit_program()).parent}:{os.environ['PATH']}", "--env", "PYTHONDONTWRITEBYTECODE="),
    ]
    with open(place / "said", "wb") as said, subprocess.Popen(argv, stdout=said, stderr=said) as child:
        _see_it_end(child, time.monotonic() + timeout_s)
    assert result.exists(), (place / "said").read_text(errors="replace")
    found: dict[str, Any] = json.loads(result.read_text())
    return found


def _see_it_end(child: subprocess.Popen[bytes], deadline_s: float) -> None:
    """Wait for an injector. One that kills a whole tree misses a process that is being born at that moment: it stands
    still, traced, and the injector waits for it for ever. It was to be killed as well.
    """
    before: set[tuple[int, str]] = set()
    while time.monotonic() < deadline_s:
        try:
            child.wait(_LOOK_S)
            return
        except subprocess.TimeoutExpired:
            still = _stopped_below(child.pid)
            for pid, _ in before & still:
                os.kill(pid, signal.SIGKILL)
            before = still
    child.kill()
    pytest.fail("the fault injector did not end")


def _stopped_below(ancestor: int) -> set[tuple[int, str]]:
    """Processes stopped by a tracer that the ancestor started, each with how often it has run."""
    facts: dict[int, dict[str, str]] = {}
    for place in Path("/proc").glob("[0-9]*"):
        try:
            lines = (place / "status").read_text().splitlines()
        except OSError:
            continue
        facts[int(place.name)] = {key: value.strip() for key, _, value in (line.partition(":") for line in lines)}

    def is_below(pid: int) -> bool:
        while pid in facts and pid != ancestor:
            pid = int(facts[pid]["PPid"])
        return pid == ancestor

    return {
        (pid, fact["voluntary_ctxt_switches"])
        for pid, fact in facts.items()
        if fact["State"].startswith("t") and is_below(int(fact["TracerPid"]))
    }


@dataclass(frozen=True)
class Struck:
    """How a command ended that a fault was put into."""

    status: int
    said: str  # on stderr
    calls: int  # that change something below the place, all processes together
    at: str  # the call that was struck


class Striker:
    """Runs a command and strikes one of the system calls that change something below a place."""

    def __init__(self, place: Path) -> None:
        source = shared("tools", "faults", "faultpoint.c")
        if sys.platform != "linux" or shutil.which("gcc") is None:
            pytest.skip("the fault injectors need Linux and gcc")
        self._program = str(place / "faultpoint")
        self._log = place / "calls"
        subprocess.run(("gcc", "-O1", "-w", "-o", self._program, source), check=True)

    def run(self, command: Sequence[str], cwd: Path, below: Path, fault: str = "count", number: int = 0) -> Struck:
        """fault: `killtree`, `torn`, or `err:` and the name of an error that the call fails with."""
        mode, _, error = fault.partition(":")
        argv = [self._program, "-p", str(below), "-l", str(self._log), "-m", mode, "-n", str(number), "-T", "60"]
        if error:
            argv += ["-e", str(getattr(errno, error)), "-s", _ALLOCATING]
        done = subprocess.run((*argv, "--", *command), cwd=cwd, capture_output=True, text=True, check=False)
        lines = self._log.read_text(errors="replace").splitlines()
        at = next((line for line in lines if line.startswith(f"{number}\t")), "")
        return Struck(done.returncode, done.stderr, int(lines[-1].split("total=")[1].split()[0]), at)
