"""Killed, cut off, refused, full, or in a race with a busy user: nothing lost, nothing to repair.

RELIABILITY invariants I4, I5, I14 to I18, I21, I23 to I25. The ordinary run samples; `-m slow` takes everything.
"""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from support.faults import inject
from support.workspace import Workspace

FAULTS = ("killtree", "killproc", "term", "torn", "err:ENOSPC", "errfrom:EIO", "killtree --compound")
SAMPLE = {"killtree": "6", "killproc": "3"}
MAY_LOCK_OUT_AT = 15  # I17
MUST_BE_ZERO = (
    "user_commit_foreign",
    "user_commits_folded",
    "user_commit_lost",
    "staged_lost",
    "swallowed_by_tool",
    "auto_foreign",
    "agent_lines_lost",
    "agent_lines_uncommitted",
    "status_inverse",
    "final_rc",
)


@pytest.mark.parametrize("fault", FAULTS)
def test_commit_survives_a_sample(fault: str, tmp_path: Path) -> None:
    _sweep(tmp_path, "--points", SAMPLE.get(fault, "2"), "--mode", *fault.split())


def test_every_rename_can_be_the_last_call(tmp_path: Path) -> None:
    """Between two of them the branch has moved and the index has not."""
    _sweep(tmp_path, "--mode", "killtree", "--only", "rename,renameat,renameat2")


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_commit_survives_everywhere(fault: str, tmp_path: Path) -> None:
    _sweep(tmp_path, "--mode", *fault.split())


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["power", "power-journal"])
def test_commit_survives_a_power_cut(fault: str, tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    _sweep(tmp_path, "--mode", fault)


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS[:3])
def test_restore_survives_everywhere(fault: str, tmp_path: Path) -> None:
    _sweep(tmp_path, "--mode", *fault.split(), cmd="memgit restore memory/topic-00.md --at v1")


@pytest.mark.parametrize("profile", ["branches", "editor"])
def test_busy_user_is_not_disturbed(profile: str, tmp_path: Path) -> None:
    _race(tmp_path, profile, 3)


@pytest.mark.slow
@pytest.mark.parametrize("profile", ["linear", "editor", "amend", "branches"])
def test_busy_user_is_not_disturbed_for_long(profile: str, tmp_path: Path) -> None:
    _race(tmp_path, profile, 40)


def test_full_disk_leaves_the_old_state(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    result = inject("enospc.py", tmp_path, "--cmd", "memgit commit", "--fixture", "commit-dirty", "--steps", "3")
    assert set(result.get("summary", result)["verdicts"]) <= {"clean"}


def test_files_that_vanish_while_they_are_looked_at(tmp_path: Path) -> None:
    """RELIABILITY F31."""
    ws = Workspace(tmp_path / "ws", {f"memory/{number}.md": "x\n" for number in range(40)})
    done = threading.Event()

    def come_and_go() -> None:
        while not done.is_set():
            for number in range(10):
                (ws.path / f"memory/{number}.md").unlink(missing_ok=True)
            for number in range(10):
                (ws.path / f"memory/{number}.md").write_text("y\n")

    agent = threading.Thread(target=come_and_go)
    agent.start()
    try:
        for number in range(10):
            ws.write("memory/39.md", f"{number}\n")
            ws.capture()
    finally:
        done.set()
        agent.join()
    ws.capture()
    assert ws.content("HEAD", "memory/39.md") == b"9\n"
    assert ws.status() == []
    ws.fsck()


def _sweep(place: Path, *args: str, cmd: str = "memgit commit") -> None:
    found = inject("killsweep.py", place, "--fixture", "commit-dirty", "--cmd", cmd, "--jobs", "1", *args)
    worst = [point for point in found["points"] if point["verdict"] not in ("clean", "residue", "blocked")]
    assert not [point for point in worst if point["verdict"] != "not-reached"], json.dumps(worst[:3], indent=1)
    assert found["summary"]["clean_rc"] == 0
    assert found["summary"]["flags"]["user_commit_refused"] <= MAY_LOCK_OUT_AT


def _race(place: Path, profile: str, seconds: int) -> None:
    found = _raced(place / "short", profile, seconds)
    if found["user_refused"] > _allowed(found):  # too few to count by the hundred: so once more, for longer
        found = _raced(place / "long", profile, 5 * seconds)
    assert found["user_refused"] <= _allowed(found)
    assert found["tool_runs"] > 1
    if profile == "editor":
        assert found["user_refused"] == 0


def _allowed(found: dict[str, Any]) -> float:
    """I25, which allows two in a hundred."""
    return max(1.0, int(found["user_ops"]) * 0.02)


def _raced(place: Path, profile: str, seconds: int) -> dict[str, Any]:
    place.mkdir()
    found = inject(
        "race.py", place, "--cmd", "memgit commit", "--profile", profile, "--seconds", str(seconds), "--gap", "0.05"
    )
    assert {name: found[name] for name in MUST_BE_ZERO} == dict.fromkeys(MUST_BE_ZERO, 0)
    assert (found["fsck"], found["locks"], found["inprogress"]) == ([], [], [])
    assert set(found["tool_rc"]) == {"0"}
    return found
