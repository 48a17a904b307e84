"""Made-up secrets, drawn at run time so that the repository never holds one."""

from __future__ import annotations

import random
import re
import string
from re import _parser as regex_parser  # type: ignore[attr-defined]
from typing import Any

_ANY = string.ascii_letters + string.digits


def matching(pattern: re.Pattern[bytes], rnd: random.Random) -> bytes:
    """A random text of a token's pattern, as long as a provider would make it: the shortest that is allowed, or a
    little more."""
    parsed = regex_parser.parse(pattern.pattern.decode("latin-1"))
    return "".join(_draw(parsed, rnd)).encode("latin-1")


def letters(rnd: random.Random, count: int, alphabet: str = _ANY) -> str:
    return "".join(rnd.choice(alphabet) for _ in range(count))


def password(rnd: random.Random) -> str:
    """Eight characters and more, as a password manager or a careful person makes them."""
    return letters(rnd, 5) + rnd.choice("23456789") + rnd.choice("!#+?=%") + letters(rnd, 4) + rnd.choice("23456789")


def has_nested_repetition(pattern: re.Pattern[bytes]) -> bool:
    """Does an unbounded repetition hold another one?"""
    return _nested(regex_parser.parse(pattern.pattern.decode("latin-1")), inside=False)


def _nested(parts: Any, *, inside: bool) -> bool:
    for operation, argument in parts:
        name = str(operation)
        if name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
            endless = argument[1] == regex_parser.MAXREPEAT
            if (endless and inside) or _nested(argument[2], inside=inside or endless):
                return True
        elif name == "SUBPATTERN":
            if _nested(argument[-1], inside=inside):
                return True
        elif name == "BRANCH":
            if any(_nested(branch, inside=inside) for branch in argument[1]):
                return True
        elif name in ("ASSERT", "ASSERT_NOT") and _nested(argument[1], inside=inside):
            return True
    return False


def _draw(parts: Any, rnd: random.Random) -> list[str]:
    drawn: list[str] = []
    for operation, argument in parts:
        name = str(operation)
        if name == "LITERAL":
            drawn.append(chr(argument))
        elif name == "IN":
            drawn.append(rnd.choice(_class(argument)))
        elif name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
            low, high, inner = argument
            for _ in range(rnd.randint(low, min(high, low + 3))):
                drawn += _draw(inner, rnd)
        elif name == "SUBPATTERN":
            drawn += _draw(argument[-1], rnd)
        elif name == "BRANCH":
            drawn += _draw(rnd.choice(argument[1]), rnd)
        elif name not in ("ASSERT_NOT", "ASSERT", "AT"):
            raise NotImplementedError(name)
    return drawn


def _class(members: Any) -> list[str]:
    chars: list[str] = []
    for operation, argument in members:
        if str(operation) == "LITERAL":
            chars.append(chr(argument))
        elif str(operation) == "RANGE":
            chars += [chr(code) for code in range(argument[0], argument[1] + 1)]
        elif str(argument) == "CATEGORY_DIGIT":
            chars += string.digits
        else:
            raise NotImplementedError(argument)
    return chars
