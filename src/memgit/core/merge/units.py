"""An inserted run of lines as the units people think in: sections, entries, rounds, items, rows, paragraphs."""

from __future__ import annotations

from memgit.core.merge import shapes
from memgit.core.merge.times import leading_time

_DIGITS = bytes.maketrans(b"123456789", b"0" * 9)


class Unit:
    """One unit with everything that belongs to it: body without outer blank lines, and the blanks after it."""

    __slots__ = ("blanks", "identity", "kind", "lines")

    def __init__(self, lines: list[bytes], blanks: int, kind: str) -> None:
        self.lines = lines
        self.blanks = blanks  # blank lines between this unit and the next one of its run
        self.kind = kind  # section, entry, round, item, row, record or text
        # Equal for units that differ only in blank lines, trailing blanks and the rules around them.
        texts = [line.rstrip() for line in lines if line.strip()]
        first, end = 0, len(texts)
        while first + 1 < end and shapes.is_rule(texts[first]):
            first += 1
        while first + 1 < end and shapes.is_rule(texts[end - 1]):
            end -= 1
        self.identity = tuple(texts[first:end])

    @property
    def head(self) -> bytes:
        """The line that names the unit: the first that is neither blank nor a rule."""
        for line in self.lines:
            if line.strip() and not shapes.is_rule(line):
                return line
        return self.lines[0]


def trim(lines: list[bytes]) -> tuple[int, int]:
    """(first, end) of the lines without the blank ones around them; (0, 0) if there are only blank ones."""
    first, end = 0, len(lines)
    while first < end and not lines[first].strip():
        first += 1
    if first == end:
        return 0, 0
    while not lines[end - 1].strip():
        end -= 1
    return first, end


def form(line: bytes) -> bytes:
    """A line without its trailing blanks and whatever its numbers are."""
    text = line.rstrip().translate(_DIGITS)
    while b"00" in text:
        text = text.replace(b"00", b"0")
    return text


def split(lines: list[bytes], refrain: bytes = b"") -> list[Unit]:
    """The units of a run, in order; together they hold every line except the blank ones at both ends.

    refrain: the form of a line that is no heading and begins a round each time it comes.
    """
    first, end = trim(lines)
    lines = lines[first:end]
    if not lines:
        return []
    if refrain:
        starts, kind = [i for i, line in enumerate(lines) if form(line) == refrain], "round"
    else:
        starts, kind = _starts(lines)
    if not starts or starts[0] != 0:
        starts.insert(0, 0)
    units: list[Unit] = []
    for lo, hi in zip(starts, [*starts[1:], len(lines)], strict=True):
        part = lines[lo:hi]
        end = len(part)
        while end > 1 and not part[end - 1].strip():
            end -= 1
        if kind == "section" and lo == 0 and not _begins_section(part):
            units.extend(split(part[:end]))  # lines in front of the first heading are units of their own
            units[-1].blanks = len(part) - end
            continue
        unit = Unit(part[:end], len(part) - end, kind)
        unit.kind = kind or _kind(unit.head)
        units.append(unit)
    return units


def _begins_section(part: list[bytes]) -> bool:
    for line in part:
        if line.strip() and not shapes.is_rule(line):
            return shapes.heading_level(line) > 0
    return False


def _kind(line: bytes) -> str:
    if shapes.is_row(line):
        return "row"
    if shapes.is_record(line):
        return "record"
    return "item" if shapes.bullet(line) else "text"


def _starts(lines: list[bytes]) -> tuple[list[int], str]:
    """Where units begin, and their kind if they are all of one."""
    inside = shapes.fenced(lines)
    levels = [0 if inside[i] else shapes.heading_level(line) for i, line in enumerate(lines)]
    top = min((level for level in levels if level), default=0)
    if top:
        starts = [i for i, level in enumerate(levels) if level == top]
        return _with_rules(lines, starts), "section"
    time = leading_time(lines[0])
    if time is not None and not shapes.bullet(lines[0]) and not shapes.is_row(lines[0]):
        return [i for i, line in enumerate(lines) if not inside[i] and _same_kind(time, line)], "entry"
    outer = min((shapes.indent(line) for i, line in enumerate(lines) if line.strip() and not inside[i]), default=0)
    starts = []
    blank = True
    row = False
    leads = shapes.is_rule(lines[0])  # rules stand in front of entries here, not behind them
    ruled = False
    for i, line in enumerate(lines):
        if not line.strip():
            blank = True
            continue
        continues = inside[i] and i > 0 and inside[i - 1]
        is_row = not inside[i] and shapes.is_row(line)
        is_rule = blank and not inside[i] and shapes.is_rule(line)
        if continues or (ruled and leads):
            new = False
        elif is_rule:
            new = leads
        elif not inside[i] and shapes.bullet(line) and (blank or line.strip() != b"-"):  # else an underline
            new = shapes.indent(line) <= outer
        else:
            new = is_row or row or shapes.is_record(line) or (blank and shapes.indent(line) <= outer)
        if new:
            starts.append(i)
        row, ruled, blank = is_row, is_rule, False
    return starts, ""


def _same_kind(time: tuple[str, object], line: bytes) -> bool:
    other = leading_time(line)
    return other is not None and other[0] == time[0]


def _with_rules(lines: list[bytes], starts: list[int]) -> list[int]:
    """Move a start up over a rule in front of its heading, if the run begins with one: there rules lead."""
    if not shapes.is_rule(lines[0]):
        return starts
    out = []
    floor = 0
    for start in starts:
        i = start
        while i > floor and not lines[i - 1].strip():
            i -= 1
        out.append(i - 1 if i > floor and shapes.is_rule(lines[i - 1]) else start)
        floor = start + 1
    return out
