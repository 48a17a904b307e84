"""A file as lines plus the properties that belong to the file and not to any line.

Line ending, byte order mark and final newline are merged three-way on their own, so that an editor
which changes one of them on one machine never makes every line differ from the other machine's.
"""

from __future__ import annotations

BOM = b"\xef\xbb\xbf"


class Text:
    """Lines without terminators, and how the file ends, begins and breaks its lines."""

    __slots__ = ("bom", "crlf", "final_newline", "lines")

    def __init__(self, lines: list[bytes], bom: bool, crlf: bool, final_newline: bool) -> None:
        self.lines = lines
        self.bom = bom
        self.crlf = crlf
        self.final_newline = final_newline

    def with_lines(self, lines: list[bytes]) -> Text:
        """The same file properties around other lines."""
        return Text(lines, self.bom, self.crlf, self.final_newline)

    def encode(self) -> bytes:
        """The bytes of the file."""
        ending = b"\r\n" if self.crlf else b"\n"
        body = ending.join(self.lines)
        if self.lines and self.final_newline:
            body += ending
        return BOM + body if self.bom else body


def ends_lines_with_crlf(data: bytes) -> bool:
    """True if every terminated line ends in CR LF, and there is one."""
    count = data.count(b"\n")
    return count > 0 and data.count(b"\r\n") == count


def is_mixed(data: bytes) -> bool:
    """True if CR LF and bare LF both end lines; such a file keeps its CRs as part of the lines."""
    return 0 < data.count(b"\r\n") < data.count(b"\n")


def read(data: bytes, keep_cr: bool = False) -> Text:
    """Split a file; `keep_cr` leaves carriage returns in the lines (for files with mixed endings)."""
    bom = data.startswith(BOM)
    if bom:
        data = data[len(BOM) :]
    crlf = not keep_cr and ends_lines_with_crlf(data)
    lines = data.split(b"\r\n" if crlf else b"\n")
    final_newline = not lines[-1]
    if final_newline:
        lines.pop()
    return Text(lines, bom, crlf, final_newline)


def merge_properties(base: Text, one: Text, two: Text) -> Text:
    """An empty text with the three-way merged properties; symmetric in `one` and `two`.

    An empty file has no say about its final newline or line ending, so with an empty base two sides
    that differ get the common form: LF, no BOM, a newline at the end.
    """
    if not base.lines:
        return Text([], one.bom and two.bom, one.crlf and two.crlf, one.final_newline or two.final_newline)
    sides = [side for side in (one, two) if side.lines]
    return Text(
        [],
        _three_way(base.bom, [side.bom for side in (one, two)]),
        _three_way(base.crlf, [side.crlf for side in sides]),
        _three_way(base.final_newline, [side.final_newline for side in sides]),
    )


def _three_way(base: bool, sides: list[bool]) -> bool:
    return (not base) if any(side != base for side in sides) else base


def share(base: list[bytes], *others: list[bytes]) -> list[list[bytes]]:
    """The lists with equal lines being one object: comparing becomes an identity test, memory is shared."""
    seen: dict[bytes, bytes] = {}
    canonical = seen.setdefault
    return [list(map(canonical, lines, lines)) for lines in (base, *others)]
