"""The independent check of a result: counts lines and looks at nothing that the merge itself decided.

It knows the three inputs and the result. A violation turns the region, or the file, into a plain conflict.
"""

from __future__ import annotations

from memgit.core.merge import shapes
from memgit.core.merge.edits import LineMerge
from memgit.core.merge.units import split

Count = dict[bytes, int]

_MOST_PLACES = 1_000  # where an entry is looked for by its first line
_SIGNIFICANT = 6  # letters and digits; a shorter line (`---`, `}`) may well be meant twice


def count(lines: list[bytes]) -> Count:
    """How often each line occurs, blank lines and trailing blanks left out."""
    found: Count = {}
    for line in lines:
        text = line.rstrip()
        if text:
            found[text] = found.get(text, 0) + 1
    return found


def violations(
    base: list[bytes], one: list[bytes], two: list[bytes], result: list[bytes], merged: list[LineMerge]
) -> list[tuple[str, bytes]]:
    """What is lost, resurrected or duplicated, as (what, line); empty for a sound result.

    merged: lines that a line rule wrote. Their sources count as present in the merged line.
    """
    o, a, b, r = count(base), count(one), count(two), count(result)
    for sources in merged:
        for bag, line in zip((o, a, b, r), sources, strict=True):
            text = line.rstrip()
            bag[text] = bag.get(text, 0) - 1
    found: list[tuple[str, bytes]] = []
    for line in {**o, **a, **b, **r}:
        n, x, y, z = o.get(line, 0), a.get(line, 0), b.get(line, 0), r.get(line, 0)
        more_x, more_y = x - n, y - n
        if more_x >= 0 and more_y >= 0:
            low, high = n + max(more_x, more_y), n + more_x + more_y
            if more_x and more_y and significant(line):
                high = max(x, y)
        elif more_x <= 0 and more_y <= 0:
            low, high = max(0, n + more_x + more_y), n + min(more_x, more_y)
        else:
            low, high = min(max(0, n + more_x + more_y), 1), max(n + more_x + more_y, 0, 1)
        if z < low:
            found.append(("lost", line))
        elif z > high:
            found.append(("duplicated" if more_x >= 0 and more_y >= 0 else "resurrected", line))
    return found


def significant(line: bytes) -> bool:
    """True if the line says something, so that it is not meant twice by accident."""
    return sum(chr(c).isalnum() for c in line if c < 128) + sum(c >= 192 for c in line) >= _SIGNIFICANT


def is_torn(inserted: list[bytes], other: list[bytes], result: list[bytes]) -> bool:
    """True if an entry of an inserted run does not stand together in the result."""
    heads = {line.rstrip() for line in other}
    whole = [line.rstrip() for line in result if line.strip()]
    places: dict[bytes, list[int]] = {}
    for n, line in enumerate(whole):
        places.setdefault(line, []).append(n)
    for unit in split(inserted):
        lines = list(unit.identity)
        if len(lines) < 2 or lines[0] in heads:
            continue
        if not any(whole[n : n + len(lines)] == lines for n in places.get(lines[0], [])[:_MOST_PLACES]):
            return True
    return False


def opens_fence(base: list[bytes], one: list[bytes], two: list[bytes], result: list[bytes]) -> bool:
    """True if the result ends inside a fenced block though no input does."""
    return shapes.has_open_fence(result) and not any(shapes.has_open_fence(text) for text in (base, one, two))
