"""The text of a consolidated commit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memgit.core.consolidation.message import (
    FileChange,
    Sources,
    compose,
    count_lines,
    describe,
    earlier_sources,
)
from memgit.core.trailers import parse
from memgit.core.trees import Trees
from support.model import Objects
from support.repo import Oid, hash_of

FIRST, LAST = b"1" * 40, b"2" * 40
SOURCES = Sources("2024-02-04", 42, FIRST, LAST)
TRAILERS = f"""\
Memgit-Window: 2024-02-04
Memgit-Squashed: 42
Memgit-Sources: {FIRST.decode()}..{LAST.decode()}
"""


def test_golden() -> None:
    files = (
        FileChange(b"MEMORY.md", "changed", 12, 3, (b"Deploys", b"Lessons"), 9),
        FileChange(b"data/state.bin", "changed", None, None, (), 0),
        FileChange(b"memory/2024-02-04.md", "new", 1, 0, (), 1),
        FileChange(b"memory/old.md", "deleted", 0, 7, (), 0),
        FileChange(b"vendor/nested", "new", None, None, (), 0),
    )
    assert (
        compose(SOURCES, files).decode()
        == f"""\
memory: 2024-02-04, 42 auto-commits, 5 files (+13 -10)

MEMORY.md: +12 -3, 9 bullets; "Deploys", "Lessons"
data/state.bin: changed
memory/2024-02-04.md: new, +1 -0, 1 bullet
memory/old.md: deleted, +0 -7
vendor/nested: new

{TRAILERS}"""
    )


def test_without_files() -> None:
    assert compose(SOURCES, None).decode() == f"memory: 2024-02-04, 42 auto-commits\n\n{TRAILERS}"


def test_one_of_everything() -> None:
    one = Sources("2024-W05", 1, FIRST, FIRST)
    text = compose(one, (FileChange(b"a", "new", 1, 0, (), 0),)).decode()
    assert text.startswith(
        "memory: 2024-W05, 1 auto-commit, 1 file (+1 -0)\n\na: new, +1 -0\n\nMemgit-Window: 2024-W05\n"
    )


def test_a_template() -> None:
    files = (FileChange(b"a", "changed", 2, 1, (), 0),)
    assert compose(SOURCES, files, "chore(mem): {window}{lines}").startswith(b"chore(mem): 2024-02-04 (+2 -1)\n\n")
    assert compose(SOURCES, None, "x {files} {lines} y\n z").startswith(b"x y z\n\n")


def test_many_files_and_headings_are_cut_short() -> None:
    files = tuple(FileChange(b"f%02d" % at, "new", 1, 0, (), 0) for at in range(23))
    assert compose(SOURCES, files).decode().split("\n\n")[1].splitlines()[-2:] == ["f19: new, +1 -0", "and 3 more"]
    headings = tuple(b"h%d" % at for at in range(5))
    text = compose(SOURCES, (FileChange(b"a.md", "changed", 5, 0, headings, 0),)).decode()
    assert 'a.md: +5 -0; "h0", "h1", "h2", "h3", ...\n' in text


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        (b"memory/\xc3\xbc.md", "memory/ü.md"),
        (b"memory/\xff.md", "memory/\\377.md"),
        (b"a\nMemgit-Auto: x", "a\\012Memgit-Auto: x"),
        (b"a\n\nb", "a\\012\\012b"),
        (b"a\x1b[31m", "a\\033[31m"),
    ],
)
def test_paths_are_one_line_of_utf_8(path: bytes, shown: str) -> None:
    text = compose(SOURCES, (FileChange(path, "new", 1, 0, (), 0),)).decode()
    assert text.split("\n\n")[1].splitlines()[0] == f"{shown}: new, +1 -0"


@given(
    st.one_of(
        st.binary(min_size=1, max_size=12), st.text("\n\x1b\x7f: Memgit-Auto", min_size=1).map(str.encode)
    ).filter(lambda path: b"\0" not in path),
    st.lists(st.binary(max_size=80).filter(lambda text: b"\n" not in text), max_size=6),
)
def test_nothing_in_a_workspace_can_forge_a_trailer(path: bytes, headings: list[bytes]) -> None:
    """Names and contents are inert."""
    text = compose(SOURCES, (FileChange(path, "new", 1, 0, tuple(headings), 0),))
    text.decode("utf-8")
    assert [key for key, _ in parse(text)] == [b"Memgit-Window", b"Memgit-Squashed", b"Memgit-Sources"]
    assert len(text.split(b"\n\n")) == 3
    assert not any(ord(char) < 32 and char != "\n" for char in text.decode())


def test_describe_counts_lines_headings_and_bullets() -> None:
    contents: dict[Oid, bytes] = {}

    def blob(text: bytes) -> tuple[bytes, Oid]:
        oid = hash_of(b"blob", text)
        contents[oid] = text
        return b"100644", oid

    module = (b"160000", hash_of(b"commit", b""))
    objects = Objects()
    old = objects.tree(
        {b"a.md": blob(b"# A\n- one\n"), b"bin": blob(b"a\0b"), b"gone.md": blob(b"x\ny\n"), b"m": module}
    )
    new = objects.tree(
        {
            b"a.md": blob(b"# A\n- one\n## B ##\n- two\n* three\n1. four\ntext\n"),
            b"bin": blob(b"a\0c"),
            b"code.py": blob(b"# no heading\n- no bullet\n"),
            b"m": (b"160000", hash_of(b"commit", b"x")),
        }
    )

    def read_limited(oids: Iterable[Oid], limit: int | None) -> Iterator[bytes | None]:
        yield from (contents[oid] for oid in oids)

    trees = Trees(lambda oids: (objects.trees[oid] for oid in oids))
    (found,) = describe(trees, [(old, new)], read_limited, lambda path: path not in (b"code.py", b"m"))
    assert found == (
        FileChange(b"a.md", "changed", 5, 0, (b"B",), 3),
        FileChange(b"bin", "changed", None, None, (), 0),
        FileChange(b"gone.md", "deleted", 0, 2, (), 0),
        FileChange(b"code.py", "new", None, None, (), 0),
        FileChange(b"m", "changed", None, None, (), 0),
    )


lines = st.lists(st.sampled_from((b"a", b"b", b"", b"c\r")), max_size=8)
texts = st.builds(lambda parts, end: b"\n".join(parts) + end, lines, st.sampled_from((b"", b"\n")))


@given(texts, texts)
def test_added_and_removed_lines_make_the_difference(old: bytes, new: bytes) -> None:
    added, removed = count_lines(old, new)
    before, after = Counter(old.splitlines()), Counter(new.splitlines())
    assert Counter(added) == after - before
    assert Counter(removed) == before - after


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (compose(SOURCES, None), (FIRST, 42)),
        (b"".join(b"    %s\n" % line for line in compose(SOURCES, None).split(b"\n")), (FIRST, 42)),
        (b"plain\n", (b"3" * 40, 1)),
        (b"x\n\nMemgit-Squashed: 5\n", (b"3" * 40, 1)),
        (b"x\n\nMemgit-Squashed: -5\nMemgit-Sources: %s..x\n" % FIRST, (b"3" * 40, 1)),
        (b"x\n\nMemgit-Squashed: 0\nMemgit-Sources: %s..x\n" % FIRST, (b"3" * 40, 1)),
        (b"x\n\nMemgit-Squashed: %s\nMemgit-Sources: %s..x\n" % (b"9" * 5000, FIRST), (b"3" * 40, 1)),
        (b"x\n\nMemgit-Squashed: 5\nMemgit-Sources: %s..x\n" % (b"g" * 40), (b"3" * 40, 1)),
    ],
)
def test_earlier_sources(message: bytes, expected: tuple[Oid, int]) -> None:
    assert earlier_sources(b"3" * 40, message) == expected
