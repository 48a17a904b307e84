"""The promises of the merge over generated documents and over any bytes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from itertools import permutations

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from memgit.core.merge.api import Markers, MergePolicy
from memgit.core.merge.regions import hunks
from support.merging import ROOT, merge

quick = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
Lines = list[str]

words = st.sampled_from(["red", "blue", "oak", "elm", "iron", "salt", "rain", "wind", "bread", "river", "candle"])
phrase = st.lists(words, min_size=1, max_size=5).map(" ".join)
clock = st.tuples(st.integers(0, 23), st.integers(0, 59)).map(lambda t: f"{t[0]:02}:{t[1]:02}")
item = phrase.map(lambda text: [f"- {text}"])
nested = st.tuples(phrase, phrase).map(lambda t: [f"- {t[0]}", f"  - {t[1]}"])
box = phrase.map(lambda text: [f"- [ ] {text}"])
row = st.tuples(phrase, phrase).map(lambda t: [f"| {t[0]} | {t[1]} |"])
named = st.sampled_from(
    ["2026-03-01", "March 5, 2026", "Sat Mar  7 05:00:15 UTC 2026", "2026年3月9日", "03-07", "1.2.0", "now"]
)
moment = st.one_of(clock, clock.map(lambda t: f"2026-03-02 {t}"), named)
entry = st.tuples(moment, phrase).map(lambda t: ["", f"## {t[0]}", t[1]])
section = st.tuples(phrase, phrase).map(lambda t: ["", f"## {t[0]}", "", f"- {t[1]}"])
fence = phrase.map(lambda text: ["", "```", f"# {text}", "```"])
record = st.tuples(st.integers(1, 99), phrase).map(lambda t: [f'{{"id": {t[0]}, "text": "{t[1]}"}}'])
event = st.tuples(st.sampled_from(["ts", "date"]), moment, phrase).map(
    lambda t: [f'{{"{t[0]}": "{t[1]}", "text": "{t[2]}"}}']
)
dated = st.tuples(moment, phrase).map(lambda t: [f"- {t[0]} {t[1]}"])
unit = st.one_of(item, nested, box, row, entry, section, fence, record, event, dated)


@st.composite
def edited(draw: st.DrawFn, base: Lines) -> Lines:
    """A side: the base after a few insertions, edits, toggles, deletions and moves."""
    lines = list(base)
    for _ in range(draw(st.integers(0, 3))):
        what = draw(st.sampled_from(["append", "append", "insert", "edit", "toggle", "delete", "move", "rotate"]))
        at = draw(st.integers(0, max(0, len(lines) - 1)))
        if what == "append":
            lines += draw(unit)
        elif what == "insert":
            lines[at:at] = draw(unit)
        elif not lines:
            continue
        elif what == "edit":
            lines[at] += " " + draw(words)
        elif what == "toggle":
            lines[at] = lines[at].replace("[ ]", "[x]")
        elif what == "delete":
            del lines[at : at + draw(st.integers(1, 3))]
        elif what == "move":
            lines.append(lines.pop(at))
        else:
            del lines[: at // 2]
    return lines


@st.composite
def triples(draw: st.DrawFn) -> tuple[bytes, bytes, bytes]:
    base = [line for part in draw(st.lists(unit, max_size=8)) for line in part]
    texts = [base, draw(edited(base)), draw(edited(base))]
    final = draw(st.lists(st.booleans(), min_size=3, max_size=3))
    ending = draw(st.sampled_from(["\n", "\r\n"]))
    return tuple(  # type: ignore[return-value]
        (ending.join(lines) + (ending if lines and last else "")).encode()
        for lines, last in zip(texts, final, strict=True)
    )


def significant(text: bytes) -> set[bytes]:
    return {line.strip() for line in text.splitlines() if sum(c.isalnum() for c in line.decode("utf-8", "replace")) > 3}


PATHS = st.sampled_from(["MEMORY.md", "memory/2026-03-01.md", "events.jsonl", "run.log"])


@quick
@given(triples(), PATHS)
def test_merge_of_one_change_is_that_change(texts: tuple[bytes, bytes, bytes], path: str) -> None:
    base, a, b = texts
    for o, x, y, expected in ((base, a, a, a), (base, a, base, a), (base, base, b, b), (base, base, base, base)):
        result = merge(o, x, y, path)
        assert result.clean
        assert result.content == expected


@quick
@given(triples(), PATHS)
def test_merge_does_not_depend_on_which_side_is_ours(texts: tuple[bytes, bytes, bytes], path: str) -> None:
    base, a, b = texts
    one, two = merge(base, a, b, path), merge(base, b, a, path)
    assert one.clean == two.clean
    if one.clean:
        assert one.content == two.content


@quick
@given(triples(), PATHS)
def test_no_added_line_is_lost(texts: tuple[bytes, bytes, bytes], path: str) -> None:
    """Clean or conflicted; only a line that a named rule merged may be missing as it stood."""
    base, a, b = texts
    result = merge(base, a, b, path)
    if any("merged" in d.reason or "later" in d.reason or "blanks" in d.reason for d in result.decisions):
        return
    missing = (significant(a) | significant(b)) - significant(base) - significant(result.content)
    assert not missing


@quick
@given(triples(), PATHS)
def test_no_deleted_line_comes_back(texts: tuple[bytes, bytes, bytes], path: str) -> None:
    """A line that a side moved counts as put in again there, as in git's own merge."""
    base, a, b = texts
    result = merge(base, a, b, path)
    if result.clean:
        gone = significant(base) - (significant(a) & significant(b))
        put_in = _put_in(base, a) | _put_in(base, b)
        assert not significant(result.content) & gone - put_in


def _put_in(base: bytes, side: bytes) -> set[bytes]:
    old, new = base.splitlines(), side.splitlines()
    return {line.strip() for _, _, first, end in hunks(old, new) for line in new[first:end]}


@quick
@given(triples(), PATHS)
def test_clean_results_have_only_lines_of_the_inputs_or_of_a_named_rule(
    texts: tuple[bytes, bytes, bytes], path: str
) -> None:
    base, a, b = texts
    result = merge(base, a, b, path)
    if result.clean and not any(d.reason for d in result.decisions if "merged" in d.reason):
        known = significant(base) | significant(a) | significant(b)
        assert significant(result.content) <= known


@quick
@given(triples(), PATHS)
def test_taking_one_part_of_every_conflict_gives_a_text_with_all_of_that_side(
    texts: tuple[bytes, bytes, bytes], path: str
) -> None:
    base, a, b = texts
    result = merge(base, a, b, path, markers=Markers(size=9))
    if result.clean or any(
        "merged" in d.reason or "later" in d.reason or "blanks" in d.reason for d in result.decisions
    ):
        return
    for side, keep in ((a, 1), (b, 2)):
        assert not significant(side) - significant(base) - significant(_part(result.content, keep))


def _part(content: bytes, keep: int) -> bytes:
    out, state = [], 0
    for line in content.splitlines():
        if line.startswith(b"<" * 9):
            state = 1
        elif state and line.startswith(b"=" * 9):
            state = 2
        elif state and line.startswith(b">" * 9):
            state = 0
        elif state in (0, keep):
            out.append(line)
    return b"\n".join(out)


@quick
@given(triples(), triples(), PATHS)
def test_a_conflicted_text_is_never_called_resolved(
    texts: tuple[bytes, bytes, bytes], more: tuple[bytes, bytes, bytes], path: str
) -> None:
    base, a, b = texts
    conflicted = merge(base, a, b, path)
    if conflicted.clean:
        return
    merge(conflicted.content, more[1], more[2], path)  # as a base it must only not crash
    again = merge(base, conflicted.content, b, path)
    assert b == base or conflicted.content in (base, b) or not again.clean


@quick
@given(triples(), PATHS)
def test_crlf_gives_the_crlf_of_the_result(texts: tuple[bytes, bytes, bytes], path: str) -> None:
    plain = [text.replace(b"\r\n", b"\n") for text in texts]
    if any(b"\n" not in text for text in plain):
        return  # a text of one unterminated line has no line ending of its own
    crlf = [text.replace(b"\n", b"\r\n") for text in plain]
    one, two = merge(plain[0], plain[1], plain[2], path), merge(crlf[0], crlf[1], crlf[2], path)
    assert one.clean == two.clean
    assert one.content.replace(b"\n", b"\r\n") == two.content


alphabet = st.sampled_from(
    [b"a", b"b", b"\n", b"\r", b"\r\n", b"- ", b"# ", b"|", b"{", b'"', b":", b"\xff", b"```", b"[ ] ", b" "]
)
soup = st.one_of(
    st.binary(max_size=200).map(lambda data: data.replace(b"\0", b"")),
    st.lists(alphabet, max_size=60).map(b"".join),
)


@settings(max_examples=400, deadline=None)
@given(soup, soup, soup, st.sampled_from(["a.md", "a.jsonl", "a.json", "a.log", ""]))
def test_any_bytes_merge_without_an_exception_and_alike_from_both_sides(
    o: bytes, a: bytes, b: bytes, path: str
) -> None:
    one, two = merge(o, a, b, path), merge(o, b, a, path)
    assert one.clean == two.clean
    assert not one.clean or one.content == two.content


@settings(max_examples=100, deadline=None)
@given(soup, soup, soup, st.sampled_from(["keep-both", "newest", "ours", "theirs"]))
def test_policies_take_any_bytes(o: bytes, a: bytes, b: bytes, policy: str) -> None:
    result = merge(o, a, b, "a.md", MergePolicy(on_conflict=policy))
    assert policy == "newest" or result.clean or b"<<<<<<<" in a + b


def test_a_record_cut_off_anywhere_is_a_line() -> None:
    """Half a record was written when somebody committed: its bytes stay, and the records around it merge."""
    whole = b'{"id": 1, "v": {"x": [1, {"y": "a \\"b\\" }"}], "z": {}}}'
    base = b'{"id": 0, "v": 0}\n' + whole + b"\n"
    theirs = base.replace(b'"v": 0', b'"v": 5')
    for first in range(len(whole)):
        for end in range(first + 1, len(whole)):
            half = whole[first:end]
            ours = base.replace(whole, half) + b'{"id": 2}\n'
            result = merge(base, ours, theirs, "events.jsonl")
            assert half in result.content.split(b"\n"), half
            assert b'{"id": 2}' in result.content, half


def _event(minute: int) -> str:
    return f'{{"ts": "2026-03-01T10:{minute:02}:00Z", "n": {minute}}}\n'


scalar = st.sampled_from([0, 1, None, True, "red", 'a "b"', "}]", "2026-03-01T10:00:00Z"])
value = st.recursive(scalar, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3))
document = st.dictionaries(words, value, min_size=2, max_size=5)


@st.composite
def documents(draw: st.DrawFn) -> tuple[bytes, bytes, bytes]:
    """JSON documents of which each side gave some fields another value, or took them out."""
    base = draw(document)
    sides = [{**base, **draw(st.dictionaries(words, value, max_size=2))} for _ in range(2)]
    for side in sides:
        if draw(st.booleans()):
            side.pop(draw(st.sampled_from(sorted(side))))
    indent = draw(st.sampled_from([2, 1, None]))
    return tuple(json.dumps(text, indent=indent).encode() + b"\n" for text in (base, *sides))  # type: ignore[return-value]


@quick
@given(documents())
def test_json_that_was_merged_is_json(texts: tuple[bytes, bytes, bytes]) -> None:
    result = merge(*texts, "state.json")
    if result.clean and result.decisions:  # what is left is git's own merge
        json.loads(result.content)


@st.composite
def record_files(draw: st.DrawFn) -> tuple[bytes, bytes, bytes]:
    """Files of records with ids: sides that change, drop and add some, under ids of one small range."""
    base = {n: draw(document) for n in range(draw(st.integers(1, 4)))}
    texts = [list(base.items())]
    for _ in range(2):
        side = [(n, draw(document) if draw(st.integers(0, 3)) == 0 else fields) for n, fields in base.items()]
        for n in draw(st.sets(st.integers(10, 13), max_size=2)):
            side.insert(draw(st.integers(0, len(side))), (n, draw(document)))
        texts.append(side)
    return tuple(  # type: ignore[return-value]
        b"".join(json.dumps({"id": n, **fields}).encode() + b"\n" for n, fields in text) for text in texts
    )


@quick
@given(record_files())
def test_records_keep_their_ids_apart(texts: tuple[bytes, bytes, bytes]) -> None:
    result = merge(*texts, "events.jsonl")
    if result.clean:
        ids = [json.loads(line)["id"] for line in result.content.splitlines()]
        assert len(ids) == len(set(ids))


@st.composite
def lists_of_objects(draw: st.DrawFn) -> tuple[list[dict[str, object]], ...]:
    """A list of objects with ids, and two sides that changed, dropped and added some, in front or behind."""
    base: list[dict[str, object]] = [{"id": n, "v": 0} for n in range(draw(st.integers(0, 4)))]
    in_front = draw(st.booleans())
    texts = [base]
    for start in (10, 20):
        kept = [{**item, "v": draw(st.integers(0, 1))} for item in base if draw(st.integers(0, 4))]
        new: list[dict[str, object]] = [
            {"id": n, "v": 0} for n in draw(st.lists(st.integers(start, start + 12), max_size=3, unique=True))
        ]
        texts.append(new + kept if in_front else kept + new)
    return tuple(texts)


@quick
@given(lists_of_objects(), st.sampled_from([None, 1]), st.booleans())
def test_lists_of_objects_hold_what_both_sides_put_in(
    lists: tuple[list[dict[str, object]], ...], indent: int | None, inside: bool
) -> None:
    base, ours, theirs = (json.dumps({"q": x} if inside else x, indent=indent).encode() + b"\n" for x in lists)
    result, swapped = merge(base, ours, theirs, "q.json"), merge(base, theirs, ours, "q.json")
    assert result.clean == swapped.clean
    if result.clean and result.decisions:  # what is left is git's own merge
        assert result.content == swapped.content
        merged = json.loads(result.content)
        found = [item["id"] for item in (merged["q"] if inside else merged)]
        old, here, there = ({item["id"] for item in items} for items in lists)
        assert len(found) == len(set(found))
        assert set(found) == (old & here & there) | (here - old) | (there - old)


minutes = st.sets(st.integers(0, 59), min_size=3, max_size=12)


@quick
@given(minutes, st.data())
def test_keyed_appends_of_three_writers_converge_in_any_order(chosen: set[int], data: st.DataObject) -> None:
    owner = {minute: data.draw(st.integers(0, 2)) for minute in sorted(chosen)}
    base = b'{"ts": "2026-03-01T09:00:00Z", "n": -1}\n'
    sides = [
        base + "".join(_event(minute) for minute in sorted(chosen) if owner[minute] == n).encode() for n in range(3)
    ]
    results = set()
    for x, y, z in permutations(sides):
        first = merge(base, x, y, "events.jsonl")
        second = merge(base, first.content, z, "events.jsonl")
        assert first.clean
        assert second.clean
        results.add(second.content)
    assert results == {base + "".join(_event(minute) for minute in sorted(chosen)).encode()}


@quick
@given(st.lists(phrase, min_size=1, max_size=4, unique=True), st.lists(phrase, min_size=1, max_size=4, unique=True))
def test_blocks_without_times_are_not_interleaved(ours: Lines, theirs: Lines) -> None:
    base = ["intro"]
    a = [f"para a {text}" for text in ours]
    b = [f"note b {text}" for text in theirs]
    texts = ["\n".join(lines).encode() + b"\n" for lines in (base, base + a, base + b)]
    result = merge(texts[0], texts[1], texts[2], "x.md")
    if result.clean:
        text = result.content.decode()
        assert "\n".join(a) + "\n" in text
        assert "\n".join(b) + "\n" in text


listed = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 2)), max_size=7, unique_by=lambda item: item[0])


@quick
@given(listed, listed, listed, st.booleans())
def test_a_list_of_objects_is_merged_by_ids(
    base: list[tuple[int, int]], ours: list[tuple[int, int]], theirs: list[tuple[int, int]], inside: bool
) -> None:
    def text(items: list[tuple[int, int]]) -> bytes:
        rows = [{"id": number, "v": value} for number, value in items]
        return json.dumps({"keep": 1, "rows": rows} if inside else rows, indent=1).encode() + b"\n"

    # An object renamed, and another side's new one of that name, may lie so far apart that git merges them.
    assume(not ({*dict(ours)} - {*dict(base)}) & ({*dict(theirs)} - {*dict(base)}))
    origin, one_text, two_text = (text(items) for items in (base, ours, theirs))
    result = merge(origin, one_text, two_text, "state.json")
    swapped = merge(origin, two_text, one_text, "state.json")
    assert (result.clean, result.content if result.clean else b"") == (
        swapped.clean,
        swapped.content if swapped.clean else b"",
    )
    if not result.clean or not (base and ours and theirs):
        return
    found = json.loads(result.content)
    rows = found["rows"] if inside else found
    was, one, two = dict(base), dict(ours), dict(theirs)
    expected = {}
    for number in {*was, *one, *two}:
        left, right = one.get(number), two.get(number)
        assert left == right or was.get(number) in (left, right)
        expected[number] = right if left == was.get(number) else left
    assert {row["id"]: row["v"] for row in rows} == {number: v for number, v in expected.items() if v is not None}
    assert len(rows) == len({row["id"] for row in rows})


def test_the_result_does_not_depend_on_hash_seed_or_locale() -> None:
    program = (
        "import sys; from memgit.core.merge.api import merge;"
        "o='# T\\n\\n- one\\n'; a=o+'- ä x\\n- y\\n## H\\n\\n- q\\n'; b=o+'- z\\n- y\\n## H\\n\\n- r\\n## G\\n';"
        "sys.stdout.buffer.write(merge(o.encode(), a.encode(), b.encode(), 'memory/x.md').content)"
    )
    outputs = set()
    for seed, locale in (("1", "C"), ("2", "C.UTF-8"), ("3", "POSIX")):
        env = {
            **os.environ,
            "PYTHONHASHSEED": seed,
            "LC_ALL": locale,
            "PYTHONPATH": str(ROOT / "src"),
            "PYTHONUTF8": "1",
        }
        outputs.add(subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, check=True).stdout)
    assert len(outputs) == 1
