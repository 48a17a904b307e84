"""Gather what a capture would change: compare memory files with a commit, read what differs, hold back what must stay.

Each file is read once, and the bytes that were read are the bytes that are checked and stored.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Iterable, Mapping, Sequence

from memgit.core import capture, content
from memgit.core.capture import Change, Held, Limits, Side, Why
from memgit.core.memory import Patterns
from memgit.core.objects import Oid, hash_object
from memgit.core.trees import Trees, is_directory, is_gitlink, mode_of, oid_of
from memgit.core.values import dataclass, field
from memgit.errors import MissingObject
from memgit.git import conversion, index
from memgit.git.command import Git
from memgit.git.conversion import NotConvertible
from memgit.git.objects import ObjectReader
from memgit.git.repository import Repository
from memgit.host import scan
from memgit.host.scan import Scan, Skipped, Stamp, Unreadable
from memgit.porcelain.memo import Memo

Check = Callable[[bytes, bytes, bytes | None], tuple[Held, ...]]  # path, new content, old content

_YOUNG_NS = 2_000_000_000
_EMPTY_BLOB: Oid = b"e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"
_COMPARED_UP_TO = 16 << 20  # bytes of an old version; a larger one is not looked into


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to gather and what to keep out."""

    patterns: Patterns  # asked with paths of the repository
    limits: Limits
    asked: tuple[bytes, ...]  # only these files and what lies below them; all if empty
    confirm_deletions: bool
    check: Check  # the guard


@dataclass(slots=True)
class Gathered:
    """What a capture would change, and what stays out."""

    changes: list[Change] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    unfinished: list[bytes] = field(default_factory=list)  # taken in part, or not yet: they are being written
    stamps: dict[bytes, Stamp] = field(default_factory=dict)  # of files that look different as soon as they change
    old: dict[bytes, bytes | None] = field(default_factory=dict)  # previous contents; None where not looked into
    began_ns: int = 0

    def settled(self, path: bytes) -> Stamp | None:
        """What git may remember of a file: git compares whole seconds, so nothing of one changed in this second."""
        stamp = self.stamps.get(path)
        second = 1_000_000_000
        if stamp is None or max(stamp.mtime_ns, stamp.ctime_ns) // second >= self.began_ns // second:
            return None
        return stamp


@dataclass(slots=True)
class _Candidate:
    path: bytes
    old: Side | None
    mode: bytes
    raw: bytes
    stamp: Stamp
    is_whole: bool = True


class Gather:
    """One comparison of a work tree with a commit's tree."""

    def __init__(self, repo: Repository, git: Git, reader: ObjectReader, trees: Trees, wanted: Wanted) -> None:
        """git: runs at the top of the work tree."""
        assert repo.work_tree is not None
        self.repo = repo
        self.git = git
        self.reader = reader
        self.trees = trees
        self.wanted = wanted
        self.root = os.fsencode(repo.work_tree)
        self.began_ns = time.time_ns()
        self._config: dict[str, list[str]] | None = None

    def run(self, found: Scan, tree: Oid, memo: Memo) -> Gathered:
        """Compare. `memo` learns what is read and forgets what is gone."""
        result = Gathered(skipped=list(found.skipped), began_ns=self.began_ns)
        before = memory_files(self.trees, tree, self.wanted.patterns)
        candidates, missing, here = self._differing(found, before, memo, result)
        if candidates or missing:
            # What was moved is not gone.
            here |= {hash_object(b"blob", candidate.raw) for candidate in candidates}
            self._ignore(candidates, result)
            contents = self._convert(candidates, memo, result)
            self._read_old([candidate for candidate, _ in contents], result)
            self._judge(contents, result)
            self._remove(missing, before, here, result)
            self._fit(result)
        self._remember_rest(found, memo, result)
        return result

    def _remember_rest(self, found: Scan, memo: Memo, result: Gathered) -> None:
        """Note also the looks of what stays out, so that the next run sees that nothing has happened."""
        writing = {os.fsdecode(path) for path in result.unfinished}
        memo.put_off = {name: count for name, count in memo.put_off.items() if name in writing}
        for name in memo.files.keys() - {os.fsdecode(path) for path in found.files}:
            del memo.files[name]
        open_ = {change.path for change in result.changes} | set(result.unfinished)
        for path, stamp in found.files.items():
            if path not in open_ and memo.knows(path, stamp) is None and self._is_asked(path):
                if stamp.is_fresh(self.began_ns):
                    memo.files.pop(os.fsdecode(path), None)
                else:
                    memo.learn(path, stamp, b"", b"")

    @property
    def config(self) -> dict[str, list[str]]:
        """git's configuration, read when it is first needed."""
        if self._config is None:
            self._config = self.repo.config()
        return self._config

    def setting(self, key: str, default: str) -> str:
        """The last value of one key of git's configuration."""
        return self.config.get(key, [default])[-1]

    def _is_asked(self, path: bytes) -> bool:
        asked = self.wanted.asked
        return not asked or any(not one or path == one or path.startswith(one + b"/") for one in asked)

    def _differing(
        self, found: Scan, before: Mapping[bytes, Side], memo: Memo, result: Gathered
    ) -> tuple[list[_Candidate], list[bytes], set[Oid]]:
        """Files that are not as in the tree, read; paths of the tree that are not there; ids of what is the same."""
        candidates: list[_Candidate] = []
        here: set[Oid] = set()
        for path, stamp in found.files.items():
            if not self._is_asked(path):
                continue
            old = before.get(path)
            known = memo.knows(path, stamp)
            if known is not None and old is not None and (known[0], known[1]) == (old.mode, old.oid):
                here.add(old.oid)
                continue
            candidate = self._read(path, stamp, old, memo, result)
            if candidate is None:
                continue
            if old is not None and candidate.mode == old.mode and hash_object(b"blob", candidate.raw) == old.oid:
                here.add(old.oid)
                self._learn(memo, candidate, old.oid)
            else:
                candidates.append(candidate)
        hidden = tuple(directory + b"/" if directory else b"" for directory in found.unseen)
        missing = [
            path
            for path in before
            if path not in found.files and self._is_asked(path) and not path.startswith(hidden or (b"\0",))
        ]
        missing = [path for path in missing if path not in found.unseen]
        return candidates, missing, here

    def _learn(self, memo: Memo, candidate: _Candidate, oid: Oid) -> None:
        if candidate.is_whole and not candidate.stamp.is_fresh(self.began_ns):
            memo.learn(candidate.path, candidate.stamp, candidate.mode, oid)

    def _read(self, path: bytes, stamp: Stamp, old: Side | None, memo: Memo, result: Gathered) -> _Candidate | None:
        limit = self.wanted.limits.file
        shown = capture.show(path)
        if stamp.size > limit and not stamp.is_link:
            result.held.append(Held(shown, Why.TOO_LARGE, f"{stamp.size:,} bytes; the limit is {limit:,}"))
            return None
        whole = True
        try:
            raw, now = scan.read(self.root, path, limit)
        except Unreadable as problem:
            if not problem.is_busy:
                if not problem.is_gone:
                    result.skipped.append(Skipped(path, problem.reason))
                return None
            try:
                raw, now = scan.read_growing(self.root, path, limit)
            except Unreadable:
                return None
            whole = False
        if not now.is_link and (not whole or self.began_ns - now.mtime_ns < _YOUNG_NS):
            complete = content.complete_prefix(raw, path)
            if complete != raw or not whole:
                result.unfinished.append(path)
                if complete == raw and memo.put_off_again(path):
                    return None  # nothing tells where a whole state of it would end
                raw, whole = complete, False
        return _Candidate(path, old, self._mode(now, old), raw, now, whole)

    def _mode(self, stamp: Stamp, old: Side | None) -> bytes:
        if stamp.is_link:
            return b"120000"
        if old is not None and old.mode == b"120000" and self.setting("core.symlinks", "true") == "false":
            return old.mode
        executable = bool(stamp.mode & stat.S_IXUSR)
        if old is not None and old.mode in (b"100644", b"100755"):
            if (old.mode == b"100755") == executable or self.setting("core.filemode", "true") == "false":
                return old.mode
        elif executable and self.setting("core.filemode", "true") == "false":
            executable = False
        return b"100755" if executable else b"100644"

    def _ignore(self, candidates: list[_Candidate], result: Gathered) -> None:
        new = [candidate.path for candidate in candidates if candidate.old is None]
        ignored = conversion.ignored(self.git, [path for path in new if path not in self.wanted.asked])
        if ignored:
            result.skipped += [Skipped(path, "is ignored by .gitignore") for path in sorted(ignored)]
            candidates[:] = [candidate for candidate in candidates if candidate.path not in ignored]

    def _convert(
        self, candidates: Sequence[_Candidate], memo: Memo, result: Gathered
    ) -> list[tuple[_Candidate, bytes]]:
        """Each candidate with the bytes git would store; those that turn out unchanged are left out."""
        regular = [candidate.path for candidate in candidates if candidate.mode != b"120000"]
        attributes = conversion.attributes(self.git, regular)
        autocrlf = self.setting("core.autocrlf", "false")
        contents: list[tuple[_Candidate, bytes]] = []
        for candidate in candidates:
            stored = candidate.raw
            attrs = attributes.get(candidate.path, {})
            if candidate.mode != b"120000" and conversion.is_needed(stored, attrs, autocrlf):
                try:
                    stored = conversion.converted(
                        self.git,
                        os.path.join(self.repo.common_dir, "objects"),
                        os.path.join(self.repo.private_dir, "scratch"),
                        candidate.path,
                        stored,
                    )
                except NotConvertible as problem:
                    result.held.append(Held(capture.show(candidate.path), Why.ENCODED, problem.reason))
                    continue
            oid = hash_object(b"blob", stored)
            old = candidate.old
            if old is not None and (old.mode, old.oid) == (candidate.mode, oid):
                self._learn(memo, candidate, oid)
            else:
                contents.append((candidate, stored))
        return contents

    def _read_old(self, candidates: Iterable[_Candidate], result: Gathered) -> None:
        for candidate in candidates:
            if candidate.old is None:
                continue
            try:
                old = next(self.reader.read_limited([candidate.old.oid], _COMPARED_UP_TO))
            except MissingObject:  # the repository is damaged; all the better that the new version gets stored
                old = None
            result.old[candidate.path] = old

    def _judge(self, contents: Sequence[tuple[_Candidate, bytes]], result: Gathered) -> None:
        for candidate, stored in contents:
            path, raw = candidate.path, candidate.raw
            old = result.old.get(path)
            problems = self._problems(path, stored, old, is_link=candidate.mode == b"120000")
            if not any(problem.why is Why.BINARY for problem in problems):  # which nobody wants, whatever is in it
                problems += self.wanted.check(path, stored, old)
            if raw is not stored and not problems:
                problems += self.wanted.check(path, raw, None)
            if problems:
                result.held += problems
                continue
            new = Side(candidate.mode, hash_object(b"blob", stored))
            result.changes.append(Change(path, candidate.old, new, stored, raw))
            if candidate.is_whole and not candidate.stamp.is_fresh(self.began_ns):
                result.stamps[path] = candidate.stamp

    def _problems(self, path: bytes, stored: bytes, old: bytes | None, *, is_link: bool) -> tuple[Held, ...]:
        shown = capture.show(path)
        if is_link:
            return ()
        if (line := content.conflict_markers(stored)) and content.conflict_markers(old or b"") is None:
            return (Held(shown, Why.MARKERS, f"line {line}"),)
        if content.is_binary(stored) and not (old is not None and content.is_binary(old)):
            if not capture.is_named(path, self.wanted.patterns, self.wanted.asked):
                return (Held(shown, Why.BINARY),)
        elif not content.still_parses(old or b"", stored, path):
            return (Held(shown, Why.UNPARSABLE, f"line {content.broken_line(stored, path)}"),)
        return ()

    def _remove(self, missing: Sequence[bytes], before: Mapping[bytes, Side], here: set[Oid], result: Gathered) -> None:
        """Record what is gone, unless it is much at once, or hidden on purpose."""
        gone = [path for path in missing if _is_gone(os.path.join(self.root, path))]
        if gone:
            entries = index.entries(self.git, gone)
            hidden = {path for path, item in entries.items() if item.skip_worktree or item.assume_unchanged}
            gone = [path for path in gone if path not in hidden]
        emptied = [
            change.path
            for change in result.changes
            if change.old and change.old.oid != _EMPTY_BLOB and change.new and change.new.oid == _EMPTY_BLOB
        ]
        lost = [path for path in gone if before[path].oid not in here] + emptied
        reason = None
        if not self.wanted.confirm_deletions:
            reason = capture.is_mass_deletion(before, lost, self.wanted.patterns.prefix)
        if reason is None:
            result.changes += [Change(path, before[path], None, None, None) for path in gone]
            return
        result.held += [Held(capture.show(path), Why.DELETED, reason) for path in sorted([*gone, *emptied])]
        stay = set(gone)
        keep = [change for change in result.changes if change.path not in set(emptied)]
        result.changes[:] = [change for change in keep if not _runs_into(change.path, stay)]

    def _fit(self, result: Gathered) -> None:
        """Hold the largest files back until the rest fits into one commit."""
        limit = self.wanted.limits.commit
        result.changes.sort(key=lambda change: (len(change.content or b""), change.path))
        total = 0
        for at, change in enumerate(result.changes):
            total += len(change.content or b"")
            if total > limit:
                for large in result.changes[at:]:
                    size = len(large.content or b"")
                    result.held.append(
                        Held(
                            capture.show(large.path),
                            Why.TOO_LARGE,
                            f"{size:,} bytes; one commit takes {limit:,} at most",
                        )
                    )
                    result.stamps.pop(large.path, None)
                del result.changes[at:]
                break
        result.changes.sort(key=lambda change: change.path)


def _is_gone(place: bytes) -> bool:
    """Whether there is nothing at all, or a directory. Something else, such as a FIFO, hides the file only."""
    return (os.path.isdir(place) and not os.path.islink(place)) or not os.path.lexists(place)


def memory_files(trees: Trees, tree: Oid, patterns: Patterns) -> dict[bytes, Side]:
    """The memory files of a tree. patterns: asked with paths of the repository."""
    files: dict[bytes, Side] = {}
    todo = [(b"", tree)]
    while todo:
        prefix, oid = todo.pop()
        covered = patterns.covers(prefix[:-1])
        for name, item in trees[oid].items():
            path = prefix + name
            if is_directory(item):
                if covered or patterns.may_contain(path):
                    todo.append((path + b"/", oid_of(item)))
            elif not is_gitlink(item) and (covered or patterns.matches(path)):
                files[path] = Side(mode_of(item), oid_of(item))
    return files


def _runs_into(path: bytes, files: set[bytes]) -> bool:
    """Whether the path leads through one of the files, or one of the files through it."""
    return any(path.startswith(file + b"/") or file.startswith(path + b"/") for file in files)
