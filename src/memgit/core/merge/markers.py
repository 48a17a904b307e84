"""Conflict markers, as git writes them."""

from __future__ import annotations

from memgit.core.merge.policy import Markers


def render(base: list[bytes], ours: list[bytes], theirs: list[bytes], markers: Markers) -> list[bytes]:
    """The lines of one conflict; in the styles `merge` and `zdiff3` what both sides have alike stands outside."""
    head: list[bytes] = []
    tail: list[bytes] = []
    if markers.style != "diff3":
        n = _alike(ours, theirs)
        head, ours, theirs = ours[:n], ours[n:], theirs[n:]
        n = _alike(ours[::-1], theirs[::-1])
        if n:
            tail, ours, theirs = ours[-n:], ours[:-n], theirs[:-n]
    out = [*head, _line(b"<", markers.size, markers.ours), *ours]
    if markers.style != "merge":
        out += [_line(b"|", markers.size, markers.base), *base]
    return [*out, b"=" * markers.size, *theirs, _line(b">", markers.size, markers.theirs), *tail]


def _alike(one: list[bytes], two: list[bytes]) -> int:
    n = 0
    while n < min(len(one), len(two)) and one[n] == two[n]:
        n += 1
    return n


def _line(char: bytes, size: int, label: bytes) -> bytes:
    return char * size + b" " + label if label else char * size


def has_markers(lines: list[bytes]) -> bool:
    """True if the lines hold a conflict as git writes it, of any size from 7 up."""
    opened = False
    for line in lines:
        if line.startswith(b"<<<<<<<") and line.lstrip(b"<")[:1] in (b"", b" ", b"\r"):
            opened = True
        elif opened and line.startswith(b">>>>>>>") and line.lstrip(b">")[:1] in (b"", b" ", b"\r"):
            return True
    return False
