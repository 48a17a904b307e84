"""Two readers of one command line: the plain one and Typer's understand every well-formed call alike."""

from __future__ import annotations

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

from memgit.cli.commands import COMMANDS, GROUPS
from memgit.cli.params import Command, NotPlain, Param, Values, argument, arguments, flag, many, number, parse, text
from memgit.cli.typed import build

SAMPLE = (
    Command(
        "work",
        "Works.",
        "nowhere:run",
        (
            flag("dry_run", "Dry."),
            text("window", "Window.", "W", choices=("day", "week")),
            number("limit", "Limit.", "N"),
            many("rule", "Rules.", "R"),
            argument("first", "First.", "FIRST"),
            arguments("rest", "Rest.", "[REST]..."),
        ),
    ),
    Command("group leaf", "A leaf.", "nowhere:run", (text("name", "Name.", "NAME"),)),
)
word = st.text("abcxyz/._", min_size=1, max_size=6).filter(lambda found: not found.startswith("-"))


def by_typer(argv: list[str], commands: tuple[Command, ...] = SAMPLE) -> tuple[Command, Values]:
    seen: list[tuple[Command, Values]] = []

    def run(command: Command, values: Values) -> int:
        seen.append((command, values))
        return 0

    app = build(commands, {"group": "A group."}, run, "0")
    with pytest.raises(SystemExit) as stopped:
        app(argv, prog_name="memgit")
    assert stopped.value.code == 0, argv
    return seen[0]


@st.composite
def calls(draw: st.DrawFn) -> list[str]:
    options: list[list[str]] = []
    if draw(st.booleans()):
        options.append(["--dry-run"])
    if draw(st.booleans()):
        options.append(["--window", draw(st.sampled_from(["day", "week"]))])
    if draw(st.booleans()):
        options.append([f"--limit={draw(st.integers(0, 99))}"])
    options += [["--rule", draw(word)] for _ in range(draw(st.integers(0, 2)))]
    if draw(st.booleans()):
        options.append(["--json"])
    words = [[draw(word)] for _ in range(draw(st.integers(1, 3)))]
    mixed = draw(st.permutations(options + words))
    before = ["-C", draw(word)] if draw(st.booleans()) else []
    return [*before, "work", *[part for parts in mixed for part in parts]]


@given(calls())
def test_plain_and_typer_read_the_same(argv: list[str]) -> None:
    assert parse(argv, SAMPLE) == by_typer(argv)


def test_a_group_is_read_alike() -> None:
    assert parse(["group", "leaf", "--name", "x"], SAMPLE) == by_typer(["group", "leaf", "--name", "x"])


def test_words_behind_two_dashes_are_arguments() -> None:
    argv = ["work", "a", "--", "--dry-run"]
    assert parse(argv, SAMPLE)[1]["rest"] == ["--dry-run"]
    assert parse(argv, SAMPLE) == by_typer(argv)


@pytest.mark.parametrize(
    "argv",
    [
        [],
        ["--help"],
        ["work"],
        ["wrok", "a"],
        ["work", "a", "--window", "month"],
        ["work", "a", "--limit", "many"],
        ["work", "a", "--unknown"],
        ["work", "a", "--window"],
        ["work", "a", "--dry-run=yes"],
        ["group"],
    ],
    ids=" ".join,
)
def test_whatever_is_not_plainly_right_goes_to_typer(argv: list[str]) -> None:
    with pytest.raises(NotPlain):
        parse(argv, SAMPLE)


def test_names_of_real_commands_and_options_are_unique() -> None:
    assert len({command.name for command in COMMANDS}) == len(COMMANDS)
    for command in COMMANDS:
        flags = [name for param in command.params for name in param.flags]
        assert len(set(flags)) == len(flags)
        assert not {"-C", "--json", "-q", "--quiet", "-v", "--verbose", "-h", "--help"} & set(flags), command.name
        group = command.name.rpartition(" ")[0]
        assert not group or group in GROUPS


def test_typer_builds_every_real_command() -> None:
    app = build(COMMANDS, GROUPS, lambda command, values: 0, "0")
    assert isinstance(app, typer.Typer)
    assert all(isinstance(param, Param) for command in COMMANDS for param in command.params)
