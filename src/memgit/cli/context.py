"""What every command needs before it starts: the repository, the workspace, the settings, the time."""

from __future__ import annotations

import time
from dataclasses import dataclass

from memgit.cli.params import Values
from memgit.core.memory import Patterns
from memgit.git.repository import Repository, discover
from memgit.porcelain import transaction

DEFAULT_INCLUDE = ("/MEMORY.md", "/AGENTS.md", "/SOUL.md", "/USER.md", "/memory/**")


@dataclass(frozen=True, slots=True)
class Context:
    """An opened repository with its settings."""

    repo: Repository
    workspace: bytes  # below the top of the work tree; empty, or ends in a slash
    memory: Patterns


def open_repository(values: Values) -> Context:
    """The repository a command is about. Raises what discovery and configuration raise."""
    directory = values["directory"]
    assert directory is None or isinstance(directory, str)
    repo = discover(directory)
    transaction.heal(repo)
    return Context(repo, b"", Patterns.compile(DEFAULT_INCLUDE, ()))


def now_s() -> int:
    """The time, seconds since the epoch."""
    return int(time.time())


def text(values: Values, name: str) -> str | None:
    """The value of an option that takes text."""
    value = values[name]
    assert value is None or isinstance(value, str)
    return value


def texts(values: Values, name: str) -> tuple[str, ...]:
    """The values of a repeatable option or of all arguments."""
    value = values[name]
    assert isinstance(value, list)
    return tuple(value)


def branch_ref(name: str | None) -> str | None:
    """A branch as people name it, as a full ref."""
    if name is None or name.startswith("refs/"):
        return name
    return "refs/heads/" + name
