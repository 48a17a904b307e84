"""JSON lines as records with an id: the record is the unit, wherever it stands in the file."""

from __future__ import annotations

from memgit.core.merge.budget import Budget
from memgit.core.merge.objects import Contradiction, Style, merge_objects, parse, style_of
from memgit.core.merge.settle import LineMerge, Piece, settle
from memgit.core.merge.slots import Run, Side

_KEYS = ("id", "uuid", "_id", "key", "issue_id", "event_id", "uid")

Records = dict[str, bytes]  # id to line, in file order


def pieces(
    base: list[bytes], one: list[bytes], two: list[bytes], ours_first: bool | None, budget: Budget
) -> tuple[list[Piece], list[LineMerge]] | None:
    """The file record by record, or None if not every line is a record with an id of its own."""
    found = _by_id(base, one, two)
    if found is None:
        return None
    old, a, b = found
    places = {name: n for n, name in enumerate(old)}
    side_a, side_b = _side(base, old, a, places), _side(base, old, b, places)
    written = _join_new(side_a, side_b, old, a, b)
    if written is None:
        return None
    settled, merged = settle(base, 0, len(base), side_a, side_b, ours_first, budget, merge_record)
    return settled, merged + written


def _by_id(*texts: list[bytes]) -> list[Records] | None:
    values = [[parse(line) for line in lines] for lines in texts]
    for key in _KEYS:
        found: list[Records] = []
        for lines, objects in zip(texts, values, strict=True):
            records: Records = {}
            for line, value in zip(lines, objects, strict=True):
                name = value.get(key) if value else None
                if not isinstance(name, str | int):
                    break
                records[f"{type(name).__name__} {name}"] = line
            if len(records) != len(lines):
                break
            found.append(records)
        if len(found) == len(texts):
            return found
    return None


def _side(base: list[bytes], old: Records, records: Records, places: dict[str, int]) -> Side:
    side = Side(base)
    for name, k in places.items():
        line = records.get(name)
        side.lines[k] = line
        if line is None:
            side.run_of[k] = Run(k, k + 1, [])
    after = 0
    for name, line in records.items():
        if name in old:
            after = places[name] + 1
        else:
            side.gaps[after].append(line)
    return side


def _join_new(one: Side, two: Side, old: Records, a: Records, b: Records) -> list[LineMerge] | None:
    """Records that both sides added under one id become one, on side `one`; None if they contradict."""
    written: list[LineMerge] = []
    for name, line in a.items():
        other = b.get(name)
        if name in old or other is None:
            continue
        merged = line if line == other else _new_record(line, other)
        if merged is None:
            return None
        if line != other:
            written.append((b"", line, other, merged))
        for gap in one.gaps:
            if line in gap:
                gap[gap.index(line)] = merged
        for gap in two.gaps:
            if other in gap:
                gap.remove(other)
    return written


def _new_record(one: bytes, two: bytes) -> bytes | None:
    answer = merge_record(b"{}", one, two)
    return answer[0] if answer else None


def merge_record(base: bytes, one: bytes, two: bytes) -> tuple[bytes, str] | None:
    """One record that both sides changed, field by field, in the style of its line."""
    old, a, b = parse(base), parse(one), parse(two)
    if old is None or a is None or b is None:
        return None
    try:
        value = merge_objects(old, a, b)
    except (Contradiction, RecursionError):
        return None
    if value == a and list(value) == list(a):
        return one, "the record with the later change"
    if value == b:
        return two, "the record with the later change"
    style = _shared_style(one, a, two, b)
    return (style.write(value).encode(), "record fields merged") if style else None


def _shared_style(one: bytes, a: object, two: bytes, b: object) -> Style | None:
    styles = [style_of(one.decode(), a), style_of(two.decode(), b)]
    return styles[0] if None not in styles else None
