"""Calendar windows: which hour, quarter of a day, day or week a commit belongs to, in its author's zone or a set one.

Everything is arithmetic on whole seconds, so a label depends on no locale, and a date no calendar library accepts
(git allows any 63-bit time) still has a window.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, tzinfo
from enum import Enum

_DAY_S = 86400
_MONDAY_S = 3 * _DAY_S  # the first day of 1970 was a Thursday
_CALENDAR_S = (-62_000_000_000, 253_000_000_000)  # datetime knows the years 1 to 9999; a zone is asked about no other


class WindowKind(Enum):
    """How long a window is; the value is what `consolidate.window` says."""

    HOUR = "hour"
    SIX_HOURS = "6h"
    DAY = "day"
    WEEK = "week"


_LENGTH_S = {
    WindowKind.HOUR: 3600,
    WindowKind.SIX_HOURS: 6 * 3600,
    WindowKind.DAY: _DAY_S,
    WindowKind.WEEK: 7 * _DAY_S,
}


@dataclass(frozen=True, slots=True)
class Window:
    """One window, as seen at one offset from UTC: authors in two zones share a key and a label, not start and end."""

    kind: WindowKind
    key: int  # grows by one from window to window, whatever the offset
    start: int  # UTC seconds
    end: int  # UTC seconds, exclusive
    label: str  # 2026-02-04T18 (hour, 6h), 2026-02-04 (day), 2026-W06 (ISO week)


class Windows:
    """Windows of one kind, in the zone each author wrote down (`zone` is None) or in the one given."""

    __slots__ = ("_days", "_length_s", "_offsets", "_shift_s", "_zone", "kind")

    def __init__(self, kind: WindowKind, zone: tzinfo | None = None) -> None:
        self.kind = kind
        self._zone = zone
        self._length_s = _LENGTH_S[kind]
        self._shift_s = _MONDAY_S if kind is WindowKind.WEEK else 0
        self._offsets: dict[bytes, int] = {}
        self._days: dict[int, int] = {}

    def key(self, time_s: int, tz: bytes) -> int:
        """The key of the window that holds `time_s`. tz: as the commit has it, `+0530`.

        This is asked once per commit, so it is kept to one look-up and one division.
        """
        if self._zone is not None:
            return (time_s + self._zone_offset_s(time_s, self._zone) + self._shift_s) // self._length_s
        offset = self._offsets.get(tz)
        if offset is None:
            offset = self._offsets[tz] = offset_s(tz) + self._shift_s
        return (time_s + offset) // self._length_s

    def of(self, time_s: int, tz: bytes) -> Window:
        """The window that holds `time_s`."""
        if self._zone is None:
            return window_of(time_s, offset_s(tz), self.kind)
        key = self.key(time_s, tz)
        first = key * self._length_s - self._shift_s
        end = _last_end(first + self._length_s, self._zone)
        return Window(self.kind, key, _first_instant(first, self._zone), end, label(key, self.kind))

    def is_closed_at(self, time_s: int, tz: bytes, now_s: int) -> bool:
        """Whether the window that holds `time_s` has ended at `now_s`."""
        return self.key(now_s, tz) > self.key(time_s, tz)

    def _zone_offset_s(self, time_s: int, zone: tzinfo) -> int:
        """As `zone_offset_s`, remembered for the days on which it does not change."""
        day = time_s // _DAY_S
        offset = self._days.get(day)
        if offset is None:
            offset = zone_offset_s(time_s, zone)
            if zone_offset_s(day * _DAY_S, zone) == zone_offset_s((day + 1) * _DAY_S, zone):
                self._days[day] = offset
        return offset


def window_of(time_s: int, offset: int, kind: WindowKind) -> Window:
    """The window that holds `time_s`, on a clock `offset` seconds ahead of UTC."""
    length = _LENGTH_S[kind]
    shift = offset + (_MONDAY_S if kind is WindowKind.WEEK else 0)
    key = (time_s + shift) // length
    start = key * length - shift
    return Window(kind, key, start, start + length, label(key, kind))


def is_closed(window: Window, now_s: int) -> bool:
    """Whether the window has ended at `now_s`."""
    return window.end <= now_s


def offset_s(tz: bytes) -> int:
    """Seconds ahead of UTC of a commit's zone, read as git does: `+0575` is 6:15, and what is no zone counts as UTC.

    Source: split_ident_line() in ident.c and gm_time_t() in date.c.
    """
    digits = tz[1:]
    if tz[:1] not in (b"+", b"-") or not digits.isdigit() or len(digits) > 10 or int(digits) >= 2**31 - 1:
        return 0
    hours, minutes = divmod(int(digits), 100)
    return (hours * 3600 + minutes * 60) * (-1 if tz[:1] == b"-" else 1)


def zone_offset_s(time_s: int, zone: tzinfo) -> int:
    """Seconds that clocks in `zone` are ahead of UTC at `time_s`."""
    earliest, latest = _CALENDAR_S
    offset = datetime.fromtimestamp(max(earliest, min(time_s, latest)), zone).utcoffset()
    return offset.days * _DAY_S + offset.seconds if offset is not None else 0


def label(key: int, kind: WindowKind) -> str:
    """The name of a window in messages, trailers and tables."""
    if kind is WindowKind.WEEK:
        thursday = key * 7  # 1970-01-01 was one; ISO 8601 counts a week to the year of its Thursday
        year = _date(thursday)[0]
        return f"{year:04d}-W{(thursday - _days(year)) // 7 + 1:02d}"
    per_day = _DAY_S // _LENGTH_S[kind]
    year, month, day = _date(key // per_day)
    date = f"{year:04d}-{month:02d}-{day:02d}"
    return date if per_day == 1 else f"{date}T{key % per_day * (24 // per_day):02d}"


def _date(days: int) -> tuple[int, int, int]:
    """Year, month and day, that many days after 1970-01-01, in the Gregorian calendar without end or beginning."""
    era, day_of_era = divmod(days + 719468, 146097)  # eras of 400 years that begin on the first of March
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36524 - day_of_era // 146096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    month = (5 * day_of_year + 2) // 153
    day = day_of_year - (153 * month + 2) // 5 + 1
    month += 3 if month < 10 else -9
    return era * 400 + year_of_era + (month <= 2), month, day


def _days(year: int) -> int:
    """Days from 1970-01-01 to the first of January of `year`."""
    before = year - 1
    return before * 365 + before // 4 - before // 100 + before // 400 - 719162


def _first_instant(local_s: int, zone: tzinfo) -> int:
    """The first UTC second at which clocks in `zone` show `local_s` or, where they jump over it, more."""
    low, high = _candidates(local_s, zone)
    if low + zone_offset_s(low, zone) == local_s:
        return low
    while low < high:
        middle = (low + high) // 2
        if middle + zone_offset_s(middle, zone) >= local_s:
            high = middle
        else:
            low = middle + 1
    return low


def _last_end(local_s: int, zone: tzinfo) -> int:
    """The UTC second from which clocks in `zone` no longer show anything before `local_s`.

    Clocks that pass it and are then set back to before it pass it twice; the second time counts.
    """
    last = _candidates(local_s, zone)[1]
    before = last - 1 + zone_offset_s(last - 1, zone)
    return last if before < local_s else _first_instant(local_s, zone)


def _candidates(local_s: int, zone: tzinfo) -> tuple[int, int]:
    """The earliest and the latest UTC second that could be `local_s`; the same unless the clocks change there."""
    offsets = (zone_offset_s(local_s - _DAY_S, zone), zone_offset_s(local_s + _DAY_S, zone))
    return local_s - max(offsets), local_s - min(offsets)
