"""The form of a provider's token, and how one is found in text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from memgit.core.secrets.words import class_changes, is_filler
from memgit.core.values import dataclass

# Bytes a token may follow directly: anything but a letter or digit, or the end of an escape (`\n`, `%3D`, `\u0022`).
_ESCAPE_BEFORE = re.compile(rb"(?:\\[nrtbf]|%[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}|\\x[0-9A-Fa-f]{2})$")


@dataclass(frozen=True, slots=True)
class Hit:
    """A suspected secret in one text; internal, since it holds the value."""

    rule: str
    start: int
    end: int
    value: bytes
    guessable: bool = False

    def __repr__(self) -> str:
        return f"Hit({self.rule}, {self.start}..{self.end})"


def accept_any(_: bytes) -> bool:
    """No further condition: the pattern alone decides."""
    return True


@dataclass(frozen=True, slots=True)
class Shape:
    """One documented key format.

    anchors: each match holds one of them inside an unbroken run of 16 bytes or more. They are what the quick look
    over a whole file searches for, so they are as rare as the format allows.
    source: the whole token as an expression. Lengths are the documented ones or a little less, open at the end where
    providers have lengthened them before. Every repetition is of one character class and bounded on its left by a
    literal, so matching is linear.
    """

    rule: str
    anchors: tuple[bytes, ...]
    source: bytes  # of the pattern, which is compiled when an anchor of it is found; most never are
    accept: Callable[[bytes], bool] = accept_any

    @property
    def pattern(self) -> re.Pattern[bytes]:
        """The whole token as an expression; `re` remembers it."""
        return re.compile(self.source)

    def hits(self, text: bytes) -> Iterator[Hit]:
        for match in self.pattern.finditer(text):
            start = match.start()
            if is_left_edge(text, start) and self.is_token(match[0]):
                yield Hit(self.rule, start, match.end(), match[0])

    def is_token(self, token: bytes) -> bool:
        """Is a run that has the format also random enough to be the real thing?"""
        if is_filler(token) or not self.accept(token):
            return False
        # Capitals and digits alone change kind too seldom to tell them from words.
        return token.isupper() or class_changes(token) >= 0.15


def shape(rule: str, anchors: str, pattern: bytes, accept: Callable[[bytes], bool] = accept_any) -> Shape:
    """A shape as the tables write it. anchors: separated by blanks."""
    return Shape(rule, tuple(anchors.encode().split()), pattern, accept)


def is_left_edge(text: bytes, start: int) -> bool:
    """Can a token begin at `start`?"""
    if start == 0:
        return True
    before = text[start - 1]
    if not (48 <= before <= 57 or 65 <= before <= 90 or 97 <= before <= 122):
        return True
    return _ESCAPE_BEFORE.search(text, max(0, start - 6), start) is not None
