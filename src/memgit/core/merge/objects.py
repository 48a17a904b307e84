"""JSON objects merged three-way as text: what no side changed keeps its bytes.

Values are compared and moved as they are written, so unknown fields, number formats, escapes and the order
of fields survive, and a text that is not quite JSON does no harm.
"""

from __future__ import annotations

_BLANK = b" \t\r\n"
_SCALAR_END = b",]} \t\r\n"
_CLOSING = {123: 125, 91: 93}  # { } and [ ]
_QUOTE = 34
_DEEPEST = 100
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
    object where both sides changed one; else a moment (a date with a clock) takes the later value. Lists of
    plain values are sets. Symmetric but for the order of fields that only one side has.
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
            merged = _as_sets(old, a, b)
            if merged is not None:
                return merged
        if _is_time_of_change(name) and a[:1] == b[:1] == b'"':
            return max(a, b)
        if newer:
            return a if newer == 1 else b
        if old is not None and _is_moment(a) and _is_moment(b):
            return max(a, b)
    raise Contradiction


def _is_time_of_change(name: bytes) -> bool:
    return name.lower().startswith((b'"updated', b'"last_updated', b'"lastupdated', b'"modified'))


def _is_moment(value: bytes) -> bool:
    """A string with a date in front and a clock behind: when something happened, not a day somebody set."""
    shape = value.translate(_SHAPE)
    return shape.startswith(b'"0000-00-') and b"0:00" in shape[9:]


def _newer(one: Fields, two: Fields) -> int:
    """1 or 2 for the side whose own time of change is the later one, 0 if they do not say."""
    for name, a in one.values.items():
        b = two.values.get(name)
        if b is not None and _is_time_of_change(name) and a[:1] == b[:1] == b'"' and a != b:
            return 1 if a > b else 2
    return 0


def _as_sets(old: bytes, one: bytes, two: bytes) -> bytes | None:
    """Lists of plain values without repetition: what either side added or removed."""
    lists = [_items(text) for text in (old, one, two)]
    if any(len(set(items)) != len(items) or any(item[:1] in (b"{", b"[") for item in items) for items in lists):
        return None
    before, first, second = lists
    kept = [item for item in before if item in first and item in second]
    added = sorted({item for items in (first, second) for item in items if item not in before})
    at = one.find(b",")
    between = one[at : _skip(one, at + 1)] if at >= 0 else b", "
    inner = one[1:-1]
    lead = inner[: len(inner) - len(inner.lstrip())]
    trail = inner[len(inner.rstrip()) :]
    return b"[" + lead + between.join(kept + added) + trail + b"]"


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
    """The lines of a whole JSON document merged by its fields, or None where that is not plain."""
    try:
        old, a, b = (b"\n".join(lines).strip() for lines in (base, one, two))
        return merge_texts(old, a, b).split(b"\n")
    except (Malformed, Contradiction):
        return None


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
