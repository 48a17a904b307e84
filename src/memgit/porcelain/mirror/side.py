"""One of the two sides that are brought together: its files, and writing to it without losing what came in between."""

from __future__ import annotations

import errno
import stat

from memgit.core.backup import index
from memgit.core.backup.manifest import digest_of
from memgit.core.memory import Patterns
from memgit.host import files
from memgit.host.folder import Folder
from memgit.host.tree import Found
from memgit.porcelain.backup.source import Held
from memgit.porcelain.mirror.report import Report

_LARGE = 64 << 20
_YOUNG_NS = 2_000_000_000


class Side:
    """One of the two: its files, their digests, and writing to it without overwriting what came in between."""

    def __init__(self, folder: Folder, patterns: Patterns, index_path: str, now_ns: int, report: Report) -> None:
        self.folder = folder
        self._index_path = index_path
        self._now_ns = now_ns
        scan = folder.scan(patterns.may_contain, patterns.matches)
        report.held += [Held(path, why) for path, why in scan.skipped]
        self.found: dict[bytes, Found] = {}
        self.digests: dict[bytes, bytes] = {}
        self._known = index.read(files.read(index_path), b"-")
        for found in scan.files:
            if (found.stat.st_mode & 0o170000) != 0o100000:
                report.held.append(Held(found.path, "is a link, which stays where it is"))
            elif found.stat.st_size > _LARGE:
                report.held.append(Held(found.path, "is too large to be merged"))
            else:
                self._learn(found)

    def _learn(self, found: Found) -> None:
        known = self._known.get(found.path)
        if known is not None and known.identity == found.identity:
            self.digests[found.path] = known.digest
        else:
            try:
                content, status = self.folder.read(found.path)
            except FileNotFoundError:
                return
            found = Found(found.path, status)
            self.digests[found.path] = digest_of(content)
        self.found[found.path] = found

    def read(self, path: bytes) -> bytes | None:
        """The content that was seen, or None if there is another by now."""
        try:
            content, status = self.folder.read(path)
        except FileNotFoundError:
            return None
        if digest_of(content) != self.digests[path]:
            return None
        self.found[path] = Found(path, status)
        return content

    def is_as_seen(self, path: bytes) -> bool:
        """Whether nobody touched the path since it was looked at."""
        status = self.folder.lstat(path)
        seen = self.found.get(path)
        if status is None or seen is None:
            return status is None and seen is None
        return Found(path, status).identity == seen.identity

    def put(self, path: bytes, content: bytes, like: Found) -> bool:
        """Write a file with the mode and time of another; False if its directory can't be made."""
        try:
            self.folder.write(path, (content,), like.stat.st_mode, like.stat.st_mtime_ns)
        except OSError as error:
            if error.errno in (errno.ENOTDIR, errno.ELOOP, errno.EISDIR):
                return False
            raise
        status = self.folder.lstat(path)
        if status is not None:
            self.found[path], self.digests[path] = Found(path, status), digest_of(content)
        return True

    def remove(self, path: bytes) -> None:
        """Take a file away."""
        self.folder.remove(path)
        self.found.pop(path, None)
        self.digests.pop(path, None)

    def remember(self) -> None:
        """Keep the digests for the next run."""
        kept = [
            index.known(path, found.identity, self.digests[path])
            for path, found in self.found.items()
            if self._now_ns - found.stat.st_ctime_ns > _YOUNG_NS
        ]
        files.replace(self._index_path, index.write(kept, b"-"))

    def look_again(self, path: bytes) -> None:
        """See what a path holds after somebody else wrote it."""
        self.found.pop(path, None)
        self.digests.pop(path, None)
        status = self.folder.lstat(path)
        if status is not None and stat.S_ISREG(status.st_mode):
            self._learn(Found(path, status))
