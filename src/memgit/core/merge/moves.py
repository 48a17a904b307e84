"""Lines that one side moved: the other side's edit goes with them, and its deletion wins.

The gap model sees a move as a deletion here and an insertion there, so an edit of the line would meet a
deletion. What the other side did to the line in its old place is therefore done in the new one first.
"""

from __future__ import annotations

from memgit.core.merge.budget import Budget
from memgit.core.merge.check import count, significant
from memgit.core.merge.regions import Hunk
from memgit.core.merge.slots import pairs

Lines = list[bytes]


def followed(
    base: Lines, one: Lines, two: Lines, hunks_one: list[Hunk], hunks_two: list[Hunk], budget: Budget
) -> tuple[Lines, Lines] | None:
    """Both sides with what the other did to their moved lines, or None if that is nothing. Symmetric."""
    moved_one, moved_two = _moved(base, one, hunks_one), _moved(base, two, hunks_two)
    done_one = _done(base, two, hunks_two, moved_one.keys() - moved_two.keys(), budget)
    done_two = _done(base, one, hunks_one, moved_two.keys() - moved_one.keys(), budget)
    if not done_one and not done_two:
        return None
    there_one, here_two = _exchanged(moved_one, done_one, one, two)
    there_two, here_one = _exchanged(moved_two, done_two, two, one)
    return _with(one, there_one | here_one), _with(two, there_two | here_two)


def _moved(base: Lines, side: Lines, hunks: list[Hunk]) -> dict[bytes, int]:
    """Lines that a side took out in one place and put in at another, once each, and where they stand now."""
    away = count([line for o1, o2, _, _ in hunks for line in base[o1:o2]])
    if not away:
        return {}
    places = {at: side[at].rstrip() for _, _, s1, s2 in hunks for at in range(s1, s2)}
    there = count(list(places.values()))
    return {line: at for at, line in places.items() if there.get(line) == away.get(line) == 1 and significant(line)}


def _done(base: Lines, side: Lines, hunks: list[Hunk], lines: set[bytes], budget: Budget) -> dict[bytes, int | None]:
    """For each of `lines` that a side edited in its place: where it stands; None for one that it deleted."""
    found: dict[bytes, int | None] = {}
    for o1, o2, s1, s2 in hunks if lines else ():
        known = {i: line.rstrip() for i, line in enumerate(base[o1:o2]) if line.rstrip() in lines}
        if known and s1 == s2:
            found.update(dict.fromkeys(known.values()))
        elif known and s2 - s1 == o2 - o1:
            edited = dict(pairs(base[o1:o2], side[s1:s2], budget))
            found.update((line, s1 + i) for i, line in known.items() if edited.get(i) == i)
    return found


def _exchanged(
    moved: dict[bytes, int], done: dict[bytes, int | None], mover: Lines, editor: Lines
) -> tuple[dict[int, bytes | None], dict[int, bytes | None]]:
    """What then stands where the line was moved to, and where it was edited: its edited form there, as it was here."""
    there = {moved[line]: None if at is None else editor[at] for line, at in done.items()}
    here: dict[int, bytes | None] = {at: mover[moved[line]] for line, at in done.items() if at is not None}
    return there, here


def _with(side: Lines, new: dict[int, bytes | None]) -> Lines:
    lines = (new.get(at, line) for at, line in enumerate(side))
    return [line for line in lines if line is not None]
