"""What memory lies in a work tree: one walk that follows no link, and reads that catch no half-written file.

Paths are bytes below the work tree, "/" between names. Nothing outside of the work tree is ever read, whatever
somebody swaps for a link while we look.
"""

from __future__ import annotations

import errno
import os
import stat
import time
from typing import NamedTuple

from memgit.core.memory import Patterns
from memgit.core.values import dataclass

_TRIES = 3
_PAUSE_S = 0.01
_TICK_NS = 20_000_000  # file systems stamp files with the time of the last timer tick, or coarser


class Stamp(NamedTuple):
    """What a file looked like from outside; equal stamps mean equal contents, unless `is_fresh`."""

    mode: int
    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    device: int
    uid: int
    gid: int

    @property
    def is_link(self) -> bool:
        """Whether it is a symbolic link."""
        return stat.S_ISLNK(self.mode)

    def is_fresh(self, now_ns: int) -> bool:
        """Whether the file could change once more without looking different."""
        return max(self.mtime_ns, self.ctime_ns) > now_ns - _TICK_NS


class Skipped(NamedTuple):
    """Something where memory could be, that is not captured."""

    path: bytes
    reason: str


@dataclass(frozen=True, slots=True)
class Scan:
    """What a walk found."""

    files: dict[bytes, Stamp]
    skipped: tuple[Skipped, ...]
    unseen: tuple[bytes, ...]  # directories that could not be looked into: what lies there is not gone


class Unreadable(Exception):
    """A file could not be read; `reason` says why, `is_gone` that it vanished, `is_busy` that it kept changing."""

    def __init__(self, reason: str, *, is_gone: bool = False, is_busy: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.is_gone = is_gone
        self.is_busy = is_busy


def walk(root: bytes, patterns: Patterns, *, nested: bool = False) -> Scan:
    """The memory files below `root`, entering only directories that can hold some.

    nested: look also into directories with a repository of their own, which git itself does not see into.
    """
    files: dict[bytes, Stamp] = {}
    skipped: list[Skipped] = []
    unseen: list[bytes] = []
    todo = [b""]
    while todo:
        directory = todo.pop()
        prefix = directory + b"/" if directory else b""
        covered = patterns.covers(directory)
        try:
            with os.scandir(root + b"/" + directory if directory else root) as entries:
                found = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            unseen.append(directory)
            if error.errno != errno.ENOENT or not directory:
                skipped.append(Skipped(directory, f"can't be opened: {error.strerror}"))
            continue
        for entry in found:
            if entry.name == b".git":
                continue
            path = prefix + entry.name
            try:
                if entry.is_dir(follow_symlinks=False):
                    if not (covered or patterns.may_contain(path)):
                        continue
                    if not os.path.lexists(entry.path + b"/.git"):
                        todo.append(path)
                    else:
                        skipped.append(Skipped(path, "is a repository of its own"))
                        unseen.append(path)
                        if nested:
                            unseen.pop()
                            todo.append(path)
                elif covered or patterns.matches(path):
                    status = entry.stat(follow_symlinks=False)
                    if stat.S_ISREG(status.st_mode) or stat.S_ISLNK(status.st_mode):
                        files[path] = _stamp(status)
                    else:
                        skipped.append(Skipped(path, f"is {_kind(status.st_mode)}"))
                elif entry.is_symlink() and patterns.may_contain(path):
                    if os.path.isdir(entry.path):
                        skipped.append(Skipped(path, _where(root, entry.path)))
                    unseen.append(path)
            except FileNotFoundError:
                continue
    return Scan(files, tuple(skipped), tuple(unseen))


def _where(root: bytes, link: bytes) -> str:
    target = os.path.realpath(link)
    top = os.path.realpath(root).rstrip(b"/") + b"/"
    shown = os.fsdecode(target[len(top) :] if target.startswith(top) else target)
    place = "inside of the work tree" if target.startswith(top) else "outside of the work tree"
    return f"is a link to {shown}, {place}; what lies there is not captured through the link"


def _kind(mode: int) -> str:
    if stat.S_ISFIFO(mode):
        return "a FIFO"
    return "a socket" if stat.S_ISSOCK(mode) else "a device"


def _stamp(status: os.stat_result) -> Stamp:
    return Stamp(
        status.st_mode,
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,
        status.st_ino,
        status.st_dev,
        status.st_uid,
        status.st_gid,
    )


def read(root: bytes, path: bytes, limit: int) -> tuple[bytes, Stamp]:
    """The whole content of a file, or the target of a link, and the stamp that goes with it.

    Reads until the file holds still, a few times; raises Unreadable when it does not, is gone, is no file
    any more, or is larger than `limit` bytes.
    """
    try:
        directory, name = _open_parent(root, path)
    except OSError as error:
        raise _unreadable(error) from None
    try:
        for _ in range(_TRIES):
            try:
                status = os.stat(name, dir_fd=directory, follow_symlinks=False)
                if stat.S_ISLNK(status.st_mode):
                    return os.readlink(name, dir_fd=directory), _stamp(status)
                content, before, after = _read_once(directory, name, limit)
            except OSError as error:
                raise _unreadable(error) from None
            if before == after and len(content) == after.size:
                return content, after
            time.sleep(_PAUSE_S)
    finally:
        os.close(directory)
    raise Unreadable("is still being written", is_busy=True)


def read_growing(root: bytes, path: bytes, limit: int) -> tuple[bytes, Stamp]:
    """What is there of a file that does not hold still; the stamp is the one before, so it will be read again."""
    try:
        directory, name = _open_parent(root, path)
    except OSError as error:
        raise _unreadable(error) from None
    try:
        content, before, _ = _read_once(directory, name, limit)
    except OSError as error:
        raise _unreadable(error) from None
    finally:
        os.close(directory)
    return content, before


def _read_once(directory: int, name: bytes, limit: int) -> tuple[bytes, Stamp, Stamp]:
    descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=directory)
    before = os.fstat(descriptor)
    if not stat.S_ISREG(before.st_mode):
        os.close(descriptor)
        raise Unreadable("is no file any more", is_gone=True)
    with open(descriptor, "rb") as file:
        content = file.read(limit + 1)
        if len(content) > limit:
            raise Unreadable(f"has more than {limit:,} bytes")
        return content, _stamp(before), _stamp(os.fstat(descriptor))


def _open_parent(root: bytes, path: bytes) -> tuple[int, bytes]:
    """A descriptor of the directory that holds `path`, reached without following a link below `root`."""
    *directories, name = path.split(b"/")
    descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    for directory in directories:
        try:
            below = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=descriptor)
        finally:
            os.close(descriptor)
        descriptor = below
    return descriptor, name


def _unreadable(error: OSError) -> Unreadable:
    if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
        return Unreadable("is gone", is_gone=True)
    return Unreadable(f"can't be read: {error.strerror}")
