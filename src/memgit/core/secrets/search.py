"""Run the rules over one text.

First a look over the whole text for anything that could begin a secret, cheap enough for every capture; then the rules,
only where that look stopped.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise

from memgit.core.secrets import (
    assignments,
    keys,
    listings,
    providers_ai,
    providers_cloud,
    providers_code,
    providers_services,
    urls,
)
from memgit.core.secrets.labels import FOREIGN_ROOTS, ROOTS, SEED_ROOTS
from memgit.core.secrets.shapes import Hit, Shape, is_left_edge
from memgit.core.secrets.views import View, beyond_ascii

SHAPES: tuple[Shape, ...] = (
    *providers_ai.SHAPES,
    *providers_cloud.SHAPES,
    *providers_code.SHAPES,
    *providers_services.SHAPES,
    *keys.SHAPES,
)


def _pairs(text: bytes) -> set[tuple[int, int]]:
    return set(pairwise(text))


_BY_ANCHOR: dict[bytes, tuple[Shape, ...]] = {
    anchor: tuple(one for one in SHAPES if anchor in one.anchors) for one in SHAPES for anchor in one.anchors
}
# Each anchor and the pairs of neighbouring bytes it is made of, by the last of these, the rarest of most.
_BY_PAIR: dict[tuple[int, int], list[tuple[bytes, frozenset[tuple[int, int]]]]] = {}
for _anchor in _BY_ANCHOR:
    if _own := _pairs(_anchor):
        _BY_PAIR.setdefault((_anchor[-2], _anchor[-1]), []).append((_anchor, frozenset(_own)))
_SINGLE_BYTES = [anchor for anchor in _BY_ANCHOR if len(anchor) == 1]
# Prefixes that no ordinary text holds: worth a look even where blanks or line ends break the token up.
_BREAKABLE: tuple[tuple[bytes, Shape], ...] = tuple(
    (anchor, one)
    for anchor in (*b"sk-ant- sk-proj- ghp_ github_pat_ glpat- AKIA AIza xoxb- _live_".split(),)
    for one in _BY_ANCHOR[anchor]
)
_FOREIGN = {root: beyond_ascii(root) for root in FOREIGN_ROOTS}
_PIECE = re.compile(rb"[A-Za-z0-9_+/=.~-]{1,400}")
_BETWEEN = re.compile(rb"[ \t]{1,2}|[ \t]*\\?\r?\n[ \t>]*|\xc2\xa0")
_MAX_PIECES = 12


def hits(view: View) -> Iterator[Hit]:
    """What the rules see in one text: those with a form first, guessing ones last, so the certain one names a value."""
    text, long_words = view.text, view.long_words()
    if long_words:
        yield from _shaped(text, long_words)
    if b"@" in text and b"//" in text:
        yield from urls.url_credentials(text)
    if b"PRIVATE KEY" in text:
        yield from keys.private_key_blocks(text)
    if b"Private-Lines" in text:
        yield from keys.putty_keys(text)
    yield from _broken_up(text)
    yield from _labelled(text)


def _shaped(text: bytes, long_words: bytes) -> Iterator[Hit]:
    """Tokens with a provider's form. No token holds a byte that parts words, so what is not in the words is nowhere.

    An anchor is looked for only if all its pairs of bytes are in the words: of some 270, a handful.
    """
    pairs = _pairs(long_words)
    near = [anchor for last in _BY_PAIR.keys() & pairs for anchor, own in _BY_PAIR[last] if own <= pairs]
    near += _SINGLE_BYTES
    possible = {id(one) for anchor in near if anchor in long_words for one in _BY_ANCHOR[anchor]}
    for one in SHAPES:
        if id(one) in possible and one.pattern.search(long_words):
            yield from one.hits(text)
    if b"eyJ" in long_words:
        yield from keys.signed_tokens(text)
        yield from keys.key_fields(text)
    if b"otpauth" in long_words:
        yield from keys.one_time_password_seeds(text)


def _broken_up(text: bytes) -> Iterator[Hit]:
    """Tokens with blanks or line ends put between their parts."""
    for anchor, one in _BREAKABLE:
        position = text.find(anchor)
        while position >= 0:
            hit = _reassembled(text, position, one)
            if hit:
                yield hit
            position = text.find(anchor, max(position + 1, hit.end if hit else 0))


def _reassembled(text: bytes, start: int, one: Shape) -> Hit | None:
    if text[start : start + 6] == b"_live_":
        start = max(0, start - 2)  # "sk" or "rk" stands before it
    if not is_left_edge(text, start):
        return None
    token, position = b"", start
    for pieces in range(_MAX_PIECES):
        piece = _PIECE.match(text, position)
        if not piece:
            return None
        token += piece[0]
        match = one.pattern.match(token)
        if match and match.end() >= len(token.rstrip(b".")) and pieces:
            # A list of prefixes joins to something like a token, too, but has no digits.
            is_drawn = one.is_token(match[0]) and any(48 <= c <= 57 for c in match[0])
            return Hit(one.rule, start, piece.end(), match[0]) if is_drawn else None
        if len(token) > 400:
            return None
        gap = _BETWEEN.match(text, piece.end())
        if not gap:
            return None
        position = gap.end()
    return None


def _labelled(text: bytes) -> Iterator[Hit]:
    lower = text.lower()
    foreign = beyond_ascii(lower)
    lines = _lines_with(lower, (*ROOTS, *(root for root, own in _FOREIGN.items() if own in foreign)))
    for start, end in lines:
        yield from assignments.hits_in_line(text, lower, start, end)
        line = text[start:end]
        low = lower[start:end]
        if b"bearer" in low or b"basic" in low or b"auth" in low or b"token" in low:
            yield from _moved(urls.authorization_headers(line), start)
        if any(word in low for word in (b"curl", b"sshpass", b"mysql", b"login")):
            yield from _moved(urls.command_lines(line), start)
    yield from listings.table_hits(text, lower, lines)
    read = 0
    for start, end in _lines_with(lower, SEED_ROOTS):
        if start >= read:
            for hit in listings.seed_phrases(text, lower, start, end):
                read = hit.end
                yield hit


def _moved(hits: Iterable[Hit], by: int) -> Iterator[Hit]:
    for hit in hits:
        yield Hit(hit.rule, hit.start + by, hit.end + by, hit.value, hit.guessable)


def _lines_with(lower: bytes, roots: Iterable[bytes]) -> list[tuple[int, int]]:
    """Start and end of every line that holds one of the roots."""
    lines: dict[int, int] = {}
    for root in roots:
        position = lower.find(root)
        while position >= 0:
            start = lower.rfind(b"\n", 0, position) + 1
            end = lower.find(b"\n", position)
            if end < 0:
                end = len(lower)
            lines[start] = end
            position = lower.find(root, end)
    return sorted(lines.items())
