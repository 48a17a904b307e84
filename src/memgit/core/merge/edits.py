"""A line that both sides changed: the closed list of rules that may write a line no side has.

Each rule answers with the merged line and its name, or with None. Nothing fits: a conflict.
"""

from __future__ import annotations

from memgit.core.merge import shapes
from memgit.core.merge.similar import held, tokens
from memgit.core.merge.times import find_dates, leading_time

Merged = tuple[bytes, str] | None
LineMerge = tuple[bytes, bytes, bytes, bytes]  # base, one, two, and what a rule wrote

_KEPT = 0.9  # a merged line must hold this share of the words of both sides
_SEPARATORS = (b", ", "、".encode(), b"; ", b" | ", " · ".encode())
_LONGEST_LINE = 20_000  # bytes; longer lines are not taken apart
_DONE = b"xX"
_MARKUP = b"*_`~[](){}\"'"  # hugs the word beside it
_SAME, _BOTH = 0, 3  # who edited a place of a line, beside 1 and 2 for one side alone


def merge_line(base: bytes, one: bytes, two: bytes) -> Merged:
    """The line that holds both changes; symmetric in `one` and `two`, which differ from each other."""
    if len(base) + len(one) + len(two) > _LONGEST_LINE:
        return None
    if one.split() == two.split():
        return _plainer(base, one, two), "only blanks differ"
    spaced = _respaced(base, one, two)
    if spaced is not None:
        return spaced
    boxed = _merge_checkbox(base, one, two)
    if boxed is not None:
        return boxed
    return _merge_text(base, one, two)


def choose_line(base: bytes, one: bytes, two: bytes) -> Merged:
    """The one of two lines of code or data that stands for both; their words are never mixed."""
    if one.split() == two.split():
        return _plainer(base, one, two), "only blanks differ"
    return _later_dates(one, two)


def _merge_text(base: bytes, one: bytes, two: bytes) -> Merged:
    return (
        _later_dates(one, two)
        or _later_link(one, two)
        or _merge_row(base, one, two)
        or _merge_set(base, one, two)
        or _merge_tails(base, one, two)
        or _merge_words(base, one, two)
    )


def _plainer(base: bytes, one: bytes, two: bytes) -> bytes:
    """Of two lines that differ in blanks: the one with the base's blanks changed, the shorter one first."""
    if one.rstrip() == two.rstrip():
        return one.rstrip() if base.rstrip() != base else min(one, two, key=lambda line: (len(line), line))
    if base.split() == one.split():
        return min(one, two, key=lambda line: (line == base, len(line), line))
    return min(one, two, key=lambda line: (len(line), line))


def _respaced(base: bytes, one: bytes, two: bytes) -> Merged:
    """The line that one side indented anew or trimmed at its end, with the words of the other side."""
    for spaced, worded in ((one, two), (two, one)):
        if spaced.strip() == base.strip() and _ends(worded) == _ends(base):
            lead, trail = _ends(spaced)
            return lead + worded.strip() + trail, "blanks and words merged"
    return None


def _ends(line: bytes) -> tuple[bytes, bytes]:
    """The blanks in front and behind."""
    return line[: len(line) - len(line.lstrip())], line[len(line.rstrip()) :]


def _merge_checkbox(base: bytes, one: bytes, two: bytes) -> Merged:
    """State and text are separate fields; done wins when both changed the state."""
    boxes = [shapes.checkbox(line) for line in (base, one, two)]
    if None in boxes:
        return None
    (_, state, text), (lead1, state1, text1), (lead2, state2, text2) = (box for box in boxes if box)
    if lead1 != lead2:
        return None
    if state1 == state2:
        new_state = state1
    elif state1 == state or state2 == state:
        new_state = state2 if state1 == state else state1
    else:
        done = [s for s in (state1, state2) if s in _DONE]
        if not done:
            return None
        new_state = min(done)
    if text1 == text2 or text2 == text:
        new_text = text1
    elif text1 == text:
        new_text = text2
    else:
        merged = _merge_text(text, text1, text2)
        if merged is None:
            return None
        new_text = merged[0]
    return lead1 + new_state + new_text, "checkbox state and text merged"


def _later_dates(one: bytes, two: bytes) -> Merged:
    """The same text with other dates: the later of each."""
    spans1, spans2 = find_dates(one), find_dates(two)
    if not spans1 or len(spans1) != len(spans2):
        return None
    out, at1, at2 = [], 0, 0
    for (start1, end1), (start2, end2) in zip(spans1, spans2, strict=True):
        date1, date2 = one[start1:end1], two[start2:end2]
        if one[at1:start1] != two[at2:start2] or _shape(date1) != _shape(date2):
            return None
        out.append(one[at1:start1])
        out.append(max(date1, date2))
        at1, at2 = end1, end2
    if one[at1:] != two[at2:]:
        return None
    merged = b"".join(out) + one[at1:]
    return (merged, "the later date") if merged in (one, two) else None


def _later_link(one: bytes, two: bytes) -> Merged:
    """A link definition (`[Unreleased]: .../v1.2.0...HEAD`) that differs in its numbers: the higher version."""
    if not one.startswith(b"[") or b"]: " not in one or _shape(one) == one:
        return None
    texts, numbers = zip(*(_apart(line) for line in (one, two)), strict=True)
    if texts[0] != texts[1]:
        return None
    return (one if numbers[0] > numbers[1] else two), "the later version"


def _apart(line: bytes) -> tuple[list[bytes], list[int]]:
    """The text between the numbers of a line, and the numbers."""
    spaced = bytes(c if 48 <= c <= 57 else 32 for c in line).split()
    text = bytes(32 if 48 <= c <= 57 else c for c in line).split()
    return text, [int(number) for number in spaced]


def _shape(date: bytes) -> bytes:
    return bytes(48 if 48 <= c <= 57 else c for c in date)


def _merge_row(base: bytes, one: bytes, two: bytes) -> Merged:
    """Table rows with equally many cells, cell by cell."""
    if not (shapes.is_row(base) and shapes.is_row(one) and shapes.is_row(two)):
        return None
    cells = [line.split(b"|") for line in (base, one, two)]
    if not len(cells[0]) == len(cells[1]) == len(cells[2]):
        return None
    out = []
    for o, a, b in zip(*cells, strict=True):
        if a == b or b.strip() == o.strip():
            out.append(a)
        elif a.strip() == o.strip():
            out.append(b)
        else:
            merged = _later_dates(a, b)
            if merged is None:
                return None
            out.append(merged[0])
    return b"|".join(out), "table cells merged"


def _merge_set(base: bytes, one: bytes, two: bytes) -> Merged:
    """`label: a, b, c` as a set: what either side added or removed is added or removed."""
    name = shapes.label(base)
    if not name or shapes.label(one) != name or shapes.label(two) != name:
        return None
    heads, values = zip(*(_after_label(line) for line in (base, one, two)), strict=True)
    if heads[1] != heads[2]:
        return None
    opening = values[0][:1] if values[0][:1] == b"[" and all(v.endswith(b"]") for v in values) else b""
    if opening:
        values = tuple(value[1:-1] for value in values)
    separators = [s for s in _SEPARATORS if any(s in value for value in values)]
    if len(separators) != 1:
        return None
    lists = [[part.strip() for part in value.split(separators[0]) if part.strip()] for value in values]
    old, new1, new2 = lists
    if any(len(set(items)) != len(items) or len(items) > 200 for items in lists):
        return None
    if not set(old) & set(new1) & set(new2) or any(len(item.split()) > 4 for items in lists for item in items):
        return None
    gone = {item for item in old if item not in new1 or item not in new2}
    kept = [item for item in old if item not in gone]
    added1 = [item for item in new1 if item not in old]
    added2 = [item for item in new2 if item not in old and item not in added1]
    if [x for x in new1 if x in kept] != kept or [x for x in new2 if x in kept] != kept:
        return None
    body = separators[0].join(kept + sorted(added1 + added2))
    return heads[1] + (b"[" + body + b"]" if opening else body), "list merged as a set"


def _merge_tails(base: bytes, one: bytes, two: bytes) -> Merged:
    """`label: a, b` that both sides went on with by items of different dates: the older one stands first."""
    old = base.rstrip()
    if not shapes.label(old) or not one.startswith(old) or not two.startswith(old):
        return None
    tails = [line[len(old) :].rstrip() for line in (one, two)]
    times = [leading_time(tail.lstrip(b",;| ")) for tail in tails]
    first, second = times
    if first is None or second is None or first[0] != second[0] or first == second:
        return None
    for separator in (*_SEPARATORS, b"|"):
        if separator in old and all(tail.startswith(separator) for tail in tails):
            return old + b"".join(tails if first[1] < second[1] else tails[::-1]), "both went on with the list"
    return None


def _after_label(line: bytes) -> tuple[bytes, bytes]:
    at = line.index(b":") + 1
    while line[at : at + 1] in (b" ", b"*", b"_", b"\t") and at < len(line):
        at += 1
    return line[:at], line[at:].rstrip()


def _pieces(line: bytes) -> list[bytes]:
    """Words and what stands between them; joined they are the line."""
    out: list[bytes] = []
    for c in line:
        char = bytes((c,))
        word = char.isalnum() or c >= 128 or c == 95
        if out and word and (out[-1][-1:].isalnum() or out[-1][-1] >= 128 or out[-1][-1] == 95):
            out[-1] += char
        else:
            out.append(char)
    return out


def _markup_beside(one: list[bytes], two: list[bytes], around: tuple[list[bytes], list[bytes]]) -> list[bytes]:
    """Words and markup put in at one place: the markup hugs the word that was there; nothing if that is not plain."""
    before, after = (bool(b"".join(pieces).strip()) for pieces in around)
    for mark, text in ((one, two), (two, one)):
        words = b"".join(text)
        if not b"".join(mark).strip(_MARKUP) and words.strip(_MARKUP + b" "):
            if after and not before and words.endswith(b" "):
                return text + mark
            if before and not after and words.startswith(b" "):
                return mark + text
    return []


def _merge_words(base: bytes, one: bytes, two: bytes) -> Merged:
    """Edits of different words of one line, with an unchanged word between, if nothing of either side goes."""
    from memgit.core.merge.regions import hunks, regions  # a rule of last resort; most merges never need it

    o, a, b = _pieces(base), _pieces(one), _pieces(two)
    if min(len(o), len(a), len(b)) < 3 or max(len(o), len(a), len(b)) > 1500:
        return None
    out: list[bytes] = []
    pos = 0
    last_side = 0
    for region in regions(hunks(o, a), hunks(o, b)):
        between = o[pos : region.o1]
        new_a, new_b = a[region.a1 : region.a2], b[region.b1 : region.b2]
        new = new_b if region.two else new_a
        side = 1 if region.one else 2
        if region.one and region.two:
            side = _SAME
            if new_a != new_b:
                around = o[region.o1 - 1 : region.o1], o[region.o1 : region.o1 + 1]
                side, new = _BOTH, _markup_beside(new_a, new_b, around) if region.o1 == region.o2 else []
                if not new:
                    return None
        apart = any(piece.isalnum() or piece > b"\x7f" for piece in between)
        if last_side and side and side != last_side and not apart:
            return None
        out.extend(between)
        out.extend(new)
        pos, last_side = region.o2, side or last_side
    merged = b"".join(out + o[pos:])
    if merged in (one, two):
        return None  # one side's line would go without a trace
    whole = tokens(merged)
    if held(tokens(one), whole) < _KEPT or held(tokens(two), whole) < _KEPT:
        return None
    return merged, "words merged"
