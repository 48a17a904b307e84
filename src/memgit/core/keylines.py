"""On which line of a TOML text a key stands, for error messages. The parser does not say.

The text has been parsed before, so this only has to skip what it does not care about. Where it is not sure, it knows
no line rather than a wrong one.
"""

from __future__ import annotations

import re

Path = tuple[str | int, ...]  # ("consolidate", "window"), ("auto", 0, "subject")

_BLANK = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_KEY_PART = re.compile(r"""[ \t]*(?:([A-Za-z0-9_-]+)|"([^"\\\n]*)"|'([^'\n]*)')[ \t]*""")
_VALUE_PIECE = re.compile(
    r'"""(?:[^"\\]|\\.|"(?!""))*"{3,5}'
    r"|'''(?:[^']|'(?!''))*'{3,5}"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'[^'\n]*'"
    r"|\#[^\n]*"
    r"|[\[{]|[\]}]|\n|[^\"'\#\[\]{}\n]+",
    re.DOTALL,
)


def line_of(text: str, path: Path) -> int | None:
    """The line, counted from 1, of the key at `path`, or of the nearest key around it; None if unsure.

    Tables of a list are counted from 0.
    """
    lines = _lines(text)
    while path:
        if path in lines:
            return lines[path]
        path = path[:-1]
    return None


def _lines(text: str) -> dict[Path, int]:
    lines: dict[Path, int] = {}
    counts: dict[Path, int] = {}
    table: Path = ()
    at = _skip_blank(text, 0)
    while at < len(text):
        line = text.count("\n", 0, at) + 1
        opening = 2 if text.startswith("[[", at) else 1 if text[at] == "[" else 0
        parts, at = _key(text, at + opening)
        if parts is None:
            return {}
        if opening:
            if text[at : at + opening] != "]" * opening:
                return {}
            at += opening
            table = _within(counts, parts[:-1])
            last = (*table, parts[-1])
            if opening == 2:
                counts[last] = counts.get(last, 0) + 1
                lines.setdefault(last, line)
            table = _within(counts, parts)
            lines.setdefault(table, line)
        else:
            end = _value_end(text, at + 1) if text[at : at + 1] == "=" else None
            if end is None:
                return {}
            at = end
            for length in range(1, len(parts) + 1):
                lines.setdefault((*table, *parts[:length]), line)
        at = _skip_blank(text, at)
    return lines


def _within(counts: dict[Path, int], parts: tuple[str, ...]) -> Path:
    """The path that a header means: below a list of tables, its last table."""
    path: Path = ()
    for part in parts:
        path = (*path, part)
        if path in counts:
            path = (*path, counts[path] - 1)
    return path


def _skip_blank(text: str, at: int) -> int:
    match = _BLANK.match(text, at)
    return match.end() if match else at


def _key(text: str, at: int) -> tuple[tuple[str, ...] | None, int]:
    """A dotted key and where it ends; None for what can't be read, such as a key with escapes."""
    parts: list[str] = []
    while match := _KEY_PART.match(text, at):
        parts.append(next(part for part in match.groups() if part is not None))
        at = match.end()
        if text[at : at + 1] != ".":
            return tuple(parts), at
        at += 1
    return None, at


def _value_end(text: str, at: int) -> int | None:
    """Where the line ends on which the value that starts at `at` ends."""
    depth = 0
    while match := _VALUE_PIECE.match(text, at):
        piece = match[0]
        if piece == "\n" and not depth:
            return at
        depth += (piece in "[{") - (piece in "]}")
        at = match.end()
    return at if at == len(text) and not depth else None
