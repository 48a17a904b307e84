"""The index of a work tree: looking at some entries, and putting a finished copy in its place.

All reading and writing of entries is done by git, on a private copy. The user's `index.lock` is held only
while the copy is put in place: as a second name of that copy, which is also how a later run can tell that a
lock left behind is ours.
"""

from __future__ import annotations

import binascii
import errno
import hashlib
import os
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from memgit.core.objects import EMPTY_TREE, ZERO, Oid
from memgit.core.values import dataclass, replace
from memgit.errors import Busy, CommandFailed
from memgit.git.command import Git
from memgit.git.refs import flush_directory

_ARGUMENTS = 400  # paths given as arguments; for more, the whole index is listed
_EMPTY_BLOB: Oid = b"e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"
_STATS_AT_MOST = 1000  # each is searched for by itself; for more, git looks at the files once
_UNFLUSHED = ("-c", "core.fsync=none")  # of a copy that is changed once more before it counts


class IndexLocked(Busy):
    """Somebody else holds the index's lock."""


class IndexUnusable(Busy):
    """The index can't be read or replaced."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What the index holds for a path."""

    mode: bytes
    oid: Oid
    is_unmerged: bool = False
    assume_unchanged: bool = False
    skip_worktree: bool = False
    intent_to_add: bool = False


class FileStat(NamedTuple):
    """What git remembers of a file to tell that it is unchanged, without reading it."""

    ctime_ns: int
    mtime_ns: int
    device: int
    inode: int
    uid: int
    gid: int
    size: int

    @classmethod
    def of(cls, status: os.stat_result) -> FileStat:
        """What there is to remember of a file that looks like this."""
        return cls(
            status.st_ctime_ns,
            status.st_mtime_ns,
            status.st_dev,
            status.st_ino,
            status.st_uid,
            status.st_gid,
            status.st_size,
        )


@dataclass(frozen=True, slots=True)
class Update:
    """An entry to write; ZERO as `oid` takes it out."""

    path: bytes
    mode: bytes
    oid: Oid
    stat: FileStat | None = None  # None: git looks at the file when it needs to know
    assume_unchanged: bool = False
    skip_worktree: bool = False


def entries(git: Git, paths: Sequence[bytes], index_file: str | None = None) -> dict[bytes, Entry]:
    """The entries at these paths; a path without one is left out. git: runs at the top of the work tree.

    Raises IndexUnusable where git can't read the index.
    """
    if not paths:
        return {}
    env = {"GIT_INDEX_FILE": index_file} if index_file else None
    named = [os.fsdecode(path) for path in paths] if len(paths) <= _ARGUMENTS else []
    try:
        out = git.run("ls-files", "-s", "-v", "-z", "--", *named, env=env).stdout
    except CommandFailed as failure:
        raise IndexUnusable(f"git can't read the index: {failure.stderr.strip().splitlines()[-1:]}") from None
    wanted = set(paths)
    found: dict[bytes, Entry] = {}
    for line in out.split(b"\0")[:-1]:
        head, _, path = line.partition(b"\t")
        if path not in wanted:
            continue
        tag, mode, oid, stage = head.split(b" ")
        found[path] = Entry(mode, oid, stage != b"0", tag.islower(), tag in (b"S", b"s"))
    return _with_intents(git, found, env)


def _with_intents(git: Git, found: dict[bytes, Entry], env: dict[str, str] | None) -> dict[bytes, Entry]:
    """`git add -N` leaves the empty blob, as an empty file does; only a comparison tells them apart."""
    maybe = [path for path, entry in found.items() if entry.oid == _EMPTY_BLOB and not entry.is_unmerged]
    if maybe:
        named = [os.fsdecode(path) for path in maybe[:_ARGUMENTS]]
        out = git.run(
            *("diff-index", "--cached", "--ita-invisible-in-index", "--name-only", "-z", EMPTY_TREE.decode()),
            *("--", *named),
            env=env,
        ).stdout
        real = set(out.split(b"\0"))
        for path in maybe[:_ARGUMENTS]:
            if path not in real:
                found[path] = replace(found[path], intent_to_add=True)
    return found


class NextIndex:
    """A finished copy of the index with some entries changed, waiting to take its place.

    prepare(), then lock() and install() as close together as can be; drop() whatever happened.
    """

    def __init__(self, git: Git, git_dir: str, waiting: str) -> None:
        self._git = git
        self._git_dir = git_dir
        self._index = os.path.join(git_dir, "index")
        self.lock_path = os.path.join(git_dir, "index.lock")
        self.waiting = waiting
        self._seen: tuple[int, ...] | None = None
        self._lock: tuple[int, ...] | None = None  # the file that is the lock

    def prepare(self, updates: Sequence[Update]) -> None:
        """Make the copy, with these entries written. Raises IndexUnusable if that can't be done."""
        self.drop()
        refuse_if_cut(self._git_dir)
        try:
            self._seen = _identity(self._index)
            if self._seen is not None:
                _second_name(self._index, self.waiting)
        except OSError as error:
            raise IndexUnusable(f"The index can't be replaced: {error.strerror}.") from None
        env = {"GIT_INDEX_FILE": self.waiting}
        lines = [
            b"0 %s\t%s\0" % (ZERO, update.path)
            if update.oid == ZERO
            else b"%s %s\t%s\0" % (update.mode, update.oid, update.path)
            for update in sorted(updates, key=lambda update: update.oid != ZERO)  # a file may become a directory
        ]
        try:
            self._git.run(*_UNFLUSHED, "update-index", "-z", "--index-info", stdin=b"".join(lines), env=env)
            for flag, chosen in (
                ("--assume-unchanged", [update.path for update in updates if update.assume_unchanged]),
                ("--skip-worktree", [update.path for update in updates if update.skip_worktree]),
            ):
                if chosen:
                    stdin = b"".join(path + b"\0" for path in chosen)
                    self._git.run(*_UNFLUSHED, "update-index", "-z", flag, "--stdin", stdin=stdin, env=env)
        except CommandFailed as failure:
            if failure.status < 0:
                raise
            raise IndexUnusable(f"git can't write the index: {failure.stderr.strip()}") from None
        if _identity(self.waiting) != self._seen:  # else it is the index itself by another name
            _remember_stats(self.waiting, updates)

    def lock(self) -> None:
        """Take the index's lock. Raises IndexLocked if somebody has it, or changed the index meanwhile."""
        try:
            _second_name(self.waiting, self.lock_path)
        except FileExistsError:
            raise IndexLocked(f"Another program holds {self.lock_path}.") from None
        except OSError as error:
            raise IndexUnusable(f"{self.lock_path} can't be made: {error.strerror}.") from None
        self._lock = _file(self.lock_path)
        if _identity(self._index) != self._seen:
            self.unlock()
            raise IndexLocked("The index changed during the run.")

    def unlock(self) -> None:
        """Give the lock back without having changed anything; also one that was taken, but not noted any more."""
        found = _file(self.lock_path)
        if found is not None and found in (self._lock, _file(self.waiting)):
            os.unlink(self.lock_path)

    def install(self) -> None:
        """Put the copy in the index's place, which also ends the lock."""
        if _identity(self.lock_path) == self._seen:  # a rename between two names of one file does nothing
            self.unlock()
            return
        os.rename(self.lock_path, self._index)

    def drop(self) -> None:
        """Take the copy away, and what git left beside it if it was killed."""
        self.unlock()
        for path in (self.waiting, self.waiting + ".lock"):
            try:
                os.unlink(path)
            except FileNotFoundError:
                continue

    def flush(self) -> None:
        """Make the new index survive a power cut."""
        flush_directory(self._git_dir)


def take_back_lock(git_dir: str, waiting: str) -> str | None:
    """Remove an `index.lock` that a dead run of ours left, if it provably is the copy that was waiting; its path."""
    lock = os.path.join(git_dir, "index.lock")
    try:
        if not os.path.samefile(lock, waiting):
            with open(lock, "rb") as one, open(waiting, "rb") as other:
                if one.read() != other.read():
                    return None
        os.unlink(lock)
    except FileNotFoundError:
        return None
    return lock


def _identity(path: str) -> tuple[int, ...] | None:
    """Changes whenever git replaces the file. Not the ctime, which a second name changes."""
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _file(path: str) -> tuple[int, ...] | None:
    """Which file has this name now."""
    found = _identity(path)
    return found[:2] if found is not None else None


def refuse_if_cut(git_dir: str) -> None:
    """Raise IndexUnusable for an index that was cut off: git would take it for one with fewer entries.

    Source: gitformat-index(5): 12 bytes of header, entries of 62 bytes and more, 20 of checksum.
    """
    try:
        with open(os.path.join(git_dir, "index"), "rb") as file:
            head = file.read(12)
            size = os.fstat(file.fileno()).st_size
    except FileNotFoundError:
        return
    if head[:4] != b"DIRC" or 12 + int.from_bytes(head[8:12], "big") * 62 + 20 > size:
        raise IndexUnusable("The index is damaged.")


def _second_name(path: str, new: str) -> None:
    """Give a file another name, or where the file system has no such thing a copy. Raises FileExistsError.

    git never writes into an index file, it puts a new one in its place; so the names never influence each other.
    """
    try:
        os.link(path, new)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.EXDEV, errno.ENOTSUP, errno.EMLINK, errno.ENOSYS):
            raise
        if error.errno == errno.EPERM and _is_immutable(path):
            raise
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        try:
            with open(path, "rb") as source, os.fdopen(descriptor, "wb") as target:
                target.write(source.read())
                target.flush()
                os.fsync(target.fileno())
        except BaseException:
            os.unlink(new)
            raise


def _is_immutable(path: str) -> bool:
    """Source: ioctl_iflags(2)."""
    import fcntl

    try:
        with open(path, "rb") as file:
            flags = fcntl.ioctl(file.fileno(), 0x80086601, b"\0" * 8)
    except OSError:
        return False
    return bool(flags[0] & 0x10)


def _remember_stats(path: str, updates: Iterable[Update]) -> None:
    """Write into fresh entries what git remembers of unchanged files, and flush.

    `--index-info` leaves these fields zero, which makes plumbing such as `git diff-index` call the files
    changed until somebody refreshes. Where an entry is not found in the plain form (a split index strips
    names, version 4 their common beginnings), it stays as git made it: slower, no less right.
    Source: gitformat-index(5).
    """
    wanted = [update for update in updates if update.stat is not None and not update.skip_worktree]
    if len(wanted) > _STATS_AT_MOST:
        wanted = []
    with open(path, "r+b") as file:
        data = bytearray(file.read()) if wanted else bytearray()
        pieces: dict[int, bytes] = {}
        for update in wanted:
            assert update.stat is not None
            flags = min(len(update.path), 0xFFF) | (0x8000 if update.assume_unchanged else 0)
            needle = binascii.unhexlify(update.oid) + flags.to_bytes(2, "big") + update.path + b"\0"
            at = data.find(needle) - 40
            mode = int(update.mode, 8).to_bytes(4, "big")
            if at >= 12 and data[at : at + 40] == b"\0" * 24 + mode + b"\0" * 12:
                pieces[at] = data[at : at + 40] = _stat_fields(update.stat, mode)
        if pieces and data[-20:] != b"\0" * 20:  # index.skipHash leaves the checksum out
            pieces[len(data) - 20] = hashlib.sha1(memoryview(data)[:-20], usedforsecurity=False).digest()
        for at, piece in pieces.items():
            os.pwrite(file.fileno(), piece, at)
        os.fsync(file.fileno())


def _stat_fields(stat: FileStat, mode: bytes) -> bytes:
    second = 1_000_000_000
    before = (*divmod(stat.ctime_ns, second), *divmod(stat.mtime_ns, second), stat.device, stat.inode)
    after = (stat.uid, stat.gid, stat.size)
    low = [(value & 0xFFFFFFFF).to_bytes(4, "big") for value in (*before, *after)]
    return b"".join([*low[:6], mode, *low[6:]])
