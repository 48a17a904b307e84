"""How alike two lines or blocks are, as overlap of their tokens (Dice: twice the common over the sum)."""

from __future__ import annotations

ONE_LINE = 0.55  # from here on two lines count as one line that was edited

_WORD = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz" + bytes(range(128, 256))
_SPACED = bytes(byte if byte in _WORD else 32 for byte in range(256))
_IDEOGRAPHS = "⺀"  # from here on a character is a token of its own

Tokens = dict[bytes, int]


def words(line: bytes) -> list[bytes]:
    """Words in order; each CJK character counts as a word, other scripts keep theirs whole."""
    if not line.isascii():
        text = line.decode("utf-8", "surrogateescape")
        line = "".join(c if c < _IDEOGRAPHS or "\ud800" <= c <= "\udfff" else f" {c} " for c in text).encode(
            "utf-8", "surrogateescape"
        )
    return line.translate(_SPACED).split()


def tokens(line: bytes) -> Tokens:
    """How often each word occurs."""
    count: Tokens = {}
    for word in words(line):
        count[word] = count.get(word, 0) + 1
    return count


def dice(one: Tokens, two: Tokens) -> float:
    """0 for nothing in common, 1 for the same words; two empty bags are alike."""
    total = sum(one.values()) + sum(two.values())
    if not total:
        return 1.0
    if len(two) < len(one):
        one, two = two, one
    return 2 * sum(min(n, two.get(word, 0)) for word, n in one.items()) / total


def held(part: Tokens, whole: Tokens) -> float:
    """The share of `part` that `whole` holds."""
    total = sum(part.values())
    if not total:
        return 1.0
    return sum(min(n, whole.get(word, 0)) for word, n in part.items()) / total
