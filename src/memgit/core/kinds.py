"""What a setting can hold: how a value is checked, read from plain text, and written as TOML.

Each kind takes a value as TOML gives it (text, number, truth, list, table) and returns it as the rest of memgit uses
it. `Mismatch` says what was expected; the caller knows the key, the file and the line.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from memgit.core import units, windows
from memgit.core.values import MISSING, fields

_FIELD = re.compile(r"\{\{|\}\}|\{([a-z_]+)\}|[{}]")


class Mismatch(Exception):
    """A value is not of its kind.

    text: a sentence that goes on after the key, `must be ...`. part: what inside the value is wrong, `[2].subject`.
    """

    def __init__(self, text: str, *, choices: tuple[str, ...] = (), value: object = None, part: str = "") -> None:
        super().__init__(text)
        self.text = text
        self.choices = choices  # every valid value, where they can be listed
        self.value = value
        self.part = part


class Kind:
    """Any value that TOML can hold.

    Plain classes all of them: they are compared by nobody, and each dataclass costs half a millisecond at every start.
    """

    __slots__: tuple[str, ...] = ()

    def read(self, value: object) -> object:
        """The value as memgit uses it. Raises Mismatch."""
        return value

    def read_text(self, text: str) -> object:
        """The same for a value that comes as text, from the environment or the command line. Raises Mismatch."""
        return self.read(text)

    def show(self, value: object) -> str:
        """The value as TOML, on one line unless it is a list of tables."""
        return toml(value)

    def _mismatch(self, expected: str, value: object) -> Mismatch:
        return Mismatch(f"must be {expected}, not {toml(value)}", value=value)


class Choice(Kind):
    """One of a few words."""

    __slots__ = ("words",)

    def __init__(self, words: tuple[str, ...]) -> None:
        self.words = words

    def read(self, value: object) -> object:
        if value not in self.words:
            raise Mismatch(
                f"must be one of {', '.join(self.words)}, not {toml(value)}", choices=self.words, value=value
            )
        return value


class Truth(Kind):
    """true or false; as text also the other words git takes."""

    __slots__ = ()

    def read(self, value: object) -> object:
        if not isinstance(value, bool):
            raise self._mismatch("true or false", value)
        return value

    def read_text(self, text: str) -> object:
        word = text.lower()
        if word in ("true", "yes", "on", "1"):
            return True
        return self.read(False if word in ("false", "no", "off", "0") else text)


class Duration(Kind):
    """A length of time, in seconds."""

    __slots__ = ()

    def read(self, value: object) -> object:
        try:
            return units.duration_s(value if isinstance(value, str) else "")
        except ValueError as error:
            raise self._mismatch(str(error), value) from None

    def show(self, value: object) -> str:
        return toml(units.format_duration(value) if isinstance(value, int) else value)


class Size(Kind):
    """A number of bytes."""

    __slots__ = ()

    def read(self, value: object) -> object:
        is_number = isinstance(value, int) and not isinstance(value, bool)
        try:
            return units.size_bytes(str(value) if is_number or isinstance(value, str) else "")
        except ValueError as error:
            raise self._mismatch(str(error), value) from None

    def show(self, value: object) -> str:
        return toml(units.format_size(value) if isinstance(value, int) else value)


class Whole(Kind):
    """A whole number in a range."""

    __slots__ = ("highest", "lowest")

    def __init__(self, lowest: int, highest: int) -> None:
        self.lowest = lowest
        self.highest = highest

    def read(self, value: object) -> object:
        expected = f"a whole number from {self.lowest} to {self.highest}"
        if isinstance(value, bool) or not isinstance(value, int) or not self.lowest <= value <= self.highest:
            raise self._mismatch(expected, value)
        return value

    def read_text(self, text: str) -> object:
        return self.read(int(text) if text.isascii() and text.isdigit() else text)


class Counts(Kind):
    """A table of whole numbers, not negative, under a few words; a word that is not given counts as 0."""

    __slots__ = ("words",)

    def __init__(self, words: tuple[str, ...]) -> None:
        self.words = words

    def read(self, value: object) -> object:
        if not isinstance(value, Mapping):
            raise self._mismatch(f"a table such as {{ {self.words[0]} = 7 }}", value)
        for name, count in value.items():
            if name not in self.words:
                raise Mismatch("is no setting", choices=self.words, value=name, part=f".{name}")
            if isinstance(count, bool) or not isinstance(count, int) or count < 0:
                raise Mismatch(f"must be a whole number, not {toml(count)}", part=f".{name}", value=count)
        return tuple(value.get(name, 0) for name in self.words)

    def show(self, value: object) -> str:
        if not isinstance(value, tuple):
            return toml(value)
        return toml({name: count for name, count in zip(self.words, value, strict=True) if count})


class Name(Kind):
    """A short name, fit for a file."""

    __slots__ = ()

    def read(self, value: object) -> object:
        if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", value):
            raise self._mismatch("a name of letters, digits, dots, dashes and underscores", value)
        return value


class Text(Kind):
    """One line of text, not empty."""

    __slots__ = ()

    def read(self, value: object) -> object:
        if not isinstance(value, str) or not value.strip() or len(value.splitlines()) != 1:
            raise self._mismatch("one line of text", value)
        return value


class Place(Text):
    """A path on this machine, `~` for the home directory; empty for none."""

    __slots__ = ()

    def read(self, value: object) -> object:
        return value if value == "" else super().read(value)


class Texts(Kind):
    """A list of texts; as plain text one a line. What is given may go on after lines that are always there."""

    __slots__ = ("always",)

    def __init__(self, always: tuple[str, ...] = ()) -> None:
        self.always = always

    def read(self, value: object) -> object:
        if not isinstance(value, list):
            raise self._mismatch("a list of texts", value)
        for index, item in enumerate(value, start=1):
            if not isinstance(item, str) or "\n" in item:
                raise Mismatch(f"must be one line of text, not {toml(item)}", part=f"[{index}]", value=item)
        return (*self.always, *value)

    def read_text(self, text: str) -> object:
        return self.read([line for line in text.split("\n") if line])


class Regex(Kind):
    """A Python regular expression, as text."""

    __slots__ = ()

    def read(self, value: object) -> object:
        if not isinstance(value, str):
            raise self._mismatch("a regular expression", value)
        try:
            re.compile(value)
        except (re.error, OverflowError, RecursionError) as error:
            raise Mismatch(f"is no regular expression: {error}: {toml(value)}", value=value) from None
        return value


class Zone(Kind):
    """`author`, a time zone by name, or a fixed offset."""

    __slots__ = ()

    def read(self, value: object) -> object:
        if not isinstance(value, str):
            raise self._mismatch('"author", a time zone such as "Europe/Berlin" or an offset such as "+05:30"', value)
        if value != windows.AUTHOR_ZONE:
            try:
                windows.load_zone(value)
            except ValueError:
                raise Mismatch(
                    'must be "author", a time zone such as "Europe/Berlin" or an offset such as "+05:30",'
                    f" not {toml(value)}",
                    choices=_zones(),
                    value=value,
                ) from None
        return value


class Times(Kind):
    """A schedule, as text; `memgit.core.schedule` says what there is."""

    __slots__ = ()

    def read(self, value: object) -> object:
        from memgit.core import schedule  # only where one is given

        try:
            schedule.parse(value if isinstance(value, str) else "")
        except ValueError as error:
            raise self._mismatch(str(error), value) from None
        return value


class Pace(Kind):
    """How often at most: `immediate` or a duration."""

    __slots__ = ()

    def read(self, value: object) -> object:
        try:
            if value != "immediate":
                units.duration_s(value if isinstance(value, str) else "")
        except ValueError as error:
            raise self._mismatch(f'"immediate" or {error}', value) from None
        return value


class LocalZone(Zone):
    """`local`, a time zone by name, or a fixed offset."""

    __slots__ = ()

    def read(self, value: object) -> object:
        if value == "local":
            return value
        if value == windows.AUTHOR_ZONE:
            raise self._mismatch('"local", a time zone such as "Europe/Berlin" or an offset such as "+05:30"', value)
        return super().read(value)


class Template(Kind):
    """One line of text with named fields in braces, and nothing that str.format would look up in them."""

    __slots__ = ("names",)

    def __init__(self, names: tuple[str, ...]) -> None:
        self.names = names

    def read(self, value: object) -> object:
        if not isinstance(value, str) or not value.strip() or len(value.splitlines()) != 1:
            raise self._mismatch("one line of text", value)
        for match in _FIELD.finditer(value):
            if match[0] not in ("{{", "}}") and match[1] not in self.names:
                known = ", ".join(f"{{{name}}}" for name in self.names)
                raise Mismatch(f"has {match[0]!r} at position {match.start()}; known fields are {known}", value=value)
        return value


class Tables(Kind):
    """A list of tables, each read into `row`, a dataclass made of settings; a field without default must be given."""

    __slots__ = ("missing", "row")

    def __init__(self, row: type, missing: str) -> None:
        self.row = row
        self.missing = missing  # why a table without its first field is no use

    def read(self, value: object) -> object:
        if not isinstance(value, list):
            raise self._mismatch("a list of tables", value)
        return tuple(self._row(index, table) for index, table in enumerate(value, start=1))

    def read_text(self, text: str) -> object:
        raise Mismatch("can be set in a file only", value=text)

    def show(self, value: object) -> str:
        if not isinstance(value, tuple):
            return toml(value)
        known = {field.name: field.metadata["setting"] for field in fields(self.row)}
        tables = [
            "{ "
            + ", ".join(
                f"{name} = {setting.kind.show(held)}"
                for name, setting in known.items()
                if (held := getattr(row, name)) is not None
            )
            + " }"
            for row in value
        ]
        return f"[{', '.join(tables)}]"

    def _row(self, index: int, table: object) -> object:
        if not isinstance(table, Mapping):
            raise Mismatch(f"must be a table, not {toml(table)}", part=f"[{index}]", value=table)
        known = {field.name: field for field in fields(self.row)}
        for name in table:
            if name not in known:
                raise Mismatch("is no setting", choices=tuple(known), value=name, part=f"[{index}].{name}")
        given: dict[str, object] = {}
        for name, field in known.items():
            if name in table:
                try:
                    given[name] = field.metadata["setting"].kind.read(table[name])
                except Mismatch as error:
                    error.part = f"[{index}].{name}{error.part}"
                    raise
            elif field.default is MISSING:
                raise Mismatch(f"has no {name}; {self.missing}", part=f"[{index}]")
        return self.row(**given)


def toml(value: object) -> str:
    """A value as TOML; what TOML has no form for, as Python shows it."""
    if isinstance(value, str):
        return '"' + "".join(_ESCAPES.get(char) or _escape(char) for char in value) + '"'
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return f"[{', '.join(toml(item) for item in value)}]"
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {toml(item)}" for key, item in value.items()) + " }"
    return "nothing" if value is None else str(value)


_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def _escape(char: str) -> str:
    return char if char >= " " and char != "\x7f" else f"\\u{ord(char):04x}"


def _zones() -> tuple[str, ...]:
    import zoneinfo  # only on the way to an error message

    return (windows.AUTHOR_ZONE, *sorted(zoneinfo.available_timezones()))
