"""Trailers against git interpret-trailers."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from memgit.core import trailers


def _git(message: bytes, *options: str) -> bytes:
    command = ["git", "interpret-trailers", "--no-divider", *options]
    return subprocess.run(command, input=message, capture_output=True, check=True).stdout


_LINES = [
    b"Subject",
    b"",
    b"",
    b"Memgit-Auto: laptop",
    b"Key:value",
    b"Key : spaced ",
    b" goes on ",
    b"\tand on",
    b"text",
]
_LINES += [
    b"Signed-off-by: A <a>",
    b"(cherry picked from commit 1234)",
    b"# comment: no",
    b"a b: no",
    b":",
    b"X:",
    b"---",
]
_LINES += [b"Win: dows\r", b"\xff\xfe: bytes", b"Latin: \xe4", b"http://x", b"  ", b"-: dash"]
_messages = st.lists(st.sampled_from(_LINES), max_size=9).map(b"\n".join)


@settings(max_examples=300, deadline=None)
@example(b"Subject\n\nMemgit-Auto: laptop")
@example(b"Memgit-Auto: in the title")
@example(b"S\n\nbody: text\n\nA: 1\nB: 2\n folded\n  more \n\n")
@example(b"S\n\nprose\nprose\nprose\nSigned-off-by: A\n")
@example(b"S\n\nprose\nA: 1\n")
@given(_messages)
def test_parse_finds_what_git_finds(message: bytes) -> None:
    expected = [line for line in _git(message, "--parse").split(b"\n") if line]
    assert [key + b": " + value for key, value in trailers.parse(message)] == expected


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from([b"", b"text", b"A: 1", b" on", b"Signed-off-by: B <b>"]), max_size=6))
def test_append_writes_what_git_writes(body: list[bytes]) -> None:
    message = b"\n".join([b"Subject", b"", *body, b"last", b""])
    expected = _git(message, "--if-exists=add", "--trailer=Memgit-Auto: laptop", "--trailer=X: 2")
    assert trailers.append(message, [(b"Memgit-Auto", b"laptop"), (b"X", b"2")]) == expected


@given(_messages, st.lists(st.sampled_from([b"", b"one", b"two words"]), min_size=1, max_size=3))
def test_what_was_appended_is_read_back(message: bytes, values: list[bytes]) -> None:
    added = tuple((b"Memgit-Window", value) for value in values)
    written = trailers.append(message, added)
    assert trailers.parse(written)[-len(added) :] == added
    assert written.startswith(message.rstrip())


def test_append_starts_a_paragraph_only_where_there_is_none() -> None:
    one, two = (b"A", b"1"), (b"B", b"2")
    assert trailers.append(b"Subject", [one]) == b"Subject\n\nA: 1\n"
    assert trailers.append(b"Subject\n\nA: 1\n", [two]) == b"Subject\n\nA: 1\nB: 2\n"
    assert trailers.append(b"Subject\n\nbody\n\n\n", [one]) == b"Subject\n\nbody\n\nA: 1\n"
    assert trailers.append(b"as it is", []) == b"as it is"


def test_value_of_takes_the_last_in_any_case() -> None:
    message = b"S\n\nMemgit-Auto: one\nmemgit-auto: two\n"
    assert trailers.value_of(message, b"Memgit-Auto") == b"two"
    assert trailers.value_of(message, b"Memgit") is None
    assert not trailers.has_trailer(b"Memgit-Auto in prose", b"Memgit-Auto")


@pytest.mark.parametrize("trailer", [(b"", b"x"), (b"a b", b"x"), (b"A", b"x\ny"), (b"A", b" x")])
def test_a_trailer_that_could_not_be_read_back_is_refused(trailer: trailers.Trailer) -> None:
    with pytest.raises(ValueError, match="can't be written as a trailer"):
        trailers.append(b"S", [trailer])
