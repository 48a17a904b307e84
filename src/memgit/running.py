"""The programs that run on this machine and what they hold, as far as it tells. Source: proc(5)."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from memgit.core.values import dataclass

_PROC = "/proc"


@dataclass(frozen=True, slots=True)
class Process:
    """A running program; all that is asked about it is as it is at that moment, and empty once it has ended."""

    pid: int

    def words(self) -> list[bytes]:
        """Its command line."""
        try:
            with open(f"{_PROC}/{self.pid}/cmdline", "rb", buffering=0) as file:
                return file.read(4096).split(b"\0")
        except OSError:
            return []

    def name(self) -> str:
        """The last part of the program's path."""
        words = self.words()
        return os.path.basename(words[0]).decode("utf-8", "replace") if words else ""

    def directory(self) -> str:
        """Where it works."""
        try:
            return os.readlink(f"{_PROC}/{self.pid}/cwd")
        except OSError:
            return ""

    def is_in(self, roots: Iterable[str]) -> bool:
        """Whether it works in one of these directories, or below; they are resolved."""
        place = self.directory()
        return any(place == root or place.startswith(root + "/") for root in roots)

    def is_alive(self) -> bool:
        """Whether it has not ended, whoever it belongs to."""
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        return True

    def has_open(self, wanted: os.stat_result) -> bool:
        """Whether it has this very file open."""
        directory = f"{_PROC}/{self.pid}/fd"
        try:
            descriptors = os.listdir(directory)
        except OSError:
            return False
        for descriptor in descriptors:
            try:
                found = os.stat(f"{directory}/{descriptor}")
            except OSError:
                continue
            if os.path.samestat(found, wanted):
                return True
        return False


def is_told() -> bool:
    """Whether this machine lists its processes at all."""
    return os.path.isdir(f"{_PROC}/self/fd")


def processes() -> Iterator[Process]:
    """All of them, ours too."""
    try:
        names = os.listdir(_PROC)
    except OSError:
        return
    yield from (Process(int(name)) for name in names if name.isdigit())


def holder(wanted: os.stat_result) -> Process | None:
    """Who has this very file open; None if nobody has, or if this machine does not tell."""
    return next((one for one in processes() if one.has_open(wanted)), None)


def ancestors(pid: int) -> tuple[int, ...]:
    """The process and those above it, nearest first, as far as this machine tells."""
    found = [pid]
    while pid > 1 and len(found) < 12:
        try:
            with open(f"{_PROC}/{pid}/stat", "rb") as file:
                pid = int(file.read().rpartition(b")")[2].split()[1])
        except (OSError, ValueError, IndexError):
            break
        found.append(pid)
    return tuple(found)
