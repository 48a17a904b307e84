"""When a job is due: `every 30m`, `hourly`, `daily 02:00`, `mon-fri 09:00`, or a cron line of five fields.

A schedule is a set of instants, the same on every run, so it needs no memory but the time of the last run: a job is
due when an instant has passed since then, and however many have passed, it is due once.
"""

from __future__ import annotations

import re
from datetime import date, tzinfo

from memgit.core import units, windows
from memgit.core.values import dataclass
from memgit.core.windows import DAY_S

_EXPECTED = (
    "a schedule such as every 30m, hourly, daily 02:00, weekly mon 02:00, mon-fri 09:00, a cron line of five fields,"
    " or never"
)
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WORDS = {
    "hourly": "0 * * * *",
    "@hourly": "0 * * * *",
    "daily": "0 0 * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "weekdays": "0 0 * * mon-fri",
    "weekends": "0 0 * * sat,sun",
    "weekly": "0 0 * * mon",
    "@weekly": "0 0 * * sun",
    "monthly": "0 0 1 * *",
    "@monthly": "0 0 1 * *",
    "yearly": "0 0 1 1 *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_TIME = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")
_SPAN_DAYS = 366 * 9  # the 29th of February may be eight years away
_LONGEST_MONTH = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_LAST_DAY_S = 253_402_300_800 - DAY_S  # datetime ends with the year 9999


@dataclass(frozen=True, slots=True)
class Every:
    """An instant every `period_s` seconds, counted from 1970-01-01T00:00:00Z. zone plays no part."""

    period_s: int

    def next_after(self, time_s: int, zone: tzinfo) -> int | None:
        """The first instant after `time_s`."""
        return (time_s // self.period_s + 1) * self.period_s

    def last_before(self, time_s: int, zone: tzinfo) -> int | None:
        """The last instant at or before `time_s`."""
        return time_s // self.period_s * self.period_s


@dataclass(frozen=True, slots=True)
class Calendar:
    """Instants by the wall clock of a zone, as cron has them.

    A time that the clocks jump over in spring comes at the end of the jump; one that they show twice in autumn comes
    the first time. With every hour in the set (`*/20 * * * *`) instants follow real time on both days.
    Source: cron(8) of Debian, "Daylight Saving Time and other time changes"; crontab(5) for days by date or weekday.
    """

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]  # 0 is Sunday
    either: bool  # a day fits by its date or by its weekday; else it must fit by both

    def next_after(self, time_s: int, zone: tzinfo) -> int | None:
        """The first instant after `time_s`; None if there is none in years."""
        first = _local_day(time_s, zone)
        for day in range(first - 1, first + _SPAN_DAYS):
            found = [instant for instant in self._instants(day, zone) if instant > time_s]
            if found:
                return min(found)
        return None

    def last_before(self, time_s: int, zone: tzinfo) -> int | None:
        """The last instant at or before `time_s`; None if there was none in years."""
        first = _local_day(time_s, zone)
        for day in range(first + 1, first - _SPAN_DAYS, -1):
            found = [instant for instant in self._instants(day, zone) if instant <= time_s]
            if found:
                return max(found)
        return None

    def _instants(self, day: int, zone: tzinfo) -> list[int]:
        """UTC seconds of one local day, counted in days from 1970-01-01."""
        if not 0 <= day * DAY_S <= _LAST_DAY_S or not self._fits(date.fromordinal(day + _EPOCH)):
            return []
        found = []
        by_real_time = len(self.hours) == 24
        for hour in self.hours:
            for minute in self.minutes:
                local_s = day * DAY_S + hour * 3600 + minute * 60
                if by_real_time:
                    shown = windows.instants(local_s, zone)
                    found += [at for at in shown if at + windows.zone_offset_s(at, zone) == local_s]
                else:
                    found.append(windows.first_instant(local_s, zone))
        return found

    def _fits(self, day: date) -> bool:
        if day.month not in self.months:
            return False
        by_date, by_weekday = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        return by_date or by_weekday if self.either else by_date and by_weekday


@dataclass(frozen=True, slots=True)
class Never:
    """No instant at all."""

    def next_after(self, time_s: int, zone: tzinfo) -> int | None:
        """None."""
        return None

    def last_before(self, time_s: int, zone: tzinfo) -> int | None:
        """None."""
        return None


Schedule = Every | Calendar | Never

_EPOCH = date(1970, 1, 1).toordinal()


def parse(text: str) -> Schedule:
    """The schedule a text describes. Raises ValueError, with what was expected as its message.

    Forms: `every DURATION` (at least 1s), `never`, a word such as `daily` or `weekly` with an optional weekday and
    time, weekdays with a time (`mon,wed 02:00`, `mon-fri 9:00`), or minute, hour, day, month and weekday as in cron.
    """
    words = text.lower().split()
    if words == ["never"]:
        return Never()
    if len(words) == 2 and words[0] == "every":
        try:
            period_s = units.duration_s(words[1])
        except ValueError:
            raise ValueError(_EXPECTED) from None
        if not 1 <= period_s <= _SPAN_DAYS * DAY_S:
            raise ValueError("every with a duration of at least 1s")
        return Every(period_s)
    if len(words) == 5:
        return _cron(words)
    return _named(words)


def is_due(schedule: Schedule, last_s: int | None, now_s: int, zone: tzinfo, jitter_s: int = 0) -> bool:
    """Whether a job has to run now.

    last_s: when it last ran, None if never; from the future, as a clock that was wrong leaves it, it counts as now.
    jitter_s: how much later than its instants this machine runs the job. A job that never ran is due at once.
    """
    if isinstance(schedule, Never):
        return False
    if last_s is None:
        return True
    instant = schedule.last_before(now_s - jitter_s, zone)
    return instant is not None and instant + jitter_s > min(last_s, now_s)


def next_run_s(schedule: Schedule, last_s: int | None, now_s: int, zone: tzinfo, jitter_s: int = 0) -> int | None:
    """When `is_due` becomes true, not before now; None if never."""
    if is_due(schedule, last_s, now_s, zone, jitter_s):
        return now_s
    instant = schedule.next_after(now_s - jitter_s, zone)
    return None if instant is None else instant + jitter_s


def _local_day(time_s: int, zone: tzinfo) -> int:
    return (time_s + windows.zone_offset_s(time_s, zone)) // DAY_S


def _named(words: list[str]) -> Schedule:
    fields = None
    if words and words[0] in _WORDS:
        fields = _WORDS[words.pop(0)].split()
    named = fields is not None
    if words and not _TIME.fullmatch(words[0]) and (fields is None or fields[4] == "mon"):
        fields = ["0", "0", "*", "*", words.pop(0)]
    if fields is None or (not named and not words):
        raise ValueError(_EXPECTED)
    if words:
        time = _TIME.fullmatch(words.pop(0))
        if time is None or words or fields[1] == "*":
            raise ValueError(_EXPECTED)
        fields[:2] = [str(int(time[2])), str(int(time[1]))]
    return _cron(fields)


def _cron(words: list[str]) -> Calendar:
    minutes = _field(words[0], 0, 59)
    hours = _field(words[1], 0, 23)
    days = _field(words[2], 1, 31)
    months = _field(words[3], 1, 12, _MONTHS, 1)
    weekdays = frozenset(number % 7 for number in _field(words[4], 0, 7, _DAYS))
    # As in cron: with a star in one of the two fields the other one decides, else either is enough.
    either = not words[2].startswith("*") and not words[4].startswith("*")
    if not either and min(days) > max(_LONGEST_MONTH[month - 1] for month in months):
        raise ValueError("a day that its month has")
    return Calendar(tuple(sorted(minutes)), tuple(sorted(hours)), days, months, weekdays, either)


def _field(text: str, low: int, high: int, names: tuple[str, ...] = (), first: int = 0) -> frozenset[int]:
    known = {name: number for number, name in enumerate(names, start=first)}
    found: set[int] = set()
    for part in text.split(","):
        span, slash, step = part.partition("/")
        start, dash, end = span.partition("-")
        try:
            if slash and (not step.isdecimal() or int(step) == 0):
                raise ValueError
            if span == "*":
                begin, last = low, high
            else:
                begin = _number(start, known)
                last = _number(end, known) if dash else high if slash else begin
            if last < begin and names == _DAYS:
                last += 7  # fri-mon
        except ValueError:
            raise ValueError(_EXPECTED) from None
        if not (low <= begin <= high and begin <= last <= high + (7 if names == _DAYS else 0)):
            raise ValueError(_EXPECTED)
        found.update(range(begin, last + 1, int(step) if slash else 1))
    return frozenset(found)


def _number(text: str, known: dict[str, int]) -> int:
    if text in known:
        return known[text]
    if not text.isascii() or not text.isdecimal() or len(text) > 2:
        raise ValueError(text)
    return int(text)
