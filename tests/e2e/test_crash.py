"""Killed, cut off or refused at any system call: the old state or the new one, and the next run finishes the work.

RELIABILITY invariants I14 to I21. The ordinary run samples the points; `-m slow` takes all of them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from support.faults import inject
from support.shared import shared

CONSOLIDATE = ("--cmd", "memgit consolidate --now")
# Once taken back there is nothing more to take back, so a rerun may say so.
UNDO = ("--setup", "memgit consolidate --now", "--cmd", "memgit undo", "--rerun", "memgit undo || true")
FAULTS = (
    ("killtree",),
    ("killproc",),
    ("term",),
    ("torn",),
    ("err:ENOSPC",),
    ("errfrom:EIO",),
    ("killtree", "--compound"),
)
SAMPLE = {"killtree": "10", "killtree --compound": "3", "killproc": "4"}
MAY_LOCK_OUT_AT = 15  # I17


@pytest.fixture(scope="session")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A noisy branch that was pushed once, with staged, unstaged and untracked work of a person."""
    place = tmp_path_factory.mktemp("crash") / "squash-dirty"
    subprocess.run(
        [sys.executable, str(shared("tools", "faults", "faultlib.py")), "fixture", "squash-dirty", str(place)],
        check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    return place


@pytest.mark.parametrize("fault", FAULTS, ids=" ".join)
def test_consolidate_survives_a_sample(fault: tuple[str, ...], workspace: Path, tmp_path: Path) -> None:
    _sweep(workspace, tmp_path, *CONSOLIDATE, "--points", SAMPLE.get(" ".join(fault), "2"), "--mode", *fault)


@pytest.mark.parametrize("fault", FAULTS[1:3], ids=" ".join)
def test_undo_survives_a_sample(fault: tuple[str, ...], workspace: Path, tmp_path: Path) -> None:
    _sweep(workspace, tmp_path, *UNDO, "--points", "2", "--mode", *fault)


@pytest.mark.parametrize("mode", ["killtree", "err:ENOSPC"])
@pytest.mark.parametrize("what", [CONSOLIDATE, UNDO], ids=("consolidate", "undo"))
def test_every_rename_can_be_the_last_call(what: tuple[str, ...], mode: str, workspace: Path, tmp_path: Path) -> None:
    """One of them lies between the log and the branch, which git moves one after the other."""
    _sweep(workspace, tmp_path, *what, "--mode", mode, "--only", "rename,renameat,renameat2,link,linkat")


NOTES = (
    *("--setup", "git notes add -m x HEAD~3; git notes add -m y HEAD~1; git config notes.rewriteRef 'refs/notes/*'"),
    *CONSOLIDATE,
)


def test_notes_survive_a_sample(workspace: Path, tmp_path: Path) -> None:
    _sweep(workspace, tmp_path, *NOTES, "--mode", "killtree", "--only", "rename,renameat,renameat2")


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS, ids=" ".join)
def test_notes_survive_everywhere(fault: tuple[str, ...], workspace: Path, tmp_path: Path) -> None:
    _sweep(workspace, tmp_path, *NOTES, "--mode", *fault)


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS, ids=" ".join)
def test_consolidate_survives_everywhere(fault: tuple[str, ...], workspace: Path, tmp_path: Path) -> None:
    _sweep(workspace, tmp_path, *CONSOLIDATE, "--mode", *fault)


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["power", "power-journal"])
@pytest.mark.parametrize("what", [CONSOLIDATE, UNDO], ids=("consolidate", "undo"))
def test_a_power_cut_leaves_the_old_state_or_the_new_one(
    what: tuple[str, ...], mode: str, workspace: Path, tmp_path: Path
) -> None:
    """I19, I20: what was not flushed is gone, with and without the metadata that was."""
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    _sweep(workspace, tmp_path, *what, "--mode", mode)


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS, ids=" ".join)
def test_undo_survives_everywhere(fault: tuple[str, ...], workspace: Path, tmp_path: Path) -> None:
    _sweep(workspace, tmp_path, *UNDO, "--mode", *fault)


def _sweep(workspace: Path, place: Path, *args: str) -> dict[str, Any]:
    found = inject(
        "killsweep.py", place, "--fixture", str(workspace), "--archive", "refs/memgit/", "--jobs", "1", *args
    )
    worst = [point for point in found["points"] if point["verdict"] not in ("clean", "residue", "blocked")]
    assert not worst, json.dumps(worst[:3], indent=1)
    assert found["summary"]["clean_rc"] == 0
    assert found["summary"]["flags"]["user_commit_refused"] <= MAY_LOCK_OUT_AT
    return found
