"""What lies in a directory tree, looked at without following a link in it; and taking a whole tree away."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable

_OPEN_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_KIND = 0o170000
_KEPT = (stat.S_IFREG, stat.S_IFLNK)
YOUNG_NS = 2_000_000_000  # what changed so lately could change once more without a trace
_GONE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)


class Found:
    """A file, link or directory as lstat(2) saw it. A plain class: thousands are made in every run."""

    __slots__ = ("path", "stat")

    def __init__(self, path: bytes, status: os.stat_result) -> None:
        self.path = path
        self.stat = status

    @property
    def identity(self) -> bytes:
        """Changes whenever the file does: inode, change time, modification time, size, mode."""
        return identity(self.stat)


def identity(status: os.stat_result) -> bytes:
    """See `Found.identity`."""
    return b"%d:%d:%d:%d:%o" % (
        status.st_ino,
        status.st_ctime_ns,
        status.st_mtime_ns,
        status.st_size,
        status.st_mode,
    )


def change_time_ns(identity: bytes) -> int:
    """When the file with this identity changed last; 0 for what is not a file's."""
    fields = identity.split(b":", 2)
    return int(fields[1]) if len(fields) > 1 else 0


class Scan:
    """What lies in a tree. skipped: what is neither file, link nor directory, or can't be read, and why."""

    def __init__(self) -> None:
        self.files: list[Found] = []
        self.directories: list[Found] = []  # that could be opened; above before below, the top not among them
        self.skipped: list[tuple[bytes, str]] = []

    def keep(self, path: bytes, status: os.stat_result) -> None:
        """Add a file."""
        self.files.append(Found(path, status))


def scan(
    fd: int,
    wants_directory: Callable[[bytes], bool] = lambda path: True,
    wants_file: Callable[[bytes], bool] = lambda path: True,
    see: Callable[[bytes, os.stat_result], None] | None = None,
) -> Scan:
    """Everything below an open directory that is wanted, sorted by path. One that vanishes meanwhile is empty.

    see: takes each file instead of the scan, in any order. What it does not need of the state is gone at once, which
    for thousands of files costs less than keeping it.
    """
    found = Scan()
    _scan(fd, b"", wants_directory, wants_file, see or found.keep, found)
    found.files.sort(key=_path)
    return found


def _scan(
    fd: int,
    prefix: bytes,
    wants_directory: Callable[[bytes], bool],
    wants_file: Callable[[bytes], bool],
    see: Callable[[bytes, os.stat_result], None],
    found: Scan,
) -> None:
    below = []
    with os.scandir(fd) as listing:
        entries = list(listing)
    names = os.fsencode("/".join([entry.name for entry in entries])).split(b"/")  # one call instead of one for each
    for entry, name in zip(entries, names, strict=False):
        path = prefix + name
        try:
            if entry.is_dir(follow_symlinks=False):
                if wants_directory(path):
                    below.append((name, Found(path, entry.stat(follow_symlinks=False))))
            elif wants_file(path):
                status = entry.stat(follow_symlinks=False)
                if status.st_mode & _KIND in _KEPT:
                    see(path, status)
                else:
                    found.skipped.append((path, "is no regular file"))
        except FileNotFoundError:
            continue
    for name, directory in below:
        try:
            inner = os.open(name, _OPEN_DIRECTORY, dir_fd=fd)
        except OSError as error:
            if error.errno not in _GONE:
                found.skipped.append((directory.path, f"can't be read: {error.strerror}"))
            continue
        found.directories.append(directory)
        try:
            _scan(inner, directory.path + b"/", wants_directory, wants_file, see, found)
        finally:
            os.close(inner)


def remove(path: str) -> None:
    """Take a directory away with all it holds. What can't be entered is made enterable first."""
    import shutil  # only where something goes

    os.chmod(path, 0o700)
    for top, names, _ in os.walk(path):
        for name in names:
            directory = os.path.join(top, name)
            if not os.path.islink(directory):
                os.chmod(directory, 0o700)  # before walk goes down into it
    shutil.rmtree(path)


def _path(found: Found) -> bytes:
    return found.path
