"""The Typer application, built from the table of commands: help, completion and usage errors."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import typer

from memgit.cli.params import COMMON, Command, Param, Values

Run = Callable[[Command, Values], int]


def build(commands: Sequence[Command], groups: dict[str, str], run: Run, version: str) -> typer.Typer:
    """An application in which every command calls `run` and exits with what it returns."""
    app = typer.Typer(
        name="memgit",
        help="Keep an AI agent's memory in git: capture it, squash the noise, merge it, get it back.",
        no_args_is_help=True,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
        pretty_exceptions_enable=False,
    )
    shared: Values = {}

    def root(**values: Any) -> None:
        if values.pop("version"):
            typer.echo(f"memgit {version}")
            raise typer.Exit
        shared.update(values)

    version_option = Param("version", ("--version",), "flag", "Show the version and exit.")
    _sign(root, (version_option, *COMMON))
    app.callback(invoke_without_command=True)(root)
    subs: dict[str, typer.Typer] = {}
    for command in commands:
        group, _, leaf = command.name.rpartition(" ")
        place = app
        if group:
            if group not in subs:
                subs[group] = typer.Typer(help=groups[group], no_args_is_help=True, rich_markup_mode=None)
                app.add_typer(subs[group], name=group, short_help=groups[group])
            place = subs[group]
        place.command(leaf, help=_help(command), short_help=command.help)(_function(command, shared, run))
    return app


def _help(command: Command) -> str:
    examples = "".join(f"\n  {example}" for example in command.examples)
    head = "Example" if len(command.examples) == 1 else "Examples"
    return f"{command.help}\n\n\b\n{head}:{examples}" if examples else command.help


def _function(command: Command, shared: Values, run: Run) -> Callable[..., None]:
    def function(**values: Any) -> None:
        merged = {name: values[name] or shared.get(name) or values[name] for name in values}
        raise typer.Exit(run(command, merged))

    _sign(function, (*command.params, *COMMON))
    return function


def _sign(function: Callable[..., None], params: Sequence[Param]) -> None:
    """Give a function the signature that Typer reads its options from."""
    signature = []
    annotations: dict[str, Any] = {}
    for param in params:
        annotation, default = _annotation(param)
        annotations[param.name] = annotation
        signature.append(
            inspect.Parameter(param.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
        )
    function.__signature__ = inspect.Signature(signature)  # type: ignore[attr-defined]
    function.__annotations__ = annotations


def _annotation(param: Param) -> tuple[Any, Any]:
    extra: dict[str, Any] = {"help": param.help, "show_default": False}
    if param.metavar:
        extra["metavar"] = param.metavar
    if param.choices:
        extra["help"] = f"{param.help} One of: {', '.join(param.choices)}."
        extra["callback"] = _checker(param)
    kind: Any
    default: Any
    if param.kind == "flag":
        kind, default = bool, False
    elif param.kind == "many":
        kind, default = list[str], []
    elif param.kind == "number":
        kind, default = int | None, None
    else:
        kind, default = str | None, param.default
    if param.flags:
        return Annotated[kind, typer.Option(*param.flags, **extra)], default
    if param.required:
        needed: Any = list[str] if default == [] else str
        return Annotated[needed, typer.Argument(**extra)], inspect.Parameter.empty
    return Annotated[kind, typer.Argument(**extra)], default


def _checker(param: Param) -> Callable[[str | None], str | None]:
    def check(value: str | None) -> str | None:
        if value is not None and value not in param.choices:
            import difflib

            near = difflib.get_close_matches(value, param.choices, 1, 0.3)
            meant = f" Did you mean {near[0]}?" if near else ""
            raise typer.BadParameter(f"{value!r} is not one of {', '.join(param.choices)}.{meant}")
        return value

    return check
