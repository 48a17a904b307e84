"""Our dataclasses mean what those of the standard library mean."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from memgit.core import values


def declared(of: Any) -> dict[str, type]:
    """The same classes, declared with one library or the other."""

    @of.dataclass(frozen=True, slots=True)
    class Frozen:
        """A doc."""

        a: int
        b: str = "x"
        c: tuple[int, ...] = ()

        def size(self) -> int:
            return self.a + len(self.b)

    @of.dataclass(slots=True)
    class Open:
        a: int
        b: list[int] = of.field(default_factory=list)

    @of.dataclass(frozen=True, slots=True, order=True)
    class Ordered:
        a: int
        b: int = of.field(default=3, metadata={"why": "because"})

    @of.dataclass(frozen=True, slots=True)
    class Single:
        a: object

    @of.dataclass(frozen=True, slots=True)
    class Empty:
        pass

    @of.dataclass(frozen=True, slots=True)
    class Partly:
        a: int
        b: int = of.field(default=0, compare=False)

        def __repr__(self) -> str:
            return f"partly {self.a}"

    return {made.__name__: made for made in (Frozen, Open, Ordered, Single, Empty, Partly)}


OURS, THEIRS = declared(values), declared(dataclasses)


def outcome(do: Callable[[], object]) -> object:
    """What came of it: a value as text, or the base of the error."""
    try:
        return repr(do())
    except TypeError:
        return TypeError
    except AttributeError:
        return AttributeError


def assign(to: Any, name: str, value: object) -> None:
    setattr(to, name, value)


USES: dict[str, Callable[[Any, dict[str, type]], object]] = {
    "positional": lambda _, c: c["Frozen"](1, "y", (2,)),
    "keywords": lambda _, c: c["Frozen"](c=(1,), a=5),
    "mixed": lambda _, c: c["Frozen"](1, c=(3,)),
    "one missing": lambda _, c: c["Frozen"](b="y"),
    "one too many": lambda _, c: c["Frozen"](1, "y", (), 4),
    "twice": lambda _, c: c["Frozen"](1, a=2),
    "unknown": lambda _, c: c["Frozen"](1, d=2),
    "complete and unknown": lambda _, c: c["Frozen"](1, "x", (), d=2),
    "method": lambda _, c: c["Frozen"](1, "abc").size(),
    "doc": lambda _, c: c["Frozen"].__doc__,
    "assigned": lambda _, c: assign(c["Frozen"](1), "a", 2),
    "deleted": lambda _, c: delattr(c["Frozen"](1), "a"),
    "new attribute": lambda _, c: assign(c["Open"](1), "z", 2),
    "open assigned": lambda _, c: assign(c["Open"](1), "a", 2),
    "own default each": lambda _, c: (c["Open"](1).b.append(1), c["Open"](1).b),
    "open hash": lambda _, c: hash(c["Open"](1)),
    "equal": lambda _, c: c["Frozen"](1) == c["Frozen"](1, "x"),
    "unequal": lambda _, c: c["Frozen"](1) == c["Frozen"](2),
    "other class": lambda _, c: c["Single"](1) == c["Empty"](),
    "hash": lambda _, c: hash(c["Frozen"](1)) == hash(c["Frozen"](1)),
    "in a set": lambda _, c: len({c["Single"](1), c["Single"](1), c["Single"](2)}),
    "sorted": lambda _, c: sorted([c["Ordered"](2, 1), c["Ordered"](1, 9), c["Ordered"](1, 2)]),
    "greater": lambda _, c: (c["Ordered"](2) > c["Ordered"](1), c["Ordered"](2) >= c["Ordered"](2, 3)),
    "not ordered": lambda _, c: c["Frozen"](1) < c["Frozen"](2),
    "replace": lambda of, c: of.replace(c["Frozen"](1, "y"), a=2),
    "replace unknown": lambda of, c: of.replace(c["Frozen"](1, "y"), q=2),
    "fields": lambda of, c: [one.name for one in of.fields(c["Ordered"])],
    "fields of an instance": lambda of, c: [one.metadata.get("why") for one in of.fields(c["Ordered"](1))],
    "is one": lambda of, c: (of.is_dataclass(c["Empty"]), of.is_dataclass(c["Empty"]()), of.is_dataclass(3)),
    "match": lambda _, c: vars(c["Frozen"])["__match_args__"],
    "empty": lambda _, c: (c["Empty"]() == c["Empty"](), c["Empty"]()),
    "not compared": lambda _, c: (c["Partly"](1, 2) == c["Partly"](1, 3), len({c["Partly"](1, 2), c["Partly"](1, 3)})),
    "own repr": lambda _, c: c["Partly"](1),
    "slots": lambda _, c: hasattr(c["Frozen"](1), "__dict__"),
}


@pytest.mark.parametrize("use", USES)
def test_the_same_comes_of_every_use(use: str) -> None:
    assert outcome(lambda: USES[use](values, OURS)) == outcome(lambda: USES[use](dataclasses, THEIRS))
