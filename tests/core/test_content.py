"""Conflict markers, broken JSON, half records, binary data."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memgit.core import content

OURS, MIDDLE, THEIRS, BASE = b"<" * 7, b"=" * 7, b">" * 7, b"|" * 7


def conflict(*, base: bool = False, end: bytes = b"\n") -> bytes:
    lines = [OURS + b" HEAD", b"a", *([BASE + b" 1234567", b"o"] if base else []), MIDDLE, b"b", THEIRS + b" topic"]
    return end.join(lines) + end


@pytest.mark.parametrize(
    "text", [conflict(), conflict(base=True), conflict(end=b"\r\n"), conflict().replace(b" HEAD", b"")]
)
def test_a_conflict_is_found_at_its_first_line(text: bytes) -> None:
    assert content.conflict_markers(b"one\n\n" + text + b"rest\n") == 3


@pytest.mark.parametrize(
    "text",
    [
        b"Title\n=======\n\ntext\n",
        b"> " + conflict().replace(b"\n", b"\n> "),
        b"    " + conflict().replace(b"\n", b"\n    "),
        OURS + b" HEAD\nonly this\n",
        MIDDLE + b"\n" + THEIRS + b" x\n" + OURS + b" y\n",
        OURS + b" a\n" + THEIRS + b" b\n",
        OURS + b"< eight\n" + MIDDLE + b"\n" + THEIRS + b"> eight\n",
        b"git writes `" + OURS + b"`, `" + MIDDLE + b"` and `" + THEIRS + b"`\n",
        OURS + b"<<<\n" + MIDDLE + b"===\n" + THEIRS + b">>>\n",
    ],
)
def test_lone_quoted_and_underlining_marks_are_text(text: bytes) -> None:
    assert content.conflict_markers(text) is None


@given(st.binary())
def test_any_bytes_can_be_asked_about(data: bytes) -> None:
    content.conflict_markers(data)
    content.is_binary(data)
    for path in (b"a.json", b"a.jsonl", b"a.log", b"a.md"):
        content.still_parses(data, data, path)
        prefix = content.complete_prefix(data, path)
        assert data.startswith(prefix)
        assert content.complete_prefix(prefix, path) == prefix


@pytest.mark.parametrize(
    ("old", "new", "path", "fine"),
    [
        (b"{}", b'{"a": 1}\n', b"a.json", True),
        (b"{}", b'{"a": 1', b"a.json", False),
        (b"{}", b'{"nodes": [', b"a.canvas", False),
        (b"{}", b"", b"a.json", False),
        (b"", b"{", b"a.json", True),
        (b"{", b"{ still", b"a.json", True),
        (b"{}\n{}\n", b"{}\n{\n{}\n", b"a.jsonl", False),
        (b"{}\n\n{}\n", b"{}\n\n[1]\n", b"A.JSONL", True),
        (b"{}\n", b'{}\n{"half', b"a.jsonl", True),
        (b"{}\nnot json\n", b"nothing is\n", b"a.ndjson", True),
        (b"{}", b"{", b"a.md", True),
        (b"[1]", b"[" * 100_000, b"a.json", False),
        (b"\xef\xbb\xbf{}", b"\xff", b"a.json", False),
    ],
)
def test_json_that_parsed_must_go_on_parsing(old: bytes, new: bytes, path: bytes, fine: bool) -> None:
    assert content.still_parses(old, new, path) is fine


def test_the_broken_line_is_named() -> None:
    assert content.broken_line(b'{\n "a": 1,\n "b"\n}', b"a.json") == 4
    assert content.broken_line(b"{}\n[\n{}\n", b"a.jsonl") == 2


@pytest.mark.parametrize(
    ("data", "path", "kept"),
    [
        (b'{"a":1}\n{"b":', b"a.jsonl", b'{"a":1}\n'),
        (b'{"a":1}\n{"b":2}', b"a.jsonl", b'{"a":1}\n{"b":2}'),
        (b"1\n12", b"a.jsonl", b"1\n"),
        (b'"x"\n"y"', b"a.ndjson", b'"x"\n'),
        (b"one\ntw", b"run.log", b"one\n"),
        (b"half", b"run.log", b""),
        (b"one\ntw", b"notes.md", b"one\ntw"),
        (b"", b"a.jsonl", b""),
    ],
)
def test_append_style_files_end_with_a_whole_record(data: bytes, path: bytes, kept: bytes) -> None:
    assert content.complete_prefix(data, path) == kept


@settings(max_examples=40)
@given(st.lists(st.dictionaries(st.text(), st.integers() | st.text(), max_size=3), max_size=5), st.integers(0, 200))
def test_a_torn_append_never_loses_a_whole_record(records: list[dict[str, object]], cut: int) -> None:
    text = b"".join(json.dumps(one).encode() + b"\n" for one in records)
    torn = text[: len(text) - cut] if cut else text
    kept = content.complete_prefix(torn, b"a.jsonl")
    assert content.broken_line(kept, b"a.jsonl") is None
    assert kept.count(b"\n") == torn.count(b"\n")


def test_binary_is_what_git_calls_so() -> None:
    assert content.is_binary(b"\x89PNG\r\n\0")
    assert not content.is_binary("naïve 記憶".encode())
    assert not content.is_binary(b"a" * 8000 + b"\0")
