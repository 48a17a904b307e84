"""JSON lines as records with an id: the record is the unit, wherever it stands in the file."""

from __future__ import annotations

from memgit.core.merge.budget import Budget
from memgit.core.merge.edits import LineMerge
from memgit.core.merge.objects import IDS, Contradiction, Fields, Malformed, fields, is_sound, merge_texts, value_of
from memgit.core.merge.settle import Piece, conflict, settle
from memgit.core.merge.similar import held, tokens
from memgit.core.merge.slots import Run, Side

_STEPS_PER_RECORD = 200  # taken apart
_STEPS_PER_NAME = 20  # looked for in a line that no side touched
_WIDEST_RELATION = 3
_KEPT = 0.9  # of the words of both sides

Lines = list[bytes]
Records = dict[bytes, bytes]  # id as written to line, in file order


def pieces(
    base: Lines, one: Lines, two: Lines, ours_first: bool | None, budget: Budget
) -> tuple[list[Piece], list[LineMerge]] | None:
    """The file record by record, or None if not every line is a record with an id of its own."""
    untouched = set(base).intersection(one, two)
    touched = {*base, *one, *two} - untouched
    budget.spend(_STEPS_PER_RECORD * len(touched) + _STEPS_PER_NAME * len(untouched))
    try:
        found = _by_id((base, one, two), {line: fields(line) for line in touched}, untouched, budget)
    except Malformed:
        return None
    if found is None:
        return None
    old, a, b = found
    places = {name: n for n, name in enumerate(old)}
    side_a, side_b = _side(base, a, places), _side(base, b, places)
    written, contradicting = _join_new(side_a, side_b, old, a, b)
    settled, merged = settle(base, 0, len(base), side_a, side_b, ours_first, budget, merge_record)
    return _set_against(settled, contradicting), merged + written


def share_an_id(ones: Lines, twos: Lines) -> bool:
    """True if both runs have a record of one id."""
    try:
        records = [[fields(line).values for line in lines] for lines in (ones, twos)]
    except Malformed:
        return False
    for key in IDS:
        names, others = ({record.get(key, b"") for record in side} for side in records)
        if b"" not in names | others:
            return not names.isdisjoint(others)
    return False


def _by_id(
    texts: tuple[Lines, Lines, Lines], touched: dict[bytes, Fields], untouched: set[bytes], budget: Budget
) -> list[Records] | None:
    for key in IDS:
        names = {line: record.values.get(key, b"") for line, record in touched.items()}
        if b"" in names.values():
            continue
        names.update((line, value_of(line, key)) for line in untouched)
        if b"" in names.values():
            continue
        found = _unique(texts, names)
        if found is None:  # ids that are used again may be told apart by when their records were created
            budget.spend(_STEPS_PER_RECORD * len(untouched))
            dated = {line: name + b" " + _created(touched.get(line) or fields(line)) for line, name in names.items()}
            found = _unique(texts, dated)
        if found is not None:
            return found
    if _is_relation(list(touched.values())):
        budget.spend(_STEPS_PER_RECORD * len(untouched))
        if _is_relation([*touched.values(), *map(fields, untouched)]):
            return [_numbered(lines) for lines in texts]
    return None


def _numbered(lines: Lines) -> Records:
    """Lines that are their own names; the second time a line occurs it is another fact."""
    seen: dict[bytes, int] = {}
    records: Records = {}
    for line in lines:
        seen[line] = seen.get(line, 0) + 1
        records[b"%d %s" % (seen[line], line)] = line
    return records


def _unique(texts: tuple[Lines, Lines, Lines], names: dict[bytes, bytes]) -> list[Records] | None:
    found = [{names[line]: line for line in lines} for lines in texts]
    return found if all(len(records) == len(lines) for records, lines in zip(found, texts, strict=True)) else None


def _created(record: Fields) -> bytes:
    return next((value for name, value in record.values.items() if name.startswith(b'"created')), b"")


def _is_relation(records: list[Fields]) -> bool:
    """True if every record is the same two or three plain fields: such a line is a fact, its own name."""
    names = {tuple(record.values) for record in records}
    return (
        len(names) == 1
        and 2 <= len(min(names)) <= _WIDEST_RELATION
        and all(value[:1] == b'"' for record in records for value in record.values.values())
    )


def _side(base: Lines, records: Records, places: dict[bytes, int]) -> Side:
    side = Side(base)
    for name, k in places.items():
        line = records.get(name)
        side.lines[k] = line
        if line is None:
            side.run_of[k] = Run(k, k + 1, [])
    after = 0
    for name, line in records.items():
        if name in places:
            after = places[name] + 1
        else:
            side.gaps[after].append(line)
    return side


def _join_new(one: Side, two: Side, old: Records, a: Records, b: Records) -> tuple[list[LineMerge], dict[bytes, bytes]]:
    """Records that both sides added under one id become one, on side `one`; and those that contradict, one to two."""
    written: list[LineMerge] = []
    contradicting: dict[bytes, bytes] = {}
    gaps_one, gaps_two = ({line: gap for gap in side.gaps for line in gap} for side in (one, two))
    for name, line in a.items():
        other = b.get(name)
        if name in old or other is None:
            continue
        answer = (line, "") if line == other else merge_record(b"{}", line, other)
        if answer is None:
            contradicting[line] = other
        elif line != other:
            written.append((b"", line, other, answer[0]))
        if answer is not None:
            gap = gaps_one[line]
            gap[gap.index(line)] = answer[0]
        gaps_two[other].remove(other)
    return written, contradicting


def _set_against(settled: list[Piece], contradicting: dict[bytes, bytes]) -> list[Piece]:
    """The pieces with each of these records in a conflict with its counterpart, so that no id stands twice."""
    if not contradicting:
        return settled
    out: list[Piece] = []
    for piece in settled:
        if piece.conflict:
            piece.two = piece.two + [contradicting[line] for line in piece.one if line in contradicting]
            out.append(piece)
            continue
        start = 0
        for n, line in enumerate(piece.lines):
            if line in contradicting:
                out.append(Piece(piece.first, piece.last, piece.reason, piece.lines[start:n]))
                reason = "both sides added another record under one id"
                out.append(conflict(piece.last, piece.last, reason, [], [line], [contradicting[line]]))
                start = n + 1
        out.append(Piece(piece.first, piece.last, piece.reason, piece.lines[start:]))
    return out


def merge_record(base: bytes, one: bytes, two: bytes) -> tuple[bytes, str] | None:
    """One record that both sides changed, field by field, in the style of its line."""
    try:
        merged = merge_texts(base, one, two)
    except (Contradiction, Malformed):
        return None
    if not _is_kept(one, two, merged) and not (is_sound([one]) and is_sound([two])):
        return None  # what can't be read as JSON is joined, but nothing in it is given up
    return merged, "record fields merged"


def _is_kept(one: bytes, two: bytes, merged: bytes) -> bool:
    if merged in (one, two):
        return False
    whole = tokens(merged)
    return min(held(tokens(one), whole), held(tokens(two), whole)) >= _KEPT
