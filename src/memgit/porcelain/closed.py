"""The part of a branch that is ready to be published: all up to the first auto-commit of a window still open."""

from __future__ import annotations

from memgit.core import windows
from memgit.core.consolidation import runs
from memgit.core.consolidation.classify import Classifier
from memgit.core.consolidation.policy import Policy
from memgit.core.objects import Oid
from memgit.core.trees import Trees
from memgit.core.values import dataclass
from memgit.git import history
from memgit.git.objects import ObjectReader
from memgit.git.repository import Repository


@dataclass(frozen=True, slots=True)
class Closed:
    """What can be sent. tip: None if nothing can. waiting: commits that stay here for now."""

    tip: Oid | None
    commits: int
    waiting: int


def find(
    repo: Repository, policy: Policy, workspace: bytes, tip: Oid, published: Oid | None, now_s: int, *, everything: bool
) -> Closed:
    """The newest commit that stands on `published`, with no auto-commit of an open window below it.

    published: where the remote's branch is, None if it has none. everything: open windows count as closed.
    """
    if tip == published:
        return Closed(None, 0, 0)
    hidden = [published] if published is not None else []
    if everything:
        return Closed(tip, history.count(repo.git, tip, hidden), 0)
    with ObjectReader(repo.git) as reader:
        found = runs.collapse(
            history.stream(repo.git, tip, hidden),
            Classifier(policy.rules),
            windows.Calendar(policy.window, policy.zone).closed_keys(now_s),
            frozenset(),
            runs.by_trees(Trees(reader.read_many), policy.memory.under(workspace)),
            reader.tree,
        )
    ready: dict[Oid, bool] = {}  # free of open windows, by newest commit
    stands: dict[Oid, bool] = {}  # on what is published
    newest = None
    for node in found.nodes:
        ready[node.last] = not node.is_waiting and all(ready.get(parent, True) for parent in node.parents)
        stands[node.last] = published is None or any(
            parent == published or stands.get(parent, False) for parent in node.parents
        )
        if ready[node.last] and stands[node.last]:
            newest = node.last
    if newest is None:
        return Closed(None, 0, found.commits)
    if newest == tip:
        return Closed(tip, found.commits, 0)
    commits = history.count(repo.git, newest, hidden)
    return Closed(newest, commits, found.commits - commits)
