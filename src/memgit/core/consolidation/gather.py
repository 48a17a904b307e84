"""The `commute` policy: put the auto-commits of one window together across commits made by people.

Works on one linear stretch at a time: nodes that follow each other with nothing else attached. Two
auto runs of one window join when no commit between the first and the last of them touches a path
that any of the runs touches; they then stand where the last one stood. The commits between get the
tree they would have had without the runs that moved past them; each still introduces exactly its
own change, and the last tree of the joined runs is the one that was there before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from memgit.core.consolidation.runs import Node
from memgit.core.objects import Oid
from memgit.core.trees import Touched, Trees, graft


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


def one_by_one(stretch: Sequence[Node], before: Oid | None) -> list[Step]:
    """The `keep` policy: every node is a commit where it stands, with the tree it has."""
    steps = []
    for node in stretch:
        steps.append(Step((node,), node.parents, before, node.tree))
        before = node.tree
    return steps


def gather(stretch: Sequence[Node], before: Oid | None, trees: Trees) -> list[Step]:
    """The stretch with the runs of each window gathered where the commits between allow it.

    before: the tree that the stretch starts from; None if it starts with a root, which stays first.
    """
    steps: list[Step] = []
    at = 0
    while at < len(stretch):
        node = stretch[at]
        start = steps[-1].tree if steps else before
        last = at
        if node.key is not None and start is not None:
            last = _reach(stretch, at, start, trees)
        if last == at:
            steps.append(Step((node,), node.parents if not steps else (steps[-1].stands_for,), start, node.tree))
        else:
            assert start is not None
            steps += _join(stretch, at, last, start, steps[-1].stands_for if steps else None, trees)
        at = last + 1
    return steps


def _candidates(stretch: Sequence[Node], at: int) -> list[int]:
    """Positions of the runs that share the window of the one at `at`, with only people's commits between."""
    found = [at]
    for position in range(at + 1, len(stretch)):
        node = stretch[position]
        if node.automatic:
            if node.key != stretch[at].key:
                break
            found.append(position)
    return found


def _reach(stretch: Sequence[Node], at: int, start: Oid, trees: Trees) -> int:
    """How far the group that begins at `at` reaches: the position of its last run."""
    candidates = _candidates(stretch, at)
    if len(candidates) == 1:
        return at
    trees.fetch([start, *(node.tree for node in stretch[at : candidates[-1] + 1])])
    runs, people, waiting = Touched(), Touched(), Touched()
    runs.add(start, stretch[at].tree)
    reached = at
    for candidate in candidates[1:]:
        for position in range(reached + 1, candidate):
            waiting.add(stretch[position - 1].tree, stretch[position].tree)
        run = Touched()
        run.add(stretch[candidate - 1].tree, stretch[candidate].tree)
        if waiting.meets(runs, trees) or waiting.meets(run, trees) or people.meets(run, trees):
            break
        people.update(waiting)
        runs.update(run)
        waiting = Touched()
        reached = candidate
    return reached


def _join(stretch: Sequence[Node], at: int, last: int, start: Oid, follows: Oid | None, trees: Trees) -> list[Step]:
    steps: list[Step] = []
    tree = start
    parents = stretch[at].parents if follows is None else (follows,)
    for position in range(at + 1, last):
        node = stretch[position]
        if node.key is None:
            moved = graft(trees, stretch[position - 1].tree, node.tree, tree)
            steps.append(Step((node,), parents, tree, moved))
            tree, parents = moved, (node.last,)
    runs = tuple(node for node in stretch[at : last + 1] if node.key is not None)
    steps.append(Step(runs, parents, tree, stretch[last].tree))
    return steps
