"""Decide a region slot by slot; what can't be decided becomes a conflict around as little as makes sense."""

from __future__ import annotations

from memgit.core.merge import shapes
from memgit.core.merge.budget import Budget
from memgit.core.merge.edits import LineMerge
from memgit.core.merge.insertions import Clash, join
from memgit.core.merge.place import Place
from memgit.core.merge.slots import Run, Side
from memgit.core.merge.times import leading_time
from memgit.core.merge.units import split

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    LineRule = Callable[[bytes, bytes, bytes], tuple[bytes, str] | None]


_ENTRIES = {"section", "entry", "item", "row", "record"}
_REWROTE = "both sides rewrote these lines"


class Piece:
    """Settled lines, or the three texts of a conflict; both with the reason and the base lines they cover."""

    __slots__ = ("base", "conflict", "first", "last", "lines", "one", "reason", "two")

    def __init__(self, first: int, last: int, reason: str, lines: list[bytes]) -> None:
        self.first = first  # base lines, half open
        self.last = last
        self.reason = reason
        self.lines = lines
        self.conflict = False
        self.base: list[bytes] = []
        self.one: list[bytes] = []
        self.two: list[bytes] = []


def conflict(first: int, last: int, reason: str, base: list[bytes], one: list[bytes], two: list[bytes]) -> Piece:
    """A piece that a person has to decide."""
    piece = Piece(first, last, reason, [])
    piece.conflict = True
    piece.base, piece.one, piece.two = base, one, two
    return piece


def longer_of(base: list[bytes], one: list[bytes], two: list[bytes]) -> list[bytes] | None:
    """The text that holds all lines of the other in order and keeps no more of the base; None if neither does."""
    short, long = sorted((one, two), key=len)
    old = {line.rstrip() for line in base if line.strip()}
    wanted = [line.rstrip() for line in short if line.strip()]
    there = [line.rstrip() for line in long if line.strip()]
    rest = iter(there)
    if not wanted or not all(line in rest for line in wanted):
        return None
    return long if sum(line in old for line in wanted) == sum(line in old for line in there) else None


class _Settler:
    """The state of settling one region: slots in, per slot either lines or a reason for a conflict."""

    def __init__(
        self,
        base: list[bytes],
        o1: int,
        o2: int,
        one: Side,
        two: Side,
        ours_first: bool | None,
        budget: Budget,
        line_rule: LineRule,
    ) -> None:
        self.base = base
        self.o1 = o1
        self.n = o2 - o1
        self.one = one
        self.two = two
        self.ours_first = ours_first
        self.budget = budget
        self.line_rule = line_rule
        self.settled: list[list[bytes]] = [[] for _ in range(2 * self.n + 1)]
        self.reasons: list[str] = [""] * (2 * self.n + 1)
        self.clashes: list[tuple[int, int, str]] = []  # slots, inclusive
        self.merged: list[LineMerge] = []
        levels = ((i, shapes.heading_level(line)) for i, line in enumerate(base[o1:o2]))
        self._headings = [(i, level) for i, level in levels if level]

    def decide(self) -> None:
        for k in range(self.n + 1):
            self._gap(k)
            if k < self.n:
                self._line(k)

    def _line(self, k: int) -> None:
        s = 2 * k + 1
        old, a, b = self.base[self.o1 + k], self.one.lines[k], self.two.lines[k]
        if a is None and b is None:
            run_a, run_b = self.one.run_of[k], self.two.run_of[k]
            if (run_a.rewritten or run_b.rewritten) and not run_a.same_as(run_b):
                self.clashes.append((s, s, _REWROTE))
        elif a is None or b is None:
            changed = b if a is None else a
            if changed != old:
                self.clashes.append((s, s, "one side deleted what the other changed"))
            elif (self.one if a is None else self.two).run_of[k].rewritten:
                self.reasons[s] = "the change wins over the unchanged side"
        elif a == b or b == old:
            self.settled[s] = [a]
        elif a == old:
            self.settled[s] = [b]
        else:
            answer = self.line_rule(old, a, b)
            if answer is None:
                self.clashes.append((s, s, "both sides changed this line"))
                return
            self.settled[s] = [answer[0]]
            self.reasons[s] = answer[1]
            self.merged.append((old, a, b, answer[0]))

    def _gap(self, k: int) -> None:
        s = 2 * k
        ins_a, ins_b = self.one.gaps[k], self.two.gaps[k]
        if not ins_a and not ins_b:
            return
        for mine, other in ((ins_a, self.two), (ins_b, self.one)):
            lost = self._orphaned(k, mine, other) if mine else None
            if lost is not None:
                low, high = min(s, 2 * lost + 1), max(s, 2 * lost + 1)
                self.clashes.append((low, high, "one side deleted the place the other added to"))
                return
        if not ins_a or not ins_b:
            self.settled[s] = ins_a or ins_b
            return
        place = Place.in_base(self.base, self.o1 + k, self.ours_first)
        stands_in_a, stands_in_b = self.one.replaces_up_to(k), self.two.replaces_up_to(k)
        try:
            if stands_in_a != stands_in_b:
                self.settled[s], self.reasons[s] = self._beside(ins_a, ins_b, stands_in_a, place)
            else:
                self.settled[s], self.reasons[s] = join(ins_a, ins_b, place, self.budget)
        except Clash as clash:
            longer = longer_of([], ins_a, ins_b)
            if longer is not None and not self.one.deleted(k - 1) and not self.two.deleted(k - 1):
                self.settled[s], self.reasons[s] = longer, "one addition contains the other"
                return
            self.clashes.append((s, s, str(clash)))

    def _beside(self, a: list[bytes], b: list[bytes], a_stands_in: bool, place: Place) -> tuple[list[bytes], str]:
        """One run replaces the lines above, the other was added below them: in this order, unless times differ."""
        place.ours_first = a_stands_in
        lines, reason = join(a, b, place, self.budget)
        plain = a + b if a_stands_in else b + a
        if [x for x in lines if x.strip()] == [x for x in plain if x.strip()]:
            return plain, "one side rewrote the lines above the other's addition"
        return lines, reason

    def _orphaned(self, k: int, inserted: list[bytes], other: Side) -> int | None:
        """A base line whose deletion by the other side takes the ground from under this insertion."""
        head = next((line for line in inserted if line.strip()), b"")
        level = shapes.heading_level(head) or 7
        i = next((i for i, depth in reversed(self._headings) if i < k and depth < level), None)
        if i is not None and other.deleted(i) and not other.run_of[i].rewritten:
            return i
        if other.deleted(k - 1) and other.deleted(k):
            run = other.run_of[k]
            if run.rewritten and run is other.run_of[k - 1] and not _are_entries([*inserted, *run.inserted]):
                return k
            over, under = self.base[self.o1 + k - 1 : self.o1 + k + 1]
            if not run.rewritten and level == 7 and over.strip() and under.strip():
                return None if _are_entries([head]) else k
        depth = shapes.indent(head)
        if depth and level == 7:
            for i in range(k - 1, -1, -1):
                line = self.base[self.o1 + i]
                if line.strip() and shapes.indent(line) < depth:
                    return i if other.deleted(i) and shapes.bullet(line) else None
        return None

    def pieces(self) -> list[Piece]:
        ranges = self._conflict_ranges()
        out: list[Piece] = []
        s = 0
        for low, high, reason in [*ranges, (2 * self.n + 1, 2 * self.n, "")]:
            if low > s:
                lines = [line for slot in self.settled[s:low] for line in slot]
                reasons = dict.fromkeys(r for r in self.reasons[s:low] if r)
                out.append(Piece(self.o1 + s // 2, self.o1 + low // 2, "; ".join(reasons), lines))
            if high >= low:
                first, last = low // 2, (high + 1) // 2
                one = [line for t in range(low, high + 1) for line in self.one.slot(t)]
                two = [line for t in range(low, high + 1) for line in self.two.slot(t)]
                base = self.base[self.o1 + first : self.o1 + last]
                settled = self._replaced(first, base, one, two) if reason == _REWROTE else None
                if settled is None:
                    out.append(conflict(self.o1 + first, self.o1 + last, reason, base, one, two))
                else:
                    out.append(Piece(self.o1 + first, self.o1 + last, settled[1], settled[0]))
            s = high + 1
        return out

    def _replaced(
        self, first: int, base: list[bytes], one: list[bytes], two: list[bytes]
    ) -> tuple[list[bytes], str] | None:
        """What stands for lines that both sides took out, where they did not put different texts in their place."""
        longer = longer_of(base, one, two)
        if longer is not None:
            return longer, "one change contains the other"
        old = {line.rstrip() for line in base if line.strip()}
        if any(line.rstrip() in old for line in (*one, *two)):
            return None
        kinds, kinds_a, kinds_b = ({unit.kind for unit in split(lines)} for lines in (base, one, two))
        if not kinds_a or not kinds_b:
            if kinds | kinds_a | kinds_b <= _ENTRIES:
                return one if kinds_a else two, "one side put other entries in the place of what both deleted"
        elif kinds == {"text"} and kinds_a | kinds_b <= _ENTRIES:
            place = Place.in_base(self.base, self.o1 + first, self.ours_first)
            try:
                lines, how = join(one, two, place, self.budget)
            except Clash:
                return None
            return lines, f"entries took the place of a text on both sides: {how}"
        return None

    def _conflict_ranges(self) -> list[tuple[int, int, str]]:
        """Clashes widened to the rewritten runs and paragraphs they touch, overlapping and touching ones joined."""
        if not self.clashes:
            return []
        spans = [_span(run) for side in (self.one, self.two) for run in side.runs()]
        spans += [(2 * k - 1, 2 * k + 1) for k in range(1, self.n) if self._is_one_text(k)]
        grown = _grown(self.clashes, spans)
        out = [grown[0]]
        for low, high, reason in grown[1:]:
            last_low, last_high, last_reason = out[-1]
            if low <= last_high + 1 or all(self._is_empty(s) for s in range(last_high + 1, low)):
                out[-1] = (last_low, max(last_high, high), last_reason)
            else:
                out.append((low, high, reason))
        return out

    def _is_one_text(self, k: int) -> bool:
        """True if base line k goes on with the paragraph of the line above, and both were changed: broken anew."""
        above, line = self.base[self.o1 + k - 1 : self.o1 + k + 1]
        return (
            self._is_changed(k - 1)
            and self._is_changed(k)
            and shapes.is_plain(line)
            and leading_time(line) is None
            and (shapes.is_plain(above) or bool(shapes.bullet(above)))
        )

    def _is_changed(self, k: int) -> bool:
        return not (self.base[self.o1 + k] == self.one.lines[k] == self.two.lines[k])

    def _is_empty(self, s: int) -> bool:
        return not self.settled[s] and not self.one.slot(s) and not self.two.slot(s)


def _are_entries(lines: list[bytes]) -> bool:
    """True if all are rows, items or records at the margin: entries that need no neighbour."""
    return all(
        not line.strip()
        or shapes.is_row(line)
        or shapes.is_record(line)
        or (shapes.bullet(line) and not shapes.indent(line))
        for line in lines
    )


def _span(run: Run) -> tuple[int, int]:
    return 2 * run.first + 1, 2 * run.end if run.rewritten else 2 * run.end - 1


def _grown(clashes: list[tuple[int, int, str]], spans: list[tuple[int, int]]) -> list[tuple[int, int, str]]:
    """Clashes and runs that overlap, directly or through others, as one range each; ranges without a clash left out."""
    out: list[tuple[int, int, str]] = []
    low = high = -1
    reason = ""
    for first, last, why in sorted([*clashes, *((first, last, "") for first, last in spans)]):
        if first > high:
            if reason:
                out.append((low, high, reason))
            low, high, reason = first, last, why
        else:
            high = max(high, last)
            reason = reason or why
    if reason:
        out.append((low, high, reason))
    return out


def settle(
    base: list[bytes],
    o1: int,
    o2: int,
    one: Side,
    two: Side,
    ours_first: bool | None,
    budget: Budget,
    line_rule: LineRule,
) -> tuple[list[Piece], list[LineMerge]]:
    """The pieces that stand for base[o1:o2], in order, and the lines written by a line rule."""
    settler = _Settler(base, o1, o2, one, two, ours_first, budget, line_rule)
    settler.decide()
    pieces = settler.pieces()
    kept = []
    resolved = {line for piece in pieces if not piece.conflict for line in piece.lines}
    for merge in settler.merged:
        if merge[3] in resolved:
            kept.append(merge)
    return pieces, kept
