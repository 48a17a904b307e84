"""The name of a snapshot: when it was begun, in UTC, and letters that no other run has."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_NAME = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d)-(\d\d)-(\d\d)\.(\d{3})Z-[0-9a-f]{6}(?:\.partial)?\Z")


def new(now_ns: int, newest: str | None, letters: str) -> str:
    """A name that sorts behind the newest one there is, also where the clock went back. letters: six hex digits."""
    now_ms = now_ns // 10**6
    latest_ms = made_ms(newest) if newest is not None else None
    if latest_ms is not None and now_ms <= latest_ms:
        now_ms = latest_ms + 1
    begun = datetime.fromtimestamp(now_ms // 1000, UTC)
    return f"{begun:%Y-%m-%dT%H-%M-%S}.{now_ms % 1000:03}Z-{letters}"


def is_snapshot(name: str) -> bool:
    """Whether a snapshot is called so, complete or not."""
    return _NAME.match(name) is not None


def newest(names: tuple[str, ...]) -> str | None:
    """The one that was begun last."""
    return max(names, key=lambda name: made_ms(name) or 0, default=None)


def made_s(name: str) -> int | None:
    """When a snapshot was begun, seconds since the epoch; None for a name of another kind."""
    began_ms = made_ms(name)
    return None if began_ms is None else began_ms // 1000


def made_ms(name: str) -> int | None:
    """The same in milliseconds."""
    match = _NAME.match(name)
    if match is None:
        return None
    year, month, day, hour, minute, second, milliseconds = map(int, match.groups())
    try:
        begun = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
    return int(begun.timestamp()) * 1000 + milliseconds
