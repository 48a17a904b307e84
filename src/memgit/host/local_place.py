"""Backups in a directory of this machine."""

from __future__ import annotations

import errno
import os
import shlex
from collections.abc import Iterable

from memgit.host import files, tree
from memgit.host.folder import Folder
from memgit.host.place import (
    COMPLETE,
    FILES,
    MARKER,
    PARTIAL,
    Advance,
    Generation,
    Place,
    TargetError,
    is_free,
    is_generation,
)  # fmt: skip

_GOING = ".going"  # ends the name of a generation that is being taken away, and is none any more


class LocalPlace(Place):
    """A directory that this process reads and writes by itself."""

    def __init__(self, path: str) -> None:
        self.path = os.path.realpath(path)  # a link to a disk is resolved once, here
        self.where = self.path

    def read(self, name: str) -> bytes | None:
        try:
            return files.read(os.path.join(self.path, name))
        except OSError as error:
            raise refused(error, self.path) from None

    def look(self) -> None:
        above = os.path.dirname(self.path)
        if not os.path.isdir(above):
            raise TargetError(
                f"{self.path} can't be made, for {above} is not there.",
                f"Mount the disk that belongs there; if none does: mkdir -p {shlex.quote(above)}",
            )
        try:
            if os.path.lexists(self.path) and not is_free(os.listdir(self.path)):
                raise TargetError(
                    f"{self.path} is not empty and holds no backups of memgit.", "Name an empty or a new directory."
                )
        except OSError as error:
            raise refused(error, self.path) from None

    def claim(self, marker: bytes) -> None:
        self.look()
        try:
            if not os.path.isdir(self.path):
                os.mkdir(self.path)  # and nothing above it: where a disk belongs that is not mounted, nothing is made
            files.remove_unfinished(self.path)
            files.replace(os.path.join(self.path, MARKER), marker, 0o644)
        except OSError as error:
            raise refused(error, self.path) from None

    def generations(self) -> tuple[Generation, ...]:
        try:
            with os.scandir(self.path) as entries:
                directories = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise refused(error, self.path) from None
        found = []
        for name in sorted(filter(is_generation, directories)):
            complete = self.read(os.path.join(name, COMPLETE))
            found.append(Generation(name, None if name.endswith(PARTIAL) else complete))
        return tuple(found)

    def remove(self, generations: Iterable[str]) -> None:
        try:
            for name in generations:
                os.rename(self.inside(name), self.inside(name + _GOING))
            for name in os.listdir(self.path):
                if name.endswith(_GOING):  # also what a killed call began to take away
                    tree.remove(self.inside(name))
            with Folder(self.path) as folder:
                folder.flush()
        except OSError as error:
            raise refused(error, self.path) from None

    def fetch(self, generation: str, paths: Iterable[bytes] | None, into: str, advance: Advance) -> None:
        source = self.inside(generation, FILES)
        try:
            with Folder(source) as there, Folder(into, create=True, is_ours=True) as here:
                for path in paths if paths is not None else [found.path for found in there.scan().files]:
                    status = there.lstat(path)
                    if status is None:
                        continue
                    if (status.st_mode & 0o170000) == 0o120000:
                        here.symlink(path, there.read(path)[0], status.st_mtime_ns)
                    else:
                        here.write(path, there.chunks(path), status.st_mode | 0o600, status.st_mtime_ns)
                    advance(1)
        except OSError as error:
            raise refused(error, self.path) from None

    def inside(self, *names: str) -> str:
        """A path below the place."""
        return os.path.join(self.path, *names)


def refused(error: OSError, where: str) -> TargetError:
    """What an operation on the target's file system that failed means."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return TargetError(f"{where} is full.", "Make room there, or let `memgit backup prune` do it, then run again.")
    if error.errno == errno.EROFS:
        return TargetError(f"{where} can only be read.", "Mount it writable, then run again.")
    place = os.fsdecode(error.filename) if error.filename else where
    return TargetError(f"{place}: {error.strerror} (backup target {where}).")
