"""Files that are replaced while somebody may still be writing into them: what was written late is found again.

A second name keeps the old file alive while another takes its place; what its content became is compared with what
it was. An editor that writes a new file and renames it is caught by git itself, which looks right before it writes.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Write:
    """A write that came late."""

    path: bytes
    before: bytes
    after: bytes


@contextmanager
def guard(top: bytes, paths: Sequence[bytes], scratch: str) -> Iterator[Callable[[], list[Write]]]:
    """While open, the files have a second name in `scratch`; the function gives what was written to them late.

    Where the file system has no second names nothing is watched.
    """
    if not paths:
        yield list
        return
    os.makedirs(scratch, mode=0o700, exist_ok=True)
    place = os.fsencode(tempfile.mkdtemp(prefix="late.", dir=scratch))
    kept: list[tuple[bytes, bytes, bytes]] = []
    try:
        for number, path in enumerate(paths):
            before = read(top, path)
            if before is None:
                continue
            second = os.path.join(place, b"%d" % number)
            try:
                os.link(os.path.join(top, path), second, follow_symlinks=False)
            except OSError:
                continue
            kept.append((path, second, before))
        yield lambda: _changed(kept)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _changed(kept: Sequence[tuple[bytes, bytes, bytes]]) -> list[Write]:
    found = []
    for path, second, before in kept:
        with open(second, "rb") as file:
            after = file.read()
        if after != before:
            found.append(Write(path, before, after))
    return found


def read(top: bytes, path: bytes) -> bytes | None:
    """The content of a regular file; None if there is none."""
    here = os.path.join(top, path)
    if os.path.islink(here) or not os.path.isfile(here):
        return None
    with open(here, "rb") as file:
        return file.read()


def put(top: bytes, path: bytes, content: bytes, expected: bytes | None) -> bool:
    """Put a file in place of the one that holds `expected`; False if that one has changed in the meantime."""
    here = os.path.join(top, path)
    os.makedirs(os.path.dirname(here), exist_ok=True)
    temporary = os.path.join(os.path.dirname(here), b".merge_file_memgit_%d" % os.getpid())
    try:
        with open(temporary, "xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if expected is not None:
            shutil.copymode(here, temporary)
        if read(top, path) != expected:
            return False
        os.replace(temporary, here)
    finally:
        if os.path.exists(temporary):
            os.unlink(temporary)
    return True


def flush(top: bytes, paths: Sequence[bytes]) -> None:
    """Let the files survive a power cut."""
    for path in paths:
        try:
            descriptor = os.open(os.path.join(top, path), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            continue
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
