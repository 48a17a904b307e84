"""Lines of keys, against texts whose lines are known because they were written one by one."""

from __future__ import annotations

import pytest
import tomli
from hypothesis import given
from hypothesis import strategies as st

from memgit.core.keylines import Path, line_of

_VALUES = [
    "1",
    '"text # no comment"',
    "'[not.a.table]'",
    '"esc \\" ] = [ "',
    '"""\nfake = 1\n[fake]\n"""',
    "'''\nfake = 1 # '\n'''",
    '[\n  "a", # fake = 1\n  "]",\n]',
    "{ a = 1, b = [1, 2] }",
    "[[1], [2]]",
    '""""quoted""""',
    "true # = trailing",
    "1979-05-27 07:32:00",
]
_NOISE = ["", "# fake = 1", "  ", "# [fake]", "\t# '''"]


@st.composite
def _documents(draw: st.DrawFn) -> tuple[str, dict[Path, int]]:
    lines: list[str] = []
    known: dict[Path, int] = {}

    def write(text: str) -> int:
        lines.extend(draw(st.lists(st.sampled_from(_NOISE), max_size=2)))
        lines.extend(text.split("\n"))
        return len(lines) - text.count("\n")

    def body(table: Path) -> None:
        for name in draw(st.lists(st.sampled_from(["a", "b", "c-d", "e_1", "7"]), max_size=3, unique=True)):
            written = draw(st.sampled_from([name, f'"{name}"', f" '{name}'"]))
            known[(*table, name)] = write(f"{written} = {draw(st.sampled_from(_VALUES))}")

    body(())
    for name in draw(st.lists(st.sampled_from(["one", "two", "three"]), max_size=3, unique=True)):
        if draw(st.booleans()):
            for index in range(draw(st.integers(1, 3))):
                known[(name, index)] = write(f"[[ {name} ]]")
                body((name, index))
                known[(name, index, "sub")] = write(f"[{name}.sub]")
                body((name, index, "sub"))
        else:
            known[(name,)] = write(f"[{name}] # table")
            body((name,))
    return "\n".join(lines), known


@given(_documents())
def test_every_key_is_found_where_it_was_written(document: tuple[str, dict[Path, int]]) -> None:
    text, known = document
    tomli.loads(text)
    assert {path: line_of(text, path) for path in known} == known


@pytest.mark.parametrize(
    ("text", "path", "line"),
    [
        ("a.b.c = 1\na.b.d = 2\n", ("a", "b", "d"), 2),
        ("a.b.c = 1\na.b.d = 2\n", ("a",), 1),
        ("\nrules = [\n  {x = 1},\n  {x = 2},\n]\n", ("rules", 1, "x"), 2),  # the list it is in
        ("[[r]]\nx = 1\n[[r]]\n\nx = 2\n", ("r", 1, "x"), 5),
        ("[[r]]\n[[r]]\ny = 1\n", ("r", 1, "x"), 2),  # the table it is missing from
        ('"a\\u0062" = 1\nb = 2\n', ("b",), None),  # a name with escapes: unsure, so silent
        ("a = 1\n", ("b",), None),
        ("a = \n[", ("a",), None),
        ("", ("a",), None),
    ],
)
def test_lines_of_less_usual_forms(text: str, path: Path, line: int | None) -> None:
    assert line_of(text, path) == line


@given(st.text(alphabet="a=[]\"'{}#.\n\\ ", max_size=30))
def test_a_line_is_never_beyond_a_broken_text_and_never_raises(text: str) -> None:
    line = line_of(text, ("a",))
    assert line is None or 1 <= line <= text.count("\n") + 1
