"""The gap model of one region that both sides changed.

Every base line has a state on each side (kept, changed, deleted) and every gap between base lines an
inserted run. Laid out as slots - gap, line, gap, line, gap - both sides then agree on the places, and
each place can be settled for itself.
"""

from __future__ import annotations

from memgit.core.merge import shapes
from memgit.core.merge.budget import Budget
from memgit.core.merge.regions import Hunk, Region
from memgit.core.merge.similar import ONE_LINE, Tokens, dice, tokens

_MOST_PAIRS = 40_000  # compared in one replaced run


class Run:
    """Base lines [first, end) that a side deleted; `rewritten` if it put other lines in their place."""

    __slots__ = ("end", "first", "inserted")

    def __init__(self, first: int, end: int, inserted: list[bytes]) -> None:
        self.first = first
        self.end = end
        self.inserted = inserted

    @property
    def rewritten(self) -> bool:
        return bool(self.inserted)

    def same_as(self, other: Run) -> bool:
        return (self.first, self.end, self.inserted) == (other.first, other.end, other.inserted)


class Side:
    """What one side made of the region: a line or None per base line, a run per gap."""

    __slots__ = ("gaps", "lines", "run_of")

    def __init__(self, base: list[bytes]) -> None:
        self.lines: list[bytes | None] = list(base)
        self.gaps: list[list[bytes]] = [[] for _ in range(len(base) + 1)]
        self.run_of: dict[int, Run] = {}  # by base line, deleted ones only

    def slot(self, s: int) -> list[bytes]:
        """The side's lines in slot s: even slots are gaps, odd ones base lines."""
        if s % 2 == 0:
            return self.gaps[s // 2]
        line = self.lines[s // 2]
        return [] if line is None else [line]

    def deleted(self, k: int) -> bool:
        return 0 <= k < len(self.lines) and self.lines[k] is None

    def replaces_up_to(self, gap: int) -> bool:
        """True if the run in this gap stands in for lines deleted just above it."""
        run = self.run_of.get(gap - 1)
        return run is not None and run.end == gap and run.rewritten

    def runs(self) -> list[Run]:
        return list({id(run): run for run in self.run_of.values()}.values())


def sides(base: list[bytes], one: list[bytes], two: list[bytes], region: Region, budget: Budget) -> tuple[Side, Side]:
    """Both sides of a region in the gap model."""
    part = base[region.o1 : region.o2]
    return (
        _side(part, one, region.one, region.o1, budget),
        _side(part, two, region.two, region.o1, budget),
    )


def _side(part: list[bytes], side: list[bytes], hunks: list[Hunk], offset: int, budget: Budget) -> Side:
    model = Side(part)
    for o1, o2, s1, s2 in hunks:
        first = o1 - offset
        old, new = part[first : o2 - offset], side[s1:s2]
        i = j = 0
        for x, y in [*pairs(old, new, budget), (len(old), len(new))]:
            inserted = new[j:y]
            if x > i:
                run = Run(first + i, first + x, inserted)
                for k in range(first + i, first + x):
                    model.lines[k] = None
                    model.run_of[k] = run
            model.gaps[first + x] = model.gaps[first + x] + inserted
            if x < len(old):
                model.lines[first + x] = new[y]
            i, j = x + 1, y + 1
    return model


def pairs(old: list[bytes], new: list[bytes], budget: Budget) -> list[tuple[int, int]]:
    """Which line of a replaced run became which new line, in order, by the greatest likeness in sum."""
    if not old or not new or len(old) * len(new) > _MOST_PAIRS:
        return []
    budget.spend(10 * len(old) * len(new) + 20 * (len(old) + len(new)))
    bags_old, bags_new = [tokens(line) for line in old], [tokens(line) for line in new]
    width = len(new) + 1
    best = [[0.0] * width for _ in range(len(old) + 1)]
    score = [[0.0] * len(new) for _ in old]
    for i in range(len(old) - 1, -1, -1):
        row, below = best[i], best[i + 1]
        for j in range(len(new) - 1, -1, -1):
            likeness = score[i][j] = _likeness(old[i], new[j], bags_old[i], bags_new[j])
            skip = max(below[j], row[j + 1])
            row[j] = max(skip, likeness + below[j + 1]) if likeness else skip
    out = []
    i = j = 0
    while i < len(old) and j < len(new):
        if score[i][j] and best[i][j] == score[i][j] + best[i + 1][j + 1]:
            out.append((i, j))
            i, j = i + 1, j + 1
        elif best[i + 1][j] >= best[i][j + 1]:
            i += 1
        else:
            j += 1
    return out


def _likeness(old: bytes, new: bytes, bag_old: Tokens, bag_new: Tokens) -> float:
    """0 for different lines, up to 1 for lines that are one line edited."""
    if not bag_old or not bag_new:
        return 1.0 if old.split() == new.split() and old.strip() else 0.0
    level = shapes.heading_level(old)
    if level != shapes.heading_level(new) or shapes.is_row(old) != shapes.is_row(new):
        return 0.0
    alike = dice(bag_old, bag_new)
    if alike >= ONE_LINE:
        return alike
    if shapes.is_row(old) and _are_one_row(old, new):
        return ONE_LINE
    name = shapes.label(old)
    return ONE_LINE if name and name == shapes.label(new) else 0.0


def _are_one_row(old: bytes, new: bytes) -> bool:
    """True for table rows of one name, at least half of whose cells are the same."""
    cells_old, cells_new = ([cell.strip() for cell in line.strip().strip(b"|").split(b"|")] for line in (old, new))
    if len(cells_old) != len(cells_new) or cells_old[0] != cells_new[0] or not cells_old[0]:
        return False
    return 2 * sum(a == b for a, b in zip(cells_old, cells_new, strict=True)) >= len(cells_old)
