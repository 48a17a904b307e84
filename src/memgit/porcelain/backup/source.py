"""What is backed up: the memory files of the work tree or of one commit, read once, screened, and known by digest."""

from __future__ import annotations

import os
from collections.abc import Callable, Container, Iterable, Iterator, Mapping

from memgit.core.backup import index
from memgit.core.backup.manifest import Entry, digest_of
from memgit.core.backup.plan import Item
from memgit.core.memory import Patterns
from memgit.core.objects import Oid
from memgit.core.values import dataclass, field
from memgit.errors import MemgitError
from memgit.git.objects import ObjectReader
from memgit.git.repository import Repository
from memgit.host import files, generation
from memgit.host.folder import Folder
from memgit.host.tree import YOUNG_NS, Found, change_time_ns, identity

_RETAINED = 64 << 20  # bytes of files that are kept in memory between planning and copying
_LARGE = 32 << 20  # a file that is never held in memory as a whole

Screen = Callable[[bytes, bytes], bool]  # (path, content): whether the guard holds the file back


@dataclass(frozen=True, slots=True)
class Held:
    """A file that does not go along, and why."""

    path: bytes
    reason: str


@dataclass(slots=True)
class Source:
    """The files to back up. read: an item's content; a large one comes in pieces."""

    items: list[Item]
    directories: list[Found]
    commit: Oid | None
    read: Callable[[Item], bytes]
    pieces: Callable[[Item], Iterator[bytes]]
    skipped: list[Held] = field(default_factory=list)


def of_tree(folder: Folder | None, patterns: Patterns, known: Container[bytes] = ()) -> Source:
    """The memory files as they lie in the workspace. folder: None where it does not exist.

    known: paths that the same patterns selected before; asking is much quicker than matching.
    """

    def read(item: Item) -> bytes:
        assert folder is not None
        content, status = folder.read(item.path)
        item.mode, item.size, item.mtime_ns = status.st_mode, len(content), status.st_mtime_ns
        item.key = identity(status)
        item.kept = None
        generation.describe(item, status)
        return content

    def pieces(item: Item) -> Iterator[bytes]:
        assert folder is not None
        status = folder.lstat(item.path)
        if status is not None:
            generation.describe(item, status)
        return folder.chunks(item.path)

    if folder is None:
        return Source([], [], None, read, pieces)
    items, scan = generation.items(folder, patterns.may_contain, lambda path: path in known or patterns.matches(path))
    skipped = [Held(path, why) for path, why in scan.skipped]
    return Source(items, scan.directories, None, read, pieces, skipped)


def of_commit(
    repo: Repository, reader: ObjectReader, commit: Oid, workspace: bytes, patterns: Patterns
) -> Source:  # fmt: skip
    """The memory files of exactly one commit, as git stores them; links to other repositories are left out."""
    time_s = int(repo.git.text("show", "-s", "--format=%ct", commit.decode()))
    listed = repo.git.run("ls-tree", "-r", "-z", "-l", "--full-tree", commit.decode()).stdout
    prefixed = patterns.under(workspace)
    items = []
    for line in listed.split(b"\0")[:-1]:
        head, _, path = line.partition(b"\t")
        mode, kind, oid, size = head.split()
        if kind == b"blob" and prefixed.matches(path):
            if not size.isdigit():
                raise MemgitError(
                    f"The commit {commit.decode()[:12]} can't be read: {os.fsdecode(path)} is damaged.",
                    "`git fsck` tells more; a backup may still hold the file.",
                )
            is_link = mode == b"120000"
            permissions = 0o120777 if is_link else int(mode, 8)
            items.append(Item(path[len(workspace) :], permissions, int(size), time_s * 10**9, oid))
    items.sort(key=lambda item: item.path)
    return Source(
        items, [], commit, lambda item: reader.read(item.key), lambda item: iter((reader.read(item.key),))
    )  # fmt: skip


class IndexFile:
    """The index on disk, read once. rules: whatever could change which files are memory and which are held back."""

    def __init__(self, path: str, rules: bytes) -> None:
        self._path = path
        self._rules = rules
        self.known = index.read(files.read(path), rules)

    def replace(self, known: Mapping[bytes, index.Known]) -> None:
        """Remember exactly these files."""
        files.replace(self._path, index.write(known, self._rules))


class Gathered:
    """The items of a source whose digests are known, without those the guard holds back."""

    def __init__(self, source: Source, screen: Screen | None, index_file: IndexFile, now_ns: int) -> None:
        self.source = source
        self.items: list[Item] = []
        self.held: list[Held] = list(source.skipped)
        self._screen = screen
        self._index_file = index_file
        self.settled_ns = now_ns - YOUNG_NS  # what changed later is read again
        self._contents: dict[bytes, bytes] = {}
        self._room = _RETAINED
        self._new = False

    def learn(self, previous: Mapping[bytes, Entry], advance: Callable[[int], None]) -> None:
        """Find the digest of every item, remembered or from its content. A held file stays as it was backed up last."""
        known = self._index_file.known
        self._new = len(known) != len(self.source.items)
        of_commit = self.source.commit is not None
        for item in self.source.items:
            remembered, old = known.get(item.path), previous.get(item.path)
            if remembered is not None and remembered[0] == item.key:
                item.digest = remembered[1]
            elif not self._look_at(item):
                if old is None or old.is_link:
                    continue
                item = _as_it_was(old)
            else:
                self._new = True
                advance(1)
            if old is not None and old.digest == item.digest:
                if of_commit:
                    item.mtime_ns = old.mtime_ns  # a commit has no time for each file; the first one stays
                if old.mtime_ns == item.mtime_ns and old.mode == item.mode and old.size == item.size:
                    item.kept = old
            self.items.append(item)
        if self.source.skipped:
            self._keep_unread(previous)

    def _keep_unread(self, previous: Mapping[bytes, Entry]) -> None:
        """What lies in a directory that can't be read is not gone: it stays as it was backed up last."""
        there = {item.path for item in self.items}
        unread = tuple(held.path + b"/" for held in self.source.skipped)
        lost = [old for path, old in previous.items() if path not in there and path.startswith(unread)]
        if lost:
            self._new = True
            self.items = sorted((*self.items, *map(_as_it_was, lost)), key=lambda item: item.path)

    def _look_at(self, item: Item) -> bool:
        """Read and screen an item; False if it is held back or gone."""
        if item.size > _LARGE:
            if self._screen is not None:
                self.held.append(Held(item.path, "too large to be searched for secrets"))
                return False
            item.digest = _digest(self.source.pieces(item))
            return True
        try:
            content = self.source.read(item)
        except FileNotFoundError:
            return False
        except (OSError, MemgitError) as error:
            self.held.append(Held(item.path, f"can't be read: {getattr(error, 'strerror', None) or error}"))
            return False
        if self._screen is not None and self._screen(item.path, content):
            self.held.append(Held(item.path, "held back by the guard"))
            return False
        item.digest = digest_of(content)
        if len(content) <= self._room:
            self._room -= len(content)
            self._contents[item.path] = content
        return True

    def content(self, item: Item) -> Iterable[bytes] | None:
        """What is copied: exactly the bytes that were screened and whose digest the item has."""
        if item.path in self._contents:
            return (self._contents.pop(item.path),)
        if item.size > _LARGE and self._screen is None:
            return self._watched(item)
        before = len(self.held)
        self._room = _RETAINED
        if not self._look_at(item):
            item.digest = b""  # gone or held since: left out, also of the manifest
            if len(self.held) == before:
                self.held.append(Held(item.path, "went away during the run"))
            return None
        return (self._contents.pop(item.path),)

    def _watched(self, item: Item) -> Iterator[bytes]:
        """A large file's pieces; the item is told what they added up to."""
        import hashlib

        checksum, size = hashlib.sha256(), 0
        for piece in self.source.pieces(item):
            checksum.update(piece)
            size += len(piece)
            yield piece
        item.digest, item.size, item.kept = checksum.hexdigest().encode(), size, None

    def remember(self) -> None:
        """Keep what was learned for the next run; of files that changed a moment ago nothing."""
        if self._new:
            kept = {}
            for item in self.items:
                old = self._index_file.known.get(item.path)
                if old is not None and old[0] == item.key:
                    kept[item.path] = old
                elif item.key and item.digest and change_time_ns(item.key) < self.settled_ns:
                    kept[item.path] = (item.key, item.digest)
            self._index_file.replace(kept)


def _as_it_was(old: Entry) -> Item:
    item = Item(old.path, old.mode, old.size, old.mtime_ns, b"")
    item.digest, item.kept = old.digest, old
    return item


def _digest(pieces: Iterable[bytes]) -> bytes:
    import hashlib

    checksum = hashlib.sha256()
    for piece in pieces:
        checksum.update(piece)
    return checksum.hexdigest().encode()


def open_workspace(repo: Repository, workspace: str) -> Folder | None:
    """The workspace's directory, or None if it is gone."""
    if repo.work_tree is None:
        raise MemgitError("This repository is bare and has no work tree to back up.", 'Set source = "commit".')
    try:
        return Folder(os.path.join(repo.work_tree, workspace))
    except (FileNotFoundError, NotADirectoryError):
        return None
