"""Which commits are automatic."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import Enum

from memgit.core.consolidation.records import Record, header_of, message_of
from memgit.core.setting_rows import AutoRule
from memgit.core.trailers import has_trailer


class Kind(Enum):
    """What a commit is to consolidation."""

    PERSON = "made by a person"
    MEMORY = "automatic if it changes memory files only"
    MIXED = "automatic whatever it changes"


class Classifier:
    """Tells the kind of a commit from its message and author; memgit's own trailers always count.

    A commit that memgit consolidated holds what its sources held: more than memory where a mixed rule is in force.

    A rule's subject is searched in the first line of the message that is not blank, without blanks at
    its end, its author in `Name <email>`.

    Regular expressions are slow and messages repeat but for their digits ("auto-backup 2026-02-04
    10:05"), so verdicts are remembered by the message with every digit made a 0, as long as no
    pattern can tell one digit from another.
    """

    def __init__(self, rules: Sequence[AutoRule]) -> None:
        self._rules = tuple(
            (re.compile(rule.subject), re.compile(rule.author) if rule.author else None, rule.mixed) for rule in rules
        )
        self._uses_author = any(rule.author for rule in rules)
        self._blind = all(is_digit_blind(rule.subject) for rule in rules)
        self._mixed = any(rule.mixed for rule in rules)
        self._memo: dict[bytes, Kind] = {}

    def kinds(self, records: Sequence[Record]) -> list[Kind]:
        """The kind of each record."""
        if self._uses_author:
            return [self._decide(header_of(record), message_of(record)) for record in records]
        shown = [record[6].translate(_BLUR) for record in records] if self._blind else [record[6] for record in records]
        found = list(map(self._memo.get, shown))
        if None not in found:
            return found  # type: ignore[return-value]
        return [
            self._learn(key, record) if known is None else known
            for known, key, record in zip(found, shown, records, strict=True)
        ]

    def _learn(self, key: bytes, record: Record) -> Kind:
        kind = self._memo.get(key) or self._decide(header_of(record), message_of(record))
        if len(key) < _MEMO_LENGTH:
            if len(self._memo) > _MEMO_SIZE:
                self._memo.clear()
            self._memo[key] = kind
        return kind

    def _decide(self, header: bytes, message: bytes) -> Kind:
        if b"Memgit-" in message and is_own(message):
            return Kind.MIXED if self._mixed and is_consolidated(message) else Kind.MEMORY
        subject = message.partition(b"\n")[0]
        text = subject.removeprefix(b"    ").decode("utf-8", "replace").rstrip()
        verdict = Kind.PERSON
        for pattern, author, mixed in self._rules:
            if pattern.search(text) and (author is None or author.search(_author(header))):
                if mixed:
                    return Kind.MIXED
                verdict = Kind.MEMORY
        return verdict


def is_own(message: bytes) -> bool:
    """True for a commit that memgit made: captured or consolidated."""
    return has_trailer(_plain(message), b"Memgit-Auto") or is_consolidated(message)


def is_consolidated(message: bytes) -> bool:
    """True for a commit that stands for others."""
    return has_trailer(_plain(message), b"Memgit-Window")


def _plain(message: bytes) -> bytes:
    return b"\n".join(line.removeprefix(b"    ") for line in message.split(b"\n"))


def _author(header: bytes) -> str:
    line = header.partition(b"\nauthor ")[2].partition(b"\n")[0]
    return line.rpartition(b">")[0].decode("utf-8", "replace") + ">"


_MEMO_SIZE, _MEMO_LENGTH = 50_000, 500
_BLUR = bytes.maketrans(b"123456789", b"000000000")
_DIGITS = frozenset("0123456789")
_ESCAPE = r"\\x[0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\U[0-9a-fA-F]{8}|\\."
_TOKEN = re.compile(rf"{_ESCAPE}|\[\^?\]?(?:\\.|[^\]\\])*\]|\{{\d*,?\d*\}}|.", re.DOTALL)
_MEMBER = re.compile(rf"{_ESCAPE}|(?<!-)0-9|.", re.DOTALL)  # a 0 after a hyphen may end another range
_COMPARES = ("(?P=", "(?(")


def is_digit_blind(pattern: str) -> bool:
    """True if the expression surely gives one verdict for two texts that differ in ASCII digits only.

    So it is if no digit stands for itself: outside of sets digits only count repetitions, and in sets
    all ten stand together. Source: re, "Regular Expression Syntax".
    """
    if any(mark in pattern for mark in _COMPARES):
        return False
    for token in _TOKEN.findall(pattern):
        if token[0] == "[" and len(token) > 1:
            if not all(member == "0-9" or _is_no_digit(member) for member in _MEMBER.findall(token[1:-1])):
                return False
        elif not (token[0] == "{" and len(token) > 1) and not _is_no_digit(token):
            return False
    return True


def _is_no_digit(token: str) -> bool:
    """token: a character or an escape."""
    if len(token) > 2:
        return chr(int(token[2:], 16)) not in _DIGITS
    return token not in ("\\N",) and token[-1] not in _DIGITS
