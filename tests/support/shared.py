"""Tools and real workspaces that lie beside the repository, not in it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def shared(*parts: str) -> Path:
    """A place in the shared directory: `MEMGIT_SHARED`, or `../shared` of the repository's root.

    Where it is missing the test is skipped, but fails in CI: there nothing may pass for want of its input.
    """
    root = Path(_GIVEN) if _GIVEN else Path(__file__).resolve().parents[2].parent / "shared"
    place = root.joinpath(*parts)
    if not place.exists():
        missing = f"{place} is missing; set MEMGIT_SHARED to the directory that holds tools/ and workspaces/"
        if os.environ.get("CI", "").lower() == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    return place


_GIVEN = os.environ.get("MEMGIT_SHARED")
