"""Windows: a partition of time, in any zone, on any date git can store."""

from __future__ import annotations

import subprocess
import zoneinfo
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memgit.core.windows import KINDS, Calendar, Window, offset_s

ZONES = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo", "Asia/Kathmandu", "UTC"]
ZONES += ["America/St_Johns", "Pacific/Apia", "Africa/Casablanca"]

kinds = st.sampled_from(KINDS)
times = st.one_of(st.integers(-(2**40), 2**40), st.integers(1_500_000_000, 1_900_000_000), st.integers(-(2**62), 2**62))
offsets = st.sampled_from([b"+0000", b"-0000", b"+0545", b"-1200", b"+1400", b"-0930", b"+0575", b"-2359", b"+9999"])


def _at(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())


@given(times, offsets, kinds)
def test_calendar_of_an_offset_partition_time(time_s: int, tz: bytes, kind: str) -> None:
    window = Calendar(kind).window(time_s, tz)
    following = Calendar(kind).window(window.end_s, tz)
    assert window.start_s <= time_s < window.end_s == following.start_s
    assert following.key == window.key + 1
    assert Calendar(kind).window(window.start_s, tz) == window == Calendar(kind).window(window.end_s - 1, tz)


@given(times, times, offsets, offsets, kinds)
def test_key_and_window_tell_the_same(one: int, two: int, tz: bytes, other: bytes, kind: str) -> None:
    calendar = Calendar(kind)
    assert calendar.key(one, tz) == calendar.window(one, tz).key
    assert (calendar.key(one, tz) == calendar.key(two, other)) == (
        calendar.window(one, tz).label == calendar.window(two, other).label
    )
    (closed,) = calendar.closed_keys(two)([b"%d" % one], [tz])
    assert (closed is not None) == (calendar.window(one, tz).end_s <= two)
    assert closed in (None, calendar.key(one, tz))
    assert calendar.closed_keys(None)([b"%d" % one], [tz]) == [calendar.key(one, tz)]


@given(st.lists(st.tuples(times, st.sampled_from([b"+0000", b"-0930"])), max_size=5), times, kinds)
def test_neighbours_do_not_change_a_window(commits: list[tuple[int, bytes]], now_s: int, kind: str) -> None:
    closed = Calendar(kind).closed_keys(now_s)
    together = closed([b"%d" % time_s for time_s, _ in commits], [tz for _, tz in commits])
    assert together == [closed([b"%d" % time_s], [tz])[0] for time_s, tz in commits]


@given(st.dates(), kinds, st.integers(0, 23))
def test_labels_are_those_of_the_calendar(day: date, kind: str, hour: int) -> None:
    moment = datetime(day.year, day.month, day.day, hour, tzinfo=UTC)
    year, week, _ = moment.isocalendar()
    expected = {
        "hour": f"{day.isoformat()}T{hour:02d}",
        "6h": f"{day.isoformat()}T{hour // 6 * 6:02d}",
        "day": day.isoformat(),
        "week": f"{year:04d}-W{week:02d}",
    }
    seconds = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1)
    assert Calendar(kind).window(seconds, b"+0000").label == expected[kind]


@settings(max_examples=300, deadline=None)
@given(st.integers(-2_000_000_000, 4_000_000_000), st.sampled_from(ZONES), kinds)
def test_calendar_of_a_zone_follow_its_wall_clock(time_s: int, name: str, kind: str) -> None:
    zone = zoneinfo.ZoneInfo(name)
    calendar = Calendar(kind, name)
    window = calendar.window(time_s, b"+0000")
    wall = datetime.fromtimestamp(time_s, zone)
    assert window.label == Calendar(kind).window(int(wall.replace(tzinfo=UTC).timestamp()), b"+0000").label
    assert window.start_s <= time_s < window.end_s
    assert calendar.window(window.start_s, b"+0000") == window == calendar.window(window.end_s - 1, b"-1200")
    assert calendar.key(window.start_s - 1, b"+0000") < window.key
    assert calendar.key(window.end_s, b"+0000") > window.key


@pytest.mark.parametrize(
    ("moment", "zone", "kind", "label_", "hours"),
    [
        ("2026-03-29T12:00+02:00", "Europe/Berlin", "day", "2026-03-29", 23),
        ("2026-10-25T12:00+01:00", "Europe/Berlin", "day", "2026-10-25", 25),
        ("2026-10-25T02:30+02:00", "Europe/Berlin", "hour", "2026-10-25T02", 2),
        ("2026-10-25T02:30+01:00", "Europe/Berlin", "hour", "2026-10-25T02", 2),
        ("2026-03-29T05:30+02:00", "Europe/Berlin", "6h", "2026-03-29T00", 5),
        ("2026-10-25T12:00+01:00", "Europe/Berlin", "week", "2026-W43", 169),
        ("2018-11-04T12:00-02:00", "America/Sao_Paulo", "day", "2018-11-04", 23),  # no midnight
        ("2010-11-06T23:30-03:30", "America/St_Johns", "day", "2010-11-06", 25),  # set back at 00:01
        ("2026-04-05T12:00+10:30", "Australia/Lord_Howe", "day", "2026-04-05", 24.5),
    ],
)
def test_days_on_which_clocks_change(moment: str, zone: str, kind: str, label_: str, hours: float) -> None:
    window = Calendar(kind, zone).window(_at(moment), b"+0000")
    assert (window.label, (window.end_s - window.start_s) / 3600) == (label_, hours)


def test_a_fixed_zone_overrides_the_authors() -> None:
    calendar = Calendar("day", "+08:00")
    assert calendar.window(_at("2026-02-04T20:00+00:00"), b"-0500") == Window(
        20489, _at("2026-02-05T00:00+08:00"), _at("2026-02-06T00:00+08:00"), "2026-02-05"
    )


def test_a_window_is_closed_from_its_end_on() -> None:
    time_s = _at("2026-02-04T18:59:59+05:45")
    key = Calendar("hour").key(time_s, b"+0545")
    for clock, closed in (("18:59:59", None), ("19:00:00", key)):
        closed_keys = Calendar("hour").closed_keys(_at(f"2026-02-04T{clock}+05:45"))
        assert closed_keys([b"%d" % time_s], [b"+0545"]) == [closed]


@pytest.mark.parametrize(
    ("tz", "seconds"),
    [
        (b"+0800", 28800),
        (b"-0330", -12600),
        (b"+0575", 22500),
        (b"+5", 300),
        (b"+10000", 360000),
        (b"-0000", 0),
        (b"0800", 0),
        (b"+", 0),
        (b"", 0),
        (b"UTC", 0),
        (b"+08x0", 0),
        (b"+2147483647", 0),
        (b"+99999999999999", 0),
    ],
)
def test_offsets_are_read_as_git_reads_them(tz: bytes, seconds: int) -> None:
    assert offset_s(tz) == seconds


def test_hours_are_those_git_shows(tmp_path: Path) -> None:
    def git(*arguments: str | bytes, given: bytes = b"") -> bytes:
        done = subprocess.run(["git", "-C", tmp_path, *arguments], input=given, capture_output=True, check=True)
        return done.stdout

    git("init", "-q")
    git("write-tree")
    commit = b"tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\nauthor A <a> %d %s\ncommitter A <a> 0 +0000\n\nx\n"
    # Nothing earlier: git dies on dates that the zone puts before 1970.
    cases = [
        (time_s, tz)
        for tz in (b"+0000", b"+0545", b"-1200", b"+1400", b"+0575", b"-0061")
        for time_s in (951782399, 1770163200, 1835567999, 4102444800)
    ]
    ids = [git("hash-object", "-t", "commit", "-w", "--stdin", given=commit % case).strip() for case in cases]
    shown = git("log", "--no-walk=unsorted", "--format=%ad", "--date=format:%Y-%m-%dT%H", *ids)
    labels = [Calendar("hour").window(time_s, tz).label for time_s, tz in cases]
    assert labels == shown.decode().splitlines()


def test_labels_of_times_beyond_any_calendar_are_made_all_the_same() -> None:
    assert Calendar("day").label(2**62 // 86400) == "146138514283-06-19"
    assert Calendar("day", "Europe/Berlin").window(-(2**62), b"+0000").label.startswith("-1461")
