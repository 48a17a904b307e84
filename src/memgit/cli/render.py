"""Showing results: plain text for people on standard output, JSON for programs."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Sequence
from enum import Enum

from memgit.core.values import fields, is_dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from memgit.core.operations import Operation

SCHEMA = 1


def emit_json(value: Any) -> None:
    """Print a report with the schema number on top. Ids and paths become text, enums their names."""
    print(json.dumps({"schema": SCHEMA, **_plain(value)}, indent=2, ensure_ascii=False))


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Enum):
        return value.name.lower()
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {_plain(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def say(text: str = "") -> None:
    """A line of the result. Bytes that are no text are shown escaped."""
    print(text.encode("utf-8", "backslashreplace").decode())


def note(text: str) -> None:
    """A line beside the result, on standard error."""
    print(text.encode("utf-8", "backslashreplace").decode(), file=sys.stderr)


def table(rows: Iterable[Sequence[str]], head: Sequence[str], *, right: Sequence[int] = ()) -> None:
    """Rows in columns as wide as their widest cell. right: columns set flush right."""
    cells = [list(head), *[list(row) for row in rows]]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    for row in cells:
        line = "  ".join(
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        say(line.rstrip())


def plural(count: int, noun: str) -> str:
    """1 commit, 2 commits."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def short(oid: bytes | None) -> str:
    """An id as people read it."""
    return oid.decode()[:10] if oid else "-"


def operation(made: Operation, *, is_undone: bool) -> str:
    """A line of the operation log."""
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(made.time_s))
    return f"{short(made.oid)}  {when}  {made.summary}{'  (taken back)' if is_undone else ''}"


def shell_word(path: bytes) -> str:
    """A path as one word of a command to copy. What a terminal would obey is written as bash and zsh read it."""
    import shlex

    text = path.decode("utf-8", "surrogateescape")
    if text.isprintable():
        return shlex.quote(text)
    return "$'" + "".join(_escaped(char) for char in text) + "'"


def _escaped(char: str) -> str:
    if char.isprintable() and char not in "\\'":
        return char
    return "".join(f"\\{byte:03o}" for byte in char.encode("utf-8", "surrogateescape"))
