"""The `commute` policy: put the auto-commits of one window together across commits made by people.

Works on linear stretches: nodes that follow each other with nothing else attached. Two auto runs of
one window join when no commit between the two touches a path that either touches; they then stand
where the last one stood, and may join the next. The commits between get the tree they would
have had without the runs that moved past them; each still introduces exactly its own change, and the
last tree of the joined runs is the one that was there before.

What a run touches is its net change from its first commit's parent to its last commit; what joined
runs touch is likewise what they come to together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from memgit.core.consolidation.runs import Node
from memgit.core.objects import Oid
from memgit.core.trees import Paths, Trees, file_at, graft

TreePair = tuple[Oid, Oid]
# For pairs of trees, in order, the paths that differ; directories followed down to what is none.
ChangedPaths = Callable[[Iterable[TreePair]], Iterator[Paths]]


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

    def change(self, at: int) -> TreePair:
        """The trees before and after a node. Raises ValueError for a root."""
        before = self.nodes[at - 1].tree if at else self.before
        if before is None:
            raise ValueError("a root has no tree before it")
        return before, self.nodes[at].tree


def keep(stretches: Iterable[Stretch]) -> list[Step]:
    """The `keep` policy: every node is a commit where it stands, with the tree it has."""
    steps = []
    for stretch in stretches:
        before = stretch.before
        for node in stretch.nodes:
            steps.append(Step((node,), node.parents, before, node.tree))
            before = node.tree
    return steps


def gather(stretches: Sequence[Stretch], trees: Trees, changed_paths: ChangedPaths) -> list[Step]:
    """The stretches with the runs of each window gathered where the commits between allow it.

    A stretch that starts with a root leaves that one where it is.
    """
    wanted = [(stretch, list(_sequences(stretch))) for stretch in stretches]
    pairs = (stretch.change(at) for stretch, found in wanted for first, last in found for at in range(first, last + 1))
    paths = changed_paths(pairs)
    steps: list[Step] = []
    for stretch, found in wanted:
        groups: dict[int, int] = {}  # position of a group's first run -> of its last
        for first, last in found:
            groups |= _groups(stretch, first, [next(paths) for _ in range(first, last + 1)], trees)
        steps += _arrange(stretch, groups, trees)
    return steps


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


def _groups(stretch: Stretch, first: int, paths: Sequence[Paths], trees: Trees) -> dict[int, int]:
    """Which runs of a sequence join: first position -> last position, for groups of two runs and more.

    paths: what each node of the sequence touches. A run joins the group before it unless a commit
    between the two touches a path of the group or of the run. A group stands where its last run stood,
    so whoever it has moved past is no longer between; and what it touches is what its runs come to
    together. That makes the outcome one in which nothing is left to join.
    """
    groups: list[_Group] = []
    between = Paths()
    for offset, touched in enumerate(paths):
        at = first + offset
        if not stretch.nodes[at].automatic:
            between.update(touched)
            continue
        top = _Group(at, at, touched, between)
        while groups and groups[-1].can_join(top, stretch, trees):
            top = groups.pop().joined(top)
        groups.append(top)
        between = Paths()
    return {group.first: group.last for group in groups if group.last > group.first}


@dataclass(slots=True)
class _Group:
    first: int  # position of its first run
    last: int  # of its last
    touched: Paths  # by any of its runs, even if another of them changed it back
    passed: Paths  # what people's commits touch between the group before and this one's place

    def can_join(self, later: _Group, stretch: Stretch, trees: Trees) -> bool:
        """True if nothing that people did between the two touches what either comes to."""
        return not any(group.is_touched_by(later.passed, stretch, trees) for group in (later, self))

    def joined(self, later: _Group) -> _Group:
        """The two as one, standing where the later one stood."""
        self.touched.update(later.touched)
        self.passed.update(later.passed)
        self.last = later.last
        return self

    def is_touched_by(self, people: Paths, stretch: Stretch, trees: Trees) -> bool:
        """True if a path of `people` is one of those that differ between the two ends of the group.

        Nobody between its runs touches such a path, so the two ends tell what became of it.
        """
        hits = self.touched.meeting(people)
        if not hits or self.first == self.last:
            return bool(hits)
        before, after = stretch.change(self.first)[0], stretch.nodes[self.last].tree
        return any(file_at(trees, before, path) != file_at(trees, after, path) for path in hits)


def _arrange(stretch: Stretch, groups: dict[int, int], trees: Trees) -> list[Step]:
    steps: list[Step] = []
    at = 0
    while at < len(stretch.nodes):
        node = stretch.nodes[at]
        before = steps[-1].tree if steps else stretch.before
        parents = (steps[-1].stands_for,) if steps else node.parents
        last = groups.get(at, at)
        if last == at:
            steps.append(Step((node,), parents, before, node.tree))
        else:
            steps += _join(stretch, at, last, parents, trees)
        at = last + 1
    return steps


def _join(stretch: Stretch, first: int, last: int, parents: tuple[Oid, ...], trees: Trees) -> list[Step]:
    steps: list[Step] = []
    tree = stretch.change(first)[0]
    between = [at for at in range(first + 1, last) if not stretch.nodes[at].automatic]
    trees.fetch_changed([stretch.change(at) for at in between], tree)
    for at in between:
        moved = graft(trees, *stretch.change(at), tree)
        steps.append(Step((stretch.nodes[at],), parents, tree, moved))
        tree, parents = moved, (stretch.nodes[at].last,)
    runs = tuple(node for node in stretch.nodes[first : last + 1] if node.automatic)
    steps.append(Step(runs, parents, tree, stretch.nodes[last].tree))
    return steps
