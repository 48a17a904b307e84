"""memgit guard scan: secrets in files, in what is staged, in a range of commits, or in bytes that are handed over."""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from memgit.core.objects import ZERO, Oid
from memgit.core.secrets.finding import Finding
from memgit.core.settings import Config
from memgit.core.values import dataclass
from memgit.errors import UsageError
from memgit.git import diff
from memgit.git.command import Git
from memgit.git.objects import ObjectReader
from memgit.git.repository import Repository
from memgit.host import scan as work_tree
from memgit.host.scan import Unreadable
from memgit.porcelain.judge import Judge

_LARGEST = 64 << 20


@dataclass(frozen=True, slots=True)
class Found:
    """A finding and the commit that brings it, where a range was looked at."""

    finding: Finding
    commit: Oid | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What a scan found, and what it could not look at."""

    found: tuple[Found, ...]
    unread: tuple[tuple[str, str], ...]  # path and reason
    looked_at: int  # files or versions of files


class Guard:
    """The rules with what this clone lets pass."""

    def __init__(self, repo: Repository | None, config: Config) -> None:
        """repo: None outside of any; then guessable values have no fingerprint."""
        self._repo = repo
        self._config = config
        self._judge = Judge(repo, config)

    def scan_bytes(self, content: bytes, name: bytes) -> Report:
        """Bytes that come from nowhere in particular."""
        return Report(tuple(Found(item) for item in self._judge.of_file(content, name)), (), 1)

    def scan_memory(self, workspace: bytes) -> Report:
        """All memory files of the work tree."""
        repo = self._repo
        if repo is None or repo.work_tree is None:
            raise UsageError("There is no work tree here.", "Name the files to look at.")
        root = os.fsencode(repo.work_tree)
        patterns = self._config.memory.patterns().under(workspace)
        files = work_tree.walk(root, patterns, nested=True).files
        return self._scan_files((root, path, path) for path in files)

    def scan_paths(self, paths: Sequence[str]) -> Report:
        """Files, and all files below directories, whether memory or not; shown as they were named."""
        return self._scan_files(item for path in paths for item in _files_below(path))

    def scan_staged(self, environ: dict[str, str]) -> Report:
        """What the next commit would hold and HEAD does not. environ: may name another index, as hooks do."""
        repo = self._must_have()
        index_file = environ.get("GIT_INDEX_FILE")
        return self._scan_pairs(diff.staged(self._top(repo), os.path.abspath(index_file) if index_file else None))

    def scan_range(self, revisions: str) -> Report:
        """What the commits of a range add, each compared with its parents."""
        return self._scan_pairs(diff.pairs_of_range(self._top(self._must_have()), revisions))

    def scan_commits(self, parents: Mapping[Oid, int]) -> tuple[Found, ...]:
        """What commits add that no parent of theirs has. parents: how many each has."""
        times: Counter[Found] = Counter()
        git = self._top(self._must_have())
        with ObjectReader(git) as reader:
            for pair in diff.pairs_of_commits(git, parents):
                if pair.new != ZERO:
                    times.update(Found(item, pair.commit) for item in self._added(reader, pair))
        return tuple(found for found, count in times.items() if count >= parents.get(found.commit or ZERO, 0))

    def _must_have(self) -> Repository:
        if self._repo is None:
            raise UsageError("This is not a git repository.")
        return self._repo

    def _top(self, repo: Repository) -> Git:
        return Git(repo.work_tree or repo.git.directory, repo.git.git_dir)

    def _scan_files(self, files: Iterator[tuple[bytes, bytes, bytes]]) -> Report:
        found: list[Found] = []
        unread: list[tuple[str, str]] = []
        count = 0
        for root, path, shown in files:
            try:
                content, _ = work_tree.read(root, path, _LARGEST)
            except Unreadable as problem:
                unread.append((os.fsdecode(shown), problem.reason))
                continue
            count += 1
            found += [Found(item) for item in self._judge.of_file(content, shown)]
        return Report(tuple(found), tuple(unread), count)

    def _scan_pairs(self, pairs: Iterator[diff.BlobPair]) -> Report:
        found: dict[tuple[bytes, Finding], Found] = {}
        count = 0
        seen: set[tuple[bytes, Oid, Oid]] = set()
        with ObjectReader(self._must_have().git) as reader:
            for pair in pairs:
                if (pair.path, pair.old, pair.new) in seen or pair.new == ZERO:
                    continue
                seen.add((pair.path, pair.old, pair.new))
                count += 1
                for item in self._added(reader, pair):
                    found.setdefault((pair.path, item), Found(item, pair.commit))
        return Report(tuple(found.values()), (), count)

    def _added(self, reader: ObjectReader, pair: diff.BlobPair) -> tuple[Finding, ...]:
        new = reader.read(pair.new)
        old = b"" if pair.old == ZERO else reader.read(pair.old)
        return tuple(self._judge.of_added(old, new, pair.path))


def _files_below(path: str) -> Iterator[tuple[bytes, bytes, bytes]]:
    """(root, path below it, path as shown) of a file, or of all files below a directory; links are not followed."""
    raw = os.fsencode(path)
    if not os.path.lexists(raw):
        raise UsageError(f"{path} does not exist.")
    if os.path.islink(raw) or not os.path.isdir(raw):
        yield os.path.dirname(raw) or b".", os.path.basename(raw), raw
        return
    for directory, directories, names in os.walk(raw):
        directories[:] = sorted(name for name in directories if name != b".git")
        for name in sorted(names):
            place = os.path.join(directory, name)
            if stat.S_ISREG(os.lstat(place).st_mode):
                yield raw, os.path.relpath(place, raw), place
