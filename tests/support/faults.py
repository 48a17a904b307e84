"""The fault injectors of the shared directory, run on the installed command."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from support.repo import memgit_program
from support.shared import shared

_LOOK_S = 2


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
