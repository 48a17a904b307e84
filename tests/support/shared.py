"""What tests need and the repository does not hold: shared tools and data beside it, programs of the machine.

Where it is missing the test is skipped, but fails in CI: there nothing may pass for want of its input.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import NoReturn

import pytest


def shared(*parts: str) -> Path:
    """A place in the shared directory: `MEMGIT_SHARED`, or `../shared` of the repository's root."""
    root = Path(_GIVEN) if _GIVEN else Path(__file__).resolve().parents[2].parent / "shared"
    place = root.joinpath(*parts)
    if not place.exists():
        _without(f"{place} is missing; set MEMGIT_SHARED to the directory that holds tools/ and workspaces/")
    return place


def needs(program: str) -> str:
    """The path of a program: beside this Python, on the PATH, or where servers lie."""
    found = shutil.which(program, path=f"{os.path.dirname(sys.executable)}:{os.environ['PATH']}:/usr/sbin:/sbin")
    if found is None:
        _without(f"{program} is not installed")
    return found


def _without(missing: str) -> NoReturn:
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(missing)
    pytest.skip(missing)


_GIVEN = os.environ.get("MEMGIT_SHARED")
