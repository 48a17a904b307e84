"""JSON values merged three-way, and written again in the style they were found in."""

from __future__ import annotations

import json

_MISSING = object()
_LATEST = ("updated_at", "updatedat", "last_updated", "lastupdated", "updated", "modified_at", "modified", "last_seen")


class Contradiction(Exception):
    """Both sides changed one value, and nothing in the data says which change is the later one."""


def merge_objects(base: dict[str, object], one: dict[str, object], two: dict[str, object]) -> dict[str, object]:
    """Field by field; raises Contradiction. Symmetric but for the order of fields that only one side has.

    Times of the last change take the later value, and such a time decides about the other fields of its
    object where both sides changed one.
    """
    newer = _newer(one, two)
    out: dict[str, object] = {}
    for name in {**one, **two}:
        old, a, b = base.get(name, _MISSING), one.get(name, _MISSING), two.get(name, _MISSING)
        value = _three_way(name, old, a, b, newer)
        if value is not _MISSING:
            out[name] = value
    return out


def _three_way(name: str, old: object, a: object, b: object, newer: int) -> object:
    if _same(a, b) or _same(b, old):
        return a
    if _same(a, old):
        return b
    if isinstance(a, dict) and isinstance(b, dict):
        return merge_objects(old if isinstance(old, dict) else {}, a, b)
    if isinstance(a, list) and isinstance(b, list) and isinstance(old, list):
        merged = _as_sets(old, a, b)
        if merged is not None:
            return merged
    if name.lower() in _LATEST and type(a) is type(b) and isinstance(a, str | int | float):
        return max(a, b)  # type: ignore[type-var]
    if newer and a is not _MISSING and b is not _MISSING:
        return a if newer == 1 else b
    raise Contradiction(name)


def _same(a: object, b: object) -> bool:
    """Equal, and of the same type inside too: 1, 1.0 and true are three values."""
    return a is b or (a is not _MISSING and b is not _MISSING and _text(a) == _text(b))


def _text(value: object) -> str:
    return json.dumps(value, sort_keys=True)


def _newer(one: dict[str, object], two: dict[str, object]) -> int:
    """1 or 2 for the side whose own time of change is the later one, 0 if they do not say."""
    for name in one:
        a, b = one[name], two.get(name)
        if name.lower() in _LATEST and isinstance(a, str) and isinstance(b, str) and a != b:
            return 1 if a > b else 2
    return 0


def _as_sets(old: list[object], one: list[object], two: list[object]) -> list[object] | None:
    """Lists of plain values without repetition: what either side added or removed."""
    lists = [[_text(item) for item in items] for items in (old, one, two)]
    for items, texts in zip((old, one, two), lists, strict=True):
        if len(set(texts)) != len(texts) or any(isinstance(item, dict | list) for item in items):
            return None
    gone = {text for text in lists[0] if text not in lists[1] or text not in lists[2]}
    added = sorted({text for texts in lists[1:] for text in texts if text not in lists[0]})
    return [json.loads(text) for text in [text for text in lists[0] if text not in gone] + added]


class Style:
    """How a JSON text was written, so that a merged one looks alike."""

    __slots__ = ("ascii_only", "indent", "separators")

    def __init__(self, indent: int | str | None, separators: tuple[str, str], ascii_only: bool) -> None:
        self.indent = indent
        self.separators = separators
        self.ascii_only = ascii_only

    def write(self, value: object) -> str:
        return json.dumps(value, indent=self.indent, separators=self.separators, ensure_ascii=self.ascii_only)


def style_of(text: str, value: object) -> Style | None:
    """The style that gives this very text again, or None for one that can't be imitated."""
    indents: tuple[int | str | None, ...] = (None,)
    if "\n" in text:
        second = text.split("\n", 2)[1]
        lead = second[: len(second) - len(second.lstrip(" \t"))]
        indents = (lead if "\t" in lead else len(lead),)
    for indent in indents:
        for separators in ((", ", ": "), (",", ":"), (",", ": ")):
            for ascii_only in (False, True):
                style = Style(indent, separators, ascii_only)
                if style.write(value) == text:
                    return style
    return None


def parse(text: bytes) -> dict[str, object] | None:
    """The object of a JSON text, or None if it is none."""
    try:
        value = json.loads(text.decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def merge_document(base: list[bytes], one: list[bytes], two: list[bytes]) -> list[bytes] | None:
    """The lines of a whole JSON document merged by its fields, or None where that is not plain."""
    texts = [b"\n".join(lines) for lines in (base, one, two)]
    old, a, b = (parse(text) for text in texts)
    if old is None or a is None or b is None:
        return None
    style = style_of(texts[1].decode(), a)
    other = style_of(texts[2].decode(), b)
    if style is None or other is None or style.write({"a": [1]}) != other.write({"a": [1]}):
        return None
    try:
        return style.write(merge_objects(old, a, b)).encode().split(b"\n")
    except (Contradiction, RecursionError):
        return None
