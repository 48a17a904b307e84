"""Durations and sizes as people write them: `90d`, `1h30m`, `1MiB`."""

from __future__ import annotations

import re
from itertools import pairwise

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_BYTES = {"": 1, "b": 1}
for _power, _letter in enumerate("kmgt", start=1):
    _BYTES |= {_letter: 1024**_power, f"{_letter}ib": 1024**_power, f"{_letter}b": 1000**_power}
_LIMIT = 2**63 - 1  # what git and SQLite can hold; more is a slip of the finger


def duration_s(text: str) -> int:
    """Seconds in a duration such as `90d`, `1h30m` or `0s`. Raises ValueError if it is none.

    Units: s, m (minutes), h, d (24 hours), w; each at most once, the largest first. A bare number has no unit and is
    refused: whether seconds or days were meant can't be seen.
    """
    parts = re.findall(r"([0-9]{1,18})([a-z])", text)
    sizes = [_SECONDS.get(unit, 0) for _, unit in parts]
    ordered = all(larger > smaller for larger, smaller in pairwise(sizes))
    if not parts or "".join(number + unit for number, unit in parts) != text or 0 in sizes or not ordered:
        raise ValueError("a duration such as 90d, 12h, 1h30m or 45s")
    return _bounded(sum(int(number) * size for (number, _), size in zip(parts, sizes, strict=True)))


def format_duration(seconds: int) -> str:
    """The shortest exact form that `duration_s` reads back. seconds: not negative."""
    parts = []
    for unit in ("w", "d", "h", "m", "s"):
        count, rest = divmod(seconds, _SECONDS[unit])
        if unit == "w" and rest:  # 90d reads better than 12w6d
            continue
        if count:
            parts.append(f"{count}{unit}")
        seconds = rest
    return "".join(parts) or "0s"


def size_bytes(text: str) -> int:
    """Bytes in a size such as `1MiB`, `500kB`, `10M` or `4096`. Raises ValueError if it is none.

    Case does not matter. KiB, MiB, GiB, TiB and the bare letters are powers of 1024, as in git; kB, MB, GB, TB of 1000.
    """
    match = re.fullmatch(r"([0-9]{1,20}) ?([A-Za-z]*)", text)
    unit = _BYTES.get(match[2].lower()) if match else None
    if match is None or unit is None:
        raise ValueError("a size such as 1MiB, 500kB or 4096")
    return _bounded(int(match[1]) * unit)


def format_size(size: int) -> str:
    """The shortest exact form that `size_bytes` reads back. size: not negative."""
    for unit, letter in ((1024**4, "TiB"), (1024**3, "GiB"), (1024**2, "MiB"), (1024, "KiB")):
        if size and size % unit == 0:
            return f"{size // unit}{letter}"
    return f"{size}B"


def _bounded(value: int) -> int:
    if value > _LIMIT:
        raise ValueError("a smaller value")
    return value
