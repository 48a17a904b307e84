"""Which snapshots stay: the newest of so many hours, days, weeks and months that have one.

A period without a snapshot does not count, so a machine that was off for a month, or a clock that jumps ahead, costs
none of what is kept.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from memgit.core.values import dataclass

ALWAYS_KEPT = 2  # the newest complete ones, whatever the rules say
_FUTURE_S = 86400  # a snapshot further ahead of the clock than this says that the clock is wrong
_STALE_S = 7 * 86400  # an interrupted run that nobody resumed


@dataclass(frozen=True, slots=True)
class Keep:
    """How many of each kind of period keep their newest snapshot."""

    hourly: int = 24
    daily: int = 7
    weekly: int = 5
    monthly: int = 12


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A snapshot as far as retention cares."""

    name: str
    made_s: int
    is_complete: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """What happens to a snapshot, and why."""

    snapshot: Snapshot
    stays: bool
    reasons: tuple[str, ...]


def decide(snapshots: Iterable[Snapshot], keep: Keep, now_s: int) -> tuple[Verdict, ...]:
    """A verdict for each snapshot, newest first. Times are read in UTC.

    Promises: the two newest complete snapshots stay; so does every snapshot from the future, and where there is one
    that is no reason to let another go; what is incomplete counts for no period and goes when it is a week old and a
    complete one is newer; deciding again over what stayed lets nothing more go.
    """
    newest_first = sorted(snapshots, key=lambda snapshot: (snapshot.made_s, snapshot.name), reverse=True)
    complete = [snapshot for snapshot in newest_first if snapshot.is_complete]
    future = {snapshot.name for snapshot in newest_first if snapshot.made_s > now_s + _FUTURE_S}
    reasons: dict[str, list[str]] = {snapshot.name: [] for snapshot in newest_first}
    for snapshot in complete[:ALWAYS_KEPT]:
        reasons[snapshot.name].append("one of the two newest")
    present = [snapshot for snapshot in complete if snapshot.name not in future]
    for snapshot in present[:ALWAYS_KEPT]:
        if snapshot not in complete[:ALWAYS_KEPT]:
            reasons[snapshot.name].append("one of the two newest that are not from the future")
    for what, count, form in (
        ("hour", keep.hourly, "%Y-%m-%dT%H"),
        ("day", keep.daily, "%Y-%m-%d"),
        ("week", keep.weekly, "%G-W%V"),
        ("month", keep.monthly, "%Y-%m"),
    ):
        seen: set[str] = set()
        for snapshot in present:
            period = datetime.fromtimestamp(snapshot.made_s, UTC).strftime(form)
            if period not in seen and len(seen) < count:
                seen.add(period)
                reasons[snapshot.name].append(f"newest of {what} {period}")
    verdicts = []
    for snapshot in newest_first:
        why = reasons[snapshot.name]
        if snapshot.name in future:
            why.append("from the future: the clock was or is wrong")
        elif not snapshot.is_complete:
            newer = any(other.made_s > snapshot.made_s for other in present)
            if now_s - snapshot.made_s < _STALE_S or not newer:
                why.append("interrupted; the next run may resume it")
        verdicts.append(Verdict(snapshot, bool(why), tuple(why) or ("no rule keeps it",)))
    return tuple(verdicts)
