"""What becomes of a remote's commits, and by which rules."""

from __future__ import annotations

from enum import Enum

from memgit.core.memory import PatternList, Patterns
from memgit.core.merge.policy import MergePolicy
from memgit.core.objects import Oid
from memgit.core.setting_rows import MergeRule
from memgit.core.values import dataclass


class How(Enum):
    """What became of the remote's commits."""

    NOTHING = "nothing new"
    FORWARD = "moved forward"
    MERGED = "merged"
    CONFLICT = "in conflict"
    BLOCKED = "files in the way"


@dataclass(frozen=True, slots=True)
class Joined:
    """paths: in conflict, or in the way. resolved: memory files that memgit joined itself. why: more on a conflict."""

    how: How
    old: Oid | None
    new: Oid | None
    paths: tuple[bytes, ...] = ()
    resolved: tuple[bytes, ...] = ()
    why: str = ""


@dataclass(frozen=True, slots=True)
class Rules:
    """Which files are memory and how each is merged."""

    memory: Patterns  # asked with repository paths
    workspace: bytes
    merge: tuple[MergeRule, ...]

    def of(self, path: bytes) -> MergePolicy:
        """Nobody is there to look at markers, so both sides are kept where they can't be joined."""
        inside = path[len(self.workspace) :]
        for rule in self.merge:
            if PatternList([rule.glob]).selects(inside):
                return MergePolicy(rule.kind, "keep-both" if rule.policy == "markers" else rule.policy)
        return MergePolicy("auto", "keep-both")
