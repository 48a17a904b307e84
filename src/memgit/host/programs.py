"""Where the installed memgit lies: absolute paths that go into git's own files."""

from __future__ import annotations

import os
import sys

from memgit.core.values import dataclass
from memgit.errors import MemgitError


@dataclass(frozen=True, slots=True)
class Programs:
    """The parts that git starts."""

    python: str
    driver: str  # driver_start.py
    hook: str  # memgit-hook
    shims: str  # directory of the hook files


def installed() -> Programs:
    """The parts of the memgit that runs. Raises MemgitError if a part is missing."""
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    beside = os.path.dirname(package)
    # installed, the hook files lie beside the package; in a checkout, at the top of it
    places = (os.path.join(beside, "git_memgit_hooks"), os.path.join(os.path.dirname(beside), "hooks"))
    shims = next((place for place in places if os.path.isfile(os.path.join(place, "pre-commit"))), None)
    if shims is None:
        raise MemgitError("The hook files of memgit are missing.", "Install memgit anew.")
    python = os.path.abspath(sys.executable)
    hook = os.path.join(os.path.dirname(python), "memgit-hook")
    return Programs(python, os.path.join(package, "driver_start.py"), hook, shims)
