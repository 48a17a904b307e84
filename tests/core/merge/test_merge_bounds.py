"""Input made to be slow ends in the line merge, by a count of steps and not by a clock."""

from __future__ import annotations

import random

import pytest

from memgit.core.merge import api, structure
from memgit.core.merge.budget import Budget, Exhausted
from memgit.core.merge.regions import hunks
from support.merging import merge


def _few(lines: int, kinds: int, seed: int) -> bytes:
    rng = random.Random(seed)
    return b"".join(b"line %d\n" % rng.randrange(kinds) for _ in range(lines))


HUNDRED_THOUSAND = b"same line\n" * 100_000
SECTIONS = b"".join(b"# Section %d\n\n- an item of %d\n    (Ada Berg)\n" % (n, n) for n in range(20_000))
SHORT = b"".join(b"# S%d\n\n- line %d\n" % (n, n) for n in range(1_000)) + b"the state is red\n"
CYCLE = b"a\nb\nc\nd\n" * 25_000

SLOW = {
    "equal lines": (HUNDRED_THOUSAND, HUNDRED_THOUSAND + b"a\n", HUNDRED_THOUSAND + b"b\n"),
    "four lines repeated": (CYCLE, CYCLE.replace(b"c", b"x", 300), CYCLE + b"e\n"),
    "sections added at two places": (
        SHORT,
        SECTIONS + SHORT.replace(b"red", b"green fields"),
        SHORT.replace(b"red", b"blue sky now") + SECTIONS,
    ),
    "few kinds of lines": (_few(20_000, 5, 1), _few(20_000, 5, 2), _few(20_000, 5, 3)),
    "nothing in common": (_few(20_000, 10**9, 1), _few(20_000, 10**9, 2), _few(20_000, 10**9, 3)),
    "a long line": (b"word " * 100_000, b"word " * 100_000 + b"a", b"word " * 100_000 + b"b"),
    "fences": (b"x\n", b"x\n" + b"```\n" * 30_001, b"x\n" + b"```\n" * 30_001 + b"y\n"),
    "deep lists": tuple(
        b"x\n" + b"".join(b"  " * n + b"- %s\n" % word for n in range(600)) for word in (b"", b"same", b"same ")
    ),
    "deep JSON": tuple(b'{"id":1,"v":%s}\n' % (b"[" * n + b"]" * n) for n in (3000, 3001, 3002)),
}


@pytest.mark.parametrize("name", SLOW)
def test_slow_input_ends(name: str) -> None:
    base, ours, theirs = SLOW[name][:3]
    one, two = merge(base, ours, theirs, "x.jsonl" if "JSON" in name else "x.md"), merge(base, theirs, ours, "x.md")
    assert one.content
    assert two.content


def test_long_lists_of_a_json_file_merge() -> None:
    """One side moves an item of 60,000 and the other adds as many: no item is looked for among all others."""
    numbers = list(range(60_000))
    ours, theirs = [numbers[-1], *numbers[:-1]], [*numbers[:30_000], *range(60_000, 120_000), *numbers[30_000:]]
    base, one, two = (f'{{"rows": {text}}}\n'.encode() for text in (numbers, ours, theirs))
    result = merge(base, one, two, "state.json")
    assert result.clean
    assert result.content == f'{{"rows": {[numbers[-1], *theirs[:-1]]}}}\n'.encode()


def test_scattered_edits_of_a_large_file_merge() -> None:
    lines = [b"- fact %d" % n for n in range(30_000)]
    ours, theirs = list(lines), list(lines)
    for n in range(0, 30_000, 30):
        ours[n] += b" ours"
        theirs[n + 10] += b" theirs"
    texts = [b"\n".join(text) + b"\n" for text in (lines, ours, theirs)]
    result = merge(texts[0], texts[1], texts[2])
    assert result.clean
    assert result.content.count(b"ours") == result.content.count(b"theirs") == 1000


def test_a_large_file_of_records_merges_by_their_ids() -> None:
    records = [b'{"id":%d,"state":"open","note":"task"}' % n for n in range(30_000)]
    ours, theirs = list(records), list(records)
    for n in range(0, 30_000, 300):
        ours[n] = ours[n].replace(b"open", b"done")
        theirs[n] = theirs[n].replace(b"task", b"feature")
    for n in range(200):  # from the end, so that places above keep their numbers
        at = 29_000 - 100 * n
        ours.insert(at, b'{"id":"a%d"}' % n)
        theirs.insert(at + 50, b'{"id":"%s%d"}' % (b"ab"[n % 2 :][:1], n))
    texts = [b"\n".join(text) + b"\n" for text in (records, ours, theirs)]
    result = merge(texts[0], texts[1], texts[2], "events.jsonl")
    assert result.clean
    assert result.content.count(b'"done","note":"feature"') == 100
    assert result.content.count(b'{"id":"') == 300


def test_an_alignment_beyond_its_bound_is_coarse_and_still_right() -> None:
    base, side = _few(5_000, 3, 1).split(b"\n"), _few(5_000, 3, 2).split(b"\n")
    out, at = [], 0
    for o1, o2, s1, s2 in hunks(base, side):
        out += base[at:o1] + side[s1:s2]
        at = o2
    assert out + base[at:] == side


def test_a_budget_ends() -> None:
    budget = Budget(10)
    budget.spend(10)
    with pytest.raises(Exhausted):
        budget.spend(1)


def test_what_a_budget_can_not_pay_is_not_counted() -> None:
    budget = Budget(10)
    with pytest.raises(Exhausted):
        budget.spend(11)
    assert budget.left == 10


def test_a_fault_in_a_rule_leaves_the_plain_merge(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RecursionError

    monkeypatch.setattr(structure, "pieces", fail)
    result = api.merge(b"- a\n- b\n- c\n", b"- a\n- b\n- c\n- d\n", b"- e\n- b\n- c\n- f\n")
    assert (result.clean, result.fault) == (False, "RecursionError")
    assert result.content == b"- e\n- b\n- c\n<<<<<<< ours\n- d\n=======\n- f\n>>>>>>> theirs\n"
