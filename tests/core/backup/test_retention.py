"""Which snapshots stay."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from memgit.core.backup.retention import Keep, Snapshot, decide

HOUR, DAY = 3600, 86400
NOON = 1_764_000_000 - 1_764_000_000 % DAY + DAY // 2
KEEPS = st.builds(Keep, *[st.integers(0, 4)] * 4)
SNAPSHOTS = st.lists(
    st.builds(
        Snapshot,
        st.uuids().map(str),
        st.integers(NOON - 400 * DAY, NOON + 40 * DAY),
        st.sampled_from([True, True, False]),
    ),
    unique_by=lambda snapshot: snapshot.name,
    max_size=30,
)


def kept(snapshots: list[Snapshot], keep: Keep, now_s: int) -> set[str]:
    return {verdict.snapshot.name for verdict in decide(snapshots, keep, now_s) if verdict.stays}


@given(SNAPSHOTS, KEEPS, st.integers(NOON - 500 * DAY, NOON + 500 * DAY))
def test_the_newest_two_complete_snapshots_stay_whatever_the_clock_says(
    snapshots: list[Snapshot], keep: Keep, now_s: int
) -> None:
    complete = sorted((s for s in snapshots if s.is_complete), key=lambda s: (s.made_s, s.name), reverse=True)
    stay = kept(snapshots, keep, now_s)
    assert {snapshot.name for snapshot in complete[:2]} <= stay
    assert {snapshot.name for snapshot in snapshots if snapshot.made_s > now_s + DAY} <= stay


@given(SNAPSHOTS, KEEPS)
def test_deciding_again_lets_nothing_more_go(snapshots: list[Snapshot], keep: Keep) -> None:
    stay = kept(snapshots, keep, NOON)
    assert kept([snapshot for snapshot in snapshots if snapshot.name in stay], keep, NOON) == stay


@given(SNAPSHOTS, KEEPS, st.integers(0, 3000))
def test_time_that_passes_without_snapshots_costs_no_complete_one(
    snapshots: list[Snapshot], keep: Keep, days: int
) -> None:
    past = [snapshot for snapshot in snapshots if snapshot.made_s <= NOON]
    complete = {snapshot.name for snapshot in past if snapshot.is_complete}
    assert kept(past, keep, NOON) & complete == kept(past, keep, NOON + days * DAY) & complete


def test_a_month_of_hourly_snapshots_keeps_the_promised_set() -> None:
    snapshots = [Snapshot(f"{hour:04}", NOON - hour * HOUR, True) for hour in range(30 * 24)]
    stay = kept(snapshots, Keep(hourly=24, daily=7, weekly=4, monthly=2), NOON)
    ages = sorted(int(name) for name in stay)
    assert ages[:24] == list(range(24))
    # the newest of each earlier day is the one of 23:00, 13 hours before noon; then weeks and months beyond
    assert [age for age in ages if 24 <= age < 7 * 24] == [13 + 24 * day for day in range(1, 6)]
    assert len([age for age in ages if age >= 7 * 24]) in (3, 4)


def test_every_verdict_has_its_reasons() -> None:
    snapshots = [
        Snapshot("new", NOON, True),
        Snapshot("old", NOON - DAY, True),
        Snapshot("older", NOON - 2 * DAY, True),
        Snapshot("ahead", NOON + 9 * DAY, True),
        Snapshot("broken", NOON - HOUR, False),
        Snapshot("left behind", NOON - 9 * DAY, False),
    ]
    assert {v.snapshot.name: (v.stays, v.reasons) for v in decide(snapshots, Keep(0, 1, 0, 0), NOON)} == {
        "ahead": (True, ("one of the two newest", "from the future: the clock was or is wrong")),
        "new": (True, ("one of the two newest", f"newest of day {day_of(NOON)}")),
        "old": (True, ("one of the two newest that are not from the future",)),
        "older": (False, ("no rule keeps it",)),
        "broken": (True, ("interrupted; the next run may resume it",)),
        "left behind": (False, ("no rule keeps it",)),
    }


def day_of(time_s: int) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(time_s, UTC).strftime("%Y-%m-%d")
