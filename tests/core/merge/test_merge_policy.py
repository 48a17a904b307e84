"""What happens where two changes can't be joined, and how conflicts are written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memgit.core.merge.api import Markers, MergePolicy
from memgit.core.merge.rules import parse, policy_for
from support.merging import merge

BASE = b"a\n- one\nz\n"
OURS = b"a\n- uno 2026-03-01\nz\n"
THEIRS = b"a\n- eins 2026-03-02\nz\n"


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("ours", OURS),
        ("theirs", THEIRS),
        ("newest", THEIRS),
        ("keep-both", b"a\n- eins 2026-03-02\n- uno 2026-03-01\nz\n"),
    ],
)
def test_policy_decides_a_conflict(policy: str, expected: bytes) -> None:
    result = merge(BASE, OURS, THEIRS, "x.md", MergePolicy(on_conflict=policy))
    assert result.clean
    assert result.content == expected
    assert "by policy" in result.decisions[0].reason


def test_keeping_both_brings_nothing_back_that_one_side_deleted_and_the_other_left_alone() -> None:
    base = b"- 14:34 desktop fact 18\n- 16:43 phone fact 20\n"
    ours = b"- 14:34 desktop fact 18\n- 17:47 phone fact 29\n"
    result = merge(base, ours, b"", "memory/notes.md", MergePolicy(on_conflict="keep-both"))
    assert result.content == b"- 17:47 phone fact 29\n"


def test_keeping_both_keeps_the_place_of_what_is_kept() -> None:
    """A table's head, the item above a nested one, the paragraph around a line."""
    for base, ours in (
        (b"| a |\n|---|\n| 1 |\n", b"| a |\n|---|\n| 2 |\n"),
        (b"- over\n  - under 1\n", b"- over\n  - under 2\n"),
        (b"The cat sat\non the mat.\n", b"The cat sat\non the rug.\n"),
    ):
        result = merge(base, ours, b"", "x.md", MergePolicy(on_conflict="keep-both"))
        assert (result.clean, result.content) == (True, ours)


_FACTS = [b"- %02d:%02d fact %d" % (9 + number, number * 7 % 60, number) for number in range(8)]


@st.composite
def _sides(draw: st.DrawFn) -> tuple[list[bytes], list[bytes], list[bytes]]:
    """A list of facts, and two of its futures: some gone, some new; no fact stands twice."""
    base = draw(st.lists(st.sampled_from(_FACTS), unique=True))
    futures = []
    for name in (b"laptop", b"phone"):
        kept = [line for line in base if draw(st.booleans())]
        for number in range(draw(st.integers(0, 3))):
            kept.insert(draw(st.integers(0, len(kept))), b"- %02d:30 %s %d" % (8 + number * 5, name, number))
        futures.append(kept)
    return base, futures[0], futures[1]


@given(_sides())
def test_a_list_of_facts_loses_nothing_and_gets_nothing_back(
    sides: tuple[list[bytes], list[bytes], list[bytes]],
) -> None:
    """Whatever two machines did to it: sync joins by this policy, with nobody there to ask."""
    base, one, two = sides
    texts = [b"".join(line + b"\n" for line in lines) for lines in sides]
    result = merge(texts[0], texts[1], texts[2], "memory/notes.md", MergePolicy(on_conflict="keep-both"))
    lines = result.content.splitlines()
    kept = (set(one) | set(two)) - (set(base) - (set(one) & set(two)))
    assert (result.clean, sorted(lines)) == (True, sorted(kept))


def test_newest_leaves_markers_where_no_date_decides() -> None:
    result = merge(b"x\n", b"y\n", b"z\n", "x.md", MergePolicy(on_conflict="newest"))
    assert not result.clean


def test_policy_refuses_names_it_does_not_know() -> None:
    with pytest.raises(ValueError, match="unknown policy 'best'"):
        MergePolicy(on_conflict="best")
    with pytest.raises(ValueError, match="unknown kind 'csv'"):
        MergePolicy(kind="csv")
    with pytest.raises(ValueError, match="unknown conflict style"):
        Markers(style="git")


@pytest.mark.parametrize(
    ("style", "expected"),
    [
        ("merge", b"same\n<<<<<<<<< o\nA\n=========\nB\n>>>>>>>>> t\n"),
        ("zdiff3", b"same\n<<<<<<<<< o\nA\n||||||||| b\nx\n=========\nB\n>>>>>>>>> t\n"),
        ("diff3", b"<<<<<<<<< o\nsame\nA\n||||||||| b\nx\n=========\nsame\nB\n>>>>>>>>> t\n"),
    ],
)
def test_markers_honour_size_labels_and_style(style: str, expected: bytes) -> None:
    result = merge(b"x\n", b"same\nA\n", b"same\nB\n", "x.c", None, Markers(9, style, b"o", b"b", b"t"))
    assert result.content == expected
    assert result.conflicts == 1


def test_decisions_say_what_was_decided_and_why() -> None:
    result = merge(b"- one\n", b"- one\n- 10:05 b\n", b"- one\n- 10:00 a\n", "x.md")
    (decision,) = result.decisions
    assert (decision.first, decision.last, decision.clean) == (2, 1, True)
    assert decision.reason == "both additions kept, by time, oldest first"


def test_ours_first_follows_the_names_of_the_sides() -> None:
    policy = MergePolicy(ours_first=True)
    assert merge(b"x\n", b"x\n- b\n", b"x\n- a\n", "x.md", policy).content == b"x\n- b\n- a\n"
    assert merge(b"x\n", b"x\n- a\n", b"x\n- b\n", "x.md", policy).content == b"x\n- a\n- b\n"


def test_bytes_that_are_not_text_are_left_as_ours_and_not_clean() -> None:
    result = merge(b"a\0", b"b\0", b"c\0", "x.bin")
    assert (result.content, result.clean) == (b"b\0", False)


def test_kind_list_joins_files_that_both_created() -> None:
    policy = MergePolicy(kind="list")
    assert merge(b"", b"- b\n", b"- a\n", "x.md", policy).content == b"- a\n- b\n"


@pytest.mark.parametrize(
    ("path", "glob", "expected"),
    [
        ("memory/a.md", "*.md", True),
        ("memory/a.md", "/*.md", False),
        ("memory/a.md", "memory/*.md", True),
        ("memory/x/a.md", "memory/*.md", False),
        ("memory/x/a.md", "memory/**/*.md", True),
        ("memory/a.md", "memory/**/*.md", True),
        ("memory/x/a.md", "memory/**", True),
        ("memory", "memory/**", False),
        ("a/b/c.md", "**/c.md", True),
        ("c.md", "**/c.md", True),
        ("a.txt", "*.md", False),
    ],
)
def test_globs(path: str, glob: str, expected: bool) -> None:
    rules = parse({"merge": [{"glob": glob, "policy": "ours"}]})
    assert (policy_for(path, rules).on_conflict == "ours") is expected


def test_the_first_matching_rule_counts() -> None:
    rules = parse({"merge": [{"glob": "state/*.md", "policy": "theirs"}, {"glob": "*.md", "policy": "ours"}]})
    assert policy_for("a.md", rules).on_conflict == "ours"
    assert policy_for("state/a.md", rules).on_conflict == "theirs"
    assert policy_for("a.log", rules).on_conflict == "markers"


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"merge": {"glob": "*"}}, r"merge: must be an array of tables"),
        ({"merge": [{"glob": "*", "polcy": "ours"}]}, r"merge\.polcy: unknown key"),
        ({"merge": [{"policy": "ours"}]}, r"merge\.glob: must name"),
        ({"merge": [{"glob": 3}]}, r"merge\.glob: must be a string"),
        ({"merge": [{"glob": "*", "order": "x"}]}, r"merge\.order: unknown order"),
    ],
)
def test_broken_rules_name_their_key(document: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse(document)


LESSON = b"# Git\n\n<<<<<<< ours\nred\n=======\nblue\n>>>>>>> theirs\n\n## Facts\n\n- one\n"


def test_a_note_about_conflicts_merges_like_any_other() -> None:
    result = merge(LESSON, LESSON + b"- 10:00 two\n", LESSON + b"- 10:05 three\n", "x.md")
    assert (result.clean, result.content) == (True, LESSON + b"- 10:00 two\n- 10:05 three\n")


def test_a_conflict_brought_by_one_side_is_not_resolved_by_merging() -> None:
    base = b"# Git\n\nred\n\n## Facts\n\n- one\n"
    result = merge(base, LESSON, base + b"- two\n", "x.md")
    assert (result.clean, result.content) == (False, LESSON + b"- two\n")


def test_forgotten_markers_with_nothing_between_are_text() -> None:
    base = b"# Notes\n\n- 2026-01-01 one\n\n## Facts\n\n- a\n"
    ours = base.replace(b"one\n", b"one\n- 2026-01-02 two\n") + b"<<<<<<< Updated\n=======\n>>>>>>> Stashed\n"
    theirs = base.replace(b"one\n", b"one\n- 2026-01-03 three\n")
    result = merge(base, ours, theirs, "x.md")
    assert (result.clean, result.content) == (True, ours.replace(b"two\n", b"two\n- 2026-01-03 three\n"))
