"""Hints that files changed, from the system where it gives any. The truth is a scan; a hint only says when to look.

Directories are watched, never files: an editor that saves by renaming leaves a watch on the old file deaf for ever.
Source: inotify(7).
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
import sys
from collections.abc import Callable, Iterator

from memgit.core.values import dataclass

_MODIFY, _ATTRIB, _CLOSE_WRITE = 0x2, 0x4, 0x8
_MOVED_FROM, _MOVED_TO, _CREATE, _DELETE = 0x40, 0x80, 0x100, 0x200
_DELETE_SELF, _MOVE_SELF = 0x400, 0x800
_OVERFLOW, _IGNORED, _ISDIR = 0x4000, 0x8000, 0x40000000
_ONLYDIR, _DONT_FOLLOW = 0x01000000, 0x02000000
_CHANGES = _MODIFY | _CLOSE_WRITE | _MOVED_FROM | _MOVED_TO | _CREATE | _DELETE
_MASK = _CHANGES | _DELETE_SELF | _MOVE_SELF | _ONLYDIR | _DONT_FOLLOW
_HEAD = struct.Struct("iIII")


class NoWatch(Exception):
    """The system gives no hints for a directory: no inotify, or a limit of its is reached.

    limit: the name of that limit, which an administrator can raise.
    """

    def __init__(self, limit: str = "") -> None:
        super().__init__(f"the system's limit {limit} is reached" if limit else "this system has no inotify")
        self.limit = limit


@dataclass(frozen=True, slots=True)
class Hint:
    """Something happened at `path`, below the root it was watched for.

    is_directory: a directory came or went, so what is watched should be looked at again. is_lost: hints were lost, or
    the directory itself went; everything should be looked at.
    """

    root: bytes
    path: bytes
    is_directory: bool = False
    is_lost: bool = False


class Watcher:
    """One queue of hints for any number of roots."""

    def __init__(self) -> None:
        """Raises NoWatch."""
        self._places: dict[int, tuple[bytes, bytes]] = {}  # by watch: root, directory below it
        self._watches: dict[tuple[bytes, bytes], int] = {}
        self._libc = _libc()
        self.fd = self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self.fd < 0:
            raise NoWatch("fs.inotify.max_user_instances" if ctypes.get_errno() == errno.EMFILE else "")

    def watch(self, root: bytes, directories: Iterator[bytes]) -> None:
        """Watch exactly these directories below `root`, others of it no longer. Raises NoWatch at the limit."""
        wanted = set(directories)
        for directory in [place[1] for place in self._watches if place[0] == root and place[1] not in wanted]:
            self._drop(root, directory)
        for directory in wanted:
            if (root, directory) in self._watches:
                continue
            path = root + b"/" + directory if directory else root
            number = self._libc.inotify_add_watch(self.fd, path, _MASK)
            if number >= 0:
                self._places[number] = (root, directory)
                self._watches[root, directory] = number
                continue
            error = ctypes.get_errno()
            if error in (errno.ENOSPC, errno.ENOMEM):
                self.forget(root)
                raise NoWatch("fs.inotify.max_user_watches")

    def forget(self, root: bytes) -> None:
        """Watch nothing of this root any more."""
        for directory in [place[1] for place in self._watches if place[0] == root]:
            self._drop(root, directory)

    def _drop(self, root: bytes, directory: bytes) -> None:
        number = self._watches.pop((root, directory))
        self._places.pop(number, None)
        self._libc.inotify_rm_watch(self.fd, number)

    @property
    def count(self) -> int:
        """How many directories are watched."""
        return len(self._places)

    def hints(self) -> Iterator[Hint]:
        """All that has come in, without waiting."""
        while True:
            try:
                data = os.read(self.fd, 1 << 17)
            except BlockingIOError:
                return
            yield from self._parse(data)

    def _parse(self, data: bytes) -> Iterator[Hint]:
        at = 0
        while at < len(data):
            number, mask, _, length = _HEAD.unpack_from(data, at)
            name = data[at + _HEAD.size : at + _HEAD.size + length].rstrip(b"\0")
            at += _HEAD.size + length
            if mask & _OVERFLOW:
                for root in {place[0] for place in self._watches}:
                    yield Hint(root, b"", is_lost=True)
                continue
            place = self._places.get(number)
            if place is None:
                continue
            root, directory = place
            if mask & (_IGNORED | _DELETE_SELF | _MOVE_SELF):
                if mask & _IGNORED:
                    self._places.pop(number, None)
                    self._watches.pop(place, None)
                yield Hint(root, directory, is_directory=True, is_lost=True)
                continue
            path = directory + b"/" + name if directory else name
            yield Hint(root, path, is_directory=bool(mask & _ISDIR))

    def close(self) -> None:
        """Watch nothing any more."""
        os.close(self.fd)


def _libc() -> ctypes.CDLL:
    if not sys.platform.startswith("linux"):
        raise NoWatch
    library = ctypes.CDLL(None, use_errno=True)
    if not hasattr(library, "inotify_init1"):
        raise NoWatch
    return library


def directories(root: bytes, may_contain: Callable[[bytes], bool]) -> Iterator[bytes]:
    """The directories below `root` that can hold memory, b"" first; links and repositories of their own not entered."""
    todo = [b""]
    while todo:
        directory = todo.pop()
        if directory and os.path.lexists(os.path.join(root, directory, b".git")):
            continue
        yield directory
        prefix = directory + b"/" if directory else b""
        try:
            with os.scandir(root + b"/" + directory if directory else root) as entries:
                for entry in entries:
                    if entry.name != b".git" and entry.is_dir(follow_symlinks=False):
                        path = prefix + entry.name
                        if may_contain(path):
                            todo.append(path)
        except OSError:
            continue
