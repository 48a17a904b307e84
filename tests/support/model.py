"""Histories as plain dictionaries, and consolidation done the slow way: path by path, without a trick.

Shares no code with memgit: own objects, own windows, own idea of a tree. What it says is the meaning of
the two policies, so where memgit differs, memgit is wrong or this is.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from support.repo import Oid, hash_of

Entry = tuple[bytes, Oid]  # mode, id
Files = Mapping[bytes, Entry]
EMPTY_TREE = hash_of(b"tree", b"")


@dataclass(frozen=True)
class Change:
    """What a path was and what it became; None: not there."""

    path: bytes
    old: Entry | None
    new: Entry | None


@dataclass(frozen=True)
class ModelCommit:
    """A commit of the model."""

    oid: Oid
    parents: tuple[Oid, ...]
    files: Files
    tree: Oid
    is_auto: bool
    time_s: int
    offset_s: int
    raw: bytes


@dataclass
class Objects:
    """Commits and trees by id."""

    commits: dict[Oid, ModelCommit] = field(default_factory=dict)
    trees: dict[Oid, bytes] = field(default_factory=lambda: {EMPTY_TREE: b""})
    flat: dict[Oid, Files] = field(default_factory=lambda: {EMPTY_TREE: {}})

    def tree(self, files: Files) -> Oid:
        """The id of the tree that holds these files."""
        oid = self._tree(files)
        self.flat[oid] = dict(files)
        return oid

    def _tree(self, files: Files) -> Oid:
        entries: dict[bytes, Entry] = {}
        below: dict[bytes, dict[bytes, Entry]] = {}
        for path, entry in files.items():
            name, slash, rest = path.partition(b"/")
            if slash:
                below.setdefault(name, {})[rest] = entry
            else:
                entries[name] = entry
        for name, inner in below.items():
            assert name not in entries, "a file and a directory of one name"
            entries[name] = (b"40000", self._tree(inner))
        ordered = sorted(entries.items(), key=lambda item: item[0] + (b"/" if item[1][0] == b"40000" else b""))
        raw = b"".join(b"%s %s\0%s" % (mode, name, bytes.fromhex(oid.decode())) for name, (mode, oid) in ordered)
        oid = hash_of(b"tree", raw)
        self.trees[oid] = raw
        return oid

    def flatten(self, tree: Oid) -> Files:
        """All files below a tree, read from its raw objects."""
        if tree not in self.flat:
            self.flat[tree] = dict(self._flatten(tree, b""))
        return self.flat[tree]

    def _flatten(self, tree: Oid, prefix: bytes) -> Iterator[tuple[bytes, Entry]]:
        raw, at = self.trees[tree], 0
        while at < len(raw):
            space, zero = raw.index(b" ", at), raw.index(b"\0", at)
            mode, name, oid = raw[at:space], raw[space + 1 : zero], raw[zero + 1 : zero + 21].hex().encode()
            if mode == b"40000":
                yield from self._flatten(oid, prefix + name + b"/")
            else:
                yield prefix + name, (mode, oid)
            at = zero + 21


def changes(old: Files, new: Files) -> list[Change]:
    """Every path that differs, in byte order."""
    return [Change(path, old.get(path), new.get(path)) for path in sorted(old.keys() | new.keys())
            if old.get(path) != new.get(path)]  # fmt: skip


def clash(one: Sequence[Change], other: Sequence[Change]) -> bool:
    """True if a path is in both, or one lies below the other."""
    return any(
        a.path == b.path or a.path.startswith(b.path + b"/") or b.path.startswith(a.path + b"/")
        for a in one
        for b in other
    )


def apply(files: Files, todo: Sequence[Change]) -> Files:
    """The files with the changes made; each path must be what the change takes it for."""
    result = dict(files)
    for change in todo:
        assert result.get(change.path) == change.old, change
        if change.new is None:
            del result[change.path]
        else:
            result[change.path] = change.new
    return result


@dataclass
class Piece:
    """A person's commit, an open auto-commit, or a run of neighbouring auto-commits of one window."""

    sources: list[ModelCommit]
    window: int | None

    @property
    def last(self) -> ModelCommit:
        """The newest source."""
        return self.sources[-1]


@dataclass
class Expected:
    """One commit of the new history: the old commits it stands for, and its files."""

    sources: list[Oid]
    parents: tuple[Oid, ...]  # original commits whose places they are
    before: Files | None
    files: Files
    is_squash: bool

    @property
    def place(self) -> Oid:
        """The original commit whose place it takes."""
        return self.sources[-1]


class Reference:
    """What consolidation must make of a history.

    commits: oldest first, all of them in the range. pinned: ids something else points at.
    """

    def __init__(
        self, commits: Sequence[ModelCommit], pinned: frozenset[Oid], length_s: int, now_s: int | None
    ) -> None:
        self.commits = commits
        self.by_id = {commit.oid: commit for commit in commits}
        self.pinned = pinned
        self.length_s = length_s
        self.now_s = now_s
        self.children: dict[Oid, list[Oid]] = {}
        for commit in commits:
            for parent in commit.parents:
                self.children.setdefault(parent, []).append(commit.oid)

    def window(self, commit: ModelCommit) -> int | None:
        """The closed window of an auto-commit; None for all else."""
        if not commit.is_auto or len(commit.parents) > 1:
            return None
        window = (commit.time_s + commit.offset_s) // self.length_s
        if self.now_s is not None and window >= (self.now_s + commit.offset_s) // self.length_s:
            return None
        return window

    def is_held_only_by(self, parent: Oid, child: ModelCommit) -> bool:
        """True if nothing but `child`, which has no other parent, needs `parent`."""
        return child.parents == (parent,) and self.children[parent] == [child.oid] and parent not in self.pinned

    def stretches(self) -> list[list[Piece]]:
        """Linear pieces of the history, each cut into runs and single commits."""
        pieces: dict[Oid, Piece] = {}
        lines: list[list[Piece]] = []
        line_of: dict[Oid, list[Piece]] = {}
        for commit in self.commits:
            window = self.window(commit)
            parent = commit.parents[0] if commit.parents else None
            if parent is None or parent not in self.by_id or not self.is_held_only_by(parent, commit):
                lines.append([])
                line_of[commit.oid] = lines[-1]
            else:
                line_of[commit.oid] = line_of[parent]
                if window is not None and pieces[parent].window == window:
                    pieces[commit.oid] = pieces[parent]
                    pieces[commit.oid].sources.append(commit)
                    continue
            pieces[commit.oid] = Piece([commit], window)
            line_of[commit.oid].append(pieces[commit.oid])
        return lines

    def before(self, piece: Piece) -> Files | None:
        """The files a piece starts from; None for a root."""
        first = piece.sources[0]
        return self.by_id[first.parents[0]].files if first.parents else None

    def change(self, piece: Piece) -> list[Change]:
        """The net change of a piece."""
        return changes(self.before(piece) or {}, piece.last.files)

    def keep(self) -> list[Expected]:
        """One commit per piece."""
        return [
            Expected([c.oid for c in piece.sources], piece.sources[0].parents, self.before(piece), piece.last.files,
                     len(piece.sources) > 1)
            for line in self.stretches() for piece in line
        ]  # fmt: skip

    def commute(self) -> list[Expected]:
        """The runs of a window gathered as far as the people's commits between them allow."""
        return [expected for line in self.stretches() for expected in self._gather(line)]

    def _gather(self, line: list[Piece]) -> list[Expected]:
        """Join the first two runs that may be joined, in the history as it then stands, until there are none."""
        todo = [_Replayed([c.oid for c in piece.sources], self.change(piece), piece.window, self._is_auto(piece))
                for piece in line]  # fmt: skip
        is_root = self.before(line[0]) is None
        while pair := _first_pair(todo, 1 if is_root else 0):
            one, other = pair
            joined = _Replayed(
                todo[one].sources + todo[other].sources,
                _compose(todo[one].own, todo[other].own),
                todo[one].window,
                True,
            )
            todo[one : other + 1] = [*todo[one + 1 : other], joined]
        result: list[Expected] = []
        files, parents = self.before(line[0]), line[0].sources[0].parents
        for item in todo:
            after = apply(files or {}, item.own)
            result.append(Expected(item.sources, parents, files, after, len(item.sources) > 1))
            files, parents = after, (item.sources[-1],)
        assert files == line[-1].last.files
        return result

    def _is_auto(self, piece: Piece) -> bool:
        return piece.last.is_auto and len(piece.last.parents) <= 1


@dataclass
class _Replayed:
    """A commit to be made again: its sources and its own change."""

    sources: list[Oid]
    own: list[Change]
    window: int | None
    is_auto: bool


def _first_pair(todo: list[_Replayed], start: int) -> tuple[int, int] | None:
    """The first two auto-commits of one window, people's commits between them at most, that may become one."""
    autos = [at for at, item in enumerate(todo) if item.is_auto]
    for one, other in itertools.pairwise(autos):
        if one < start or todo[one].window is None or todo[one].window != todo[other].window:
            continue
        people = todo[one + 1 : other]
        if not any(clash(person.own, run.own) for person in people for run in (todo[one], todo[other])):
            return one, other
    return None


def _compose(first: list[Change], then: list[Change]) -> list[Change]:
    """Both changes as one, without what comes to nothing."""
    ends: dict[bytes, Change] = {}
    for change in [*first, *then]:
        was = ends.get(change.path)
        ends[change.path] = Change(change.path, was.old if was else change.old, change.new)
    return [change for _, change in sorted(ends.items()) if change.old != change.new]
