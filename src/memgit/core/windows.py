"""Windows: the calendar periods whose auto-commits become one commit.

A window is named by a number that grows with time and is the same for every commit of the period,
whatever zone it was made in: two machines in two zones share the window of one local day.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

WindowKey = int

HOUR_S = 3600
DAY_S = 86400
LENGTHS_S = {"hour": HOUR_S, "6h": 6 * HOUR_S, "day": DAY_S, "week": 7 * DAY_S}
KINDS = tuple(LENGTHS_S)
_EPOCH_WEEKDAY_S = 3 * DAY_S  # 1970-01-01 was a Thursday, weeks begin on Monday (ISO 8601)
_NO_ZONE = (0, 0)

AUTHOR_ZONE = "author"


class Calendar:
    """Windows of one kind in one zone.

    zone: "author" (each commit's own offset), an IANA name, or an offset such as +0100 or +01:00.
    Raises ValueError for a kind or zone that does not exist.
    """

    def __init__(self, kind: str, zone: str = AUTHOR_ZONE) -> None:
        if kind not in LENGTHS_S:
            raise ValueError(f"{kind!r} is no window; there are {', '.join(KINDS)}")
        self.kind = kind
        self._length_s = LENGTHS_S[kind]
        self._shift_s = _EPOCH_WEEKDAY_S if kind == "week" else 0
        self._offset_at: Callable[[int], int] | None = None if zone == AUTHOR_ZONE else _zone(zone)

    def key(self, time_s: int, zone: bytes) -> WindowKey:
        """The window of a commit. time_s: author time, seconds since the epoch; zone: as in the commit."""
        offset = offset_s(zone) if self._offset_at is None else self._offset_at(time_s)
        return (time_s + offset + self._shift_s) // self._length_s

    def closed_key(self, now_s: int | None) -> Callable[[bytes, bytes], WindowKey | None]:
        """A function from a commit's author time and zone, as git prints them, to its window.

        It gives None while the window has not ended at `now_s` where the commit was made; with
        now_s = None every window counts as ended. Made for a million calls.
        """
        length, shift, offset_at = self._length_s, self._shift_s, self._offset_at
        zones: dict[bytes, tuple[int, int]] = {}

        def by_author(time: bytes, zone: bytes) -> WindowKey | None:
            known = zones.get(zone)
            if known is None:
                offset = offset_s(zone) + shift
                known = zones[zone] = (offset, 1 << 62 if now_s is None else (now_s + offset) // length)
            key = (int(time) + known[0]) // length
            return key if key < known[1] else None

        def by_zone(time: bytes, zone: bytes) -> WindowKey | None:
            assert offset_at is not None
            time_s = int(time)
            key = (time_s + offset_at(time_s) + shift) // length
            if now_s is None:
                return key
            return key if key < (now_s + offset_at(now_s) + shift) // length else None

        return by_author if offset_at is None else by_zone

    def label(self, key: WindowKey) -> str:
        """2026-02-04, 2026-02-04T18 (the hour it begins) or 2026-W06; the same in every locale."""
        start = datetime(1970, 1, 1) + timedelta(seconds=key * self._length_s - self._shift_s)
        if self.kind == "week":
            year, week, _ = start.isocalendar()
            return f"{year:04d}-W{week:02d}"
        day = f"{start.year:04d}-{start.month:02d}-{start.day:02d}"
        return day if self.kind == "day" else f"{day}T{start.hour:02d}"


def offset_s(zone: bytes) -> int:
    """Seconds east of UTC of a zone as it stands in a commit (`+0530`); anything else is UTC.

    Offsets beyond a day, which broken clients write, are taken as they stand, as git does.
    """
    sign, digits = zone[:1], zone[1:]
    if sign not in (b"+", b"-") or not digits.isdigit():
        return 0
    number = int(digits)
    seconds = number // 100 * HOUR_S + number % 100 * 60
    return -seconds if sign == b"-" else seconds


def _zone(name: str) -> Callable[[int], int]:
    plain = name.replace(":", "").encode()
    if plain[:1] in (b"+", b"-") and plain[1:].isdigit() and len(plain) == 5:
        fixed = offset_s(plain)
        return lambda _: fixed
    import zoneinfo  # only for a zone by name; costs 10 ms

    try:
        zone = zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{name!r} is no time zone") from None

    def offset_at(time_s: int) -> int:
        try:
            offset = datetime.fromtimestamp(time_s, UTC).astimezone(zone).utcoffset()
        except (OverflowError, ValueError, OSError):
            return 0
        return int(offset.total_seconds()) if offset is not None else 0

    return offset_at
