"""Putting versions of files into a work tree, each whole or not at all, and never over what somebody wrote meanwhile.

A file that takes another's place is exchanged with it in one step, so that what was there can be looked at afterwards.
Who writes on into the old file, which has no name any more, is heard as well.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import shutil
import signal
import stat
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from memgit.core.values import dataclass
from memgit.host import files

_AT_FDCWD = -100
_PAUSE_S = 0.01
_PATIENCE = 100  # pauses
_EXCHANGE = 2  # RENAME_EXCHANGE, renameat2(2)


@dataclass(frozen=True, slots=True)
class Version:
    """A file as a tree has it. mode: 100644, 100755 or 120000; content: of a link its target."""

    mode: bytes
    content: bytes


@dataclass(frozen=True, slots=True)
class Move:
    """One path to change; None where there is nothing."""

    path: bytes
    old: Version | None
    new: Version | None


@dataclass(frozen=True, slots=True)
class Late:
    """Somebody wrote at the last moment: what should have been there, and what was."""

    path: bytes
    expected: bytes
    found: bytes


def look(top: bytes, path: bytes) -> Version | None:
    """What is there; None for nothing. Raises OSError for what is neither a file nor a link."""
    here = os.path.join(top, path)
    try:
        status = os.lstat(here)
    except (FileNotFoundError, NotADirectoryError):
        return None
    if stat.S_ISLNK(status.st_mode):
        return Version(b"120000", os.readlink(here))
    if not stat.S_ISREG(status.st_mode):
        raise IsADirectoryError(here)
    with open(here, "rb") as file:
        return Version(b"100755" if status.st_mode & 0o100 else b"100644", file.read())


def in_the_way(top: bytes, moves: Iterable[Move], newer: frozenset[bytes] = frozenset()) -> tuple[bytes, ...]:
    """The paths that are neither as they were nor as they shall be, or that somebody keeps open to write.

    newer: paths that may hold any content by now; what it is comes to light when they are exchanged.
    """
    found = []
    for move in moves:
        try:
            there = look(top, move.path)
            may_be = move.path in newer and there is not None and there.mode != b"120000"
            if (
                _is_outside(top, move.path)
                or not (may_be or there in (move.old, move.new))
                or (there != move.new and not _is_let_go(os.path.join(top, move.path)))
            ):
                found.append(move.path)
        except OSError:
            found.append(move.path)
    return tuple(found)


def _is_outside(top: bytes, path: bytes) -> bool:
    """Whether a directory on the way is a link, which would lead elsewhere."""
    place = top
    for name in path.split(b"/")[:-1]:
        place = os.path.join(place, name)
        if os.path.islink(place):
            return True
    return False


@contextmanager
def placing(top: bytes, moves: Iterable[Move], scratch: str, late: list[Late]) -> Iterator[None]:
    """Make the changes; `late` gets what came late, complete when the block has ended, in whichever way.

    Removals come first. scratch: a private directory on the same file system, where old files wait for late writes.
    Everything is flushed.
    """
    kept: list[tuple[bytes, bytes, bytes]] = []  # path, where the old file is now, its content
    directories: set[bytes] = set()
    os.makedirs(scratch, mode=0o700, exist_ok=True)
    waiting = tempfile.mkdtemp(prefix="old.", dir=scratch)
    ordered = sorted(moves, key=lambda move: (move.new is not None, move.path))
    try:
        for number, move in enumerate(ordered):
            if look(top, move.path) == move.new:
                continue
            here = os.path.join(top, move.path)
            if move.new is not None:
                directories.add(os.path.dirname(here))
                os.makedirs(os.path.dirname(here), exist_ok=True)
            aside = _change(here, move, os.fsencode(os.path.join(waiting, str(number))))
            if aside is not None and move.old is not None:
                kept.append((move.path, aside, move.old.content))
            if move.new is None:
                _prune(top, os.path.dirname(move.path))
        for directory in directories:
            files.flush_directory(directory)
        yield
    finally:
        for path, aside, expected in kept:
            if not os.path.islink(aside):
                _is_let_go(aside)
                found = _content(aside)
                if found != expected:
                    late.append(Late(path, expected, found))
            os.unlink(aside)
        shutil.rmtree(waiting, ignore_errors=True)


def _change(here: bytes, move: Move, scratch: bytes) -> bytes | None:
    """Make one change; where what had the place lies now. On another mount than `scratch` that is beside it."""
    try:
        return _put(here, move, scratch)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
    name = b".merge_file_memgit_%d_%s" % (os.getpid(), os.path.basename(scratch))
    return _put(here, move, os.path.join(os.path.dirname(here), name))


def _put(here: bytes, move: Move, scratch: bytes) -> bytes | None:
    """The same. Where it fails, what had the place has it still. Raises OSError."""
    if move.new is None:
        os.rename(here, scratch)
        return scratch
    fresh = scratch + b".new"
    aside = None
    try:
        write(fresh, move.new, like=here if move.old is not None else None)
        if move.old is None:
            os.link(fresh, here, follow_symlinks=False)  # fails if somebody made the file meanwhile
        elif _exchange(fresh, here):
            aside = fresh
        else:
            os.rename(here, scratch)
            aside = scratch
            _replace(fresh, here, scratch)
        return aside
    finally:
        if aside != fresh and os.path.lexists(fresh):
            os.unlink(fresh)


def _replace(fresh: bytes, here: bytes, aside: bytes) -> None:
    try:
        os.rename(fresh, here)
    except OSError:
        os.rename(aside, here)
        raise


def append(top: bytes, path: bytes, content: bytes) -> None:
    """Write at the end of a file, as those do who keep a log."""
    descriptor = os.open(os.path.join(top, path), os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        size = os.fstat(descriptor).st_size
        if size and os.pread(descriptor, 1, size - 1) != b"\n":
            content = b"\n" + content
        os.write(descriptor, content)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _is_let_go(path: bytes) -> bool:
    """Wait a little until nobody has the file open to write; whether that is so.

    Source: fcntl(2): a read lease is given only where the file is open for writing nowhere.
    """
    if not hasattr(fcntl, "F_SETLEASE"):
        time.sleep(_PAUSE_S)
        return True
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return True
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)  # ignored; the usual SIGIO would end us
        for _ in range(_PATIENCE):
            try:
                fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
                fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
                return True
            except OSError as error:
                time.sleep(_PAUSE_S)
                if error.errno != errno.EAGAIN:
                    return True  # a file system without leases, or a file of somebody else
    finally:
        os.close(descriptor)
    return False


def write(path: bytes, version: Version, like: bytes | None = None) -> None:
    """A new file with this content, flushed. like: a file whose other permissions it gets."""
    if version.mode == b"120000":
        os.symlink(version.content, path)
        return
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    with os.fdopen(descriptor, "wb") as file:
        file.write(version.content)
        file.flush()
        mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
        if like is not None and os.path.isfile(like) and not os.path.islink(like):
            mode = stat.S_IMODE(os.stat(like).st_mode)
        executable = version.mode == b"100755"
        os.fchmod(file.fileno(), mode | (mode & 0o444) >> 2 if executable else mode & ~0o111)
        os.fsync(file.fileno())


def _exchange(one: bytes, other: bytes) -> bool:
    """Swap two names in one step; False where the system can't. Raises OSError."""
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if rename is None:
        return False
    if rename(_AT_FDCWD, one, _AT_FDCWD, other, _EXCHANGE) == 0:
        return True
    number = ctypes.get_errno()
    if number in (errno.ENOSYS, errno.EINVAL):
        return False
    raise OSError(number, os.strerror(number), os.fsdecode(other))


def _content(path: bytes) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def _prune(top: bytes, directory: bytes) -> None:
    """Take away the directories that are empty now, as git does."""
    while directory:
        try:
            os.rmdir(os.path.join(top, directory))
        except OSError:
            return
        directory = os.path.dirname(directory)
