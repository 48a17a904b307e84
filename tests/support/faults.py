"""The shared fault injectors: memgit killed, cut off, refused or raced at its system calls, and what is left judged."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from support.repo import memgit_program
from support.shared import shared

MAY_LOCK_OUT_AT = 15  # crash points: those at which the dead run held the branch's lock, which a person's git meets
FINE = ("clean", "residue", "blocked")  # what is left after a point, and after the next run


def sweep(place: Path, *args: str, timeout_s: int = 900) -> dict[str, Any]:
    """What killsweep.py found. place: an empty directory; the injector, once built, stays beside it for other tests."""
    if shutil.which("gcc") is None:
        pytest.skip("the fault injector needs gcc")
    return tool("killsweep.py", place, "--jobs", "1", *args, timeout_s=timeout_s)


def tool(name: str, place: Path, *args: str, timeout_s: int = 900) -> dict[str, Any]:
    """The result of one of the tools, run with the memgit under test."""
    if sys.platform != "linux":
        pytest.skip("the fault injectors need Linux")
    result = place / "result.json"
    path = f"{Path(memgit_program()).parent}:{os.environ['PATH']}"
    argv = (
        sys.executable, str(shared("tools", "faults", name)), *args, "--work", str(place.parent / "faults"),
        "--json", str(result), "--env", f"PATH={path}", "--env", "PYTHONDONTWRITEBYTECODE=",
    )  # fmt: skip
    child = subprocess.run(argv, capture_output=True, text=True, timeout=timeout_s, check=False)
    assert result.exists(), child.stderr + child.stdout
    found: dict[str, Any] = json.loads(result.read_text())
    return found


def worst(found: dict[str, Any], fine: tuple[str, ...] = FINE) -> str:
    """The points after which something was wrong, the first three; empty if there is none."""
    wrong = [point for point in found["points"] if point["verdict"] not in fine]
    return json.dumps(wrong[:3], indent=1) if wrong else ""
