"""A patch as git writes it: which files it changes, and what becomes of their content.

Source: git-diff(1), "Generating patch text with -p".
"""

from __future__ import annotations

import re

from memgit.core.values import dataclass

_INDEX = re.compile(rb"index ([0-9a-f]+)\.\.([0-9a-f]+)")
_HUNK = re.compile(rb"@@ -(\d+)(?:,(\d+))? \+\d+(?:,(\d+))? @@")
_ESCAPE = re.compile(rb'\\([0-7]{3}|[abtnvfr"\\])')
_LETTERS = dict(zip(b'abtnvfr"\\', b'\a\b\t\n\v\f\r"\\', strict=True))


@dataclass(frozen=True, slots=True)
class Hunk:
    """A run of changes. start: lines of the old content in front of it. Lines are whole, with their line ends."""

    start: int
    before: tuple[bytes, ...]
    after: tuple[bytes, ...]
    added: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class PatchedFile:
    """A file that a patch changes. old, new: ids of its content, shortened."""

    path: bytes
    old: bytes
    new: bytes
    hunks: tuple[Hunk, ...]

    @property
    def added(self) -> tuple[bytes, ...]:
        """The lines that are new."""
        return tuple(line for hunk in self.hunks for line in hunk.added)

    def apply(self, old: bytes) -> bytes | None:
        """The new content; None if this is not the old one."""
        lines = _lines(old)
        made: list[bytes] = []
        at = 0
        for hunk in self.hunks:
            end = hunk.start + len(hunk.before)
            if hunk.start < at or tuple(lines[hunk.start : end]) != hunk.before:
                return None
            made += (*lines[at : hunk.start], *hunk.after)
            at = end
        return b"".join((*made, *lines[at:]))


def read(patch: bytes) -> tuple[PatchedFile, ...]:
    """Files whose text changes, in the order of the patch; those that come, go, or are binary are left out."""
    found: list[PatchedFile] = []
    old = new = b""
    lines = patch.split(b"\n")
    at = 0
    while at < len(lines):
        line = lines[at]
        at += 1
        if ids := _INDEX.match(line):
            old, new = ids.groups()
        elif line.startswith(b"--- ") and lines[at].startswith(b"+++ "):
            before, after = _name(line[4:], b"a/"), _name(lines[at][4:], b"b/")
            hunks, at = _hunks(lines, at + 1)
            if before and after:
                found.append(PatchedFile(after, old, new, hunks))
    return tuple(found)


def _hunks(lines: list[bytes], at: int) -> tuple[tuple[Hunk, ...], int]:
    """The hunks that start here, and where the next line is."""
    found = []
    while at < len(lines) and (head := _HUNK.match(lines[at])):
        first, count_old, count_new = (1 if number is None else int(number) for number in head.groups())
        before: list[bytes] = []
        after: list[bytes] = []
        added: list[bytes] = []
        at += 1
        while at < len(lines) and (len(before) < count_old or len(after) < count_new or lines[at][:1] == b"\\"):
            sign, text = lines[at][:1], lines[at][1:] + b"\n"
            for side in (before,) * (sign in b" -") + (after,) * (sign in b" +") + (added,) * (sign == b"+"):
                side.append(text)
            if at + 1 < len(lines) and lines[at + 1][:1] == b"\\":  # "\ No newline at end of file"
                for side in (before, after, added):
                    if side and side[-1] is text:
                        side[-1] = text[:-1]
            at += 1
        found.append(Hunk(first - 1 if count_old else first, tuple(before), tuple(after), tuple(added)))
    return tuple(found), at


def _lines(content: bytes) -> list[bytes]:
    *whole, rest = content.split(b"\n")
    return [line + b"\n" for line in whole] + [rest] * bool(rest)


def _name(written: bytes, side: bytes) -> bytes:
    """The path behind `--- ` or `+++ `; b"" for /dev/null."""
    name = written.rstrip(b"\t\r")
    if name.startswith(b'"'):
        name = _ESCAPE.sub(_meant, name[1:-1])
    return name[len(side) :] if name.startswith(side) else b""


def _meant(escape: re.Match[bytes]) -> bytes:
    text = escape[1]
    return bytes([int(text, 8) if len(text) == 3 else _LETTERS[text[0]]])
