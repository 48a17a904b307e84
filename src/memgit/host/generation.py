"""Making a directory hold exactly the files of a backup: copied, or linked to those of the generation before."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Mapping

from memgit.core.backup.manifest import Entry, digest_of
from memgit.core.backup.plan import Item, Plan
from memgit.host.folder import TEMPORARY, Folder
from memgit.host.tree import Found, Scan, identity

Content = Callable[[Item], "Iterable[bytes] | None"]


def apply(
    folder: Folder,
    plan: Plan,
    content: Content,
    directories: Iterable[Found],
    previous: Folder | None = None,
    advance: Callable[[int], None] = lambda count: None,
) -> None:
    """Carry a plan out and flush it. What has to go goes first, so that a file can become a directory.

    content: the bytes of an item, asked for when it is copied; None drops the item. directories: get their mode and
    time when all is in them.
    """
    for path in plan.delete:
        folder.remove(path)
        advance(1)
    unshared = list(plan.link) if previous is None else folder.share(previous, plan.link)
    advance(len(plan.link))
    for item in unshared:
        _copy(folder, item, content)
    for item in plan.copy:
        _copy(folder, item, content)
        advance(1)
    for directory in sorted(directories, key=_depth, reverse=True):
        status = directory.stat
        try:
            folder.set_directory(
                directory.path, status.st_mode, status.st_mtime_ns, (status.st_uid, status.st_gid)
            )  # fmt: skip
        except (FileNotFoundError, NotADirectoryError):
            continue  # nothing of it was wanted
    folder.flush()


def _copy(folder: Folder, item: Item, content: Content) -> None:
    chunks = content(item)
    if chunks is None:
        return
    present = folder.lstat(item.path)
    if present is not None and stat.S_ISDIR(present.st_mode):
        _clear(folder, item.path)
    if item.mode & 0o170000 == stat.S_IFLNK:
        folder.symlink(item.path, b"".join(chunks), item.mtime_ns, item.owner)
    else:
        folder.write(item.path, chunks, item.mode, item.mtime_ns, owner=item.owner, sparse=item.sparse)


def _clear(folder: Folder, path: bytes) -> None:
    """Make room for a file where only empty directories are left."""
    below = sorted(
        (found.path for found in folder.scan(lambda directory: _is_within(directory, path)).directories), key=len
    )
    for directory in reversed(below):
        if directory.startswith(path + b"/") or directory == path:
            folder.remove_empty(directory)


def _is_within(directory: bytes, path: bytes) -> bool:
    return (path + b"/").startswith(directory + b"/") or directory.startswith(path + b"/")


def present(folder: Folder, known: Mapping[bytes, Entry], *, read: bool = False) -> dict[bytes, Entry]:
    """What a directory holds now. The digest comes from `known` where size, mode and time still fit.

    read: read every file instead. Where the digest is not known it is empty. Leftovers of a killed run count as files
    that have to go.
    """
    found: dict[bytes, Entry] = {}
    unread = []

    def see(path: bytes, status: os.stat_result) -> None:
        old = known.get(path)
        if (
            old is not None
            and old.mtime_ns == status.st_mtime_ns
            and old.size == status.st_size
            and old.mode == status.st_mode
            and not (read or old.is_link)
        ):
            found[path] = old
            return
        entry = found[path] = Entry(path, status.st_mode, status.st_size, status.st_mtime_ns, b"")
        if (read or entry.is_link) and not path.rpartition(b"/")[2].startswith(TEMPORARY):
            unread.append(entry)

    folder.scan(see=see)
    for entry in sorted(unread, key=_path):  # directory by directory
        entry.digest = digest(folder, entry.path)
    return found


def digest(folder: Folder, path: bytes) -> bytes:
    """SHA-256 of a file's content or a link's text; empty if it can't be read."""
    import hashlib

    try:
        status = folder.lstat(path)
        if status is None:
            return b""
        if stat.S_ISLNK(status.st_mode):
            return digest_of(folder.read(path)[0])
        checksum = hashlib.sha256()
        for chunk in folder.chunks(path):
            checksum.update(chunk)
        return checksum.hexdigest().encode()
    except OSError:
        return b""


def items(
    folder: Folder,
    wants_directory: Callable[[bytes], bool] = lambda path: True,
    wants_file: Callable[[bytes], bool] = lambda path: True,
) -> tuple[list[Item], Scan]:
    """The files of a folder by path, their digest not known yet, and what else `host.tree.scan` finds."""
    found: list[Item] = []

    def see(path: bytes, status: os.stat_result) -> None:
        found.append(Item(path, status.st_mode, status.st_size, status.st_mtime_ns, identity(status)))

    scan = folder.scan(wants_directory, wants_file, see)
    found.sort(key=_path)
    return found, scan


def describe(item: Item, status: os.stat_result) -> None:
    """Tell an item what only a copy of it has to know."""
    item.owner = (status.st_uid, status.st_gid)
    item.sparse = status.st_blocks * 512 < status.st_size  # it occupies less than it holds


def _path(of: Item | Entry) -> bytes:
    return of.path


def _depth(found: Found) -> int:
    return found.path.count(os.fsencode("/"))
