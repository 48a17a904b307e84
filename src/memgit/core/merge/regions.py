"""The plain three-way merge: where the sides changed the base, and where their changes meet.

Changes of the two sides that overlap or touch are one conflicting region, as in git's own merge, so a
merge that is clean here is clean there and has the same bytes.
"""

from __future__ import annotations

from memgit.core.merge.align import align

Hunk = tuple[int, int, int, int]  # base[0:1] replaced by side[2:3], both half open


class Region:
    """base[o1:o2] became one[a1:a2] on one side and two[b1:b2] on the other."""

    __slots__ = ("a1", "a2", "b1", "b2", "o1", "o2", "one", "two")

    def __init__(self, o1: int, o2: int, a1: int, a2: int, b1: int, b2: int, one: list[Hunk], two: list[Hunk]) -> None:
        self.o1 = o1
        self.o2 = o2
        self.a1 = a1
        self.a2 = a2
        self.b1 = b1
        self.b2 = b2
        self.one = one  # the hunks of each side inside, empty if that side left the region alone
        self.two = two


def hunks(base: list[bytes], side: list[bytes]) -> list[Hunk]:
    """What `side` replaced, in order, insertions and deletions moved down as far as they go."""
    found: list[Hunk] = []
    i = j = 0
    for x, y, n in [*align(base, side), (len(base), len(side), 0)]:
        if x > i or y > j:
            found.append((i, x, j, y))
        i, j = x + n, y + n
    return _moved_down(found, base, side)


def _moved_down(found: list[Hunk], base: list[bytes], side: list[bytes]) -> list[Hunk]:
    """git places a run that could stand higher or lower as low as possible (xdl_change_compact)."""
    out: list[Hunk] = []
    end_o, end_s = len(base), len(side)
    for o1, o2, s1, s2 in reversed(found):
        while True:
            if o1 == o2:
                while s2 < end_s and side[s1] == side[s2]:
                    o1, o2, s1, s2 = o1 + 1, o2 + 1, s1 + 1, s2 + 1
            elif s1 == s2:
                while o2 < end_o and base[o1] == base[o2]:
                    o1, o2, s1, s2 = o1 + 1, o2 + 1, s1 + 1, s2 + 1
            if not (out and o2 == out[-1][0] and s2 == out[-1][2]):
                break
            _, o2, _, s2 = out.pop()
            end_o, end_s = (out[-1][0], out[-1][2]) if out else (len(base), len(side))
        out.append((o1, o2, s1, s2))
        end_o, end_s = o1, s1
    out.reverse()
    return out


def regions(one: list[Hunk], two: list[Hunk]) -> list[Region]:
    """The changed regions of both sides in base order; hunks that overlap or touch share one."""
    out: list[Region] = []
    i = j = 0
    shift_a = shift_b = 0
    while i < len(one) or j < len(two):
        start_i, start_j = i, j
        heads = [h[0] for h in (*one[i : i + 1], *two[j : j + 1])]
        start = end = min(heads)
        while True:
            if i < len(one) and (one[i][0] <= end if (i, j) != (start_i, start_j) else one[i][0] == start):
                end = max(end, one[i][1])
                i += 1
            elif j < len(two) and two[j][0] <= end:
                end = max(end, two[j][1])
                j += 1
            else:
                break
        mine, yours = one[start_i:i], two[start_j:j]
        new_a = mine[-1][3] - mine[-1][1] if mine else shift_a
        new_b = yours[-1][3] - yours[-1][1] if yours else shift_b
        out.append(
            Region(start, end, start + shift_a, end + new_a, start + shift_b, end + new_b, mine, yours),
        )
        shift_a, shift_b = new_a, new_b
    return out
