"""What every command needs before it starts: the repository, the workspace, the settings, the time."""

from __future__ import annotations

import os
import time

from memgit.cli.params import Values
from memgit.core.layers import Layer
from memgit.core.settings import Config
from memgit.core.values import dataclass, replace
from memgit.errors import ConfigError, UsageError
from memgit.git.command import Git, keep_apart
from memgit.git.repository import Repository, discover
from memgit.host import config_files
from memgit.porcelain import transaction

TYPE_CHECKING = False
if TYPE_CHECKING:  # only what runs by itself needs it
    from memgit.porcelain.jobs import Workspace


@dataclass(frozen=True, slots=True)
class Context:
    """An opened repository with its settings."""

    repo: Repository
    workspace: str  # the memory's root below the top of the work tree; "" or ending in a slash
    config: Config

    @property
    def workspace_bytes(self) -> bytes:
        """The workspace as git names it."""
        return os.fsencode(self.workspace)


def open_repository(values: Values, flags: tuple[Layer, ...] = ()) -> Context:
    """The repository a command is about, with its settings. Raises what discovery and configuration raise."""
    repo = find_repository(text(values, "directory"))
    transaction.heal(repo)
    workspace = find_workspace(repo)
    places = config_files.places(repo.common_dir, repo.work_tree, workspace, os.environ)
    return Context(repo, workspace, config_files.load(places, os.environ, flags))


def find_repository(directory: str | None) -> Repository:
    """The repository here, or the one that `[workspace]` in the user file names for a directory without a `.git`."""
    try:
        return discover(directory)
    except UsageError:
        named = config_files.load(config_files.places(None, None, "", os.environ), os.environ).workspace
        if not (named.git_dir and named.path):
            raise
        top, git_dir = (os.path.realpath(os.path.expanduser(path)) for path in (named.path, named.git_dir))
        here = os.path.realpath(directory or os.curdir)
        if here != top and not here.startswith(top + "/"):
            raise
        keep_apart(top, git_dir)
        try:
            return replace(discover(top), prefix="" if here == top else os.path.relpath(here, top) + "/")
        except UsageError:
            raise ConfigError(
                f"{git_dir}, which [workspace] git_dir of your user file names, is no git repository.",
                f"Make it one with: git init --bare {git_dir}",
            ) from None


def find_top(directory: str | None) -> Repository:
    """The same, with git run at the top of the work tree, where paths are those of the repository."""
    repo = find_repository(directory)
    return repo if repo.work_tree is None or not repo.prefix else replace(repo, git=Git(repo.work_tree))


def open_workspace(directory: str | None) -> Workspace:
    """The same for what runs by itself. Raises as open_repository does."""
    context = open_repository({"directory": directory})
    return workspace_of(context)


def workspace_of(context: Context) -> Workspace:
    """A context, with the facts about this machine."""
    from memgit.core.version import VERSION
    from memgit.host import clock, machine  # zones cost 10 ms to load
    from memgit.porcelain.jobs import Workspace

    zone = clock.zone_of(context.config.schedule.timezone, os.environ)
    return Workspace(context.repo, context.workspace, context.config, zone, machine.name(os.environ), VERSION)


def find_workspace(repo: Repository) -> str:
    """The directory, from here up to the top of the work tree, that holds `.memgit.toml`.

    Else the one workspace that init has set up in this clone; the top where there are several, or none.
    """
    if repo.work_tree is None:
        return ""
    parts = repo.prefix.split("/")[:-1]
    for length in range(len(parts), -1, -1):
        place = "".join(part + "/" for part in parts[:length])
        if os.path.lexists(os.path.join(repo.work_tree, place, config_files.TRACKED_NAME)):
            return place
    from memgit.core import footprint  # rarely needed

    if not os.path.lexists(os.path.join(repo.private_dir, footprint.MANIFEST)):
        return ""
    from memgit.porcelain import changes  # costs 5 ms, which a workspace without init need not pay

    made = changes.workspaces_made(repo)
    return made[0] if len(made) == 1 else ""


def now_s() -> int:
    """The time, seconds since the epoch."""
    return int(time.time())


def text(values: Values, name: str) -> str | None:
    """The value of an option that takes text."""
    value = values[name]
    assert value is None or isinstance(value, str)
    return value


def typed_path(values: Values, given: str) -> str:
    """A path as it was typed, made absolute: like all others it starts in the directory of -C."""
    return os.path.abspath(os.path.join(text(values, "directory") or os.curdir, given))


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
