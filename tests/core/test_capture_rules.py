"""Rules of a capture: mass deletion, what is named, and how it is told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memgit.core import capture, trailers
from memgit.core.capture import Counted
from memgit.core.memory import Patterns

FILES = [b"MEMORY.md", *(b"memory/%d.md" % number for number in range(4)), b"bank/a.md", b"bank/b.md"]


@pytest.mark.parametrize(
    ("gone", "is_held"),
    [
        ([], False),
        ([b"memory/0.md"], False),
        ([b"memory/0.md", b"memory/1.md", b"MEMORY.md"], False),
        ([b"memory/0.md", b"memory/1.md", b"memory/2.md", b"MEMORY.md"], True),
        ([b"bank/a.md", b"bank/b.md"], True),
        (FILES, True),
    ],
)
def test_more_than_half_or_a_whole_directory_needs_a_person(gone: list[bytes], is_held: bool) -> None:
    assert (capture.is_mass_deletion(FILES, gone, b"") is not None) == is_held


def test_top_directories_are_those_of_the_workspace() -> None:
    files = [b"w/memory/a", b"w/memory/b", b"w/bank/a", b"w/bank/b", b"w/bank/c"]
    assert capture.is_mass_deletion(files, files[:2], b"w/") == "everything in w/memory/ is gone or empty"


def test_kind_of_file_is_named_by_a_pattern_but_not_by_a_bare_star() -> None:
    patterns = Patterns.compile(["/memory/**", "*.png", "/x/*"], [])
    assert capture.is_named(b"memory/a.png", patterns, ())
    assert not capture.is_named(b"memory/a.db", patterns, ())
    assert not capture.is_named(b"x/a.db", patterns, ())
    assert capture.is_named(b"memory/a.db", patterns, (b"memory/a.db",))


@given(
    st.lists(st.tuples(st.binary(min_size=1, max_size=30), st.integers(0, 99)), min_size=1, max_size=30),
    st.text(max_size=40),
    st.one_of(st.none(), st.text(max_size=60)),
)
def test_trailers_of_a_message_are_ours_whatever_names_and_sessions_hold(
    named: list[tuple[bytes, int]], session: str, said: str | None
) -> None:
    files = [Counted(path.replace(b"\0", b""), "changed", count, 0) for path, count in named]
    told = [(capture.AUTO, "here"), (capture.SESSION, session)]
    message = capture.message(files, said, told)
    found = trailers.parse(message)
    assert (capture.AUTO, b"here") in found
    assert [key for key, _ in found] == [capture.AUTO] + [capture.SESSION] * bool(capture.one_line(session))
    message.decode()
    assert message.endswith(b"\n")
