"""A place that holds backups, as every kind of target offers it.

    <target>/memgit-target        says whose backups these are; never there on a disk that is not mounted
    <target>/<generation>/files/  the files
    <target>/<generation>/manifest  what they are, and
    <target>/<generation>/base      the list that it refers to
    <target>/<generation>/complete  written last

A generation is `current` for a mirror, else a UTC time and a few random letters. In a local directory an interrupted
snapshot also ends in `.partial`, and loses that when it is complete.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable

from memgit.core.backup import names
from memgit.core.values import dataclass
from memgit.errors import MemgitError

MARKER = "memgit-target"
MANIFEST = "manifest"
BASE = "base"
COMPLETE = "complete"
FILES = "files"
MIRROR = "current"
PARTIAL = ".partial"

Advance = Callable[[int], None]


def is_generation(name: str) -> bool:
    """Whether a directory at a place is a backup, and not `lost+found` or what rrsync left there."""
    return name == MIRROR or names.is_snapshot(name)


def is_free(found: Iterable[str]) -> bool:
    """Whether a place with these names in it can be claimed: but for a half written marker there is nothing."""
    return all(name == "." or is_unfinished_marker(name) for name in found)


def is_unfinished_marker(name: str) -> bool:
    """Whether a claim that was killed left this: memgit, rsync and rclone all begin its name with the marker's."""
    return name.removeprefix(".").startswith(MARKER + ".")


class TargetError(MemgitError):
    """A target can't be read or written: full, read-only, gone, or refused."""


@dataclass(frozen=True, slots=True)
class Generation:
    """One backup at a place. complete: what its completion marker holds, None if it has none."""

    name: str
    complete: bytes | None


class Place(ABC):
    """Where backups lie. Every method raises TargetError or NetworkError when the place can't be used."""

    where: str  # for messages

    @abstractmethod
    def read(self, name: str) -> bytes | None:
        """A small file below the place, or None. Nothing is made up: a place that can't be reached raises."""

    def look(self) -> None:  # noqa: B027 - elsewhere it is seen when the place is claimed
        """Raise TargetError where a look tells that the place can't be claimed."""

    @abstractmethod
    def claim(self, marker: bytes) -> None:
        """Make the place, and put the marker into it. Raises TargetError if something else lies there."""

    @abstractmethod
    def generations(self) -> tuple[Generation, ...]:
        """All generations, by name."""

    @abstractmethod
    def remove(self, generations: Iterable[str]) -> None:
        """Take generations away, each one's completion marker first; and what an earlier call began to take away."""

    @abstractmethod
    def fetch(self, generation: str, paths: Iterable[bytes] | None, into: str, advance: Advance) -> None:
        """Bring files of a generation to a directory of this machine, going on where an earlier call broke off.

        paths: None for all. A file that is not there is left out.
        """


class Sender(Place):
    """A place that receives what was staged in a local directory."""

    @abstractmethod
    def send(self, stage: str, generation: str, previous: str | None, advance: Advance) -> None:
        """Make a generation hold exactly what `stage` does, and complete it. That has `files`, `manifest` and `base`.

        previous: a generation whose unchanged files need not travel. Going on with one that was interrupted sends
        only what is missing.
        """
