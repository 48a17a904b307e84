"""Bring back into a memory file what was written to it while another version stood in its place."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from memgit.core import lost_write
from memgit.errors import MemgitError
from memgit.host import files

_ATTEMPTS = 5


def join(
    tree: str, path: str, base: bytes, versions: Sequence[bytes], read: Callable[[str], bytes | None] = files.read
) -> bool:
    """Merge the last write into the file as it is now; whether it lacked anything. Writers at work lose nothing.

    base: what the versions grew from. versions: as they were seen, oldest first. read: the file, when it is the file
    and nothing that stands in its place for a while. Raises MemgitError for a file that does not hold still.
    """
    place = os.path.join(tree, path)
    present = None if os.path.islink(place) else files.read(place)
    if present is None or all(version == present for version in versions):
        return False
    restored = read(place)
    if restored is None:
        return False
    written = lost_write.last_written(base, restored, versions)
    if written is None:
        return False
    for _ in range(_ATTEMPTS):
        joined = lost_write.joined(base, restored, written, os.fsencode(path))
        if joined is None:
            return False
        if _replace(place, restored, joined):
            return True
        restored = read(place)  # somebody writes right now: merge with that
        if restored is None:
            return False
    raise MemgitError(f"{path} changes all the time.", "Stop what writes to it, then run `memgit doctor --fix`.")


def _replace(place: str, expected: bytes, content: bytes) -> bool:
    """Write, unless the file is no longer as expected. What only grows is appended to, so a writer loses nothing."""
    if content.startswith(expected):
        descriptor = os.open(place, os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC)
        with os.fdopen(descriptor, "ab") as file:
            if os.fstat(file.fileno()).st_size != len(expected):
                return False
            file.write(content[len(expected) :])
            return True
    if files.read(place) != expected:
        return False
    files.rewrite(place, content, 0o644)
    return True
