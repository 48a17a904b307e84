"""Reasons besides secrets not to record a file as it is: conflict markers, broken JSON, half a record, binary data."""

from __future__ import annotations

import json
import posixpath
import re

APPEND_SUFFIXES = frozenset({b".jsonl", b".ndjson", b".log"})
_LINE_SUFFIXES = frozenset({b".jsonl", b".ndjson"})
_VALUE_SUFFIXES = frozenset({b".json", b".canvas"})

# As git's merge writes them: seven characters at the line start, then a blank and a label or the line's end.
_OURS = re.compile(rb"<{7}(?: |\r?$)")
_BASE = re.compile(rb"\|{7}(?: |\r?$)")
_MIDDLE = re.compile(rb"={7}\r?$")
_THEIRS = re.compile(rb">{7}(?: |\r?$)")
_SNIFFED = 8000  # git looks for a NUL in as many bytes (buffer_is_binary in xdiff-interface.c)


def conflict_markers(data: bytes) -> int | None:
    """The 1-based line of the first conflict that git left in a file, or None.

    A conflict is all three markers in their order: `<<<<<<<`, `=======`, `>>>>>>>` (with `|||||||` between the first
    two in diff3 style). An underline of `=======`, a quoted or indented marker, or one that stands alone is text: a
    note about conflicts must be recordable, and git's own leftovers are always whole. For the same reason fences are
    not looked at: a whole conflict at the line starts of a fence is more often a real one than a lesson.
    """
    if b"<<<<<<<" not in data or b">>>>>>>" not in data:
        return None
    first: int | None = None
    parted = False
    for number, line in enumerate(data.split(b"\n"), 1):
        if _OURS.match(line):
            first, parted = number, False
        elif first is not None and _MIDDLE.match(line):
            parted = True
        elif first is not None and parted and _THEIRS.match(line):
            return first
        elif parted and _BASE.match(line):
            first, parted = None, False
    return None


def still_parses(old: bytes, new: bytes, path: bytes) -> bool:
    """False when a JSON file that used to parse no longer does.

    `.json` and `.canvas` are one value; in `.jsonl` and `.ndjson` each line is, and blank ones are skipped. A file that
    did not parse before, or that no suffix calls JSON, may hold anything; an empty file never parsed. A last line
    without a newline is judged by complete_prefix, not here.
    """
    return not old.strip() or broken_line(old, path) is not None or broken_line(new, path) is None


def broken_line(data: bytes, path: bytes) -> int | None:
    """The 1-based line at which a JSON or JSONL file stops making sense; None for a sound one and for other kinds."""
    suffix = _suffix(path)
    if suffix in _VALUE_SUFFIXES:
        return _json_error(data)
    if suffix in _LINE_SUFFIXES:
        return _lines_error(data)
    return None


def complete_prefix(data: bytes, path: bytes) -> bytes:
    """The part of an append-style file that surely is complete; any other file as it is.

    A writer appends a record and its newline in one go or in two, so what ends in a newline is complete. A last line
    without one is left for the next capture, with one exception: in `.jsonl` and `.ndjson` an object or array that
    parses closes itself, so it can't be half written. A bare number, string or word could (`12` of `123`), and so could
    any line of a log.
    """
    if _suffix(path) not in APPEND_SUFFIXES or not data or data.endswith(b"\n"):
        return data
    cut = data.rfind(b"\n") + 1
    last = data[cut:].strip()
    if _suffix(path) in _LINE_SUFFIXES and last[:1] in (b"{", b"[") and _json_error(last) is None:
        return data
    return data[:cut]


def is_binary(data: bytes) -> bool:
    """Would git call this binary: is there a NUL near its beginning? UTF-16 text counts, as it does for git."""
    return b"\0" in data[:_SNIFFED]


def _suffix(path: bytes) -> bytes:
    return posixpath.splitext(path)[1].lower()


def _json_error(data: bytes) -> int | None:
    """The 1-based line of the first mistake."""
    try:
        json.loads(data.decode("utf-8-sig"))
    except json.JSONDecodeError as error:
        return error.lineno
    except UnicodeDecodeError as error:
        return data.count(b"\n", 0, error.start) + 1
    except (ValueError, RecursionError):
        return 1  # a number too long, or nested too deep, for the parser: not readable for an agent either
    return None


def _lines_error(data: bytes) -> int | None:
    lines = data.split(b"\n")
    for number, line in enumerate(lines, 1):
        if line.strip() and number < len(lines) and _json_error(line):
            return number
    return None
