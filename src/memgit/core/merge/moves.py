"""Lines that one side moved: the other side's edit goes with them, and its deletion wins.

The gap model sees a move as a deletion here and an insertion there, so an edit of the line would meet a
deletion. What the other side did to the line in its old place is therefore done in the new one first.
"""

from __future__ import annotations

from memgit.core.merge import shapes
from memgit.core.merge.budget import Budget
from memgit.core.merge.check import significant
from memgit.core.merge.edits import LineMerge, merge_line
from memgit.core.merge.regions import Hunk
from memgit.core.merge.slots import pairs

Lines = list[bytes]


def followed(
    base: Lines, one: Lines, two: Lines, hunks_one: list[Hunk], hunks_two: list[Hunk], budget: Budget
) -> tuple[Lines, Lines, list[LineMerge]] | None:
    """Both sides with what the other did to their moved lines, and what a line rule wrote for them. Symmetric.

    None if that is nothing.
    """
    moved_one, moved_two = _moved(base, one, hunks_one), _moved(base, two, hunks_two)
    done_one = _done(base, two, hunks_two, moved_one.keys() - moved_two.keys(), budget)
    done_two = _done(base, one, hunks_one, moved_two.keys() - moved_one.keys(), budget)
    if not done_one and not done_two:
        return None
    there_one, here_two, written_one = _exchanged(base, moved_one, done_one, one, two)
    there_two, here_one, written_two = _exchanged(base, moved_two, done_two, two, one)
    written = written_one + [(old, b, a, new) for old, a, b, new in written_two]
    return _with(one, there_one | here_one), _with(two, there_two | here_two), written


def _name(line: bytes) -> bytes:
    """What stays the same where a line is moved: all of it, but a task may be done then."""
    box = shapes.checkbox(line) if b"[" in line else None
    return line.rstrip() if box is None else box[0] + b" " + box[2].rstrip()


def _moved(base: Lines, side: Lines, hunks: list[Hunk]) -> dict[bytes, tuple[int, int]]:
    """Lines that a side took out in one place and put in at another, once each: where they stood and stand now."""
    away = _places(base, [hunk[:2] for hunk in hunks])
    there = _places(side, [hunk[2:] for hunk in hunks])
    found = {}
    for name in away.keys() & there.keys():
        if len(away[name]) == len(there[name]) == 1 and significant(name):
            (before, old), (after, new) = away[name][0], there[name][0]
            if before != after or base[old].rstrip() == side[new].rstrip():  # else it was done where it stands
                found[name] = (old, new)
    return found


def _places(text: Lines, spans: list[tuple[int, int]]) -> dict[bytes, list[tuple[int, int]]]:
    """Where each line of these spans stands: which span, which line."""
    found: dict[bytes, list[tuple[int, int]]] = {}
    for n, (start, end) in enumerate(spans):
        for at in range(start, end):
            found.setdefault(_name(text[at]), []).append((n, at))
    return found


def _done(base: Lines, side: Lines, hunks: list[Hunk], names: set[bytes], budget: Budget) -> dict[bytes, int | None]:
    """For each of these lines that a side edited in its place: where it stands; None for one that it deleted."""
    found: dict[bytes, int | None] = {}
    for o1, o2, s1, s2 in hunks if names else ():
        known = {i: _name(line) for i, line in enumerate(base[o1:o2]) if _name(line) in names}
        if known and s1 == s2:
            found.update(dict.fromkeys(known.values()))
        elif known and s2 - s1 == o2 - o1:
            edited = dict(pairs(base[o1:o2], side[s1:s2], budget))
            found.update((name, s1 + i) for i, name in known.items() if edited.get(i) == i)
    return found


def _exchanged(
    base: Lines, moved: dict[bytes, tuple[int, int]], done: dict[bytes, int | None], mover: Lines, editor: Lines
) -> tuple[dict[int, bytes | None], dict[int, bytes | None], list[LineMerge]]:
    """What then stands where the line was moved to, and where it was edited: its edited form there, as it was here."""
    there: dict[int, bytes | None] = {}
    here: dict[int, bytes | None] = {}
    written: list[LineMerge] = []
    for name, at in done.items():
        before, now = moved[name]
        old = base[before]
        if at is None:
            if old.rstrip() == mover[now].rstrip():
                there[now] = None
        elif old.rstrip() == mover[now].rstrip() or mover[now] == editor[at]:
            there[now], here[at] = editor[at], old
        else:
            answer = merge_line(old, mover[now], editor[at])
            if answer is not None:
                there[now], here[at] = answer[0], old
                written.append((old, mover[now], editor[at], answer[0]))
    return there, here, written


def _with(side: Lines, new: dict[int, bytes | None]) -> Lines:
    lines = (new.get(at, line) for at, line in enumerate(side))
    return [line for line in lines if line is not None]
