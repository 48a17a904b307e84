"""Two folders that change independently: what to do with each path, from what both last agreed on.

Nothing is decided by a clock. A side has *created* a path that the last agreement does not have, *edited* one whose
content is another now, *deleted* one that is gone, or left it alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum

from memgit.core.values import dataclass

Content = bytes  # identifies content and kind; equal if and only if the files are


class Act(Enum):
    """What brings the two sides of a path together."""

    NOTHING = "both sides agree"
    AGREE = "both did the same; only remember it"
    TO_THEIRS = "our side changed; theirs follows"
    TO_OURS = "their side changed; ours follows"
    DELETE_THEIRS = "our side deleted it; theirs follows"
    DELETE_OURS = "their side deleted it; ours follows"
    MERGE = "both changed it; the changes are merged"


@dataclass(frozen=True, slots=True)
class Step:
    """One path with what happens to it."""

    path: bytes
    act: Act
    base: Content | None
    ours: Content | None
    theirs: Content | None
    survives: bool = False  # one side deleted what the other changed; the change stays


def decide(
    base: Mapping[bytes, Content], ours: Mapping[bytes, Content], theirs: Mapping[bytes, Content]
) -> tuple[Step, ...]:
    """A step for every path that any of the three has, by path. See `act` for the table."""
    return tuple(_step(path, base.get(path), ours.get(path), theirs.get(path)) for path in _paths(base, ours, theirs))


def act(base: Content | None, ours: Content | None, theirs: Content | None) -> Act:
    """The table. An edit always wins over a deletion, so that no new line is lost to an old decision.

    | ours \\ theirs | none      | create    | edit      | delete       |
    |---|---|---|---|---|
    | none           | nothing   | to ours   | to ours   | delete ours  |
    | create         | to theirs | merge     | (never)   | (never)      |
    | edit           | to theirs | (never)   | merge     | to theirs    |
    | delete         | delete theirs | (never) | to ours | agree        |

    "(never)": a path can't be new to one side and known to the other. Where both made the same of it: agree.
    """
    if ours == theirs:
        return Act.NOTHING if ours == base else Act.AGREE
    if ours == base:
        return Act.DELETE_OURS if theirs is None else Act.TO_OURS
    if theirs == base:
        return Act.DELETE_THEIRS if ours is None else Act.TO_THEIRS
    if ours is None:
        return Act.TO_OURS
    if theirs is None:
        return Act.TO_THEIRS
    return Act.MERGE


def _step(path: bytes, base: Content | None, ours: Content | None, theirs: Content | None) -> Step:
    chosen = act(base, ours, theirs)
    survives = base is not None and (ours is None) != (theirs is None) and chosen in (Act.TO_OURS, Act.TO_THEIRS)
    return Step(path, chosen, base, ours, theirs, survives)


def _paths(*sides: Iterable[bytes]) -> list[bytes]:
    return sorted({path for side in sides for path in side})
