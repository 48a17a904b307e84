"""Which lines of two versions correspond: patience anchors, then a shortest edit script between them.

Every step that could be quadratic has a bound. Where a bound is reached the stretch counts as replaced,
which is always a correct alignment, only a coarser one.
"""

from __future__ import annotations

from bisect import bisect_left

Block = tuple[int, int, int]  # first line in a, first line in b, number of equal lines

_CHUNK = 4096  # longest slice compared at once; a mismatch is then found by halving
_EDIT_BUDGET = 250_000  # steps of one shortest-edit-script search
_TOTAL_BUDGET = 1_000_000  # and of all of them in one alignment
_MAX_REPEATS = 16  # a line that occurs more often than this is no anchor


def align(a: list[bytes], b: list[bytes]) -> list[Block]:
    """Blocks of equal lines, increasing in both, never adjacent in both."""
    blocks: list[Block] = []
    left = _TOTAL_BUDGET
    work = [(0, len(a), 0, len(b), False)]
    while work:
        alo, ahi, blo, bhi, anchored = work.pop()
        n = _equal_run(a, alo, b, blo, min(ahi - alo, bhi - blo), 1)
        if n:
            blocks.append((alo, blo, n))
            alo, blo = alo + n, blo + n
        n = _equal_run(a, ahi, b, bhi, min(ahi - alo, bhi - blo), -1)
        if n:
            ahi, bhi = ahi - n, bhi - n
            blocks.append((ahi, bhi, n))
        if alo == ahi or blo == bhi:
            continue
        chain = _unique_anchors(a, alo, ahi, b, blo, bhi)
        if not chain:
            found, spent = _shortest_edit(a, alo, ahi, b, blo, bhi, min(left, _EDIT_BUDGET))
            left -= spent
            if found is not None:
                blocks.extend(found)
                continue
            if not anchored:
                chain = _repeated_anchors(a, alo, ahi, b, blo, bhi)
        if not chain:
            continue
        anchored = len(chain) == 1 and anchored
        i, j = alo, blo
        for x, y in chain:
            if x > i and y > j:
                work.append((i, x, j, y, anchored))
            blocks.append((x, y, 1))
            i, j = x + 1, y + 1
        if i < ahi and j < bhi:
            work.append((i, ahi, j, bhi, anchored))
    blocks.sort()
    return _joined(blocks)


def _joined(blocks: list[Block]) -> list[Block]:
    out: list[Block] = []
    end_a = end_b = start_a = start_b = 0
    for i, j, n in blocks:
        if i == end_a and j == end_b:
            end_a, end_b = i + n, j + n
            continue
        if end_a > start_a:
            out.append((start_a, start_b, end_a - start_a))
        start_a, start_b, end_a, end_b = i, j, i + n, j + n
    if end_a > start_a:
        out.append((start_a, start_b, end_a - start_a))
    return out


def _equal_run(a: list[bytes], i: int, b: list[bytes], j: int, limit: int, way: int) -> int:
    """How many lines are equal from a[i] and b[j] on (way 1), or in front of them (way -1); at most `limit`.

    Compares slices that double while they are equal and halve where they are not.
    """
    n, step = 0, 1
    while n < limit:
        step = min(step, limit - n)
        at = n if way > 0 else -n - step
        if a[i + at : i + at + step] == b[j + at : j + at + step]:
            n += step
            step = min(2 * step, _CHUNK)
        elif step == 1:
            break
        else:
            step //= 2
            limit = min(limit, n + 2 * step + 1)
    return n


def _unique_anchors(a: list[bytes], alo: int, ahi: int, b: list[bytes], blo: int, bhi: int) -> list[tuple[int, int]]:
    """The longest increasing chain of lines that occur once in both; blank lines never anchor."""
    in_a, in_b = _unique(a, alo, ahi), _unique(b, blo, bhi)
    pairs = [(i, in_b[line]) for line, i in in_a.items() if line in in_b]
    return increasing(pairs)


def _unique(lines: list[bytes], lo: int, hi: int) -> dict[bytes, int]:
    part = lines[lo:hi]
    last = dict(zip(part, range(lo, hi), strict=True))
    if len(last) < len(part):
        part.reverse()
        first = dict(zip(part, range(hi - 1, lo - 1, -1), strict=True))
        last = {line: i for line, i in last.items() if first[line] == i}
    last.pop(b"", None)
    return last


def _repeated_anchors(a: list[bytes], alo: int, ahi: int, b: list[bytes], blo: int, bhi: int) -> list[tuple[int, int]]:
    """Lines that occur equally often, and not very often, in both: first with first, second with second."""
    in_a, in_b = _places(a, alo, ahi), _places(b, blo, bhi)
    pairs: list[tuple[int, int]] = []
    for line, at in in_a.items():
        other = in_b.get(line, [])
        if line and len(at) == len(other) <= _MAX_REPEATS:
            pairs.extend(zip(at, other, strict=True))
    pairs.sort()
    return increasing(pairs)


def _places(lines: list[bytes], lo: int, hi: int) -> dict[bytes, list[int]]:
    places: dict[bytes, list[int]] = {}
    for i in range(lo, hi):
        places.setdefault(lines[i], []).append(i)
    return places


def increasing(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest subsequence that also increases in the second number; `pairs` increase in the first."""
    seconds = [j for _, j in pairs]
    if seconds == sorted(seconds):
        return pairs
    tails: list[int] = []
    at: list[int] = []
    before: list[int] = []
    for n, j in enumerate(seconds):
        k = bisect_left(tails, j)
        if k == len(tails):
            tails.append(j)
            at.append(n)
        else:
            tails[k] = j
            at[k] = n
        before.append(at[k - 1] if k else -1)
    chain = []
    n = at[-1]
    while n >= 0:
        chain.append(pairs[n])
        n = before[n]
    chain.reverse()
    return chain


def _shortest_edit(
    a: list[bytes], alo: int, ahi: int, b: list[bytes], blo: int, bhi: int, budget: int
) -> tuple[list[Block] | None, int]:
    """Blocks of a shortest edit script (Myers 1986), or None if the budget ends first; and the steps spent."""
    n, m = ahi - alo, bhi - blo
    if abs(n - m) ** 2 > budget:
        return None, 0
    reach = {1: 0}
    trace: list[dict[int, int]] = []
    spent = 0
    for d in range(n + m + 1):
        trace.append(dict(reach))
        spent += 2 * d + 2
        if spent > budget:
            return None, spent
        for k in range(-d, d + 1, 2):
            x = reach[k + 1] if k == -d or (k != d and reach[k - 1] < reach[k + 1]) else reach[k - 1] + 1
            y = x - k
            if 0 <= y < m and x < n and a[alo + x] == b[blo + y]:
                run = _equal_run(a, alo + x, b, blo + y, min(n - x, m - y), 1)
                spent += min(run, 64)
                x += run
            reach[k] = x
            if x >= n and x - k >= m:
                return _walk_back(trace, n, m, alo, blo), spent
    raise AssertionError("an edit script of n + m steps always exists")


def _walk_back(trace: list[dict[int, int]], x: int, y: int, alo: int, blo: int) -> list[Block]:
    blocks: list[Block] = []
    for d in range(len(trace) - 1, -1, -1):
        reach = trace[d]
        k = x - y
        before = k + 1 if k == -d or (k != d and reach[k - 1] < reach[k + 1]) else k - 1
        x0 = reach[before]
        y0 = x0 - before
        start = x0 if before == k + 1 else x0 + 1
        if d == 0:
            start = 0
        if x > start:
            blocks.append((alo + start, blo + start - k, x - start))
        x, y = x0, y0
    return blocks
