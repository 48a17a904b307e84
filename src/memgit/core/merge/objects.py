"""JSON objects merged three-way as text: what no side changed keeps its bytes.

Values are compared and moved as they are written, so unknown fields, number formats, escapes and the order
of fields survive, and a text that is not quite JSON does no harm.
"""

from __future__ import annotations

ID_FIELDS = (b'"id"', b'"uuid"', b'"_id"', b'"key"', b'"issue_id"', b'"event_id"', b'"uid"')

_BLANK = b" \t\r\n"
_SCALAR_END = b",]} \t\r\n"
_CLOSING = {123: 125, 91: 93}  # { } and [ ]
_QUOTE = 34
_DEEPEST = 100
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
    object where both sides changed one; else a moment (a date with a clock, or seconds since 1970), or the day
    of a field named `last...`, takes the later value. Lists are merged item by item. Symmetric but for the order
    of fields that only one side has.
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
            merged = _as_list(old, a, b, depth + 1)
            if merged is not None:
                return merged
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


def _as_list(old: bytes, one: bytes, two: bytes, depth: int) -> bytes | None:
    """Lists of things that can be told apart: what either side added, removed, moved or changed; None for other lists.

    An object goes by its id, anything else by itself. Raises Contradiction where both changed one thing in different
    ways, or both moved some.
    """
    lists = [_items(text) for text in (old, one, two)]
    for key in (*ID_FIELDS, None):
        before, first, second = (_named(items, key) for items in lists)
        if before is not None and first is not None and second is not None:
            break
    else:
        return None
    if key is None and {*before} - ({*first} & {*second}) and any(name[:1] in (b"{", b"[") for name in before):
        return None  # what is gone may have been changed
    values = {
        name: _three_way(b"", before.get(name), first.get(name), second.get(name), 0, depth)
        for name in {**before, **first, **second}
    }
    order = _in_order(list(before), list(first), list(second))
    return _list_like(one, two, [value for name in order if (value := values[name]) is not None])


def _named(items: list[bytes], key: bytes | None) -> dict[bytes, bytes] | None:
    """Objects by the value of a field, or items by themselves; None if two have one name, or one has none."""
    if key is None:
        named = {item: item for item in items}
    elif all(item[:1] == b"{" for item in items):
        named = {fields(item).values.get(key, b""): item for item in items}
    else:
        return None
    return named if len(named) == len(items) and b"" not in named else None


def _in_order(before: list[bytes], first: list[bytes], second: list[bytes]) -> list[bytes]:
    """All names of both sides: in the order of the side that moved some, each new one of the other by its neighbour."""
    common = {*before} & {*first} & {*second}
    was, now, then = ([name for name in names if name in common] for names in (before, first, second))
    if was not in (now, then) and now != then:
        raise Contradiction
    lead, other = sorted((first, second)) if now == then else (second, first) if now == was else (first, second)
    order = list(lead)
    known, own = {*before}, {*lead} - {*before}
    for at, name in enumerate(other):
        if name in known or name in own:
            continue
        place = order.index(other[at - 1]) + 1 if at and other[at - 1] in order else 0
        while place < len(order) and order[place] in own:
            place += 1
        order.insert(place, name)
    return order


def _list_like(one: bytes, two: bytes, items: list[bytes]) -> bytes:
    """A list written with the blanks of `one`, or of `two` where that one says nothing."""
    between = _between(one) or _between(two) or b", "
    shape = one if one[1:-1].strip() else two
    inner = shape[1:-1]
    lead = inner[: len(inner) - len(inner.lstrip())]
    trail = inner[len(inner.rstrip()) :]
    return b"[" + lead + between.join(items) + trail + b"]"


def _between(text: bytes) -> bytes:
    """What stands between the first two items of a list; nothing if it has fewer."""
    at = _skip(text, 1)
    if at >= len(text) - 1:
        return b""
    end = _value_end(text, at)
    comma = _skip(text, end)
    return text[end : _skip(text, comma + 1)] if text[comma : comma + 1] == b"," else b""


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


def merge_document(base: list[bytes], one: list[bytes], two: list[bytes]) -> list[bytes]:
    """The lines of a whole JSON document merged by its fields or items; raises Malformed or Contradiction."""
    old, a, b = (b"\n".join(lines).strip() for lines in (base, one, two))
    merged = _three_way(b"", old, a, b, 0, 0)
    if merged is None:
        raise Malformed
    return merged.split(b"\n")


def is_sound(lines: list[bytes]) -> bool:
    """True for one JSON document in which no object names a field twice."""
    import json  # costs start-up time, and few merges come this far

    try:
        json.loads(b"\n".join(lines), object_pairs_hook=_named_once)
    except (ValueError, RecursionError):
        return False
    return True


def _named_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a field stands twice")
    return fields
