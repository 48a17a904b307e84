"""What a consolidation did or would do, as a value."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from memgit.core.consolidation.gather import Step
from memgit.core.consolidation.plan import Plan, StopReason
from memgit.core.objects import Oid, RefName
from memgit.core.values import dataclass
from memgit.core.windows import Calendar


@dataclass(frozen=True, slots=True)
class Squash:
    """A commit that stands, or would stand, for several."""

    window: str
    sources: int
    first: Oid
    last: Oid
    commit: Oid | None  # None in a dry run where it would be signed
    subject: str


class KeptReason(Enum):
    """Why a commit stays a commit of its own."""

    PERSON = "made by people, or changing more than memory"
    OPEN = "automatic, their window is still open"
    ALONE = "automatic, with no neighbour of their window to join"
    PIECES = "in windows kept in pieces by a merge, a fork, a pin or a change to the same file"


@dataclass(frozen=True, slots=True)
class Kept:
    """How many commits were left as they are, and why."""

    reason: KeptReason
    count: int


@dataclass(frozen=True, slots=True)
class Report:
    """What a consolidation did or, in a dry run, would do."""

    branch: RefName
    old_tip: Oid | None
    new_tip: Oid | None
    commits_before: int  # in the range
    commits_after: int
    created: tuple[Squash, ...]  # oldest first
    squashed: int  # commits that became fewer
    dropped: int  # windows that came to nothing
    rewritten: int  # other commits that got a new parent
    kept: tuple[Kept, ...]
    stop_reason: StopReason
    stopped_at: Oid | None
    signatures_dropped: int
    affected: tuple[RefName, ...]  # with --published: refs that hold replaced commits
    operation: Oid | None
    dry_run: bool


def nothing(branch: RefName, dry_run: bool) -> Report:
    """The report on a branch that has no commit yet."""
    none = StopReason.EMPTY
    return Report(branch, None, None, 0, 0, (), 0, 0, 0, (), none, None, 0, (), None, dry_run)


def squashes(
    plan: Plan, messages: Mapping[Oid, bytes], new_ids: Mapping[Oid, Oid], calendar: Calendar
) -> tuple[Squash, ...]:
    """The squashes of a plan, oldest first. messages and new_ids: by the original id they stand for."""
    return tuple(
        Squash(
            window_of(step, calendar),
            sources_of(step),
            step.nodes[0].first,
            step.nodes[-1].last,
            new_ids.get(step.stands_for),
            messages[step.stands_for].partition(b"\n")[0].decode(),
        )
        for step in plan.squashes
    )


def window_of(step: Step, calendar: Calendar) -> str:
    """The label of the window of a squash."""
    key = step.nodes[-1].key
    assert key is not None
    return calendar.label(key)


def sources_of(step: Step) -> int:
    """How many commits of the range a step stands for."""
    return sum(node.count for node in step.nodes)


def kept(plan: Plan) -> tuple[Kept, ...]:
    """Why commits stay, with a count for each reason that holds for any."""
    per_window: dict[int, int] = {}
    people = waiting = 0
    for step in plan.steps:
        node = step.nodes[0]
        if node.key is not None:
            per_window[node.key] = per_window.get(node.key, 0) + 1
        elif node.automatic:
            waiting += 1
        else:
            people += 1
    found = (
        Kept(KeptReason.PERSON, people),
        Kept(KeptReason.OPEN, waiting),
        Kept(KeptReason.ALONE, sum(per_window.values()) - len(plan.squashes)),
        Kept(KeptReason.PIECES, sum(count for count in per_window.values() if count > 1)),
    )
    return tuple(item for item in found if item.count)
