"""What is automatic, and that remembering verdicts never changes one."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from memgit.core.consolidation.classify import Classifier, Kind, is_digit_blind
from memgit.core.setting_rows import AutoRule

HEADER = b"tree x\nauthor A B <a@b.example> 1 +0000\ncommitter A B <a@b.example> 1 +0000\n"
OWN = b"subject\n\nMemgit-Auto: machine\n"
CONSOLIDATED = b"memory: 2024-01-29\n\nMemgit-Window: 2024-01-29\nMemgit-Squashed: 2\n"

FRAGMENTS = (
    *("auto", "\\d", "\\d+", "[0-9]", "[^0-9]", "[0-9a-f]", "\\w", ".", ".*", "^", "$", "(?:a|b)", "a{2}", "\\d{2,4}"),
    *("x{,3}", "5", "0-9", "[{2}]", "{3", "\\{4}", "\\\\{2}", "[+-0-9]", "[a5]", "\\x35", "\\u0035", "\\U00000035"),
    *("[\\x30-\\x34]", "\\N{DIGIT FIVE}", "\\[0-9]", "[\\]0-9]", "[]0-9]", "[^]5]", "[!-~]", "[ -4]", "\\065", "(\\d)"),
    *("\\1", "(?P<n>\\d)", "(?P=n)", "(?i)A", "\\x5b0-9]", " ", "-", "[\\d-]", "[0-9-5]", "[[0-9]", "é", "٣", "(?#7)"),
    *("(?(1)a|b)", "\\b", "\\{\\d\\}", "[\\x300-9]", "[0-9-\\x41]"),
)
patterns = st.lists(st.sampled_from(FRAGMENTS), min_size=1, max_size=4).map("".join)
subjects = st.text("0123456789ab -{}[]x٣é\\", max_size=8)


def compiles(pattern: str) -> bool:
    try:
        re.compile(pattern)
    except (re.error, FutureWarning):
        return False
    return True


def kind_of(classifier: Classifier, header: bytes, message: bytes) -> Kind:
    """The kind of a commit with this header and this message, as git shows it."""
    return classifier.kinds([(b"1" * 40, header, b"", b"", b"0", b"+0000", b"\n" + message)])[0]


def direct(pattern: str, subject: str) -> Kind:
    """The verdict without a memory."""
    return kind_of(Classifier([AutoRule(pattern, mixed=True)]), HEADER, b"    " + subject.encode() + b"\n")


@settings(max_examples=1500, deadline=None)
@given(patterns, subjects, st.lists(st.text("0123456789", min_size=8, max_size=8), min_size=1, max_size=4))
@example("0-9", "0-9", ["13000000"])
@example("[{2}]", "2", ["30000000"])
@example("[+-0-9]", "9", ["30000000"])
@example("\\N{DIGIT FIVE}", "5", ["30000000"])
@example("\\x5b0-9]", "[0-9]", ["13000000"])
def test_the_memory_gives_the_verdict_that_the_rules_give(pattern: str, subject: str, digits: list[str]) -> None:
    assume(compiles(pattern))
    remembering = Classifier([AutoRule(pattern, mixed=True)])
    texts = [subject]
    for others in digits:
        fresh = iter(others)
        texts.append("".join(next(fresh, char) if char in "0123456789" else char for char in subject))
    for text in texts:
        assert kind_of(remembering, HEADER, b"    " + text.encode() + b"\n") is direct(pattern, text), text


@pytest.mark.parametrize(
    "pattern",
    ["^auto", "auto-\\d{4}-\\d\\d", "[0-9]{2,}", "[a-z0-9]+$", "(?i)backup\\b.*[0-9:]+", "\\{\\d\\}", "[\\d:]"],
)
def test_usual_patterns_are_blind_to_digits(pattern: str) -> None:
    assert is_digit_blind(pattern)


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        (b"    auto one\n", Kind.MIXED),
        (b"    memory one\n", Kind.MEMORY),
        (b"    fix auto\n", Kind.PERSON),
        (b"    other\n    \n    auto in the body\n", Kind.PERSON),
        (b"", Kind.PERSON),
        (b"    \xff auto\n", Kind.PERSON),
        (OWN, Kind.MEMORY),
        (b"    x\n    \n    Memgit-Auto: machine\n", Kind.MEMORY),
        (b"    Memgit-Auto: machine\n", Kind.PERSON),
        (b"    x\n    \n    Memgit-Auto: machine\n    \n    more\n", Kind.PERSON),
        (CONSOLIDATED, Kind.MIXED),
    ],
)
def test_kinds(message: bytes, kind: Kind) -> None:
    rules = [AutoRule("^memory"), AutoRule("^auto", mixed=True)]
    assert kind_of(Classifier(rules), HEADER, message) is kind


def test_consolidated_commits_are_memory_where_no_rule_is_mixed() -> None:
    assert kind_of(Classifier([AutoRule("^auto")]), HEADER, CONSOLIDATED) is Kind.MEMORY
    assert kind_of(Classifier([]), HEADER, CONSOLIDATED) is Kind.MEMORY


def test_an_author_narrows_a_rule() -> None:
    classifier = Classifier([AutoRule("^auto", author="^A B <a@b", mixed=True)])
    assert kind_of(classifier, HEADER, b"auto 1\n") is Kind.MIXED
    assert kind_of(classifier, HEADER.replace(b"A B", b"C D"), b"auto 1\n") is Kind.PERSON


def test_the_committer_is_no_author() -> None:
    classifier = Classifier([AutoRule("^auto", author="C D")])
    assert kind_of(classifier, HEADER.replace(b"committer A B", b"committer C D"), b"auto\n") is Kind.PERSON


def test_of_two_rules_that_fit_the_wider_one_counts() -> None:
    for rules in ([AutoRule("a"), AutoRule("b", mixed=True)], [AutoRule("b", mixed=True), AutoRule("a")]):
        assert kind_of(Classifier(rules), HEADER, b"ab\n") is Kind.MIXED
