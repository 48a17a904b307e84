"""The structure-aware part of a merge: every meeting region through the gap model, then the check."""

from __future__ import annotations

from memgit.core.merge import shapes
from memgit.core.merge.budget import Budget, Exhausted
from memgit.core.merge.check import count, is_torn, opens_fence, violations
from memgit.core.merge.edits import LineMerge, choose_line, merge_line
from memgit.core.merge.insertions import Clash, join, repeated
from memgit.core.merge.markers import brings_conflict
from memgit.core.merge.place import Place
from memgit.core.merge.regions import Hunk, Region, hunks, regions
from memgit.core.merge.settle import Piece, conflict, longer_of, settle
from memgit.core.merge.slots import Side, sides

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from memgit.core.merge.settle import LineRule

Lines = list[bytes]

_MOST_ADDED = 5_000  # lines of both sides among which entries are looked for that stand at two places
_REACH = 160  # lines looked at for the entry that a line goes on with


def pieces(
    base: Lines, one: Lines, two: Lines, found: list[Region], meeting: list[Region], kind: str, ours_first: bool | None
) -> list[Piece]:
    """The whole file as pieces, settled where the rules and the check allow it, in base order."""
    if not base:
        return _both_created(one, two, kind, ours_first)
    budget = Budget()
    if kind == "jsonl":
        settled = _records(base, one, two, ours_first, budget)
        if settled is not None:
            return settled
    line_rule = choose_line if kind in ("json", "jsonl") else merge_line
    checked = _attempt(base, one, two, found, meeting, ours_first, budget, line_rule)[0]
    if any(piece.conflict for piece in checked):
        checked = _rearranged(base, one, two, ours_first, budget, line_rule) or checked
    return _document(base, one, two, found, meeting, checked) if kind == "json" else checked


def _document(
    base: Lines, one: Lines, two: Lines, found: list[Region], meeting: list[Region], checked: list[Piece]
) -> list[Piece]:
    """A JSON file by its fields; its lines only where they come to the same, as they keep the layout."""
    from memgit.core.merge import objects  # most merges never need it

    if not all(map(objects.is_sound, (base, one, two))):
        return checked
    settled = not any(piece.conflict for piece in checked)
    document = objects.merge_document(base, one, two)
    if document is None:
        return plainly(base, one, two, found, meeting, "both sides changed one value") if settled else checked
    if settled and objects.are_equal(_lines(checked), document):
        return checked
    return [Piece(0, len(base), "JSON merged by its fields", document)]


def plainly(
    base: Lines, one: Lines, two: Lines, found: list[Region], meeting: list[Region], reason: str
) -> list[Piece]:
    """The plain three-way merge, a conflict wherever the sides meet."""
    out: list[Piece] = []
    at = 0
    for region in found:
        a, b, part = one[region.a1 : region.a2], two[region.b1 : region.b2], base[region.o1 : region.o2]
        out.append(Piece(at, region.o1, "", base[at : region.o1]))
        if region in meeting:
            out.append(_as_conflict(region, part, a, b, reason))
        else:
            out.append(Piece(region.o1, region.o2, "", a if region.one else b))
        at = region.o2
    return [*out, Piece(at, len(base), "", base[at:])]


def _attempt(
    base: Lines,
    one: Lines,
    two: Lines,
    found: list[Region],
    meeting: list[Region],
    ours_first: bool | None,
    budget: Budget,
    line_rule: LineRule,
) -> tuple[list[Piece], list[LineMerge]]:
    """The pieces as the gap model and the check give them, and the lines that a line rule wrote."""
    out: list[Piece] = []
    written: list[LineMerge] = []
    allowed: set[bytes] = set()  # lines that may stand twice
    waiting = {id(region) for region in meeting}
    hunks_a, hunks_b = [h for region in found for h in region.one], [h for region in found for h in region.two]
    at = 0
    for region in found:
        if region.o1 > at:
            out.append(Piece(at, region.o1, "", base[at : region.o1]))
        at = region.o2
        if id(region) not in waiting:
            lines = one[region.a1 : region.a2] if region.one else two[region.b1 : region.b2]
            out.append(Piece(region.o1, region.o2, "", lines))
            continue
        settled, merged, twice = _settled(base, one, two, region, ours_first, budget, line_rule)
        out.extend(settled)
        written.extend(merged)
        allowed |= twice
    if at < len(base):
        out.append(Piece(at, len(base), "", base[at:]))
    allowed |= _replaced(one, hunks_a) & _replaced(two, hunks_b)
    return _checked_whole(base, one, two, out, written, allowed, meeting, (hunks_a, hunks_b)), written


def _rearranged(
    base: Lines, one: Lines, two: Lines, ours_first: bool | None, budget: Budget, line_rule: LineRule
) -> list[Piece] | None:
    """The pieces with what stands at two places brought to one, if then nothing conflicts."""
    from memgit.core.merge import moves, once  # most merges never need them

    hunks_a, hunks_b = hunks(base, one), hunks(base, two)
    if sum(s2 - s1 for _, _, s1, s2 in (*hunks_a, *hunks_b)) > _MOST_ADDED:
        return None
    try:
        followed = moves.followed(base, one, two, hunks_a, hunks_b, budget)
    except Exhausted:
        return None
    at_one_place = once.at_one_place(one, two, hunks_a, hunks_b)
    for arranged in (followed, at_one_place and (*at_one_place, [])):
        if arranged is None:
            continue
        a, b, moved = arranged
        found = regions(hunks(base, a), hunks(base, b))
        meeting = [r for r in found if r.one and r.two and a[r.a1 : r.a2] != b[r.b1 : r.b2]]
        again, written = _attempt(base, a, b, found, meeting, ours_first, budget, line_rule)
        if any(piece.conflict for piece in again):
            continue
        if all(what == "duplicated" for what, _ in violations(base, one, two, _lines(again), written + moved)):
            return again
    return None


def _records(base: Lines, one: Lines, two: Lines, ours_first: bool | None, budget: Budget) -> list[Piece] | None:
    """The pieces of a file of JSON records with ids, if it is one and the check agrees."""
    from memgit.core.merge import records  # most merges never need it

    try:
        answer = records.pieces(base, one, two, ours_first, budget)
    except (Clash, Exhausted):
        return None
    if answer is None:
        return None
    settled, written = answer
    wrong = _unsettled(violations(base, one, two, _lines(settled), written), settled)
    return None if wrong else settled


def _settled(
    base: Lines,
    one: Lines,
    two: Lines,
    region: Region,
    ours_first: bool | None,
    budget: Budget,
    line_rule: LineRule,
) -> tuple[list[Piece], list[LineMerge], set[bytes]]:
    """The pieces of one region, or the region as one conflict if the rules or the check say so."""
    a, b = one[region.a1 : region.a2], two[region.b1 : region.b2]
    part = base[region.o1 : region.o2]
    if brings_conflict(part, a) or brings_conflict(part, b):
        return [_whole(region, part, a, b, "a side still holds conflict markers here")], [], set()
    try:
        side_a, side_b = sides(base, one, two, region, budget)
        found, merged = settle(base, region.o1, region.o2, side_a, side_b, ours_first, budget, line_rule)
        budget.spend(10 * (len(part) + len(a) + len(b)))
    except Exhausted:
        return [_whole(region, part, a, b, "too large for the structure rules")], [], set()
    result = _lines(found)
    wrong = _unsettled(violations(part, a, b, result, merged), found)
    doubled = {line for what, line in wrong if what == "duplicated"}
    twice = _allowed_twice(base, side_a, side_b, doubled) | (doubled & _edited(part, side_a) & _edited(part, side_b))
    wrong = [w for w in wrong if w[1] not in twice]
    if wrong:
        return [_whole(region, part, a, b, f"the check found a {wrong[0][0]} line")], [], set()
    for mine, other in ((side_a, b), (side_b, a)):
        if any(is_torn(gap, other, result) for gap in mine.gaps if len(gap) > 1):
            return [_whole(region, part, a, b, "the check found an entry torn apart")], [], set()
    return found, merged, twice


def _replaced(side: Lines, hunks: list[Hunk]) -> set[bytes]:
    """Lines that stand for other lines, one for one: edits and not additions."""
    return {line.rstrip() for o1, o2, s1, s2 in hunks if o2 - o1 == s2 - s1 for line in side[s1:s2]}


def _edited(part: Lines, side: Side) -> set[bytes]:
    """What a side made of base lines; two lines of the base may well be edited to read alike."""
    changed = (new for old, new in zip(part, side.lines, strict=True) if new is not None and new != old)
    return {line.rstrip() for line in changed}


def _allowed_twice(base: Lines, one: Side, two: Side, lines: set[bytes]) -> set[bytes]:
    """Those of the duplicated lines that belong to different entries."""
    if not lines:
        return lines
    known = count(base)
    recurring = {line for line, times in known.items() if times > 1}
    meeting = [(x, y) for x, y in zip(one.gaps, two.gaps, strict=True) if x and y and x != y]
    return {line for x, y in meeting for line in repeated(x, y, set(known), recurring, lines)}


def _whole(region: Region, part: Lines, a: Lines, b: Lines, reason: str) -> Piece:
    longer = longer_of(part, a, b)
    if longer is not None:
        return Piece(region.o1, region.o2, "one change contains the other", longer)
    return _as_conflict(region, part, a, b, reason)


def _as_conflict(region: Region, part: Lines, a: Lines, b: Lines, reason: str) -> Piece:
    return conflict(region.o1, region.o2, reason, part, a, b)


def _lines(found: list[Piece]) -> Lines:
    """The lines of a result; of a conflict the lines of both sides, so that the check sees none of them as lost."""
    out: Lines = []
    for piece in found:
        out += piece.lines
        if piece.conflict:
            out += piece.one
            out += piece.two
    return out


def _unsettled(wrong: list[tuple[str, bytes]], found: list[Piece]) -> list[tuple[str, bytes]]:
    """Violations without those that a conflict shows: a line that stands twice in one is for the person to decide."""
    if not wrong:
        return wrong
    shown = {line.rstrip() for piece in found if piece.conflict for text in (piece.one, piece.two) for line in text}
    return [w for w in wrong if w[0] == "lost" or w[1] not in shown]


def _checked_whole(
    base: Lines,
    one: Lines,
    two: Lines,
    found: list[Piece],
    merged: list[LineMerge],
    twice: set[bytes],
    meeting: list[Region],
    hunks: tuple[list[Hunk], list[Hunk]],
) -> list[Piece]:
    """The same check over the file: it sees what moved from one region to another."""
    result = _lines(found)
    wrong = [w for w in _unsettled(violations(base, one, two, result, merged), found) if w[1] not in twice]
    if wrong:
        owners = (_owners(one, hunks[0], wrong), _owners(two, hunks[1], wrong))
        wrong = [w for w in wrong if not (w[1] in owners[0] and owners[0][w[1]].isdisjoint(owners[1].get(w[1], ())))]
    if wrong:
        reason = f"the check found a {wrong[0][0]} line"
    elif not any(piece.conflict for piece in found) and opens_fence(base, one, two, result):
        reason = "the check found an open fenced block"
    else:
        return found
    lines = {line for _, line in wrong}
    suspects = [r for r in meeting if _mentions(lines, base[r.o1 : r.o2], one[r.a1 : r.a2], two[r.b1 : r.b2])]
    out = _with_conflicts(base, one, two, found, suspects or meeting, reason, _whole)
    gravest = {w for w in wrong if w[0] != "duplicated"}
    if gravest and gravest.intersection(_unsettled(violations(base, one, two, _lines(out), merged), out)):
        return _with_conflicts(base, one, two, found, suspects or meeting, reason, _as_conflict)
    return out


def _owners(side: Lines, hunks: list[Hunk], wrong: list[tuple[str, bytes]]) -> dict[bytes, set[bytes]]:
    """For each duplicated line that goes on with an entry: the first lines of the entries a side put it into."""
    lines = {line for what, line in wrong if what == "duplicated" and line[:1].isspace() and not shapes.bullet(line)}
    found: dict[bytes, set[bytes]] = {}
    for start, end in ((s1, s2) for _, _, s1, s2 in hunks if lines):
        for n in range(start, end):
            if side[n].rstrip() in lines:
                depth = shapes.indent(side[n])
                above = (
                    side[i]
                    for i in range(n - 1, max(-1, n - _REACH), -1)
                    if side[i].strip() and shapes.indent(side[i]) < depth
                )
                found.setdefault(side[n].rstrip(), set()).add(next(above, b""))
    return found


def _mentions(lines: set[bytes], *texts: Lines) -> bool:
    return any(line.rstrip() in lines for text in texts for line in text)


def _inside(piece: Piece, region: Region) -> bool:
    return piece.first >= region.o1 and piece.last <= region.o2


def _with_conflicts(
    base: Lines,
    one: Lines,
    two: Lines,
    found: list[Piece],
    doubted: list[Region],
    reason: str,
    piece_of: Callable[[Region, Lines, Lines, Lines, str], Piece],
) -> list[Piece]:
    """The pieces with each doubted region as one."""
    out: list[Piece] = []
    waiting = list(doubted)
    for piece in found:
        region = next((r for r in doubted if _inside(piece, r)), None)
        if region is None:
            out.append(piece)
        elif region in waiting:
            waiting.remove(region)
            a, b = one[region.a1 : region.a2], two[region.b1 : region.b2]
            out.append(piece_of(region, base[region.o1 : region.o2], a, b, reason))
    return out


def _both_created(one: Lines, two: Lines, kind: str, ours_first: bool | None) -> list[Piece]:
    """Two machines made the file: only a log or a list is known to be a sum of its entries."""
    longer = longer_of([], one, two)
    if longer is not None:
        return [Piece(0, 0, "one change contains the other", longer)]
    reason = "both sides created this file"
    if kind in ("log", "list", "jsonl"):
        try:
            lines, how = join(one, two, Place([], [], ours_first), Budget())
            if not violations([], one, two, lines, []) and not brings_conflict([], lines):
                return [Piece(0, 0, how, lines)]
            reason = "the check found a duplicated line"
        except Clash as clash:
            reason = str(clash)
        except Exhausted:
            reason = "too large for the structure rules"
    return [conflict(0, 0, reason, [], one, two)]
