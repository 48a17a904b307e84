"""Where in the base an insertion stands, and in which order new units go there."""

from __future__ import annotations

from itertools import pairwise

from memgit.core.merge import shapes
from memgit.core.merge.times import Key, leading_time, unit_key
from memgit.core.merge.units import Unit

_REACH = 160  # lines of the base looked at in each direction
_NO_LEVEL = 7  # below every heading
_TITLE = 4  # first lines of a round, of which one says when it was
_ENOUGH = 6  # neighbours that settle a direction


class Place:
    """The base around a gap: the lines above it, nearest last, and below it, nearest first."""

    __slots__ = ("above", "below", "ours_first", "recurring")

    def __init__(self, above: list[bytes], below: list[bytes], ours_first: bool | None) -> None:
        self.above = above
        self.below = below
        self.ours_first = ours_first  # None: an order that does not depend on the sides' names
        self.recurring = _recurring([*above, *below])  # lines of a form that is filled in again and again

    @classmethod
    def in_base(cls, base: list[bytes], at: int, ours_first: bool | None) -> Place:
        """The surroundings of the gap in front of base line `at`."""
        return cls(base[max(0, at - _REACH) : at], base[at : at + _REACH], ours_first)


def _recurring(lines: list[bytes]) -> set[bytes]:
    once: set[bytes] = set()
    again: set[bytes] = set()
    for line in lines:
        text = line.rstrip()
        (again if text in once else once).add(text)
    return again


def arrange(xs: list[Unit], ys: list[Unit], place: Place) -> tuple[list[Unit], str]:
    """The units of both sides in one order, and the rule that gave it; each side keeps its own order."""
    kx, ky = [key(u) for u in xs], [key(u) for u in ys]
    kinds = {k[0] if k else "" for k in (*kx, *ky)}
    if len(kinds) == 1 and "" not in kinds:
        down = _runs_down(xs, ys, kx, ky, place)
        if _monotone(kx, down) and _monotone(ky, down):
            return _merged(xs, ys, kx, ky, down), "by time, newest first" if down else "by time, oldest first"
    x, y = kx[0], ky[0]
    if x and y and x[0] == y[0] and x != y and _level(xs[0]) == _level(ys[0]):
        return _blocks(xs, ys, _before(x, y, _runs_down(xs, ys, kx, ky, place))), "whole blocks by their first time"
    top = min((_level(unit) for unit in (*xs, *ys)), default=_NO_LEVEL)
    (x_lead, xs), (y_lead, ys) = _lead(xs, top), _lead(ys, top)
    if x_lead or y_lead:
        above, how = arrange(x_lead, y_lead, place) if x_lead and y_lead else (x_lead or y_lead, "")
        below, then = arrange(xs, ys, place) if xs and ys else (xs or ys, "")
        reasons = [reason for reason in ("what continues the section above first", how, then) if reason]
        return above + below, ", ".join(reasons)
    names = _alphabetical(xs, ys, place)
    if names is not None:
        return names, "in alphabetical order"
    if place.ours_first is not None:
        return _blocks(xs, ys, place.ours_first), "ours first"
    if x and y:
        first, second = _comparable(x, y)
        if first != second:
            x_first = (first < second) != _runs_down(xs, ys, kx, ky, place)
            return _blocks(xs, ys, x_first), "whole blocks by their first time"
    return _blocks(xs, ys, _text(xs) <= _text(ys)), "whole blocks in content order"


def _level(unit: Unit) -> int:
    return shapes.heading_level(unit.head) if unit.kind == "section" else _NO_LEVEL


def _lead(units: list[Unit], top: int) -> tuple[list[Unit], list[Unit]]:
    """The units in front of the first one of the top level, and the rest; (none, all) if there is no level."""
    n = next((n for n, unit in enumerate(units) if _level(unit) == top), len(units))
    return units[:n], units[n:]


def key(unit: Unit) -> Key | None:
    """The time or version that orders a unit."""
    if unit.kind == "entry":
        return leading_time(unit.head)
    if unit.kind == "round":  # begins with the same line each time
        keys = (unit_key(line, "text") for line in unit.lines[:_TITLE])
        return next((found for found in keys if found), None)
    return unit_key(unit.head, unit.kind)


def _text(units: list[Unit]) -> bytes:
    return b"\n".join(line for unit in units for line in unit.lines)


def _blocks(xs: list[Unit], ys: list[Unit], x_first: bool) -> list[Unit]:
    return xs + ys if x_first else ys + xs


def _before(x: Key | None, y: Key | None, down: bool) -> bool:
    return bool(x and y and ((x[1] > y[1]) if down else (x[1] < y[1])))


def _comparable(x: Key, y: Key) -> tuple[tuple[object, ...], tuple[object, ...]]:
    """Values of two keys cut to what both have; equal if they can't be compared."""
    days = ("date", "date-time", "date-part")
    if x[0] == y[0]:
        return x[1], y[1]
    if x[0] in days and y[0] in days:
        return x[1][:3], y[1][:3]
    return (), ()


def _monotone(keys: list[Key | None], down: bool) -> bool:
    values = [k[1] for k in keys if k]
    return all((a >= b) if down else (a <= b) for a, b in pairwise(values))


def _merged(xs: list[Unit], ys: list[Unit], kx: list[Key | None], ky: list[Key | None], down: bool) -> list[Unit]:
    out: list[Unit] = []
    i = j = 0
    while i < len(xs) and j < len(ys):
        # What one machine wrote at one time stays together.
        end_x, end_y = _end_of(kx, i), _end_of(ky, j)
        if kx[i] == ky[j]:
            x_first = _text(xs[i:end_x]) <= _text(ys[j:end_y])
        else:
            x_first = _before(kx[i], ky[j], down)
        if x_first:
            out += xs[i:end_x]
            i = end_x
        else:
            out += ys[j:end_y]
            j = end_y
    return out + xs[i:] + ys[j:]


def _end_of(keys: list[Key | None], start: int) -> int:
    end = start + 1
    while end < len(keys) and keys[end] == keys[start]:
        end += 1
    return end


def _runs_down(xs: list[Unit], ys: list[Unit], kx: list[Key | None], ky: list[Key | None], place: Place) -> bool:
    """True if newer stands above older here: in the base around, else inside the blocks, else by the place."""
    first = kx[0] or ky[0]
    kind = first[0] if first else ""
    above = _neighbour_keys(reversed(place.above), xs[0], kind)
    below = _neighbour_keys(place.below, xs[0], kind)
    above.reverse()
    trend = _trend(above) + _trend(below) + _trend([*above[-1:], *below[:1]])
    if not trend:
        trend = _trend(_of_kind(kx, kind)) + _trend(_of_kind(ky, kind))
    if not trend and (above or below):
        own = _of_kind([*kx, *ky], kind)
        trend = _trend([*above[-1:], min(own)]) + _trend([max(own), *below[:1]])
    if trend:
        return trend < 0
    rest = [line for line in place.below if line.strip()]
    over = [line for line in place.above if line.strip()]
    return bool(rest) and bool(over) and shapes.heading_level(over[-1]) > 0


def _of_kind(keys: list[Key | None], kind: str) -> list[tuple[object, ...]]:
    """The values of the keys of one kind; values of two kinds do not compare."""
    return [key[1] for key in keys if key and key[0] == kind]


def _trend(values: list[tuple[object, ...]]) -> int:
    return sum((a < b) - (a > b) for a, b in pairwise(values))


def _neighbour_keys(lines: object, unit: Unit, kind: str) -> list[tuple[object, ...]]:
    found = []
    for line in lines:  # type: ignore[attr-defined]
        if alike(unit, line):
            value = leading_time(line) if unit.kind == "entry" else unit_key(line, unit.kind)
            if value and value[0] == kind:
                found.append(value[1])
                if len(found) >= _ENOUGH:
                    break
    return found


def alike(unit: Unit, line: bytes) -> bool:
    """Could this line of the base begin a unit like that one?"""
    head = unit.head
    if unit.kind == "section":
        return shapes.heading_level(line) == shapes.heading_level(head) > 0
    if unit.kind == "item":
        return bool(shapes.bullet(line)) and shapes.indent(line) == shapes.indent(head)
    if unit.kind == "row":
        return shapes.is_row(line)
    if unit.kind == "record":
        return shapes.is_record(line)
    return bool(line.strip())


def _alphabetical(xs: list[Unit], ys: list[Unit], place: Place) -> list[Unit] | None:
    """Both sides merged by name, if the list they were put into is sorted by name; else None."""
    if any(unit.kind not in ("item", "row") for unit in (*xs, *ys)):
        return None
    near = _list_around(xs[0], place)
    names = [_name(line) for line in near]
    nx, ny = [_name(u.head) for u in xs], [_name(u.head) for u in ys]
    if len(names) < 4 or names != sorted(names) or nx != sorted(nx) or ny != sorted(ny):
        return None
    low, high = min(*nx, *ny), max(*nx, *ny)
    above = [_name(line) for line in _contiguous(reversed(place.above), xs[0])][:1]
    below = [_name(line) for line in _contiguous(place.below, xs[0])][:1]
    if (above and above[0] > low) or (below and below[0] < high):
        return None
    out: list[Unit] = []
    i = j = 0
    while i < len(xs) and j < len(ys):
        if (nx[i], _text([xs[i]])) <= (ny[j], _text([ys[j]])):
            out.append(xs[i])
            i += 1
        else:
            out.append(ys[j])
            j += 1
    return out + xs[i:] + ys[j:]


def _list_around(unit: Unit, place: Place) -> list[bytes]:
    above = _contiguous(reversed(place.above), unit)
    above.reverse()
    return above + _contiguous(place.below, unit)


def _contiguous(lines: object, unit: Unit) -> list[bytes]:
    out: list[bytes] = []
    for line in lines:  # type: ignore[attr-defined]
        if alike(unit, line) and not shapes.is_delimiter_row(line):
            out.append(line)
            if len(out) >= 2 * _ENOUGH:
                break
        elif not line.strip() or shapes.indent(line) <= shapes.indent(unit.head):
            break
    return out


def _name(line: bytes) -> bytes:
    return line[len(shapes.bullet(line)) :].strip(b" \t*_`[|").lower()
