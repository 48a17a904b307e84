"""Patterns against git itself, and the two promises that walks and watches rely on."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from memgit.core.memory import PatternList, Patterns

TABLE = [
    # lines, selected, not selected
    (["MEMORY.md"], ["MEMORY.md", "a/MEMORY.md", "MEMORY.md/x"], ["memory.md", "MEMORY.md.bak"]),
    (["/MEMORY.md"], ["MEMORY.md"], ["a/MEMORY.md"]),
    (["memory/**"], ["memory/a", "memory/a/b"], ["memory", "x/memory/a", "memoryx/a"]),
    (["memory/"], ["memory/a", "x/memory/a/b"], ["memory", "x/memory"]),
    ([".beads/*.jsonl"], [".beads/issues.jsonl"], [".beads/a/issues.jsonl", "x/.beads/issues.jsonl"]),
    (["**/log"], ["log", "a/log", "a/b/log"], ["a/xlog"]),
    (["a/**/z"], ["a/z", "a/b/z", "a/b/c/z"], ["az", "b/a/z"]),
    (["a/**/b/**/z"], ["a/b/z", "a/x/b/y/z", "a/b/b/z"], ["a/x/y/z", "a/z"]),
    (["**"], ["a", "a/b"], []),
    (["*.md", "!draft.md"], ["a.md", "b/a.md"], ["draft.md", "b/draft.md", "a.txt"]),
    (["memory/**", "!memory/private/**"], ["memory/private", "memory/a"], []),
    (["/*", "!/keep"], ["a", "a/b"], ["keep", "keep/x"]),
    (["!a", "a"], ["a"], ["b"]),
    (["# not a pattern", "\\#a", "\\!b"], ["#a", "!b"], ["# not a pattern", "a", "b"]),
    (["a  ", "b\\ ", "c\\\\  "], ["a", "b ", "c\\"], ["a  ", "b", "c"]),
    (["[a-c]x", "[!a-c]y", "[]-]z"], ["ax", "cx", "dy", "]z", "-z"], ["dx", "ay", "az"]),
    (["[[:digit:]].md", "[[:nosuch:]]"], ["1.md"], ["x.md", "n"]),
    (["a?c", "a[/]c", "d*f"], ["abc", "df", "dxf"], ["a/c", "d/f"]),
    (["a\\*b", "c\\"], ["a*b"], ["axb", "c", "c\\"]),
    (["foo**/bar"], ["foo/bar", "foox/bar", "foobar"], ["xfoo/bar"]),
    (["/", "//", "", "   ", "!", "a//b"], [], ["a", "a/b"]),
    (["gedächtnis/*"], ["gedächtnis/ä"], ["gedachtnis/a"]),
]


@pytest.mark.parametrize(("lines", "selected", "others"), TABLE, ids=lambda value: " ".join(value) or "-")
def test_lines_select_as_the_gitignore_manual_says(lines: list[str], selected: list[str], others: list[str]) -> None:
    patterns = PatternList(lines)
    assert [path for path in selected + others if patterns.selects(path.encode())] == selected


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("oracle")
    subprocess.run(["git", "init", "-q", path], check=True)
    return path


def _ignored_by_git(repository: Path, lines: list[str], paths: list[bytes]) -> set[bytes]:
    (repository / ".git/info/exclude").write_bytes(b"".join(os.fsencode(line) + b"\n" for line in lines))
    result = subprocess.run(
        ["git", "-C", repository, "check-ignore", "--no-index", "-z", "--stdin"],
        input=b"".join(path + b"\0" for path in paths),
        capture_output=True,
        check=False,
    )
    assert result.returncode in (0, 1), result.stderr
    return set(result.stdout.split(b"\0")) - {b""}


# A hostile or careless list; paths never start with ":", which git would take for pathspec magic.
_PIECES = [*"aab//**?!# -]^b", "**", "/**/", "**/", "/**", "***", "*a*", "[ab]", "[!a]", "[^b/]", "[a-c]", "[b-a]"]
_PIECES += ["\\", "\\*", "\\/", "\\ ", "[[:alpha:]]", "[[:x:]]", "[[:]", "[]a]", "[a-]", "[\\]]", "[a", "é", "\udcff"]
_lines = st.lists(st.lists(st.sampled_from(_PIECES), min_size=1, max_size=7).map("".join), min_size=1, max_size=5)
_names = st.lists(st.sampled_from([*"aaabbbc!# -]^*\\[", "é", "\udcff"]), min_size=1, max_size=4).map("".join)
_paths = st.lists(st.lists(_names, min_size=1, max_size=4).map("/".join).map(os.fsencode), min_size=1, max_size=40)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(lines=["a/b**/c", "!/a", "a/[[:alpha:]]/"], paths=[b"a/b/c", b"a/bc", b"a/bx/y/c", b"a/b/b", b"a/c/a"])
@example(lines=["/**/", "!a/**/"], paths=[b"a/a"])
@example(lines=["a/**", "!a/b"], paths=[b"a", b"a/b", b"a/b/c", b"a/c"])
@example(lines=["*a*b*a", "**/a/**/b/**/c"], paths=[b"abba", b"aba/b", b"a/b/c", b"b/a/a/b/b/c", b"c/a/c/b"])
@given(lines=_lines, paths=_paths)
def test_every_verdict_is_gits_verdict(repository: Path, lines: list[str], paths: list[bytes]) -> None:
    patterns = PatternList(lines)
    expected = _ignored_by_git(repository, lines, paths)
    assert {path for path in paths if patterns.selects(path)} == expected


def _directories(path: bytes) -> Iterator[bytes]:
    yield b""
    for index, byte in enumerate(path):
        if byte == ord("/"):
            yield path[:index]


@settings(max_examples=400, deadline=None)
@example(include=["!a", "/**/"], exclude=[], paths=[b"a"])
@example(include=["a/*"], exclude=["c"], paths=[b"a/b/c"])
@given(include=_lines, exclude=st.one_of(st.just([]), _lines), paths=_paths)
def test_covers_and_may_contain_never_contradict_a_verdict(
    include: list[str], exclude: list[str], paths: list[bytes]
) -> None:
    patterns = Patterns.compile(include, exclude)
    for path in paths:
        verdict = patterns.matches(path)
        for directory in _directories(path):
            assert verdict or not patterns.covers(directory)
            assert not verdict or patterns.may_contain(directory)


def test_covers_knows_whole_directories() -> None:
    patterns = Patterns.compile(["memory/**", "bank/"], [])
    whole = [b"memory", b"memory/a/b", b"x/bank"]
    assert [path for path in [*whole, b"x", b"", b"memory/.git"] if patterns.covers(path)] == whole


def test_may_contain_prunes_everything_but_the_way_to_memory() -> None:
    patterns = Patterns.compile(["/MEMORY.md", "a/memory/**", "b/*/log"], ["a/memory/cache/"])
    inside = [b"", b"a", b"a/memory", b"a/memory/x", b"b", b"b/x"]
    outside = [b"node_modules", b"memory", b"a/x", b"b/x/y", b"a/memory/cache", b"a/memory/cache/x", b"MEMORY"]
    assert [path for path in inside + outside if patterns.may_contain(path)] == inside


def test_exclude_wins_and_git_itself_is_never_memory() -> None:
    patterns = Patterns.compile(["**"], ["*.key"])
    paths = [b"a.md", b"x/a.key", b".git/config", b"nested/.git/HEAD"]
    assert [path for path in paths if patterns.matches(path)] == [b"a.md"]
    assert not patterns.may_contain(b".git")


def test_patterns_under_a_prefix_take_repository_paths() -> None:
    patterns = Patterns.compile(["/MEMORY.md", "memory/**"], []).under(b"agents/one")
    assert patterns.matches(b"agents/one/MEMORY.md")
    assert not patterns.matches(b"MEMORY.md")
    assert not patterns.matches(b"agents/oneself/MEMORY.md")
    assert [path for path in (b"", b"agents", b"agents/one", b"agents/two", b"x") if patterns.may_contain(path)] == [
        b"",
        b"agents",
        b"agents/one",
    ]


@pytest.mark.parametrize(
    "line", ["*a" * 30 + "b", "x/" + "**/a/" * 12 + "b", "a/" + "*?" * 30 + "b", "/**/*a*a*a*a/**/*a*a*a*b"]
)
def test_no_pattern_makes_matching_explode(line: str) -> None:
    patterns = PatternList([line])
    start = time.process_time()
    for path in (b"a" * 255, b"x/" + b"a/" * 500 + b"c", b"a/" + b"a" * 250):
        patterns.selects(path)
        patterns.may_select_below(path)
    assert time.process_time() - start < 1
