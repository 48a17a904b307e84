"""A directory tree that is read and written without ever following a link inside it.

Every path is opened name by name from the top, so whoever swaps a directory for a link while we work leads us nowhere
else. Files appear by rename, whole. Deletions and renames are on disk after `flush`.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType

from memgit.core.backup.plan import Item
from memgit.errors import MemgitError, UsageError
from memgit.host import files, tree
from memgit.host.tree import Scan

_CHUNK = 1 << 20
_KIND = 0o170000
_ZEROS = bytes(1 << 16)
_TRIES = 4  # readings of a file that somebody is writing
_OPEN_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_MANY = 200  # files after which one sync of everything is quicker than a flush of each
TEMPORARY = b".memgit-new-"
_UNSHARED = (
    errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP, errno.ENOENT, errno.EEXIST, errno.ENOTDIR, errno.ELOOP,
)  # fmt: skip


class Folder:
    """An open directory tree.

    is_ours: whether what stands where a directory has to be may go; in a place that others share it may not.
    """

    def __init__(self, path: str, *, create: bool = False, is_ours: bool = False) -> None:
        if create:
            os.makedirs(path, exist_ok=True)
        self.path = path
        self._is_ours = is_ours
        self.fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._chain: list[tuple[bytes, int]] = []  # the directory entered last, from below the top down
        self._entered, self._entered_fd = b"", self.fd
        self._written: list[bytes] = []
        self._touched: set[bytes] = set()

    def scan(
        self,
        wants_directory: Callable[[bytes], bool] = lambda path: True,
        wants_file: Callable[[bytes], bool] = lambda path: True,
        see: Callable[[bytes, os.stat_result], None] | None = None,
    ) -> Scan:
        """Everything below the top that is wanted; see `host.tree.scan`."""
        return tree.scan(self.fd, wants_directory, wants_file, see)

    def lstat(self, path: bytes) -> os.stat_result | None:
        """What lies at a path, or None."""
        try:
            return os.stat(self._base(path), dir_fd=self._enter(path), follow_symlinks=False)
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
                return None
            raise

    def refuse_obstacles(self, paths: Iterable[bytes]) -> None:
        """Raise UsageError if a directory lies where a file is to be put, or something else where its directory is."""
        found = {path: obstacle for path in paths if (obstacle := self._obstacle(path)) is not None}
        for path, obstacle in found.items():
            more = f", nor {len(found) - 1:,} more" if len(found) > 1 else ""
            what = "a directory" if obstacle == path else "no directory"
            raise UsageError(
                f"{os.fsdecode(path)} can't be put into {self.path}{more}: {os.fsdecode(obstacle)} is {what} there.",
                "Nothing was written. Move what is in the way, then run again; or name an empty directory.",
            )

    def _obstacle(self, path: bytes) -> bytes | None:
        status = self.lstat(path)
        if status is not None:
            return path if stat.S_ISDIR(status.st_mode) else None
        while path := _parent(path):
            status = self.lstat(path)
            if status is not None:
                return None if stat.S_ISDIR(status.st_mode) else path
        return None

    def read(self, path: bytes) -> tuple[bytes, os.stat_result]:
        """A file's content, or the text of a link, and the state that it belongs to.

        A file that changes while it is read is read again; one that never rests gives its last reading.
        Raises OSError as open(2) does, and MemgitError if it is neither file nor link.
        """
        fd, name = self._enter(path), self._base(path)
        status = os.stat(name, dir_fd=fd, follow_symlinks=False)
        if stat.S_ISLNK(status.st_mode):
            return os.readlink(name, dir_fd=fd), status
        for _ in range(_TRIES):
            chunks: list[bytes] = []
            status = _read_whole(fd, name, chunks.append)
            content = b"".join(chunks)
            now = os.stat(name, dir_fd=fd, follow_symlinks=False)
            if len(content) == status.st_size and (now.st_mtime_ns, now.st_ctime_ns, now.st_ino) == (
                status.st_mtime_ns,
                status.st_ctime_ns,
                status.st_ino,
            ):
                break
        return content, status

    def chunks(self, path: bytes) -> Iterator[bytes]:
        """A large file's content as it comes."""
        with open(_open_regular(self._enter(path), self._base(path)), "rb", buffering=0) as file:
            while chunk := file.read(_CHUNK):
                yield chunk

    def write(
        self,
        path: bytes,
        chunks: Iterable[bytes],
        mode: int,
        mtime_ns: int,
        *,
        owner: tuple[int, int] | None = None,
        sparse: bool = False,
    ) -> None:
        """Put a file in place, whole. mode: permission bits. owner: user and group, applied as far as we may."""
        fd = self._opened_up(self._enter(path, create=True))
        temporary = TEMPORARY + b"%d" % os.getpid()
        out = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=fd)
        try:
            try:
                _fill(out, chunks, sparse)
                _own(owner, lambda user, group: os.fchown(out, user, group))
                os.fchmod(out, mode & 0o7777)
                os.utime(out, ns=(mtime_ns, mtime_ns))
            finally:
                os.close(out)
            os.replace(temporary, self._base(path), src_dir_fd=fd, dst_dir_fd=fd)
        except BaseException:
            _forget(temporary, fd)
            raise
        self._written.append(path)
        self._touched.add(_parent(path))

    def symlink(self, path: bytes, text: bytes, mtime_ns: int, owner: tuple[int, int] | None = None) -> None:
        """Put a link in place."""
        fd = self._opened_up(self._enter(path, create=True))
        temporary = TEMPORARY + b"%d" % os.getpid()
        _forget(temporary, fd)
        os.symlink(text, temporary, dir_fd=fd)
        try:
            _own(owner, lambda user, group: os.chown(temporary, user, group, dir_fd=fd, follow_symlinks=False))
            os.utime(temporary, ns=(mtime_ns, mtime_ns), dir_fd=fd, follow_symlinks=False)
            os.replace(temporary, self._base(path), src_dir_fd=fd, dst_dir_fd=fd)
        except BaseException:
            _forget(temporary, fd)
            raise
        self._touched.add(_parent(path))

    def share(self, other: Folder, items: Iterable[Item]) -> list[Item]:
        """Give files that `other` has a second name here; the items that could not be shared.

        A file is shared only if it still has the kind, size and time of its item, and where file systems can do it.
        """
        left = []
        last, from_fd, to_fd = None, -1, -1
        for item in items:  # thousands in every run, so nothing is looked up twice
            directory, _, name = item.path.rpartition(b"/")
            mode = item.mode
            try:
                if directory != last:
                    from_fd = other._enter(item.path)
                    to_fd = self._opened_up(self._enter(item.path, create=True))
                    self._touched.add(directory)
                    last = directory
                status = os.stat(name, dir_fd=from_fd, follow_symlinks=False)
                if (
                    status.st_size == item.size
                    and (status.st_mode ^ mode) & _KIND == 0
                    and status.st_mtime_ns == item.mtime_ns
                ):
                    os.link(name, name, src_dir_fd=from_fd, dst_dir_fd=to_fd, follow_symlinks=False)
                else:
                    left.append(item)
            except OSError as error:
                if error.errno not in _UNSHARED:
                    raise
                last = None
                left.append(item)
        return left

    def remove(self, path: bytes) -> None:
        """Take a file or link away, and directories above it that are empty then."""
        try:
            os.unlink(self._base(path), dir_fd=self._opened_up(self._enter(path)))
        except FileNotFoundError:
            return
        self._touched.add(_parent(path))
        self.remove_empty(_parent(path))

    def remove_empty(self, path: bytes) -> None:
        """Take an empty directory away, and those above it that are empty then; the top stays."""
        while path:
            self._leave()
            try:
                os.rmdir(self._base(path), dir_fd=self._opened_up(self._enter(path)))
            except OSError:
                return
            path = _parent(path)
            self._touched.add(path)

    def make_directory(self, path: bytes) -> None:
        """Make a directory, and what is missing above it."""
        self._enter(path + b"/", create=True)

    def set_directory(self, path: bytes, mode: int, mtime_ns: int, owner: tuple[int, int] | None = None) -> None:
        """Give a directory its mode and time; done when nothing is written into it any more."""
        fd = self._enter(path + b"/")
        _own(owner, lambda user, group: os.fchown(fd, user, group))
        os.fchmod(fd, mode & 0o7777)
        os.utime(fd, ns=(mtime_ns, mtime_ns))

    def clear_leftovers(self, paths: Iterable[bytes]) -> None:
        """Take away what killed processes of ours left in the directories of these paths."""
        for directory in {_parent(path) for path in paths}:
            try:
                fd = self._enter(directory + b"/") if directory else self.fd
                names = [os.fsencode(name) for name in os.listdir(fd)]
            except OSError:
                continue  # nothing was ever written there
            for name in names:
                if name.startswith(TEMPORARY) and not files.is_alive(name[len(TEMPORARY) :]):
                    _forget(name, fd)

    def flush(self) -> None:
        """Return when all that was written, removed and renamed here would survive a power cut."""
        if len(self._written) > _MANY:
            os.sync()
        else:
            for path in self._written:
                try:
                    fd = os.open(self._base(path), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=self._enter(path))
                except (FileNotFoundError, NotADirectoryError):
                    continue  # it went away again
                try:
                    os.fsync(fd)
                finally:
                    os.close(fd)
            for directory in sorted(self._touched | {b""}):
                try:
                    os.fsync(self._enter(directory + b"/") if directory else self.fd)
                except (FileNotFoundError, NotADirectoryError):
                    continue  # it went away again
        self._written.clear()
        self._touched.clear()

    def _enter(self, path: bytes, *, create: bool = False) -> int:
        """The descriptor of the directory that `path` lies in."""
        directory, slash, _ = path.rpartition(b"/")
        if directory == self._entered and (directory or not slash):
            return self._entered_fd
        names = directory.split(b"/") if slash else []
        if any(name in (b"", b".", b"..") for name in names):
            raise MemgitError(f"The path {path!r} leads out of {self.path}.")
        depth = 0
        while depth < len(self._chain) and depth < len(names) and self._chain[depth][0] == names[depth]:
            depth += 1
        self._leave(depth)
        fd = self._chain[-1][1] if self._chain else self.fd
        for name in names[depth:]:
            try:
                fd = os.open(name, _OPEN_DIRECTORY, dir_fd=fd)
            except OSError as error:
                if not create or error.errno not in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
                    raise
                if error.errno != errno.ENOENT:
                    if not self._is_ours:
                        raise
                    os.unlink(name, dir_fd=fd)  # a file or a link stands where a directory has to be
                os.mkdir(name, 0o755, dir_fd=self._opened_up(fd))
                fd = os.open(name, _OPEN_DIRECTORY, dir_fd=fd)
            self._chain.append((name, fd))
        self._entered, self._entered_fd = directory, fd
        return fd

    def _opened_up(self, fd: int) -> int:
        """The same directory, ready for changes: a backup's gets its mode when all is in it, see `set_directory`."""
        if self._is_ours and (mode := os.fstat(fd).st_mode) & 0o700 != 0o700:
            os.fchmod(fd, mode & 0o7777 | 0o700)
        return fd

    def _leave(self, depth: int = 0) -> None:
        self._entered, self._entered_fd = b"", self.fd
        while len(self._chain) > depth:
            os.close(self._chain.pop()[1])

    @staticmethod
    def _base(path: bytes) -> bytes:
        name = path.rpartition(b"/")[2]
        if name in (b"", b".", b".."):
            raise MemgitError(f"The path {path!r} names no file.")
        return name

    def __enter__(self) -> Folder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave()
        os.close(self.fd)


def _read_whole(fd: int, name: bytes, take: Callable[[bytes], object]) -> os.stat_result:
    """Read a regular file below an open directory; its state when the reading began."""
    with open(_open_regular(fd, name), "rb", buffering=0) as file:
        status = os.fstat(file.fileno())
        while chunk := file.read(_CHUNK):
            take(chunk)
    return status


def _open_regular(fd: int, name: bytes) -> int:
    opened = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=fd)
    if not stat.S_ISREG(os.fstat(opened).st_mode):
        os.close(opened)
        raise MemgitError(f"{os.fsdecode(name)} is no regular file.")
    return opened


def _fill(out: int, chunks: Iterable[bytes], sparse: bool) -> None:
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if not sparse:
            view = memoryview(chunk)
            while view:
                view = view[os.write(out, view) :]
            continue
        for at in range(0, len(chunk), len(_ZEROS)):
            block = chunk[at : at + len(_ZEROS)]
            if block == _ZEROS[: len(block)]:
                os.lseek(out, len(block), os.SEEK_CUR)
            else:
                view = memoryview(block)
                while view:
                    view = view[os.write(out, view) :]
    if sparse:
        os.ftruncate(out, size)


def _own(owner: tuple[int, int] | None, change: Callable[[int, int], object]) -> None:
    """As `rsync -a`: the user only as root, the group as far as we belong to it."""
    if owner is None:
        return
    user, group = owner
    try:
        change(user if os.geteuid() == 0 else -1, group)
    except PermissionError:
        return


def _forget(name: bytes, fd: int) -> None:
    try:
        os.unlink(name, dir_fd=fd)
    except FileNotFoundError:
        return


def _parent(path: bytes) -> bytes:
    return path.rpartition(b"/")[0]
