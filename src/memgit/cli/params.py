"""Commands as data: one table that both readers of the command line work from.

A well-formed call is read by `parse`, which needs nothing but the standard library: a timer runs
`memgit commit` every few seconds, and importing Typer would cost more than the commit. Help,
completion and every mistake go to the Typer application that `cli.typed` builds from the same table.
"""

from __future__ import annotations

from collections.abc import Sequence

from memgit.core.values import dataclass


@dataclass(frozen=True, slots=True)
class Param:
    """An option or an argument.

    flags: as typed, long one first; empty for an argument. kind: "flag" (true or false), "text",
    "number", "many" (repeatable option, or all remaining arguments). choices: the only values allowed.
    """

    name: str
    flags: tuple[str, ...]
    kind: str
    help: str
    metavar: str | None = None
    choices: tuple[str, ...] = ()
    required: bool = False
    default: str | None = None


@dataclass(frozen=True, slots=True)
class Command:
    """A command: `target` is `module:function`, imported only when the command runs."""

    name: str  # "consolidate", or "guard scan" in a group
    help: str  # first line: what it does; then what a person needs to know
    target: str
    params: tuple[Param, ...] = ()
    examples: tuple[str, ...] = ()


Values = dict[str, "str | int | bool | list[str] | None"]


class NotPlain(Exception):
    """Not a well-formed call of a command: Typer has to look at it."""


def flag(name: str, about: str, *flags: str) -> Param:
    """An option that is there or not."""
    return Param(name, flags or ("--" + name.replace("_", "-"),), "flag", about)


def text(name: str, about: str, metavar: str, *flags: str, choices: tuple[str, ...] = ()) -> Param:
    """An option with a value."""
    return Param(name, flags or ("--" + name.replace("_", "-"),), "text", about, metavar, choices)


def number(name: str, about: str, metavar: str, *flags: str) -> Param:
    """An option with a whole number."""
    return Param(name, flags or ("--" + name.replace("_", "-"),), "number", about, metavar)


def many(name: str, about: str, metavar: str, *flags: str) -> Param:
    """An option that may be given several times."""
    return Param(name, flags or ("--" + name.replace("_", "-"),), "many", about, metavar)


def argument(name: str, about: str, metavar: str, *, required: bool = True) -> Param:
    """A single argument."""
    return Param(name, (), "text", about, metavar, (), required)


def arguments(name: str, about: str, metavar: str, *, required: bool = False) -> Param:
    """All remaining arguments."""
    return Param(name, (), "many", about, metavar, (), required)


COMMON = (
    text("directory", "Work in this directory instead of the current one.", "PATH", "-C"),
    flag("json", "Print the result as JSON, for programs.", "--json"),
    flag("quiet", "Print nothing but errors.", "-q", "--quiet"),
    flag("verbose", "Say more about what is done.", "-v", "--verbose"),
)


def parse(argv: Sequence[str], commands: Sequence[Command]) -> tuple[Command, Values]:
    """The command and its values. Raises NotPlain for anything that is not plainly right."""
    words = list(argv)
    shared: Values = {param.name: False if param.kind == "flag" else None for param in COMMON}
    by_flag = {name: param for param in COMMON for name in param.flags}
    at = 0
    while at < len(words) and words[at] in by_flag:
        at = _take(by_flag[words[at]], words, at, shared)
    command = _named(words[at : at + 2], commands)
    at += command.name.count(" ") + 1
    values: Values = dict(shared)
    for param in command.params:
        values[param.name] = False if param.kind == "flag" else [] if param.kind == "many" else param.default
    by_flag |= {name: param for param in command.params for name in param.flags}
    rest: list[str] = []
    while at < len(words):
        word = words[at]
        if word == "--":
            rest += words[at + 1 :]
            break
        name, equals, value = word.partition("=")
        if equals and name in by_flag and name.startswith("--"):
            words[at : at + 1] = [name, value]
            if by_flag[name].kind == "flag":
                raise NotPlain
            at = _take(by_flag[name], words, at, values)
        elif word in by_flag:
            at = _take(by_flag[word], words, at, values)
        elif word.startswith("-") and word != "-":
            raise NotPlain
        else:
            rest.append(word)
            at += 1
    _place(rest, [param for param in command.params if not param.flags], values)
    return command, values


def _named(words: Sequence[str], commands: Sequence[Command]) -> Command:
    for length in (2, 1):
        name = " ".join(words[:length])
        for command in commands:
            if command.name == name and len(words) >= length:
                return command
    raise NotPlain


def _take(param: Param, words: list[str], at: int, values: Values) -> int:
    if param.kind == "flag":
        values[param.name] = True
        return at + 1
    if at + 1 >= len(words):
        raise NotPlain
    value = words[at + 1]
    if param.choices and value not in param.choices:
        raise NotPlain
    if param.kind == "number":
        if not value.isdigit():
            raise NotPlain
        values[param.name] = int(value)
    elif param.kind == "many":
        found = values[param.name]
        assert isinstance(found, list)
        found.append(value)
    else:
        values[param.name] = value
    return at + 2


def _place(rest: list[str], places: list[Param], values: Values) -> None:
    for param in places:
        if param.kind == "many":
            values[param.name] = rest
            if param.required and not rest:
                raise NotPlain
            return
        if rest:
            values[param.name] = rest.pop(0)
        elif param.required:
            raise NotPlain
    if rest:
        raise NotPlain
