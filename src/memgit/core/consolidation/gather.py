"""The `commute` policy: put the auto-commits of one window together across commits made by people.

Works on linear stretches: nodes that follow each other with nothing else attached. Two auto runs of
one window join when no commit between the two touches a path that either touches. They stand where
the later one stood; the commits between come before them and get the tree they would have had
without the earlier run, so that each still introduces exactly its own change and the last tree stays.

What a run touches is its net change. A joined run is looked at like any other: as the change it
introduces where it now stands. So planning the result again finds nothing left to join.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from memgit.core.consolidation.runs import Node
from memgit.core.objects import EMPTY_TREE, Oid
from memgit.core.trees import TreePair, Trees, graft, meeting
from memgit.core.values import dataclass

_TOGETHER = 200  # pieces looked at together: some two thousand trees, less than Trees holds


@dataclass(slots=True)
class Step:
    """One commit of the new history: runs of auto-commits as one, or a commit that stays."""

    nodes: tuple[Node, ...]  # oldest first
    parents: tuple[Oid, ...]  # original ids; each stands for whatever takes its place
    before: Oid | None  # tree of the first parent, None for a root
    tree: Oid

    @property
    def stands_for(self) -> Oid:
        """The original commit whose place this one takes."""
        return self.nodes[-1].last

    @property
    def change(self) -> TreePair:
        """The trees before and after; a root starts from the empty one."""
        return self.before or EMPTY_TREE, self.tree

    @property
    def is_squash(self) -> bool:
        """True if one new commit stands for several old ones."""
        return len(self.nodes) > 1 or self.nodes[0].count > 1


@dataclass(frozen=True, slots=True)
class Stretch:
    """Nodes that follow each other with nothing else attached, oldest first, and the tree they start from.

    before: None if the first is a root.
    """

    nodes: Sequence[Node]
    before: Oid | None

    def tree_before(self, at: int) -> Oid | None:
        """The tree a node starts from, None for a root."""
        return self.nodes[at - 1].tree if at else self.before


def keep(stretches: Iterable[Stretch]) -> list[Step]:
    """The `keep` policy: every node is a commit where it stands, with the tree it has."""
    return [step for stretch in stretches for step in _as_they_are(stretch, 0, len(stretch.nodes))]


def gather(stretches: Sequence[Stretch], trees: Trees) -> list[Step]:
    """The stretches with the runs of each window gathered where the commits between allow it.

    A stretch that starts with a root leaves that one where it is.
    """
    places = [(at, *ends) for at, stretch in enumerate(stretches) for ends in _sequences(stretch)]
    lines = [_as_they_are(stretches[at], first, last + 1) for at, first, last in places]
    meetings = _Meetings(trees, (piece for line in lines for piece in _neighbours(line)))
    arranged = {(at, first): _gathered(line, meetings) for (at, first, _), line in zip(places, lines, strict=True)}
    steps: list[Step] = []
    for number, stretch in enumerate(stretches):
        start = len(steps)
        at = 0
        while at < len(stretch.nodes):
            found = arranged.get((number, at)) or _as_they_are(stretch, at, at + 1)
            steps += found
            at += sum(len(step.nodes) for step in found)
        _link(steps, start, stretch.nodes[0].parents)
    return steps


def _as_they_are(stretch: Stretch, first: int, end: int) -> list[Step]:
    steps = []
    before = stretch.tree_before(first)
    for node in stretch.nodes[first:end]:
        steps.append(Step((node,), node.parents, before, node.tree))
        before = node.tree
    return steps


def _link(steps: Sequence[Step], start: int, parents: tuple[Oid, ...]) -> None:
    """Put the steps of a stretch, from `start` on, upon each other."""
    for step in steps[start:]:
        step.parents = parents
        parents = (step.stands_for,)


def _sequences(stretch: Stretch) -> Iterator[tuple[int, int]]:
    """First and last positions of runs of one window with only people's commits between, two runs at least."""
    first = last = -1
    for at, node in enumerate(stretch.nodes):
        if not node.automatic:
            continue
        if first >= 0 and node.key is not None and node.key == stretch.nodes[first].key:
            last = at
            continue
        if last > first >= 0:
            yield first, last
        first = last = at if node.key is not None and (at or stretch.before is not None) else -1
    if last > first >= 0:
        yield first, last


def _neighbours(line: Sequence[Step]) -> Iterator[Sequence[Step]]:
    """Each run up to the next one."""
    start = 0
    for at, step in enumerate(line):
        if at and step.nodes[0].automatic:
            yield line[start : at + 1]
            start = at


def _gathered(line: Sequence[Step], meetings: _Meetings) -> list[Step]:
    """A sequence, which begins and ends with a run, with its runs joined where that is possible.

    Each run looks back to the run before it, and once joined to the next one.
    """
    result: list[Step] = []
    runs: list[int] = []  # positions of runs in the result
    for step in line:
        result.append(step)
        if not step.nodes[0].automatic:
            continue
        if runs:
            meetings.advance()
        while runs and not meetings.are_between(result[runs[-1] :]):
            at = runs.pop()
            result[at:] = _joined(result[at:], meetings.trees)
        runs.append(len(result) - 1)
    return result


class _Meetings:
    """Which changes touch a path in common.

    pieces: runs and what lies between them as they stand in the history, in the order in which `advance` is called.
    Most of what `are_between` wants to know is found for many of them together, so that trees are read by the thousand.
    """

    def __init__(self, trees: Trees, pieces: Iterator[Sequence[Step]]) -> None:
        self.trees = trees
        self._pieces = pieces
        self._ahead = 0
        self._known: dict[tuple[TreePair, TreePair], bool] = {}

    def advance(self) -> None:
        """The next piece is about to be asked about."""
        if not self._ahead:
            pieces = list(islice(self._pieces, _TOGETHER))
            self._ahead = len(pieces)
            self._look_ahead(pieces)
        self._ahead -= 1

    def _look_ahead(self, pieces: Sequence[Sequence[Step]]) -> None:
        """Follow all pieces together, a level of directories at a time, each no further than to its first meeting."""
        self._known.clear()
        asked = [(at, pair, pair) for at, piece in enumerate(pieces) for pair in _questions(piece)]
        met: set[int] = set()
        while asked:
            self.trees.fetch(oid for _, _, (one, other) in asked for oid in (*one, *other))
            below = []
            for at, question, pair in asked:
                if at in met:
                    continue
                found = meeting(self.trees, *pair)
                if found is None:
                    self._known[question] = True
                    met.add(at)
                else:
                    below += [(at, question, inner) for inner in found]
            asked = [row for row in below if row[0] not in met]

    def are_between(self, piece: Sequence[Step]) -> bool:
        """Whether something people did between two runs touches a path that one of the two touches."""
        questions = list(_questions(piece))
        known = self._known
        return any(known.get(question) for question in questions) or any(
            self._meet(question) for question in questions if question not in known
        )

    def _meet(self, question: tuple[TreePair, TreePair]) -> bool:
        todo = [question]
        while todo:
            found = meeting(self.trees, *todo.pop())
            if found is None:
                break
            todo += found
        else:
            self._known[question] = False
            return False
        self._known[question] = True
        return True


def _questions(piece: Sequence[Step]) -> Iterator[tuple[TreePair, TreePair]]:
    """What is to be known before the runs at the two ends of a piece can join."""
    first, *people, last = [step.change for step in piece]
    for change in people:
        yield change, first
        yield change, last


def _joined(steps: Sequence[Step], trees: Trees) -> list[Step]:
    """A run, what people did, and a run: what people did, then the two runs as one."""
    first, *people, last = steps
    tree = first.change[0]
    result = []
    for step in people:
        moved = graft(trees, *step.change, tree)
        result.append(Step(step.nodes, step.parents, tree, moved))
        tree = moved
    return [*result, Step(first.nodes + last.nodes, last.parents, tree, last.tree)]
