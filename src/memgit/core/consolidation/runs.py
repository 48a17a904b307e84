"""First step of a plan: collapse the stream of commits into the few that matter.

Commits come newest first, children before parents, so when a commit arrives everything that could
keep it from being folded is known: its children, what points at it, the window of its child. A run
of auto-commits grows downwards in one node and its commits are never stored, which keeps a million
commits in the memory of the thousands that survive.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from memgit.core.consolidation.classify import Classifier, Kind
from memgit.core.consolidation.message import earlier_sources
from memgit.core.consolidation.records import parents_of, read
from memgit.core.objects import Oid

WindowKey = int
ClosedWindow = Callable[[bytes, bytes], "WindowKey | None"]  # (author time, zone) -> window, None while it is open
OnlyMemory = Callable[[Oid | None, Oid], bool]  # (tree before, None for a root's; tree after)


class Node:
    """A commit that stays, or a run of auto-commits that one new commit will stand for."""

    __slots__ = (
        "automatic",
        "child",
        "cited",
        "count",
        "first",
        "header",
        "is_tip",
        "key",
        "last",
        "message",
        "parent_lines",
        "raw_count",
        "time",
        "tree",
        "zone",
    )

    def __init__(
        self,
        oid: Oid,
        header: bytes,
        tree: Oid,
        parent_lines: bytes,
        time: bytes,
        zone: bytes,
        message: bytes,
        automatic: bool,
        key: WindowKey | None,
    ) -> None:
        self.last = oid  # newest source
        self.first = oid  # oldest source
        self.count = 1  # commits of the range that it stands for
        self.cited = oid  # oldest raw source: `first`, or what that consolidated commit cites
        self.raw_count = 1  # raw sources, those of earlier consolidations included
        self.header = header  # of the newest source, raw
        self.tree = tree  # of the newest source
        self.parent_lines = parent_lines  # of the oldest source, raw
        self.time = time  # author time of the newest source
        self.zone = zone
        self.message = message  # of the newest source, as git shows it
        self.automatic = automatic
        self.key = key  # window; None for commits made by people and for open windows
        self.is_tip = False  # of the branch, and nothing else points at it
        self.child: Node | None = None  # the only commit with this one as a parent, where nothing points here

    @property
    def is_waiting(self) -> bool:
        """True for an auto-commit whose window is still open."""
        return self.automatic and self.key is None

    @property
    def can_go(self) -> bool:
        """True if the history keeps its shape without it: the tip, or with one child that is no merge."""
        return self.is_tip or (self.child is not None and len(self.child.parent_lines) <= 48)

    @property
    def parents(self) -> tuple[Oid, ...]:
        """Ids of the original parents of the oldest source."""
        return parents_of(self.parent_lines)

    def cite(self, oid: Oid, message: bytes) -> None:
        """Count an oldest source in, with what it stands for itself if it is a consolidated commit."""
        self.cited, sources = oid, 1
        if b"Memgit-S" in message:
            self.cited, sources = earlier_sources(oid, message)
        self.raw_count += sources


# Stands in for "more than one child, or something points here": no key, so nothing links to it.
_FORK = Node(b"", b"", b"", b"", b"0", b"+0000", b"", False, None)


class Collapsed:
    """What the stream held: the nodes oldest first, and how many commits they stand for."""

    __slots__ = ("autos", "commits", "late", "nodes")

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.commits = 0
        self.autos = 0
        self.late = False  # met an auto-commit of a window at or before `settled_key`


def collapse(
    chunks: Iterable[bytes],
    classifier: Classifier,
    window: ClosedWindow,
    pinned: frozenset[Oid],
    only_memory: OnlyMemory,
    tree_of: Callable[[Oid], Oid],
    settled_key: WindowKey | None = None,
) -> Collapsed:
    """Read a history (`git rev-list --header --topo-order` output) into nodes.

    pinned: commits that something besides the branch points at; they end a run and are never inside one.
    only_memory: asked for commits that are automatic only if they change nothing but memory files.
    tree_of: the tree of a commit outside the range.
    settled_key: stop with `late` set at the first closed auto-commit whose window is not after this.

    A commit is linked to its child when both are automatic, of one closed window, and it has no other
    child and nothing points at it. Source of the rule: the `keep` policy of the design.
    """
    result = Collapsed()
    nodes = result.nodes
    waiting: dict[Oid, Node] = {}  # parent that must still come -> its child so far
    take = waiting.pop
    commits = autos = 0
    for record, automatic in _judged(chunks, classifier, only_memory, tree_of):
        oid, header, tree, parent_lines, time, zone, message = record
        commits += 1
        child = _FORK if oid in pinned else take(oid, None)
        key = window(time, zone) if automatic else None
        if key is not None:
            if settled_key is not None and key <= settled_key:
                result.late = True
                return result
            autos += 1
            if child is not None and child.key == key:
                child.first = oid
                child.parent_lines = parent_lines
                child.count += 1
                if b"Memgit-S" in message:
                    child.cite(oid, message)
                else:
                    child.cited = oid
                    child.raw_count += 1
                if parent_lines:
                    parent = parent_lines[7:47]
                    waiting[parent] = _FORK if parent in waiting else child
                continue
        node = Node(oid, header, tree, parent_lines, time, zone, message, automatic, key)
        node.child = None if child is _FORK else child
        if key is not None:
            node.raw_count = 0
            node.cite(oid, message)
        nodes.append(node)
        for parent in parents_of(parent_lines):
            waiting[parent] = _FORK if parent in waiting else node
    result.commits, result.autos = commits, autos
    nodes.reverse()
    return result


def _judged(
    chunks: Iterable[bytes], classifier: Classifier, only_memory: OnlyMemory, tree_of: Callable[[Oid], Oid]
) -> Iterator[tuple[tuple[bytes, ...], bool]]:
    """Each record and whether it is automatic, children still before parents.

    A commit that is automatic only if it changes nothing but memory waits here for its parent, whose
    tree decides; it comes right before the parent.
    """
    kind_of, person, memory = classifier.kind, Kind.PERSON, Kind.MEMORY
    unproven: dict[Oid, list[tuple[bytes, ...]]] = {}  # by parent
    for found in read(chunks):
        for record in found:
            if unproven and record[0] in unproven:
                for held in unproven.pop(record[0]):
                    yield held, only_memory(record[2], held[2])
            parent_lines = record[3]
            if len(parent_lines) > 48:
                yield record, False
                continue
            kind = kind_of(record[1], record[6])
            if kind is not memory:
                yield record, kind is not person
            elif parent_lines:
                unproven.setdefault(parent_lines[7:47], []).append(record)
            else:
                yield record, only_memory(None, record[2])
    for parent, records in unproven.items():
        before = tree_of(parent)
        for held in records:
            yield held, only_memory(before, held[2])
