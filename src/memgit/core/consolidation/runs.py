"""First step of a plan: collapse the stream of commits into the few that matter.

Commits come newest first, children before parents, so when a commit arrives everything that could
keep it from being folded is known: its children, what points at it, the window of its child. A run
of auto-commits grows downwards in one node and its commits are never stored, which keeps a million
commits in the memory of the thousands that survive.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import compress, pairwise
from operator import ne

from memgit.core.consolidation.classify import Classifier, Kind
from memgit.core.consolidation.message import earlier_sources
from memgit.core.consolidation.records import Record, header_of, message_of, parents_of, read, tree_of
from memgit.core.memory import Patterns
from memgit.core.objects import EMPTY_TREE, Oid
from memgit.core.trees import Trees, changes
from memgit.core.windows import ClosedWindows, WindowKey

OnlyMemory = Callable[[Oid | None, Oid], bool]  # (tree before, None for a root's; tree after)


def by_trees(trees: Trees, memory: Patterns) -> OnlyMemory:
    """Answers by reading what differs. memory: its paths below the top of the repository."""

    def check(before: Oid | None, after: Oid) -> bool:
        found = changes(trees, before or EMPTY_TREE, after, memory.covers)
        return all(memory.covers(path) or memory.matches(path) for path, _, _ in found)

    return check


class Node:
    """A commit that stays, or a run of auto-commits that one new commit will stand for."""

    __slots__ = (
        "automatic",
        "child",
        "cited",
        "count",
        "first",
        "is_tip",
        "key",
        "last",
        "parent_lines",
        "raw_count",
        "record",
        "tree",
    )

    def __init__(self, record: Record, automatic: bool, key: WindowKey | None) -> None:
        self.record = record  # of the newest source
        self.last = record[0]  # newest source
        self.first = record[0]  # oldest source
        self.count = 1  # commits of the range that it stands for
        self.cited = record[0]  # oldest raw source: `first`, or what that consolidated commit cites
        self.raw_count = 1  # raw sources, those of earlier consolidations included
        self.tree = tree_of(record)  # of the newest source
        self.parent_lines = record[2]  # of the oldest source, raw
        self.automatic = automatic
        self.key = key  # window; None for commits made by people and for open windows
        self.is_tip = False  # of the branch, and nothing else points at it
        self.child: Node | None = None  # the only commit with this one as a parent, where nothing points here

    @property
    def header(self) -> bytes:
        """The header of the newest source, raw."""
        return header_of(self.record)

    @property
    def message(self) -> bytes:
        """The message of the newest source, as git shows it."""
        return message_of(self.record)

    @property
    def time(self) -> bytes:
        """Author time of the newest source, seconds since the epoch."""
        return self.record[4]

    @property
    def zone(self) -> bytes:
        """Author zone of the newest source."""
        return self.record[5]

    @property
    def is_waiting(self) -> bool:
        """True for an auto-commit whose window is still open."""
        return self.automatic and self.key is None

    @property
    def can_go(self) -> bool:
        """True if the history keeps its shape without it: the tip, or with one child that is no merge."""
        return self.is_tip or (self.child is not None and len(self.child.parent_lines) <= _ONE_PARENT)

    @property
    def parents(self) -> tuple[Oid, ...]:
        """Ids of the original parents of the oldest source."""
        return parents_of(self.parent_lines)

    def cite(self, record: Record) -> None:
        """Count an oldest source in, with what it stands for itself if it is a consolidated commit."""
        self.cited, sources = record[0], 1
        if _CITES in record[6]:
            self.cited, sources = earlier_sources(record[0], message_of(record))
        self.raw_count += sources


_ONE_PARENT = len(b"parent \n") + 40  # of parent lines; merges have more
_CITES = b"Memgit-S"
# Stands in for "more than one child, or something points here": no key, so nothing links to it.
_FORK = Node((b"", b"", b"", b"", b"0", b"+0000", b""), False, None)


class Collapsed:
    """What the stream held: the nodes oldest first, and how many commits they stand for."""

    __slots__ = ("commits", "late", "nodes")

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.commits = 0
        self.late = False  # met an auto-commit of a window at or before `settled_key`


def collapse(
    chunks: Iterable[bytes],
    classifier: Classifier,
    windows: ClosedWindows,
    pinned: frozenset[Oid],
    only_memory: OnlyMemory,
    tree_outside: Callable[[Oid], Oid],
    settled_key: WindowKey | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> Collapsed:
    """Read a history (`git rev-list --header --topo-order` output) into nodes.

    pinned: commits that something besides the branch points at; they end a run and are never inside one.
    only_memory: asked for commits that are automatic only if they change nothing but memory files.
    tree_outside: the tree of a commit that the range does not hold.
    progress: told how many more commits were read.
    settled_key: stop with `late` set at the first closed auto-commit whose window is not after this.

    A commit is linked to its child when both are automatic, of one closed window, and it has no other
    child and nothing points at it.
    """
    linking = _Linking(pinned)
    result = linking.result
    for records, automatic in _judged(chunks, classifier, only_memory, tree_outside):
        if not records:
            continue
        progress(len(records))
        keys = windows([record[4] for record in records], [record[5] for record in records])
        if False in automatic:
            keys = [key if is_automatic else None for key, is_automatic in zip(keys, automatic, strict=True)]
        if settled_key is not None and any(key is not None and key <= settled_key for key in keys):
            result.late = True
            return result
        linking.add(records, automatic, keys)
    result.nodes.reverse()
    return result


class _Linking:
    """Puts records, newest first, into nodes."""

    def __init__(self, pinned: frozenset[Oid]) -> None:
        self.result = Collapsed()
        self._pinned = pinned
        self._waiting: dict[Oid, Node] = {}  # parent that must still come -> its child so far

    def add(self, records: Sequence[Record], automatic: Sequence[bool], keys: Sequence[WindowKey | None]) -> None:
        """Take the next records; most of a piece of neighbours that are linked is one step.

        Such a piece is found by comparing columns, at C speed: each record the first parent of the one
        before it, of the same window.
        """
        oids = [record[0] for record in records]
        parents = [record[3] for record in records]
        cites = _CITES in b"".join([record[6] for record in records])
        links = zip(parents, keys, strict=True)
        ends = compress(range(1, len(records)), map(ne, links, zip(oids[1:], keys[1:], strict=True)))
        is_awaited, is_pinned = self._waiting.keys(), self._pinned
        for start, end in pairwise((0, *ends, len(records))):
            inner = oids[start + 1 : end]
            if keys[start] is None or cites or not (is_awaited.isdisjoint(inner) and is_pinned.isdisjoint(inner)):
                for at in range(start, end):
                    self._await(self._place(records[at], automatic[at], keys[at]))
                continue
            node = self._place(records[start], True, keys[start])
            if inner:
                node.first = node.cited = inner[-1]
                node.count += len(inner)
                node.raw_count += len(inner)
                node.parent_lines = records[end - 1][2]
            self._await(node)
        self.result.commits += len(records)

    def _place(self, record: Record, automatic: bool, key: WindowKey | None) -> Node:
        """Link one record to its child or make a node of it."""
        oid = record[0]
        child = _FORK if oid in self._pinned else self._waiting.pop(oid, None)
        if key is not None and child is not None and child.key == key:
            child.first = oid
            child.parent_lines = record[2]
            child.count += 1
            child.cite(record)
            return child
        node = Node(record, automatic, key)
        node.child = None if child is _FORK else child
        if key is not None:
            node.raw_count = 0
            node.cite(record)
        self.result.nodes.append(node)
        return node

    def _await(self, node: Node) -> None:
        waiting, lines = self._waiting, node.parent_lines
        for parent in (lines[7:47],) if len(lines) == _ONE_PARENT else parents_of(lines):
            waiting[parent] = _FORK if parent in waiting else node


def _judged(
    chunks: Iterable[bytes], classifier: Classifier, only_memory: OnlyMemory, tree_before: Callable[[Oid], Oid]
) -> Iterator[tuple[list[Record], list[bool]]]:
    """The records in lists, each with whether it is automatic, children still before parents.

    A commit that is automatic only if it changes nothing but memory waits here for its parent, whose
    tree decides; it comes right before the parent.
    """
    mixed = Kind.MIXED
    unproven: dict[Oid, list[Record]] = {}  # by parent
    for found in read(chunks):
        kinds = classifier.kinds(found)
        if not unproven and Kind.MEMORY not in kinds:
            shapes = zip(kinds, found, strict=True)
            yield found, [kind is mixed and len(record[2]) <= _ONE_PARENT for kind, record in shapes]
            continue
        records: list[Record] = []
        automatic: list[bool] = []
        for record, kind in zip(found, kinds, strict=True):
            if held := unproven.pop(record[0], None):
                records += held
                automatic += [only_memory(tree_of(record), tree_of(child)) for child in held]
            is_merge = len(record[2]) > _ONE_PARENT
            if kind is Kind.MEMORY and record[2] and not is_merge:
                unproven.setdefault(record[3], []).append(record)
                continue
            records.append(record)
            proven = kind is Kind.MIXED or (kind is Kind.MEMORY and only_memory(None, tree_of(record)))
            automatic.append(proven and not is_merge)
        yield records, automatic
    for parent, records in unproven.items():
        before = tree_before(parent)
        yield records, [only_memory(before, tree_of(record)) for record in records]
