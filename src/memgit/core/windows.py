"""Windows: the calendar periods whose auto-commits become one commit.

A window is named by a number that grows with time and is the same for every commit of the period, whatever zone it
was made in: two machines in two zones share the window of one local day. Everything is arithmetic on whole seconds, so
a label depends on no locale, and a date no calendar library accepts (git allows any 63-bit time) still has a window.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta, timezone, tzinfo

from memgit.core.values import dataclass

WindowKey = int
ClosedWindows = Callable[[Sequence[bytes], Sequence[bytes]], list[WindowKey | None]]  # of author times and zones

HOUR_S = 3600
DAY_S = 24 * HOUR_S
LENGTHS_S = {"hour": HOUR_S, "6h": 6 * HOUR_S, "day": DAY_S, "week": 7 * DAY_S}
KINDS = tuple(LENGTHS_S)
AUTHOR_ZONE = "author"
_MONDAY_S = 3 * DAY_S  # 1970-01-01 was a Thursday, weeks begin on Monday (ISO 8601)
_CALENDAR_S = (-62_000_000_000, 253_000_000_000)  # datetime knows the years 1 to 9999; a zone is asked about no other
_NEVER = 1 << 80


@dataclass(frozen=True, slots=True)
class Window:
    """One window as one place sees it: authors in two zones share key and label, not start and end."""

    key: WindowKey
    start_s: int  # seconds since the epoch
    end_s: int  # the same, exclusive
    label: str


class Calendar:
    """Windows of one kind in one zone.

    zone: "author" (each commit's own offset), an IANA name, or an offset such as +0100 or +01:00.
    Raises ValueError for a kind or zone that does not exist.
    """

    __slots__ = ("_days", "_labels", "_length_s", "_shift_s", "_zone", "kind")

    def __init__(self, kind: str, zone: str = AUTHOR_ZONE) -> None:
        if kind not in LENGTHS_S:
            raise ValueError(f"{kind!r} is no window; there are {', '.join(KINDS)}")
        self.kind = kind
        self._length_s = LENGTHS_S[kind]
        self._shift_s = _MONDAY_S if kind == "week" else 0
        self._zone = None if zone == AUTHOR_ZONE else load_zone(zone)
        self._days: dict[int, int] = {}
        self._labels: dict[WindowKey, str] = {}

    def key(self, time_s: int, zone: bytes) -> WindowKey:
        """The window of a commit. time_s: author time, seconds since the epoch; zone: as in the commit."""
        offset = offset_s(zone) if self._zone is None else self._offset_s(time_s, self._zone)
        return (time_s + offset + self._shift_s) // self._length_s

    def closed_keys(self, now_s: int | None) -> ClosedWindows:
        """A function from the author times and zones of commits, as git prints them, to their windows.

        It gives None for a window that has not ended at `now_s` where the commit was made; with now_s = None every
        window counts as ended. Made for a million commits, and best where neighbours share a zone.
        """
        length, shift, fixed = self._length_s, self._shift_s, self._zone
        zones: dict[bytes, tuple[int, int]] = {}

        def limits(zone: bytes) -> tuple[int, int]:
            known = zones.get(zone)
            if known is None:
                offset = offset_s(zone) + shift
                known = zones[zone] = (offset, _NEVER if now_s is None else (now_s + offset) // length)
            return known

        def by_author(times: Sequence[bytes], of: Sequence[bytes]) -> list[WindowKey | None]:
            if not of or of.count(of[0]) != len(of):
                return [key for time, zone in zip(times, of, strict=True) for key in by_author((time,), (zone,))]
            offset, opened = limits(of[0])
            keys = [(time + offset) // length for time in map(int, times)]
            return [key if key < opened else None for key in keys] if max(keys) >= opened else [*keys]

        if fixed is None:
            return by_author
        zone = fixed
        opened = _NEVER if now_s is None else self.key(now_s, b"")

        def by_zone(times: Sequence[bytes], _: Sequence[bytes]) -> list[WindowKey | None]:
            keys = [(time + self._offset_s(time, zone) + shift) // length for time in map(int, times)]
            return [key if key < opened else None for key in keys]

        return by_zone

    def window(self, time_s: int, zone: bytes) -> Window:
        """The window of a commit, with its limits where the commit was made or in the calendar's zone."""
        key = self.key(time_s, zone)
        first = key * self._length_s - self._shift_s
        after = first + self._length_s
        if self._zone is None:
            offset = offset_s(zone)
            return Window(key, first - offset, after - offset, self.label(key))
        return Window(key, first_instant(first, self._zone), _last_end(after, self._zone), self.label(key))

    def label(self, key: WindowKey) -> str:
        """2026-02-04, 2026-02-04T18 (the hour it begins) or 2026-W06; the same in every locale."""
        known = self._labels.get(key)
        if known is None:
            known = self._labels[key] = self._label(key)
        return known

    def _label(self, key: WindowKey) -> str:
        if self.kind == "week":
            thursday = key * 7  # ISO 8601 counts a week to the year of its Thursday
            year = _date(thursday)[0]
            return f"{year:04d}-W{(thursday - _new_year(year)) // 7 + 1:02d}"
        per_day = DAY_S // self._length_s
        year, month, day = _date(key // per_day)
        date = f"{year:04d}-{month:02d}-{day:02d}"
        return date if per_day == 1 else f"{date}T{key % per_day * (24 // per_day):02d}"

    def _offset_s(self, time_s: int, zone: tzinfo) -> int:
        """As `zone_offset_s`, remembered for the days on which it does not change."""
        day = time_s // DAY_S
        offset = self._days.get(day)
        if offset is None:
            offset = zone_offset_s(time_s, zone)
            if zone_offset_s(day * DAY_S, zone) == zone_offset_s((day + 1) * DAY_S, zone):
                self._days[day] = offset
        return offset


def offset_s(zone: bytes) -> int:
    """Seconds east of UTC of a zone as it stands in a commit (`+0530`); anything else is UTC.

    Read as git does: `+0575` is 6:15, and offsets beyond a day, which broken clients write, are taken as they stand.
    Source: split_ident_line() in ident.c, gm_time_t() in date.c and show_ident_date() in pretty.c.
    """
    digits = zone[1:]
    if zone[:1] not in (b"+", b"-") or not digits.isdigit() or len(digits) > 10 or int(digits) >= 2**31 - 1:
        return 0
    hours, minutes = divmod(int(digits), 100)
    return (hours * HOUR_S + minutes * 60) * (-1 if zone[:1] == b"-" else 1)


def load_zone(name: str) -> tzinfo:
    """The zone of an IANA name or an offset such as +0100 or +01:00. Raises ValueError if there is none."""
    plain = name.replace(":", "").encode()
    if plain[:1] in (b"+", b"-") and plain[1:].isdigit() and len(plain) == 5 and abs(offset_s(plain)) < DAY_S:
        return timezone(timedelta(seconds=offset_s(plain)))
    import zoneinfo  # only for a zone by name; costs 10 ms

    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{name!r} is no time zone") from None


def _date(days: int) -> tuple[int, int, int]:
    """Year, month and day, that many days after 1970-01-01, in the Gregorian calendar without end or beginning."""
    era, day_of_era = divmod(days + 719468, 146097)  # eras of 400 years that begin on the first of March
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36524 - day_of_era // 146096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    month = (5 * day_of_year + 2) // 153
    day = day_of_year - (153 * month + 2) // 5 + 1
    month += 3 if month < 10 else -9
    return era * 400 + year_of_era + (month <= 2), month, day


def _new_year(year: int) -> int:
    """Days from 1970-01-01 to the first of January of `year`."""
    before = year - 1
    return before * 365 + before // 4 - before // 100 + before // 400 - 719162


def first_instant(local_s: int, zone: tzinfo) -> int:
    """The first UTC second at which clocks in `zone` show `local_s` or, where they jump over it, more."""
    low, high = instants(local_s, zone)
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
    last = instants(local_s, zone)[1]
    before = last - 1 + zone_offset_s(last - 1, zone)
    return last if before < local_s else first_instant(local_s, zone)


def instants(local_s: int, zone: tzinfo) -> tuple[int, int]:
    """The earliest and the latest UTC second at which clocks in `zone` could show `local_s`.

    The same unless the clocks change there; where they jump over `local_s` they show it at neither.
    """
    offsets = (zone_offset_s(local_s - DAY_S, zone), zone_offset_s(local_s + DAY_S, zone))
    return local_s - max(offsets), local_s - min(offsets)


def zone_offset_s(time_s: int, zone: tzinfo) -> int:
    """Seconds that clocks in `zone` are ahead of UTC at `time_s`."""
    earliest, latest = _CALENDAR_S
    offset = datetime.fromtimestamp(max(earliest, min(time_s, latest)), zone).utcoffset()
    return offset.days * DAY_S + offset.seconds if offset is not None else 0
