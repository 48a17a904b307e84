"""A region of ours in somebody else's text."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from memgit.core import regions

TEXTS = st.lists(st.sampled_from([b"", b"a", b"# c", b"[core]", b"\tx = 1", b"\xff\xfe", b"\r"]), max_size=6).flatmap(
    lambda lines: st.sampled_from([b"\n".join(lines), b"\r\n".join(lines), b"\n".join([*lines, b""])])
)
LINES = st.lists(st.sampled_from([b"one", b"two three", b"\tpath = x"]), max_size=3)


@given(TEXTS, LINES)
def test_what_was_put_in_can_be_taken_out_to_the_byte(text: bytes, lines: list[bytes]) -> None:
    put = regions.put(text, lines)
    assert regions.inside(put) == tuple(lines)
    assert regions.take(put) == text


@given(TEXTS, LINES, LINES)
def test_putting_again_changes_the_region_alone(text: bytes, first: list[bytes], second: list[bytes]) -> None:
    assert regions.put(regions.put(text, first), second) == regions.put(text, second)


@given(TEXTS, LINES, TEXTS)
def test_what_is_added_behind_stays(text: bytes, lines: list[bytes], behind: bytes) -> None:
    taken = regions.take(regions.put(text, lines) + behind)
    assert taken.endswith(behind)
    assert taken.startswith(text)


def test_lines_that_others_put_between_the_markers_stay() -> None:
    text = regions.put(b"[core]\n", [b"[include]", b"\tpath = ours"])
    edited = text.replace(b"\tpath = ours\n", b"\tpath = ours\n\tpath = theirs\n")
    assert regions.take(edited, ours=[b"\tpath = ours"]) == b"[core]\n[include]\n\tpath = theirs\n"


def test_the_region_has_the_line_ends_of_its_file() -> None:
    assert b"\n" not in regions.put(b"a\r\n", [b"x"]).replace(b"\r\n", b"")
