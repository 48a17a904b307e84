"""JSON objects and lists merged three-way as text: what no side changed keeps its bytes.

Values are compared and moved as they are written, so unknown fields, number formats, escapes and the order
of fields survive, and a text that is not quite JSON does no harm.
"""

from __future__ import annotations

_BLANK = b" \t\r\n"
_SCALAR_END = b",]} \t\r\n"
_CLOSING = {123: 125, 91: 93}  # { } and [ ]
_QUOTE = 34
_DEEPEST = 100
IDS = (b'"id"', b'"uuid"', b'"_id"', b'"key"', b'"issue_id"', b'"event_id"', b'"uid"')  # fields that name an object
_YEARS = b"1400000000", b"2500000000"  # seconds since 1970 that are a time of our days: 2014 to 2049
_SHAPE = bytes.maketrans(b"0123456789", b"0" * 10)


class Malformed(Exception):
    """The text is no object that could be taken apart."""


class Contradiction(Exception):
    """Both sides changed one value, and nothing in the data says which change is the later one."""


class Fields:
    """The fields of one object: name to value as written, and the blanks between them."""

    __slots__ = ("between", "close", "colons", "open", "values")

    def __init__(self) -> None:
        self.values: dict[bytes, bytes] = {}
        self.colons: dict[bytes, bytes] = {}  # what stands between a name and its value
        self.open = b"{"
        self.between = b""  # the first separator of two fields
        self.close = b"}"


def fields(text: bytes) -> Fields:
    """Take an object apart; raises Malformed."""
    if text[:1] != b"{" or text[-1:] != b"}":
        raise Malformed
    found = Fields()
    at = _skip(text, 1)
    found.open = text[:at]
    end = len(text) - 1
    while at < end:
        name_end = _string_end(text, at)
        name = text[at:name_end]
        value_at = _skip(text, name_end)
        if text[value_at : value_at + 1] != b":" or name in found.values:
            raise Malformed
        value_at = _skip(text, value_at + 1)
        value_end = _value_end(text, value_at)
        found.values[name] = text[value_at:value_end]
        found.colons[name] = text[name_end:value_at]
        at = _skip(text, value_end)
        if at == end:
            found.close = text[value_end:]
            return found
        if text[at : at + 1] != b",":  # nothing is left where the last value took the closing brace
            raise Malformed
        following = _skip(text, at + 1)
        found.between = found.between or text[value_end:following]
        at = following
    if found.values or at != end:
        raise Malformed
    return found


def value_of(text: bytes, name: bytes) -> bytes:
    """One field as `fields` gives it, nothing if there is none; cheap where it stands in front of nested values."""
    head, found, rest = text.partition(name)
    if not found:
        return b""
    rest = rest.lstrip(_BLANK)
    if head[:1] == b"{" and text[-1:] == b"}" and rest[:1] == b":" and b"{" not in head[1:] and b"[" not in head:
        rest = rest[1:].lstrip(_BLANK)
        return rest[: _value_end(rest, 0)]
    return fields(text).values.get(name, b"")


def _skip(text: bytes, at: int) -> int:
    while text[at : at + 1] and text[at] in _BLANK:
        at += 1
    return at


def _string_end(text: bytes, at: int) -> int:
    if text[at : at + 1] != b'"':
        raise Malformed
    end = at
    while True:
        end = text.find(b'"', end + 1)
        if end < 0:
            raise Malformed
        slashes = end - len(text[at:end].rstrip(b"\\")) - at
        if slashes % 2 == 0:
            return end + 1


def _value_end(text: bytes, at: int) -> int:
    first = text[at] if at < len(text) else 0
    if first == _QUOTE:
        return _string_end(text, at)
    end = at
    if first not in _CLOSING:
        while end < len(text) and text[end] not in _SCALAR_END:
            end += 1
        if end == at:
            raise Malformed
        return end
    waiting: list[int] = []
    while end < len(text):
        char = text[end]
        if char == _QUOTE:
            end = _string_end(text, end)
            continue
        if char in _CLOSING:
            waiting.append(_CLOSING[char])
        elif waiting and char == waiting[-1]:
            waiting.pop()
            if not waiting:
                return end + 1
        elif char in b"]}":
            raise Malformed
        end += 1
    raise Malformed


def merge_texts(base: bytes, one: bytes, two: bytes, depth: int = 0) -> bytes:
    """One object that holds both sides' changes; raises Malformed or Contradiction.

    Fields named `updated...` take the later value, and such a field decides about the other fields of its
    object where both sides changed one; else a moment (a date with a clock, or seconds since 1970), or the day of
    a field named `last...`, takes the later value. Lists are merged item by item. Symmetric but for the order of
    fields that only one side has.
    """
    if depth > _DEEPEST:
        raise Malformed
    old, a, b = fields(base), fields(one), fields(two)
    newer = _newer(a, b)
    out: list[bytes] = []
    for name in {**a.values, **b.values}:
        versions = old.values.get(name), a.values.get(name), b.values.get(name)
        value = _three_way(name, *versions, newer, depth)
        if value is not None:
            out.append(name + (a.colons.get(name) or b.colons[name]) + value)
    between = a.between or b.between or b", "
    if not out:
        return b"{}"
    return (a.open if a.values else b.open) + between.join(out) + (a.close if a.values else b.close)


def _three_way(
    name: bytes, old: bytes | None, a: bytes | None, b: bytes | None, newer: int, depth: int
) -> bytes | None:
    if a == b or b == old:
        return a
    if a == old:
        return b
    if a is not None and b is not None:
        if a[:1] == b[:1] == b"{":
            return merge_texts(old if old and old[:1] == b"{" else b"{}", a, b, depth + 1)
        if old and a[:1] == b[:1] == old[:1] == b"[":
            merged = _merge_lists(old, a, b, depth)
            if merged is not None:
                return merged
            raise Contradiction  # a later time says nothing about what else was put into a list
        if (_is_time_of_change(name) and a[:1] == b[:1] == b'"') or (_is_last(name) and _is_day(a) and _is_day(b)):
            return max(a, b)
        if newer:
            return a if newer == 1 else b
        if old is not None and _is_moment(a) and _is_moment(b):
            return max(a, b)
    raise Contradiction


def _is_time_of_change(name: bytes) -> bool:
    return name.lower().startswith((b'"updated', b'"last_updated', b'"lastupdated', b'"modified'))


def _is_last(name: bytes) -> bool:
    return name.lower().startswith(b'"last')


def _is_day(value: bytes) -> bool:
    return value.translate(_SHAPE).startswith(b'"0000-00-00')


def _is_moment(value: bytes) -> bool:
    """When something happened: a string with a date and a clock, not a day somebody set; or seconds or milliseconds."""
    if value.isdigit():
        return len(value) in (10, 13) and _YEARS[0] <= value[:10] < _YEARS[1]
    shape = value.translate(_SHAPE)
    return shape.startswith(b'"0000-00-') and b"0:00" in shape[9:]


def _newer(one: Fields, two: Fields) -> int:
    """1 or 2 for the side whose own time of change is the later one, 0 if they do not say."""
    for name, a in one.values.items():
        b = two.values.get(name)
        if b is not None and _is_time_of_change(name) and a[:1] == b[:1] == b'"' and a != b:
            return 1 if a > b else 2
    return 0


def _merge_lists(old: bytes, one: bytes, two: bytes, depth: int) -> bytes | None:
    """Values by themselves, objects by their ids, else what both put behind the list or in front of it, or None."""
    lists = [_items(text) for text in (old, one, two)]
    values = [item for items in lists for item in items]
    if all(item[:1] == b"{" for item in values):
        merged = _as_records(lists, depth + 1)
    elif not any(item[:1] in (b"{", b"[") for item in values):
        merged = _as_sets(lists)
    else:
        merged = None
    if merged is None:
        merged = _as_appended(*lists)
    if merged is None:
        return None
    return _written(merged, *max(zip((one, two), lists[1:], strict=True), key=lambda side: len(side[1])))


def _as_sets(lists: list[list[bytes]]) -> list[bytes] | None:
    if any(len(set(items)) != len(items) for items in lists):
        return None
    old, a, b = ({item: item for item in items} for items in lists)
    return _one_by_one(old, a, b, 0)


def _as_records(lists: list[list[bytes]], depth: int) -> list[bytes] | None:
    found = next(filter(None, (_by_id(lists, key) for key in IDS)), None)
    return None if found is None else _one_by_one(found[0], found[1], found[2], depth)


def _one_by_one(old: dict[bytes, bytes], a: dict[bytes, bytes], b: dict[bytes, bytes], depth: int) -> list[bytes]:
    """What is named in each of three lists, in their common order; raises Contradiction where both sides moved some."""
    values = (_three_way(b"", old.get(name), a.get(name), b.get(name), 0, depth) for name in _common_order(old, a, b))
    return [value for value in values if value is not None]


def _common_order(old: dict[bytes, bytes], a: dict[bytes, bytes], b: dict[bytes, bytes]) -> list[bytes]:
    """All names: new ones of both sides behind the old ones or in front of them where both have them there.

    Else those of the side that moved some, and each new one of the other behind its neighbour.
    """
    for in_front in (False, True):
        if _keeps_order(a, old, in_front) and _keeps_order(b, old, in_front):
            new = _in_order([name for name in a if name not in old], [name for name in b if name not in old], in_front)
            return [*new, *old] if in_front else [*old, *new]
    was, now, then = ([name for name in names if name in old and name in a and name in b] for names in (old, a, b))
    if now == then:
        lead, other = (a, b) if list(a) <= list(b) else (b, a)
    elif now == was:
        lead, other = b, a
    elif then == was:
        lead, other = a, b
    else:
        raise Contradiction
    behind: dict[bytes, list[bytes]] = {}
    neighbour = b""  # nothing, in front of all
    for name in other:
        if name in lead:
            neighbour = name
        elif name not in old:
            behind.setdefault(neighbour, []).append(name)
    order: list[bytes] = []
    waiting = [*behind.get(b"", ())]
    for name in lead:
        if name in old:  # what is new in the lead comes first
            order += waiting
            waiting = []
        order.append(name)
        waiting += behind.get(name, ())
    return [*order, *waiting, *(name for name in old if name not in lead)]


def _as_appended(old: list[bytes], one: list[bytes], two: list[bytes]) -> list[bytes] | None:
    """A list behind which both sides only put something, or in front of which."""
    behind = one[: len(old)] == two[: len(old)] == old
    if not behind and not (one[len(one) - len(old) :] == two[len(two) - len(old) :] == old):
        return None
    first, second = sorted(side[len(old) :] if behind else side[: len(side) - len(old)] for side in (one, two))
    known = set(first)
    new = first + [item for item in second if item not in known]
    return [*old, *new] if behind else [*new, *old]


def _by_id(lists: list[list[bytes]], key: bytes) -> list[dict[bytes, bytes]] | None:
    found = [{value_of(item, key): item for item in items} for items in lists]
    is_named = all(b"" not in names and len(names) == len(items) for names, items in zip(found, lists, strict=True))
    return found if is_named else None


def _keeps_order(side: dict[bytes, bytes], old: dict[bytes, bytes], in_front: bool) -> bool:
    """True if a side has the old objects in their order, and the new ones all behind them, or all in front."""
    known, is_new = [name for name in side if name in old], [name not in old for name in side]
    return known == [name for name in old if name in side] and is_new == sorted(is_new, reverse=in_front)


def _in_order(one: list[bytes], two: list[bytes], falling: bool) -> list[bytes]:
    """The new ids of both sides by rank where each side's run that way, else those of one side and then the rest."""
    known, others = set(one), set(two)
    ranked = sorted(known | others, key=lambda name: (len(name), name), reverse=falling)
    if all(side == [name for name in ranked if name in own] for side, own in ((one, known), (two, others))):
        return ranked
    return one + [name for name in two if name not in known]


def _written(items: list[bytes], text: bytes, there: list[bytes]) -> bytes:
    """A list in the style of `text`, which holds `there`."""
    if not items or not there:
        return b"[" + b", ".join(items) + b"]"
    lead = text[: _skip(text, 1)]
    trail = text[len(text[:-1].rstrip()) :]
    at = len(lead) + len(there[0])
    between = text[at : text.index(there[1], at)] if len(there) > 1 else b"," + (lead[1:] or b" ")
    return lead + between.join(items) + trail


def _items(text: bytes) -> list[bytes]:
    items = []
    at = _skip(text, 1)
    while at < len(text) - 1:
        end = _value_end(text, at)
        items.append(text[at:end])
        at = _skip(text, end)
        if text[at : at + 1] == b",":
            at = _skip(text, at + 1)
        elif at != len(text) - 1:
            raise Malformed
    return items


def merge_document(base: list[bytes], one: list[bytes], two: list[bytes]) -> list[bytes] | None:
    """The lines of a whole JSON document merged by its fields or items, or None where that is not plain."""
    try:
        old, a, b = (b"\n".join(lines).strip() for lines in (base, one, two))
        if old[:1] == a[:1] == b[:1] == b"[":
            merged = _merge_lists(old, a, b, 0)
            return None if merged is None else merged.split(b"\n")
        return merge_texts(old, a, b).split(b"\n")
    except (Malformed, Contradiction):
        return None


def is_sound(lines: list[bytes]) -> bool:
    """True for one JSON document in which no object names a field twice."""
    try:
        _parsed(lines)
    except (ValueError, RecursionError):
        return False
    return True


def are_equal(one: list[bytes], two: list[bytes]) -> bool:
    """True for two sound JSON documents that say the same."""
    return is_sound(one) and is_sound(two) and _parsed(one) == _parsed(two)


def _parsed(lines: list[bytes]) -> object:
    import json  # costs start-up time, and few merges come this far

    return json.loads(b"\n".join(lines), object_pairs_hook=_named_once)


def _named_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a field stands twice")
    return fields
