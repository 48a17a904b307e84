"""Two runs that both sides put into one gap of the base become one run.

Nothing of either run is dropped: what both added alike stands once, sections with the same heading are
joined, and what remains is ordered as whole units. Where that is not plain, the answer is a clash.
"""

from __future__ import annotations

from itertools import pairwise

from memgit.core.merge import shapes
from memgit.core.merge.align import align, increasing
from memgit.core.merge.budget import Budget
from memgit.core.merge.place import Place, alike, arrange, key
from memgit.core.merge.similar import ONE_LINE, dice, tokens
from memgit.core.merge.times import Key, leading_time, leading_version
from memgit.core.merge.units import Unit, form, split, trim

_NEARLY_EQUAL = 0.9
_FEW_SHARED = 0.25  # of the lines of the smaller unit
_MUCH_SHARED = 0.9  # where the two have different times
_COMMON_WORD = 32  # units; a word of more of them tells nothing
_FEW_OWNERS = 8  # units looked at for one repeated line
_TIGHT = ("item", "row", "record")  # units that stand below each other without a blank line
_SHORT_VALUE = 4  # words; a longer text behind a shared label is an entry of a category, not a value


class Clash(Exception):
    """The two runs can't be joined without a person; the message says why."""


def join(one: list[bytes], two: list[bytes], place: Place, budget: Budget) -> tuple[list[bytes], str]:
    """One run that holds both, and the rule that gave it. Symmetric unless the place says ours first."""
    if one == two:
        return one, "both sides added the same"
    budget.spend(20 * (len(one) + len(two)))
    (lo1, hi1), (lo2, hi2) = trim(one), trim(two)
    if lo1 == hi1 or lo2 == hi2:
        return _with_blanks(one, two), "one side only added blank lines"
    if [x.rstrip() for x in one[lo1:hi1] if x.strip()] == [x.rstrip() for x in two[lo2:hi2] if x.strip()]:
        return max(one, two), "both sides added the same but for blanks"
    refrain = _refrain(one[lo1], two[lo2], place)
    xs, ys = split(one, refrain), split(two, refrain)
    if has_open_fence(xs) or has_open_fence(ys):
        raise Clash("a fenced block is not closed inside the addition")
    joined, reason = _join_units(xs, ys, place, budget)
    mine, yours = _Margin(lo1, len(one) - hi1), _Margin(lo2, len(two) - hi2)
    margins = {id(unit): margin for units, margin in ((xs, mine), (ys, yours)) for unit in units}
    shared = _Margin(max(lo1, lo2), max(mine.below, yours.below))
    return _laid_out(joined, xs, ys, [margins.get(id(unit), shared) for unit in joined], place), reason


def _refrain(first: bytes, second: bytes, place: Place) -> bytes:
    """The form of the line that begins both runs, if the base above has it again and again and it says no more."""
    line = form(first)
    has_meaning = shapes.heading_level(line) or shapes.bullet(line) or shapes.is_row(line) or shapes.is_record(line)
    if line != form(second) or has_meaning or shapes.is_rule(line) or leading_time(first):
        return b""
    return line if sum(form(other) == line for other in place.above) > 1 else b""


class _Margin:
    """The blank lines a writer left above and below the own addition."""

    __slots__ = ("above", "below")

    def __init__(self, above: int, below: int) -> None:
        self.above = above
        self.below = below


def has_open_fence(units: list[Unit]) -> bool:
    """True if a unit begins a fenced block that it does not end."""
    return any(shapes.has_open_fence(unit.lines) for unit in units)


def _with_blanks(one: list[bytes], two: list[bytes]) -> list[bytes]:
    """The run with text, or of two blank runs the longer one."""
    texts = [run for run in (one, two) if any(line.strip() for line in run)]
    return texts[0] if texts else max(one, two, key=lambda run: (len(run), run))


def _join_units(xs: list[Unit], ys: list[Unit], place: Place, budget: Budget) -> tuple[list[Unit], str]:
    pairs, ys = _common(xs, ys, place.recurring)
    out: list[Unit] = []
    reasons = []
    i = j = 0
    for x, y in [*pairs, (len(xs), len(ys))]:
        left, right = xs[i:x], ys[j:y]
        if left and right:
            _must_differ(left, right, place, budget)
            ordered, reason = arrange(left, right, place)
            out.extend(ordered)
            reasons.append("both additions kept, " + reason)
        else:
            out.extend(left or right)
        if x < len(xs):
            out.append(_joined_unit(xs[x], ys[y], budget))
            reasons.append("what both added stands once")
        i, j = x + 1, y + 1
    return out, "; ".join(dict.fromkeys(reasons))


def _common(xs: list[Unit], ys: list[Unit], recurring: set[bytes]) -> tuple[list[tuple[int, int]], list[Unit]]:
    """Units that are equal or have one heading, paired in order; and `ys` without what stands elsewhere in `xs`.

    recurring: lines that name no one unit.
    """
    names_x, names_y = ([b"\n".join(unit.identity) for unit in units] for units in (xs, ys))
    pairs = [(i + n, j + n) for i, j, length in align(names_x, names_y) for n in range(length)]
    if len(pairs) < min(len(xs), len(ys)):
        ys, pairs = _in_one_order(xs, ys, names_x, names_y, pairs)
    used_x, used_y = {i for i, _ in pairs}, {j for _, j in pairs}
    heads: dict[bytes, list[int]] = {}
    for j, unit in enumerate(ys):
        head = _joinable_head(unit)
        if head and head not in recurring and j not in used_y:
            heads.setdefault(head, []).append(j)
    for i, unit in enumerate(xs):
        at = heads.get(_joinable_head(unit))
        if at and i not in used_x:
            pairs.append((i, at.pop(0)))
    pairs.sort()
    if len(increasing(pairs)) != len(pairs):
        raise Clash("both sides added the same units in another order")
    return pairs, ys


def _in_one_order(
    xs: list[Unit], ys: list[Unit], names_x: list[bytes], names_y: list[bytes], pairs: list[tuple[int, int]]
) -> tuple[list[Unit], list[tuple[int, int]]]:
    """`ys` and the pairs without entries that both have, in another order: their place is then the one in `xs`.

    Two machines that merge the same additions one after the other may come to different orders. Steps, sections
    and paragraphs mean something by their order; they stay, and whoever joins them has to decide.
    """
    used_x, used_y = {i for i, _ in pairs}, {j for _, j in pairs}
    left: dict[bytes, int] = {}
    for i, name in enumerate(names_x):
        if i not in used_x and _is_unordered(xs[i]):
            left[name] = left.get(name, 0) + 1
    kept = []
    for j, name in enumerate(names_y):
        if j not in used_y and left.get(name):
            left[name] -= 1
        else:
            kept.append(j)
    place = {j: n for n, j in enumerate(kept)}
    return [ys[j] for j in kept], [(i, place[j]) for i, j in pairs]


def _is_unordered(unit: Unit) -> bool:
    """True for a bullet, row, record or timed entry: one whose place among its like says nothing."""
    return unit.kind in ("entry", "row", "record") or (unit.kind == "item" and not unit.head.strip()[:1].isdigit())


def _joinable_head(unit: Unit) -> bytes:
    """What makes two different units one: a heading, a list item with children, a label over its lines."""
    head = unit.head.rstrip()
    if unit.kind == "section" or (unit.kind == "item" and len(unit.lines) > 1):
        return head
    is_label = head.endswith((b":", b":**")) or (head.startswith(b"**") and head.endswith(b"**"))
    depth = shapes.indent(head)
    is_over_indented = len(unit.lines) > 1 and all(
        shapes.indent(line) > depth for line in unit.lines[1:] if line.strip()
    )
    return head if unit.kind == "text" and (is_label or is_over_indented) else b""


def _joined_unit(x: Unit, y: Unit, budget: Budget) -> Unit:
    if x.identity == y.identity:
        return max((x, y), key=lambda unit: (len(unit.lines), unit.blanks, unit.lines))
    head = x.lines.index(x.head) + 1
    other = y.lines.index(y.head) + 1
    above = x.lines[:head] if len(x.lines[:head]) >= len(y.lines[:other]) else y.lines[:other]
    (first_x, end_x), (first_y, end_y) = trim(x.lines[head:]), trim(y.lines[other:])
    body_x, body_y = x.lines[head:][first_x:end_x], y.lines[other:][first_y:end_y]
    lead = [b""] * (max(first_x, first_y) if body_x and body_y else first_x or first_y)
    if not body_x or not body_y:
        body = lead + (body_x or body_y)
    else:
        body = lead + join(body_x, body_y, Place(above + lead, [], None), budget)[0]
    while body and not body[-1].strip():
        body = body[:-1]
    return Unit(above + body, max(x.blanks, y.blanks), x.kind)


def _must_differ(xs: list[Unit], ys: list[Unit], place: Place, budget: Budget) -> None:
    """Raise a clash if a unit of one side is nearly, or under the same name, one of the other."""
    budget.spend(20 * (len(xs) + len(ys)))
    alike_by_nature = _is_repetitive(xs, ys, place)
    bags_y = [tokens(b" ".join(unit.lines)) for unit in ys]
    owners: dict[bytes, list[int]] = {}
    for j, bag in enumerate(bags_y):
        for word in bag:
            owners.setdefault(word, []).append(j)
    times_y = _times(ys, place.recurring)
    for x, time in zip(xs, _times(xs, place.recurring), strict=True):
        bag = tokens(b" ".join(x.lines))
        size = sum(bag.values())
        # Units that are nearly the same share a word that few others have.
        rare = (found for word in bag if len(found := owners.get(word, [])) <= _COMMON_WORD)
        near = {j for found in rare for j in found}
        budget.spend(8 * len(near) + len(bag))
        for j in sorted(near):
            y, other, other_time = ys[j], bags_y[j], times_y[j]
            if time and other_time and time != other_time:
                continue
            other_size = sum(other.values())
            is_form = x.kind == "round" or (x.head.rstrip() == y.head.rstrip() and x.head.rstrip() in place.recurring)
            comparable = not (alike_by_nature or is_form) and 2 * min(size, other_size) > _NEARLY_EQUAL * (
                size + other_size
            )
            if comparable and dice(bag, other) > _NEARLY_EQUAL:
                raise Clash("both sides added nearly the same")
            if _names_one_value(x, y):
                raise Clash("both sides added another value under one label")
            if x.head.rstrip() == y.head.rstrip() and len(x.head) > 8 and not is_form:
                raise Clash("both sides added another entry under one first line")


def _times(units: list[Unit], recurring: set[bytes]) -> list[Key | None]:
    """The time of each unit; one under a heading that comes again and again belongs to the time above it."""
    found: list[Key | None] = []
    for unit in units:
        time = key(unit)
        found.append(found[-1] if time is None and found and unit.head.rstrip() in recurring else time)
    return found


def _name_one_release(x: Unit, y: Unit) -> bool:
    """True for units whose first lines begin with the same version; their dates may be those of two drafts."""
    if {x.kind, y.kind} - {"section", "text"}:
        return False
    version = leading_version(x.head)
    return version is not None and version == leading_version(y.head)


def _is_repetitive(xs: list[Unit], ys: list[Unit], place: Place) -> bool:
    """True where one unit is nearly the next by nature, as in a log of equal events: there likeness means nothing."""
    if xs[0].kind == ys[0].kind and xs[0].kind in ("record", "round"):
        return True
    above = [[line] for line in place.above[-12:] if line.strip()][-2:]
    runs = [(above + [unit.lines for unit in units])[:8] for units in (xs, ys)]
    for run in runs:
        bags = [tokens(b" ".join(lines)) for lines in run]
        if any(dice(one, two) > _NEARLY_EQUAL for one, two in pairwise(bags)):
            return True
    return False


def repeated(
    one: list[bytes], two: list[bytes], known: set[bytes], recurring: set[bytes], lines: set[bytes]
) -> set[bytes]:
    """Those of `lines` that both runs have inside units that are not one another, so that they may stand twice.

    That is a line the base knows too (`known`) or a run has again, which makes it a template's; one
    inside entries of different times or versions; or one of the few lines that two otherwise different
    units share. A line that names a unit on both sides (its first) is only among them if the base has it again
    and again (`recurring`), and what two drafts of one entry share is not either.
    """
    known = known | _own_repeats(one) | _own_repeats(two)
    owners = [_owners(split(run), lines, recurring) for run in (one, two)]
    found: set[bytes] = set()
    for line, xs in owners[0].items():
        for x, time in xs[:_FEW_OWNERS]:
            for y, other in owners[1].get(line, [])[:_FEW_OWNERS]:
                names_x, names_y = x.identity[0] == line, y.identity[0] == line
                if x.identity == y.identity or (names_x and names_y and line not in recurring):
                    continue
                if line in known or not (names_x or names_y or not _are_distinct(x, y, time, other)):
                    found.add(line)
    return found


def _owners(units: list[Unit], lines: set[bytes], recurring: set[bytes]) -> dict[bytes, list[tuple[Unit, Key | None]]]:
    found: dict[bytes, list[tuple[Unit, Key | None]]] = {}
    for unit, time in zip(units, _times(units, recurring), strict=True):
        for line in lines.intersection(unit.identity):
            found.setdefault(line, []).append((unit, time))
    return found


def _own_repeats(run: list[bytes]) -> set[bytes]:
    """Lines that one run has more than once: part of its form."""
    seen: set[bytes] = set()
    again: set[bytes] = set()
    for line in run:
        (again if line in seen else seen).add(line)
    return {line.rstrip() for line in again}


def _are_distinct(x: Unit, y: Unit, time: Key | None, other: Key | None) -> bool:
    """True for entries of different times, and for units of different names that share no more than a few lines."""
    lines, others = set(x.identity), set(y.identity)
    is_dated = time and other and time != other and not _name_one_release(x, y)
    if not is_dated and dice(tokens(x.head), tokens(y.head)) >= ONE_LINE:
        return False
    limit = _MUCH_SHARED if is_dated else _FEW_SHARED
    return len(lines & others) <= max(1, limit * min(len(lines), len(others)))


def _names_one_value(x: Unit, y: Unit) -> bool:
    if len(x.lines) > 1 or len(y.lines) > 1:
        return False
    name = shapes.label(x.head)
    return (
        bool(name)
        and name == shapes.label(y.head)
        and all(len(unit.head.split(b":", 1)[1].split()) <= _SHORT_VALUE for unit in (x, y))
    )


def _laid_out(units: list[Unit], xs: list[Unit], ys: list[Unit], margins: list[_Margin], place: Place) -> list[bytes]:
    """The lines of the joined run; where units of different sides meet, each has the blanks its writer left."""
    follows = {id(a): id(b) for run in (xs, ys) for a, b in pairwise(run)}
    above = {id(b): a.blanks for run in (xs, ys) for a, b in pairwise(run)}
    # A writer who began right below a blank line relied on it; a heading or paragraph then gets its own.
    after_blank = bool(place.above) and not place.above[-1].strip()
    # Blanks around the first entries of a list were left towards the heading above or the part below.
    is_tight = xs[0].kind in _TIGHT and not _are_loose(xs, ys, margins, place)
    out: list[bytes] = [b""] * margins[0].above
    for n, unit in enumerate(units):
        out.extend(unit.lines)
        if n + 1 == len(units):
            break
        following = units[n + 1]
        if follows.get(id(unit)) == id(following):
            blanks = unit.blanks
        elif is_tight and unit.kind == following.kind:
            blanks = 0
        else:
            blanks = margins[n].below + margins[n + 1].above or above.get(id(following), 0)
            wants_own = after_blank and following.kind in ("section", "text")
            if not blanks and (wants_own or (unit.kind == "text" and following.kind in ("item", "row"))):
                blanks = 1
        out.extend([b""] * blanks)
    return out + [b""] * margins[-1].below


def _are_loose(xs: list[Unit], ys: list[Unit], margins: list[_Margin], place: Place) -> bool:
    """True if entries like these are told apart by blank lines, in the base around or among themselves."""
    if any(a.blanks for run in (xs, ys) for a, b in pairwise(run) if a.kind == b.kind):
        return True
    head = xs[0].head
    depth = shapes.indent(head)
    around = [*place.above, *[b""] * max(margin.above for margin in margins), head, *place.below]
    return any(
        not line.strip()
        and over.strip()
        and (alike(xs[0], over) or shapes.indent(over) > depth)
        and alike(xs[0], under)
        for over, line, under in zip(around, around[1:], around[2:], strict=False)
    )
