"""Entries that both sides added, at different places: each side's text with such an entry at one place only.

The gap model joins what meets in one gap. An entry that stands elsewhere on the other side is first taken
to that place, or left out where the other side has all of it; the merge then sees one gap.
"""

from __future__ import annotations

from memgit.core.merge import shapes
from memgit.core.merge.check import significant
from memgit.core.merge.regions import Hunk
from memgit.core.merge.units import Unit, split, trim

Lines = list[bytes]

_FEW_OWNERS = 8  # units looked at for one line; a line of more is no name
_NO_LEVEL = 7  # below every heading


class _Added:
    """A unit that a side added, where it stands in that side, and its hunk."""

    __slots__ = ("end", "hunk", "parent", "start", "tail", "unit")

    def __init__(self, unit: Unit, start: int, end: int, tail: int, hunk: Hunk, parent: bytes) -> None:
        self.unit = unit
        self.start = start  # with the blank lines that belong to it
        self.end = end
        self.tail = tail  # blank lines below it in its run
        self.hunk = hunk
        self.parent = parent  # the heading above it, nothing at the top of the file

    @property
    def size(self) -> int:
        return len(self.unit.identity)


def at_one_place(one: Lines, two: Lines, hunks_one: list[Hunk], hunks_two: list[Hunk]) -> tuple[Lines, Lines] | None:
    """Both sides with what both added standing at one place, or None if nothing is to be moved.

    The place of the longer unit counts; of two equal ones that of the lower. Symmetric.
    """
    xs, ys = _added(one, hunks_one), _added(two, hunks_two)
    by_line_x, by_line_y = _by_line(xs), _by_line(ys)
    leave_one: list[_Added] = []
    leave_two: list[_Added] = []
    bring_one: list[tuple[_Added, _Added]] = []
    bring_two: list[tuple[_Added, _Added]] = []
    for x in xs:
        y = _counterpart(x, by_line_y)
        if y is None or not significant(x.unit.head.rstrip()):
            continue
        x_stays = (x.size, x.hunk[0]) > (y.size, y.hunk[0])
        small, large = (y, x) if x_stays else (x, y)
        if _holds(large, small):
            (leave_two if x_stays else leave_one).append(small)
        elif _are_one_section(x, y):
            (leave_two if x_stays else leave_one).append(small)
            (bring_two if x_stays else bring_one).append((small, large))
    # What the other side has inside a longer unit is found from that side.
    known = {id(y) for y in (*leave_two, *(large for _, large in bring_one))}
    for y in ys:
        other = _counterpart(y, by_line_x)
        if id(y) not in known and other is not None and other.size > y.size and _holds(other, y):
            leave_two.append(y)
    if not leave_one and not leave_two:
        return None
    return _changed(one, hunks_one, leave_one, bring_one), _changed(two, hunks_two, leave_two, bring_two)


def _by_line(units: list[_Added]) -> dict[bytes, list[_Added]]:
    found: dict[bytes, list[_Added]] = {}
    for unit in units:
        for line in dict.fromkeys(unit.unit.identity):
            found.setdefault(line, []).append(unit)
    return found


def _counterpart(unit: _Added, by_line: dict[bytes, list[_Added]]) -> _Added | None:
    """The one unit of the other side that stands elsewhere and has this one's first line."""
    others = [other for other in by_line.get(unit.unit.head.rstrip(), [])[:_FEW_OWNERS] if _stand_apart(unit, other)]
    return others[0] if len(others) == 1 else None


def _added(side: Lines, hunks: list[Hunk]) -> list[_Added]:
    found: list[_Added] = []
    above: list[tuple[int, bytes]] = []  # the headings that the line in question stands under
    at = 0
    for hunk in hunks:
        _, _, s1, s2 = hunk
        first, end = trim(side[s1:s2])
        units = split(side[s1:s2])
        start = s1 + first
        for n, unit in enumerate(units):
            for line in side[at:start]:
                _descend(above, line)
            at = start
            stop = start + len(unit.lines)
            last = n + 1 == len(units)
            tail = s2 - s1 - end if last else unit.blanks
            lo, hi = (s1, s2) if len(units) == 1 else (start, stop + (0 if last else unit.blanks))
            level = shapes.heading_level(unit.head) or _NO_LEVEL
            parent = next((line for depth, line in reversed(above) if depth < level), b"")
            if not last and not unit.blanks and unit.kind == "text" != units[n + 1].kind:
                start = stop  # the label of the list below it, which is nothing without that
                continue
            found.append(_Added(unit, lo, hi, tail, hunk, parent))
            start = stop + unit.blanks
    return found


def _descend(above: list[tuple[int, bytes]], line: bytes) -> None:
    level = shapes.heading_level(line)
    if level:
        while above and above[-1][0] >= level:
            above.pop()
        above.append((level, line.rstrip()))


def _stand_apart(x: _Added, y: _Added) -> bool:
    """False for units that the gap model compares: those of one place, unless one is inside the other."""
    return x.hunk[:2] != y.hunk[:2] or x.unit.head.rstrip() != y.unit.head.rstrip()


def _holds(large: _Added, small: _Added) -> bool:
    """True if the large unit has all of the small one in a row, as a new section or under the same heading."""
    whole, part = large.unit.identity, small.unit.identity
    at = whole.index(part[0]) if part[0] in whole else len(whole)
    if whole[at : at + len(part)] != part:
        return False
    inside = large.unit.kind == "section" and len(whole) > len(part)
    return inside or large.parent == small.parent or not large.parent or not small.parent


def _are_one_section(x: _Added, y: _Added) -> bool:
    return (
        x.unit.kind == y.unit.kind == "section"
        and x.unit.head.rstrip() == y.unit.head.rstrip()
        and x.parent == y.parent
    )


def _changed(side: Lines, hunks: list[Hunk], leave: list[_Added], bring: list[tuple[_Added, _Added]]) -> Lines:
    edits: list[tuple[int, int, Lines]] = [(unit.start, unit.end, []) for unit in leave]
    for unit, place in bring:
        at = _position(hunks, place.hunk)
        if at is None:
            return side
        edits.append((at, at, [*unit.unit.lines, *([b""] * place.tail)]))
    out: Lines = []
    done = 0
    for start, end, lines in sorted(edits):
        if start < done:
            return side
        out += side[done:start]
        out += lines
        done = end
    return out + side[done:]


def _position(hunks: list[Hunk], place: Hunk) -> int | None:
    """Where in this side the gap is that the other side's hunk filled."""
    for line, after in ((place[0] - 1, 1), (place[1], 0)):
        shift = 0
        for o1, o2, s1, s2 in hunks:
            if o1 <= line < o2:
                break
            if o1 > line:
                return line + shift + after
            shift += (s2 - s1) - (o2 - o1)
        else:
            return line + shift + after
    return None
