"""Schedules: tables of instants, days on which clocks change, and laws for any schedule."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memgit.core.schedule import Calendar, Every, Never, is_due, next_run_s, parse

BERLIN = ZoneInfo("Europe/Berlin")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")  # its clocks change by half an hour
ZONES = (UTC, BERLIN, ZoneInfo("America/New_York"), LORD_HOWE, ZoneInfo("Asia/Kathmandu"))
TEXTS = (
    "every 30m", "every 1h30m", "hourly", "daily", "daily 02:30", "weekly", "weekly fri 18:05", "mon-fri 09:00",
    "sat,sun 9:15", "*/20 * * * *", "15 2,3 * * *", "0 9-17/2 * * mon-fri", "0 0 29 2 *", "0 12 13 * fri",
    "fri-mon 1:00",
)  # fmt: skip


def at(text: str, zone: object = UTC) -> int:
    """Seconds since the epoch of a date and time, by default in UTC."""
    return int(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp())  # type: ignore[arg-type]


def shown(seconds: int | None) -> str:
    assert seconds is not None
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M")


@pytest.mark.parametrize(
    ("text", "after", "instant"),
    [
        ("every 30m", "2026-02-04 10:29", "2026-02-04 10:30"),
        ("every 30m", "2026-02-04 10:30", "2026-02-04 11:00"),
        ("hourly", "2026-02-04 10:30", "2026-02-04 11:00"),
        ("daily", "2026-02-04 10:30", "2026-02-05 00:00"),
        ("daily 02:00", "2026-02-04 01:59", "2026-02-04 02:00"),
        ("daily 02:00", "2026-02-04 02:00", "2026-02-05 02:00"),
        ("weekly", "2026-02-04 10:30", "2026-02-09 00:00"),
        ("weekly mon 02:00", "2026-02-04 10:30", "2026-02-09 02:00"),
        ("weekly wed", "2026-02-04 00:00", "2026-02-11 00:00"),
        ("fri 17:00", "2026-02-04 10:30", "2026-02-06 17:00"),
        ("mon-fri 09:00", "2026-02-06 09:00", "2026-02-09 09:00"),
        ("weekends 10:00", "2026-02-04 10:30", "2026-02-07 10:00"),
        ("monthly 04:00", "2026-02-04 10:30", "2026-03-01 04:00"),
        ("*/15 9-17 * * 1-5", "2026-02-06 17:45", "2026-02-09 09:00"),
        ("*/15 9-17 * * MON-FRI", "2026-02-06 10:01", "2026-02-06 10:15"),
        ("30 6 * * 7", "2026-02-04 10:30", "2026-02-08 06:30"),
        ("0 0 29 2 *", "2026-02-04 10:30", "2028-02-29 00:00"),
        ("0 0 29 2 *", "2096-03-01 00:00", "2104-02-29 00:00"),
        ("0 0 13 * fri", "2026-02-04 10:30", "2026-02-06 00:00"),  # as cron: the 13th or a Friday
        ("5/20 * * * *", "2026-02-04 10:06", "2026-02-04 10:25"),
        ("0 22 * * fri-mon", "2026-02-09 22:00", "2026-02-13 22:00"),
    ],
)
def test_next_instant(text: str, after: str, instant: str) -> None:
    assert shown(parse(text).next_after(at(after), UTC)) == instant


@pytest.mark.parametrize(
    ("text", "after", "instants"),
    [
        # 2026-03-29: 02:00 becomes 03:00 (+01:00 to +02:00)
        ("daily 02:30", "2026-03-28 12:00", ["2026-03-29 01:00", "2026-03-30 00:30"]),
        ("daily 03:00", "2026-03-28 12:00", ["2026-03-29 01:00", "2026-03-30 01:00"]),
        ("*/30 * * * *", "2026-03-29 00:30", ["2026-03-29 01:00", "2026-03-29 01:30"]),
        # 2026-10-25: 03:00 becomes 02:00 again
        ("daily 02:30", "2026-10-24 12:00", ["2026-10-25 00:30", "2026-10-26 01:30"]),
        ("hourly", "2026-10-25 00:00", ["2026-10-25 01:00", "2026-10-25 02:00"]),
        ("every 1h", "2026-10-25 00:00", ["2026-10-25 01:00", "2026-10-25 02:00"]),
    ],
)
def test_days_on_which_clocks_change(text: str, after: str, instants: list[str]) -> None:
    schedule, time_s, found = parse(text), at(after), []
    for _ in instants:
        following = schedule.next_after(time_s, BERLIN)
        assert following is not None
        time_s = following
        found.append(shown(time_s))
    assert found == instants


@pytest.mark.parametrize(
    "text",
    [
        "", "often", "every", "every 0s", "every 5", "every day", "daily 24:00", "daily 2", "hourly 02:00",
        "every 30m 02:00",
        "60 * * * *", "* 24 * * *", "* * 0 * *", "* * 32 * *", "* * * 13 *", "* * * * 8", "*/0 * * * *", "1-a * * * *",
        "5-1 * * * *", "0 0 31 2 *", "0 0 30 feb *", "* * * *", "* * * * * *", "mon", "weekly 02:00 mon", "٣ * * * *",
        "daily mon", "daily 02:00 03:00", ",1 * * * *",
    ],
)  # fmt: skip
def test_what_is_no_schedule_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"schedule|duration|day that"):
        parse(text)


def test_kinds() -> None:
    assert parse("every 1h30m") == Every(5400)
    assert isinstance(parse("Daily 2:00"), Calendar)
    assert parse("daily 02:00") == parse("0 2 * * *")
    assert parse("never") == Never()


def test_never_is_never_due() -> None:
    assert not is_due(Never(), None, 0, UTC)
    assert next_run_s(Never(), None, 0, UTC) is None


def test_a_job_that_never_ran_is_due_at_once() -> None:
    assert is_due(parse("daily 02:00"), None, at("2026-02-04 10:30"), UTC)


def test_missed_runs_are_caught_up_once() -> None:
    schedule, now_s = parse("every 30m"), at("2026-02-11 10:10")
    assert is_due(schedule, at("2026-02-04 10:00"), now_s, UTC)
    assert not is_due(schedule, now_s, now_s + 60, UTC)


def test_a_clock_set_back_starts_no_burst_and_no_silence() -> None:
    schedule, now_s = parse("every 30m"), at("1999-01-01 10:10")
    last_s = at("2026-02-04 10:00")
    assert not is_due(schedule, last_s, now_s, UTC)
    due_s = next_run_s(schedule, last_s, now_s, UTC)
    assert due_s == at("1999-01-01 10:30")


def test_jitter_delays_every_instant() -> None:
    schedule, last_s = parse("daily 02:00"), at("2026-02-04 02:07")
    assert not is_due(schedule, last_s, at("2026-02-05 02:06"), UTC, jitter_s=420)
    assert is_due(schedule, last_s, at("2026-02-05 02:07"), UTC, jitter_s=420)
    assert shown(next_run_s(schedule, last_s, at("2026-02-04 12:00"), UTC, jitter_s=420)) == "2026-02-05 02:07"


@given(st.sampled_from(TEXTS), st.integers(0, 4_000_000_000), st.sampled_from(ZONES))
def test_instants_are_the_same_from_both_directions(text: str, time_s: int, zone: ZoneInfo) -> None:
    schedule = parse(text)
    following = schedule.next_after(time_s, zone)
    assert following is not None
    assert following > time_s
    assert schedule.last_before(following, zone) == following
    before = schedule.last_before(following - 1, zone)
    assert before is None or before <= time_s
    if before is not None:
        assert schedule.next_after(before, zone) == following


@given(st.sampled_from(TEXTS), st.integers(10**8, 4_000_000_000), st.integers(0, 10**7), st.integers(0, 3600))
def test_a_job_runs_when_next_run_says_and_then_not_again(text: str, now_s: int, ago_s: int, jitter_s: int) -> None:
    schedule = parse(text)
    due_s = next_run_s(schedule, now_s - ago_s, now_s, BERLIN, jitter_s)
    assert due_s is not None
    assert is_due(schedule, now_s - ago_s, due_s, BERLIN, jitter_s)
    assert due_s == now_s or not is_due(schedule, now_s - ago_s, due_s - 1, BERLIN, jitter_s)
    assert not is_due(schedule, due_s, due_s, BERLIN, jitter_s)
