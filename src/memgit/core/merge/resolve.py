"""What the policy of a path makes of a true conflict."""

from __future__ import annotations

from memgit.core.merge import shapes
from memgit.core.merge.markers import render
from memgit.core.merge.policy import Markers, MergePolicy
from memgit.core.merge.settle import Piece
from memgit.core.merge.times import find_dates


def resolve(piece: Piece, swapped: bool, policy: MergePolicy, markers: Markers) -> tuple[list[bytes], str]:
    """The lines for a conflict, and how the policy decided it; no such reason if markers were written."""
    ours, theirs = (piece.two, piece.one) if swapped else (piece.one, piece.two)
    choice = policy.on_conflict
    if choice == "ours":
        return ours, "ours, by policy"
    if choice == "theirs":
        return theirs, "theirs, by policy"
    if choice == "newest":
        latest = [_latest(lines) for lines in (piece.one, piece.two)]
        if latest[0] != latest[1]:
            return (piece.one if latest[0] > latest[1] else piece.two), "the side with the later date, by policy"
    if choice == "keep-both":
        return _both(piece, (ours, theirs) if policy.ours_first else (piece.one, piece.two)), "both kept, by policy"
    return render(piece.base, ours, theirs, markers), ""


def _latest(lines: list[bytes]) -> bytes:
    dates = [line[start:end] for line in lines for start, end in find_dates(line) if end - start >= 10]
    return max(dates, default=b"")


def _both(piece: Piece, sides: tuple[list[bytes], list[bytes]]) -> list[bytes]:
    """One side whole and then what only the other side has; a line both have stands once.

    What one side deleted and the other left alone stays deleted, where it is an entry that needs no neighbour: around
    anything else it may be the place of what is kept.
    """
    one, two = sides
    first, second = _without_deleted(piece.base, one, two), _without_deleted(piece.base, two, one)
    if not first or not second:
        return first or second
    left: dict[bytes, int] = {}
    for line in first:
        left[line] = left.get(line, 0) + 1
    out = list(first)
    for line in second:
        if line.strip() and left.get(line, 0):
            left[line] -= 1
        else:
            out.append(line)
    return out


def _without_deleted(base: list[bytes], mine: list[bytes], other: list[bytes]) -> list[bytes]:
    gone = set(base).difference(other)
    follows = [*mine[1:], b""]
    return [
        line
        for line, next_line in zip(mine, follows, strict=False)
        if not (line in gone and _is_entry(line) and (_is_entry(next_line) or not next_line.strip()))
    ]


def _is_entry(line: bytes) -> bool:
    return shapes.is_record(line) or bool(shapes.bullet(line) and not shapes.indent(line))
