"""Dataclasses that cost nothing to declare.

The standard library writes the methods of every dataclass as source text and compiles it: 0.4 ms a class, and its
own import 4 ms. A command declares about fifty, which was a seventh of the time of a `memgit consolidate` of a thousand
commits. These have the same meaning, with methods shared by all classes; type checkers see the originals.

Of `dataclasses` there is what memgit uses: frozen, slots (always), order, defaults, `field`, `fields`, `replace`.
"""

from __future__ import annotations

from operator import attrgetter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from dataclasses import MISSING, dataclass, field, fields, is_dataclass, replace
    from typing import Any
else:

    class _Missing:
        __slots__ = ()

        def __repr__(self) -> str:
            return "MISSING"

    MISSING = _Missing()

    class Field:
        """A field of a dataclass, as `fields` gives it."""

        __slots__ = ("compare", "default", "default_factory", "metadata", "name")

        def __init__(self, default: Any, default_factory: Any, metadata: Any, compare: bool) -> None:
            self.name = ""
            self.compare = compare
            self.default = default
            self.default_factory = default_factory
            self.metadata = metadata

    def field(
        *, default: Any = MISSING, default_factory: Any = MISSING, metadata: Any = None, compare: bool = True
    ) -> Field:
        """See dataclasses.field."""
        return Field(default, default_factory, {} if metadata is None else metadata, compare)

    def dataclass(cls: type | None = None, /, *, frozen: bool = False, slots: bool = True, order: bool = False) -> Any:
        """See dataclasses.dataclass; always with slots."""
        del slots
        return (lambda cls: _made(cls, frozen, order)) if cls is None else _made(cls, frozen, order)

    def fields(of: Any) -> tuple[Field, ...]:
        """The fields of a dataclass or of an instance."""
        return of.__value_fields__

    def is_dataclass(value: Any) -> bool:
        """Whether this is a dataclass or an instance of one."""
        return hasattr(value, "__value_fields__")

    def replace(value: Any, /, **changes: Any) -> Any:
        """A copy with some fields changed."""
        for one in fields(value):
            changes.setdefault(one.name, getattr(value, one.name))
        return value.__class__(**changes)

    def _made(cls: type, frozen: bool, order: bool) -> type:
        given = dict(cls.__dict__)
        found = []
        for name in given.get("__annotations__", ()):
            default = given.pop(name, MISSING)
            one = default if isinstance(default, Field) else Field(default, MISSING, {}, True)
            one.name = name
            found.append(one)
        given.pop("__dict__", None)
        given.pop("__weakref__", None)
        names = tuple(one.name for one in found)
        given["__slots__"] = given["__match_args__"] = names
        given["__value_fields__"] = tuple(found)
        compared = [one.name for one in found if one.compare]
        values = attrgetter(*compared) if compared else lambda _: ()
        shared = {"__repr__": _shown, "__hash__": (lambda self: hash(values(self))) if frozen else None}
        given = shared | _compared(values, order) | given | {"__qualname__": cls.__qualname__}
        if frozen:
            given["__setattr__"] = given["__delattr__"] = _refuse
        made = type(cls)(cls.__name__, cls.__bases__, given)
        made.__init__ = _initializer(tuple(found), tuple(made.__dict__[name].__set__ for name in names))
        return made

    def _initializer(of: tuple[Field, ...], setters: tuple[Callable[[Any, Any], None], ...]) -> Any:
        count = len(of)

        def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
            values = args if len(args) == count and not kwargs else _bound(self, of, args, kwargs)
            for put, value in zip(setters, values, strict=True):
                put(self, value)

        return __init__

    def _bound(value: Any, of: tuple[Field, ...], args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Any]:
        values = list(args)
        for one in of[len(args) :]:
            if one.name in kwargs:
                values.append(kwargs.pop(one.name))
            elif one.default is not MISSING:
                values.append(one.default)
            elif one.default_factory is not MISSING:
                values.append(one.default_factory())
            else:
                raise TypeError(f"{value.__class__.__name__} is made without its field {one.name!r}")
        if kwargs or len(values) > len(of):
            raise TypeError(f"{value.__class__.__name__} has {len(of)} fields; given beyond them: {args}, {kwargs}")
        return values

    def _compared(values: Callable[[Any], Any], order: bool) -> dict[str, Any]:
        def equal(self: Any, other: Any) -> Any:
            return values(self) == values(other) if other.__class__ is self.__class__ else NotImplemented

        def less(self: Any, other: Any) -> Any:
            return values(self) < values(other) if other.__class__ is self.__class__ else NotImplemented

        def at_most(self: Any, other: Any) -> Any:
            return values(self) <= values(other) if other.__class__ is self.__class__ else NotImplemented

        # Python asks the other side with the mirrored comparison, so > and >= need none of their own.
        return {"__eq__": equal} | ({"__lt__": less, "__le__": at_most} if order else {})

    def _shown(self: Any) -> str:
        shown = ", ".join(f"{one.name}={getattr(self, one.name)!r}" for one in fields(self))
        return f"{self.__class__.__qualname__}({shown})"

    def _refuse(self: Any, name: str, *_: Any) -> None:
        raise AttributeError(f"{self.__class__.__name__} is frozen: {name!r} stays as it is")


__all__ = ["MISSING", "dataclass", "field", "fields", "is_dataclass", "replace"]
