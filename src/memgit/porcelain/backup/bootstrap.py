"""memgit init --from-backup: a workspace on a new machine, from what lies at a backup target alone."""

from __future__ import annotations

import os

from memgit.core.kinds import toml
from memgit.core.setting_rows import Target
from memgit.core.values import dataclass
from memgit.errors import UsageError
from memgit.git.repository import Repository
from memgit.host import files
from memgit.host.place import MARKER, Advance, TargetError
from memgit.porcelain.backup import check, restore
from memgit.porcelain.backup.restore import Restored
from memgit.porcelain.backup.target import Marker, Memo, reach, read_marker

NAME = "backup"


@dataclass(frozen=True, slots=True)
class Bootstrapped:
    """What came back, and from where the clone will go on."""

    target: Target
    marker: Marker
    restored: Restored


def target_of(place: str) -> Target:
    """A target from how a person names it: a directory, user@host:path, or rclone:remote:path. Raises UsageError."""
    if place.startswith("rclone:"):
        return Target(NAME, rclone=place.removeprefix("rclone:"))
    if ":" in place.partition("/")[0]:
        return Target(NAME, host=place)
    if not place:
        raise UsageError("Which backup?", "Name a directory, user@host:path, or rclone:remote:path.")
    return Target(NAME, path=os.path.abspath(os.path.expanduser(place)))


def run(place: str, directory: str, *, dry_run: bool, advance: Advance = lambda count: None) -> Bootstrapped:
    """Bring the newest complete backup at a place into a directory, going on where an interrupted call broke off.

    Raises TargetError if no backups of memgit lie there, and what `restore.into` raises: other content is not replaced,
    and of a damaged backup nothing is written.
    """
    target = target_of(place)
    where = reach(target, None)
    marker = read_marker(where)
    if marker is None:
        raise TargetError(f"{where.where} holds no backups: there is no {MARKER} file.", "Is the disk mounted?")
    held = check.choose(where, None)
    scratch = os.path.abspath(directory) + ".memgit-fetching"
    restored = restore.into(where, held, (), os.path.abspath(directory), scratch, dry_run=dry_run, advance=advance)
    return Bootstrapped(target, marker, restored)


def adopt(repo: Repository, found: Bootstrapped) -> None:
    """Let a repository be the workspace that the target knows, and go on backing up there."""
    memo = Memo(repo, found.target)
    memo.adopt(found.marker.workspace)
    memo.set(target=found.marker.target)
    files.remove_unfinished(repo.private_dir)
    path = os.path.join(repo.private_dir, "config.toml")
    before = files.read(path) or b""
    if b"[[target]]" in before:
        return
    for key in ("path", "host", "rclone"):
        value = getattr(found.target, key)
        if value is not None:
            added = f"[[target]]\nname = {toml(NAME)}\n{key} = {toml(value)}\n"
            files.replace(path, before + (b"\n" if before else b"") + added.encode())
