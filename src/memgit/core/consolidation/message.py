"""The message of a consolidated commit: what a window's auto-commits added up to."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from memgit.core import trees as tree_changes
from memgit.core.objects import Oid
from memgit.core.settings import DEFAULT_SUBJECT
from memgit.core.trailers import parse as parse_trailers
from memgit.core.trees import Entry, Trees, is_gitlink, oid_of
from memgit.core.values import dataclass

ReadLimited = Callable[[Iterable[Oid], int], Iterator[bytes | None]]

FILES_LISTED = 20
_LINES_COUNTED_UP_TO = 4 << 20  # bytes of a file; a larger one is named without counts
_ID, _COUNT = re.compile(rb"[0-9a-f]{40}"), re.compile(rb"[1-9][0-9]{0,8}")
_HEADING = re.compile(rb"^#{1,6}[ \t]+(.+?)[ \t#]*$")
_MARKDOWN = (b".md", b".markdown", b".mdx")
_BULLET = re.compile(rb"^[ \t]*(?:[-*+]|\d+[.)])[ \t]+\S")


@dataclass(frozen=True, slots=True)
class FileChange:
    """What a window did to one file. Counts are lines; None where they were not counted."""

    path: bytes
    verb: str  # "new", "deleted", "changed"
    added: int | None
    deleted: int | None
    headings: tuple[bytes, ...]  # new ones, in file order
    bullets: int  # new list items


@dataclass(frozen=True, slots=True)
class Sources:
    """The raw commits that a consolidated commit stands for."""

    window: str
    count: int
    first: Oid
    last: Oid


def compose(sources: Sources, files: tuple[FileChange, ...] | None, subject: str = DEFAULT_SUBJECT) -> bytes:
    """The whole message, UTF-8, ending in a newline; a function of its arguments alone.

    files: None leaves files and lines out. subject: a template with {window}, {commits}, {files}, {lines}.
    """
    values = {"window": sources.window, "commits": _plural(sources.count, "auto-commit"), "files": "", "lines": ""}
    body: list[bytes] = []
    if files is not None:
        values["files"] = f", {_plural(len(files), 'file')}"
        if any(file.added is not None for file in files):
            values["lines"] = f" (+{sum(f.added or 0 for f in files)} -{sum(f.deleted or 0 for f in files)})"
        body = [_line(file) for file in files[:FILES_LISTED]]
        if len(files) > FILES_LISTED:
            body.append(b"and %d more" % (len(files) - FILES_LISTED))
    head = " ".join(subject.format(**values).split())
    trailers = [
        b"Memgit-Window: " + sources.window.encode(),
        b"Memgit-Squashed: %d" % sources.count,
        b"Memgit-Sources: %s..%s" % (sources.first, sources.last),
    ]
    parts = [head.encode(), *([b"\n".join(body)] if body else []), b"\n".join(trailers)]
    return b"\n\n".join(parts) + b"\n"


def earlier_sources(oid: Oid, message: bytes) -> tuple[Oid, int]:
    """The oldest raw source and the number of sources a consolidated commit cites; itself and 1 for any other.

    message: as git shows it, indented or not.
    """
    plain = b"\n".join(line.removeprefix(b"    ") for line in message.split(b"\n"))
    trailers = dict(parse_trailers(plain))
    first = trailers.get(b"Memgit-Sources", b"").partition(b"..")[0]
    count = trailers.get(b"Memgit-Squashed", b"")
    if _ID.fullmatch(first) and _COUNT.fullmatch(count):
        return first, int(count)
    return oid, 1


def describe(
    trees: Trees, pairs: Sequence[tuple[Oid, Oid]], read_limited: ReadLimited, is_memory: Callable[[bytes], bool]
) -> Iterator[tuple[FileChange, ...]]:
    """For each pair of trees what changed between them, memory files first, each in byte order of the paths.

    read_limited: raw contents in order, None for one that is larger than the limit given. is_memory: asked for paths;
    lines are counted in memory only, what else a mixed commit holds is named.
    """
    trees.fetch_changed(pairs)
    found = [list(tree_changes.changes(trees, before, after)) for before, after in pairs]
    memory = [[change for change in files if is_memory(change[0])] for files in found]
    contents = _Contents((side for files in memory for _, *sides in files for side in sides), read_limited)
    for files, counted in zip(found, memory, strict=True):
        others = [change for change in files if not is_memory(change[0])]
        yield (
            *(_file_change(path, was, now, contents) for path, was, now in counted),
            *(_uncounted(path, was, now) for path, was, now in others),
        )


class _Contents:
    """The contents of entries, each read once and held until it was asked for as often as it stands in the list.

    What one window leaves is what the next one starts from, so half of the reads fall away.
    """

    def __init__(self, entries: Iterable[Entry | None], read_limited: ReadLimited) -> None:
        self._uses: dict[Oid, int] = {}
        for entry in entries:
            if entry is not None and not is_gitlink(entry):
                oid = oid_of(entry)
                self._uses[oid] = self._uses.get(oid, 0) + 1
        self._held: dict[Oid, bytes | None] = {}
        self._unread = read_limited(list(self._uses), _LINES_COUNTED_UP_TO)

    def take(self, entry: Entry | None) -> bytes | None:
        """The content in the order of the list; empty for no entry, None for one too large to count."""
        if entry is None:
            return b""
        oid = oid_of(entry)
        content = self._held.pop(oid) if oid in self._held else next(self._unread)
        self._uses[oid] -= 1
        if self._uses[oid]:
            self._held[oid] = content
        return content


def count_lines(old: bytes, new: bytes) -> tuple[list[bytes], list[bytes]]:
    """Lines added and lines removed, each in file order; a line that only moved is neither."""
    if new.startswith(old) and (not old or old.endswith(b"\n")):
        return new[len(old) :].splitlines(), []
    shortest = min(len(old), len(new))
    start = old.rfind(b"\n", 0, _alike(shortest, lambda low, high: old[low:high] == new[low:high])) + 1
    size, more = len(old), len(new) - len(old)
    end = _alike(
        shortest - start,
        lambda low, high: old[size - high : size - low] == new[size + more - high : size + more - low],
    )
    end = size - (old.find(b"\n", size - end) + 1 or size)  # a line that is alike in its end only stays in
    was, now = old[start : size - end].splitlines(), new[start : size + more - end].splitlines()
    left: dict[bytes, int] = {}
    for line in was:
        left[line] = left.get(line, 0) + 1
    added = []
    for line in now:
        if left.get(line):
            left[line] -= 1
        else:
            added.append(line)
    removed = []
    for line in reversed(was):
        if left[line]:
            left[line] -= 1
            removed.append(line)
    removed.reverse()
    return added, removed


def _alike(limit: int, are_alike: Callable[[int, int], bool]) -> int:
    """How far two files are alike, `limit` bytes at most. are_alike: asked for stretches of them."""
    low, high = 0, limit
    while low < high:
        middle = (low + high + 1) // 2
        if are_alike(low, middle):
            low = middle
        else:
            high = middle - 1
    return low


def _file_change(path: bytes, was: Entry | None, now: Entry | None, contents: _Contents) -> FileChange:
    uncounted = _uncounted(path, was, now)
    if any(entry is not None and is_gitlink(entry) for entry in (was, now)):
        return uncounted
    old, new = contents.take(was), contents.take(now)
    if old is None or new is None or b"\0" in old[:8000] or b"\0" in new[:8000]:
        return uncounted
    added, removed = count_lines(old, new)
    prose = added if path.lower().endswith(_MARKDOWN) else []
    headings = tuple(found[1] for line in prose if line[:1] == b"#" and (found := _HEADING.match(line)))
    bullets = sum(1 for line in prose if _BULLET.match(line))
    return FileChange(path, uncounted.verb, len(added), len(removed), headings, bullets)


def _uncounted(path: bytes, was: Entry | None, now: Entry | None) -> FileChange:
    return FileChange(path, "new" if was is None else "deleted" if now is None else "changed", None, None, (), 0)


def _line(file: FileChange) -> bytes:
    path = file.path if file.path.isascii() and file.path.decode().isprintable() else _quote(file.path)
    parts = []
    if file.verb != "changed":
        parts.append(file.verb)
    if file.added is not None:
        parts.append(f"+{file.added} -{file.deleted}")
    if file.bullets:
        parts.append(_plural(file.bullets, "bullet"))
    line = path + b": " + ", ".join(parts or [file.verb]).encode()
    shown = [_clip(heading) for heading in file.headings[:4]]
    if shown:
        line += b"; " + b", ".join(b'"' + heading + b'"' for heading in shown)
        if len(file.headings) > len(shown):
            line += b", ..."
    return line


def _clip(heading: bytes) -> bytes:
    text = heading.decode("utf-8", "replace")
    text = "".join(char if char.isprintable() else " " for char in text)
    return (text if len(text) <= 60 else text[:57] + "...").encode()


def _quote(path: bytes) -> bytes:
    """A path in one line of UTF-8: bytes that are none are shown as git quotes them."""
    text = path.decode("utf-8", "surrogateescape")
    out = [
        char
        if char.isprintable()
        else f"\\{ord(char) - 0xDC00:03o}"
        if "\udc80" <= char <= "\udcff"
        else "".join(f"\\{byte:03o}" for byte in char.encode())
        for char in text
    ]
    return "".join(out).encode()


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
