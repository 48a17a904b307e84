"""Two-way folders by the unison program: a generated profile, no questions, what loses kept aside.

Source: the manual of unison 2.52, "Preferences" and "Exit Code".
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable

from memgit import process
from memgit.errors import MemgitError
from memgit.host import files

_HOUR_S = 3600.0


def is_installed() -> bool:
    """Whether there is a unison to start."""
    return shutil.which("unison") is not None


def can_name(path: bytes) -> bool:
    """Whether a profile can hold the path: one to a line, blanks around it are lost."""
    return b"\n" not in path and b"\r" not in path and path == path.strip()


def run(
    directory: str,
    ours: str,
    theirs: str,
    paths: Iterable[bytes],
    prefer: str | None,
    kept: str,
    lock_fd: int,
) -> None:
    """Bring these paths of two directories together, as far as that can be; whoever calls looks what became of them.

    directory: where unison keeps its archives, for this pair alone. prefer: a root that wins, or "newer"; None leaves
    conflicts as they are. kept: where what loses or is deleted goes. lock_fd: a lock that lasts as long as unison runs,
    which is why its own locks, that a killed run leaves, can be ignored.
    Raises MemgitError if unison is missing or can't work at all.
    """
    if not is_installed():
        raise MemgitError(
            "unison is not installed.", 'Install it (apt install unison), or set engine = "own" for this folder.'
        )
    lines = [
        b"root = " + os.fsencode(ours),
        b"root = " + os.fsencode(theirs),
        b"batch = true",
        b"auto = true",
        b"confirmbigdel = false",
        b"ignorelocks = true",
        b"log = false",
        b"dumbtty = true",
        b"times = true",
        b"links = false",
        b"backup = Name *",
        b"backuploc = central",
        b"backupdir = " + os.fsencode(kept),
        b"maxbackups = 99",
        *([b"prefer = " + os.fsencode(prefer)] if prefer is not None else []),
        *(b"path = " + path for path in paths),
    ]
    files.remove_unfinished(directory)
    files.replace(os.path.join(directory, "memgit.prf"), b"\n".join(lines) + b"\n")
    env = {name: value for name, value in os.environ.items() if not name.startswith("UNISON")}
    env |= {"UNISON": directory, "UNISONLOCALHOSTNAME": "localhost", "LC_ALL": "C"}
    done = process.run(
        ("unison", "memgit", "-ui", "text"), env=env, ok=None, timeout_s=_HOUR_S, keep_fds=(lock_fd,)
    )  # fmt: skip
    if done.status not in (0, 1, 2):
        said = [line for line in done.stderr.decode("utf-8", "replace").splitlines() if line.strip()]
        raise MemgitError(f"unison failed (status {done.status}).", "\n".join(said[-3:]) or None)
