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


def brings_conflict(base: list[bytes], side: list[bytes]) -> bool:
    """True if a side holds a conflict as git writes it, of any size from 7 up, that the base does not have.

    One in the base too is text, as in a note about conflicts; so is one with nothing between its markers: there
    is nothing left to decide, somebody resolved it and forgot the lines.
    """
    if not any(line.startswith(b"<<<<<<<") for line in side):
        return False
    known = _openings(base)
    for line in _openings(side):
        if line not in known:
            return True
        known.remove(line)
    return False


def _openings(lines: list[bytes]) -> list[bytes]:
    """The first line of each conflict that holds something."""
    found: list[bytes] = []
    opening = b""
    holds = False
    for line in lines:
        if _is_marker(line, b"<"):
            opening, holds = line, bool(opening)  # a marker inside a conflict is something it holds
        elif not opening:
            continue
        elif _is_marker(line, b">"):
            if holds:
                found.append(opening)
            opening = b""
        else:
            holds = holds or not (_is_marker(line, b"=") or _is_marker(line, b"|"))
    return found


def _is_marker(line: bytes, char: bytes) -> bool:
    return line.startswith(char * 7) and line.lstrip(char)[:1] in (b"", b" ", b"\r")
