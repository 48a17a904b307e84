"""The two sides that are brought together: their files, and writing to one without losing what came in between."""

from __future__ import annotations

import errno
import stat
from collections.abc import Iterable

from memgit.core.backup import index, synced
from memgit.core.backup.manifest import digest_of
from memgit.core.memory import Patterns
from memgit.core.setting_rows import MirroredFolder
from memgit.core.values import dataclass
from memgit.host import files
from memgit.host.folder import Folder
from memgit.host.tree import YOUNG_NS, Found
from memgit.porcelain.backup.source import Held, Screen
from memgit.porcelain.mirror.report import Report

_LARGE = 64 << 20


class Side:
    """One of the two: its files, their digests, and writing to it without overwriting what came in between.

    index_path: where digests are kept from run to run; None where inodes and times can't be relied on, as on file
    systems that only stand for another machine or a cloud. There all files are read each time.
    """

    def __init__(self, folder: Folder, patterns: Patterns, index_path: str | None, now_ns: int, report: Report) -> None:
        self.folder = folder
        self._index_path = index_path
        self._now_ns = now_ns
        self._patterns = patterns
        self.copies: list[bytes] = []  # conflicted copies of memory files, made by whatever keeps the folder in step
        self.away: dict[bytes, str] = {}  # files, or directories with all in them, that are there and can't be read
        scan = folder.scan(lambda path: patterns.may_contain(path) and not synced.is_housekeeping(path), self._wants)
        self.away |= dict(scan.skipped)
        self._places = [b"", *(directory.path + b"/" for directory in scan.directories)]
        self.found: dict[bytes, Found] = {}
        self.digests: dict[bytes, bytes] = {}
        self._spelled: dict[bytes, bytes] = {}  # how the folder spells what is known here by another name
        self._known = index.read(files.read(index_path), b"-") if index_path is not None else {}
        for found in scan.files:
            if (found.stat.st_mode & 0o170000) != 0o100000:
                report.held.append(Held(found.path, "is a link, which stays where it is"))
            elif found.stat.st_size > _LARGE:
                report.held.append(Held(found.path, "is too large to be merged"))
            else:
                self._learn(found)
        for path in self.away.keys() & self.found.keys():
            del self.away[path]
        report.held += [Held(path, why) for path, why in sorted(self.away.items())]

    def clear_leftovers(self) -> None:
        """Take away what killed runs left half written."""
        self.folder.clear_leftovers(self._places)

    def is_away(self, path: bytes) -> bool:
        """Whether nothing can be said of a path: it, or a directory above it, is there and can't be read."""
        if not self.away:
            return False
        names = path.split(b"/")
        return any(b"/".join(names[:depth]) in self.away for depth in range(1, len(names) + 1))

    def _wants(self, path: bytes) -> bool:
        of = synced.evicted(path)
        if of is not None and self._patterns.matches(of):
            self.away[of] = "is in the cloud and not on this disk"
        of = synced.original(path)
        if of is not None and self._patterns.matches(of):
            self.copies.append(path)
        return self._patterns.matches(path) and not synced.is_housekeeping(path)

    def recognise(self, names: Iterable[bytes]) -> None:
        """Know files by these names where the file system takes another one for the same: in case or accents.

        names: of those that are the same to it the last one counts.
        """
        wanted = dict.fromkeys(names)
        missing = {synced.folded(name): name for name in wanted if name not in self.found}
        for path in [path for path in self.found if path not in wanted] if missing else ():
            name = missing.get(synced.folded(path))
            if name is not None and self.folder.lstat(name) is not None:  # not listed, and yet there
                self._spelled[name] = path
                self.found[name] = Found(name, self.found.pop(path).stat)
                self.digests[name] = self.digests.pop(path)

    def _spell(self, path: bytes) -> bytes:
        return self._spelled.get(path, path)

    def taken_for(self, path: bytes) -> bytes | None:
        """The other file that stands where this path would be written; None if it is free, or this file's own."""
        if path in self.found or self.folder.lstat(self._spell(path)) is None:
            return None
        return next((name for name in self.found if synced.folded(name) == synced.folded(path)), None)

    def _learn(self, found: Found) -> None:
        known = self._known.get(found.path)
        if known is not None and known[0] == found.identity:
            self.digests[found.path] = known[1]
        else:
            try:
                content, status = self.folder.read(found.path)
            except FileNotFoundError:
                return
            except OSError as error:
                self.away[found.path] = f"can't be read: {error.strerror}"
                return
            found = Found(found.path, status)
            self.digests[found.path] = digest_of(content)
        self.found[found.path] = found

    def read(self, path: bytes) -> bytes | None:
        """The content that was seen, or None if there is another by now."""
        try:
            content, status = self.folder.read(self._spell(path))
        except FileNotFoundError:
            return None
        if digest_of(content) != self.digests[path]:
            return None
        self.found[path] = Found(path, status)
        return content

    def is_as_seen(self, path: bytes) -> bool:
        """Whether nobody touched the path since it was looked at."""
        status = self.folder.lstat(self._spell(path))
        seen = self.found.get(path)
        if status is None or seen is None:
            return status is None and seen is None
        return Found(path, status).identity == seen.identity or (self._index_path is None and self._holds(path))

    def _holds(self, path: bytes) -> bool:
        return digest_of(self.folder.read(self._spell(path))[0]) == self.digests[path]

    def put(self, path: bytes, content: bytes, like: Found) -> bool:
        """Write a file with the mode and time of another; False if its directory can't be made."""
        try:
            self.folder.write(self._spell(path), (content,), like.stat.st_mode, like.stat.st_mtime_ns)
        except OSError as error:
            if error.errno in (errno.ENOTDIR, errno.ELOOP, errno.EISDIR):
                return False
            raise
        status = self.folder.lstat(self._spell(path))
        if status is not None:
            self.found[path], self.digests[path] = Found(path, status), digest_of(content)
        return True

    def remove(self, path: bytes) -> None:
        """Take a file away."""
        self.folder.remove(self._spell(path))
        self.found.pop(path, None)
        self.digests.pop(path, None)

    def remember(self) -> None:
        """Keep the digests for the next run."""
        if self._index_path is None:
            return
        kept = {
            path: (found.identity, self.digests[path])
            for path, found in self.found.items()
            if self._now_ns - found.stat.st_ctime_ns > YOUNG_NS
        }
        files.replace(self._index_path, index.write(kept, b"-"))

    def look_again(self, path: bytes) -> None:
        """See what a path holds after somebody else wrote it."""
        self.found.pop(path, None)
        self.digests.pop(path, None)
        status = self.folder.lstat(self._spell(path))
        if status is not None and stat.S_ISREG(status.st_mode):
            self._learn(Found(path, status))


@dataclass(frozen=True, slots=True)
class Pair:
    """A workspace and a folder, as one run brings them together."""

    chosen: MirroredFolder
    ours: Side
    theirs: Side
    screen: Screen | None  # asked about what would leave the workspace; None where everything may
    report: Report
    now_s: int
