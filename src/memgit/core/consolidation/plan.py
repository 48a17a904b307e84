"""A consolidation as a value: which commits stay, which become one, in which order. Changes nothing.

A function of history, policy and `now` alone, so that two machines with the same history write the
same commits, byte for byte.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from enum import Enum

from memgit.core.consolidation.gather import Step, Stretch, gather, keep
from memgit.core.consolidation.records import has_more_headers, restore
from memgit.core.consolidation.runs import Node
from memgit.core.objects import Oid, is_signed, rewrite_commit
from memgit.core.trees import Trees
from memgit.core.values import dataclass


class StopReason(Enum):
    """Why the walk back from the branch tip ended."""

    ROOT = "reached the first commit"
    PUBLISHED = "reached a commit that is published"
    SHALLOW = "reached the end of a shallow clone"
    SETTLED = "reached what earlier runs have consolidated"
    SINCE = "reached the commit given with --since"
    EMPTY = "nothing is there to consolidate"


@dataclass(frozen=True, slots=True)
class Plan:
    """The new history of a range, oldest commit first; parents before children."""

    old_tip: Oid
    steps: tuple[Step, ...]
    squashes: tuple[Step, ...]  # those of the steps that replace several commits by one
    dropped: dict[Oid, Oid]  # original id of a window that came to nothing -> the original parent it falls back on

    @property
    def is_empty(self) -> bool:
        """True if nothing would change."""
        return not self.dropped and not self.squashes


def plan(
    old_tip: Oid,
    nodes: Sequence[Node],
    trees: Trees,
    tree_of: Callable[[Oid], Oid],
    *,
    commute: bool,
    keep_empty: bool,
) -> Plan:
    """Group the nodes of a range.

    nodes: oldest first, as `runs.collapse` gives them. tree_of: the tree of a commit outside the range.
    commute: gather a window across commits made by people; without it (`keep`) only neighbours become one.
    keep_empty: let a window whose changes cancel out leave an empty commit.

    Promises: the last tree is the last tree of the range; commits made by people keep their order, and
    under `keep` their trees; planning the result again changes nothing.
    """
    by_last = {node.last: node for node in nodes}

    def tree_before(node: Node) -> Oid | None:
        if not node.parent_lines:
            return None
        parent = node.parent_lines[7:47]
        known = by_last.get(parent)
        return known.tree if known is not None else tree_of(parent)

    stretches = [Stretch(found, tree_before(found[0])) for found in _stretches(nodes, by_last)]
    steps = gather(stretches, trees) if commute else keep(stretches)
    dropped: dict[Oid, Oid] = {}
    while not keep_empty and (found := _droppable(steps, dropped)):
        dropped |= {step.stands_for: step.parents[0] for step in found}
        steps = [step for step in steps if step.stands_for not in dropped]
    return Plan(old_tip, tuple(steps), tuple([step for step in steps if step.is_squash]), dropped)


def _stretches(nodes: Sequence[Node], by_last: dict[Oid, Node]) -> list[list[Node]]:
    """Linear pieces of the graph: each node the only child of the one before it, which nothing else holds."""
    stretches: list[list[Node]] = []
    ends_at: dict[Oid, list[Node]] = {}
    for node in nodes:
        piece = None
        if len(node.parent_lines) == 48:
            parent = node.parent_lines[7:47]
            before = by_last.get(parent)
            if before is not None and before.child is node:
                piece = ends_at.pop(parent)
        if piece is None:
            piece = []
            stretches.append(piece)
        piece.append(node)
        if node.child is not None:
            ends_at[node.last] = piece
    return stretches


def _droppable(steps: Sequence[Step], dropped: dict[Oid, Oid]) -> list[Step]:
    """Auto-commits of closed windows that changed nothing in the end and that nothing needs.

    One that lies between two auto-commits of one window, as happens when clocks run backwards, stays:
    without it the two would be neighbours, and the next run would find something to do.
    dropped: what has gone already, as in a Plan.
    """
    found: list[Step] = []
    waiting: Step | None = None  # empty, and to go unless the next auto-commit is of the window before it
    place: Oid | None = None
    window: int | None = None  # of the last auto-commit in this stretch that stays
    for step in steps:
        last = step.nodes[-1]
        if place is None or [_resolve(parent, dropped, {}) for parent in step.parents] != [place]:
            found += [waiting] if waiting else []
            waiting = window = None
        place = step.stands_for if last.child is not None else None
        if not last.automatic:
            continue
        if waiting is not None:
            if window is None or window != last.key:
                found.append(waiting)
            else:
                window = waiting.nodes[-1].key
            waiting = None
        if last.key is not None and step.before == step.tree and len(step.parents) == 1 and last.can_go:
            waiting = step
        else:
            window = last.key
    return found + ([waiting] if waiting else [])


def rewritten(plan: Plan) -> tuple[Step, ...]:
    """The steps that need a new commit: squashes, and whatever has one below it or a new tree."""
    dirty = set(plan.dropped)
    result = []
    for step in plan.steps:
        node = step.nodes[0]
        if (
            step.is_squash
            or not dirty.isdisjoint(step.parents)
            or step.tree != node.tree
            or step.parents != node.parents
        ):
            dirty.add(step.stands_for)
            result.append(step)
    return tuple(result)


def signed_people(steps: Sequence[Step], raw_of: Callable[[Node], bytes]) -> tuple[Oid, ...]:
    """Commits that stay but lose their signature if these steps are carried out unsigned."""
    return tuple(
        step.nodes[0].last
        for step in steps
        if not step.is_squash and has_more_headers(step.nodes[0].record) and is_signed(raw_of(step.nodes[0]))
    )


def commits(
    plan: Plan,
    steps: Sequence[Step],
    message: Callable[[Step], bytes],
    raw_of: Callable[[Node], bytes],
    parents: dict[Oid, Oid],
) -> Iterator[tuple[Step, bytes]]:
    """The raw new commits, in the order in which they must be written.

    message: composes the message of a squash. raw_of: the original raw commit of a node.
    parents: filled on the way by whoever hashes the commits: original id -> new id.
    """
    for step in steps:
        new_parents = [_resolve(parent, plan.dropped, parents) for parent in step.parents]
        if step.is_squash:
            yield step, squash_commit(step, message(step), new_parents)
        else:
            yield step, rewrite_commit(raw_of(step.nodes[0]), step.tree, new_parents)


def new_tip(plan: Plan, parents: dict[Oid, Oid]) -> Oid:
    """Where the branch points afterwards. parents: original id -> new id."""
    return _resolve(plan.old_tip, plan.dropped, parents)


def _resolve(oid: Oid, dropped: dict[Oid, Oid], new: dict[Oid, Oid]) -> Oid:
    while oid in dropped:
        oid = dropped[oid]
    return new.get(oid, oid)


def squash_commit(step: Step, message: bytes, parents: Sequence[Oid]) -> bytes:
    """The commit that stands for several: author and committer, dates included, of the newest source."""
    header = step.nodes[-1].header
    author = header.partition(b"\nauthor ")[2].partition(b"\n")[0]
    committer = header.partition(b"\ncommitter ")[2].partition(b"\n")[0]
    encoding = header.partition(b"\nencoding ")[2].partition(b"\n")[0]
    if encoding:
        author, committer = _to_utf8(author, encoding), _to_utf8(committer, encoding)
    lines = [
        b"tree " + step.tree,
        *(b"parent " + parent for parent in parents),
        b"author " + author,
        b"committer " + committer,
    ]
    return b"\n".join(lines) + b"\n\n" + message


def _to_utf8(name: bytes, encoding: bytes) -> bytes:
    try:
        return name.decode(encoding.decode("ascii")).encode()
    except (UnicodeError, LookupError):
        return name


def raw_commit(node: Node, read: Callable[[Oid], bytes]) -> bytes:
    """The object of the newest source of a node: rebuilt from what git showed where that is proven right."""
    return restore(node.record) or read(node.last)
