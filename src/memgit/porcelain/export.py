"""memgit export: the memory of a commit as plain files, without git."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from contextlib import ExitStack

from memgit.core.backup.plan import Item, plan
from memgit.core.memory import Patterns
from memgit.core.objects import Oid
from memgit.core.values import dataclass
from memgit.errors import UsageError
from memgit.git import refs
from memgit.git.archive import Archive
from memgit.git.command import Git
from memgit.git.objects import ObjectReader
from memgit.git.repository import Repository
from memgit.host import generation
from memgit.host.folder import Folder
from memgit.porcelain.backup.source import of_commit


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written, or in a dry run would be. Paths are relative to the workspace."""

    commit: Oid
    to: str
    files: tuple[bytes, ...]
    unchanged: int  # files that were there already
    dry_run: bool


def run(
    repo: Repository,
    workspace: bytes,
    ref: str,
    patterns: Patterns,
    to: str,
    *,
    dry_run: bool,
    overwrite: bool,
    advance: Callable[[int], None] = lambda count: None,
) -> Exported:
    """Write the selected files of a commit into the directory `to`, as a checkout gives them, with the commit's time.

    What the commit keeps out of exports (`export-ignore`) is left out. What else lies there stays. Raises UsageError
    for a ref that names no commit, and for a directory that holds other content at one of the paths, unless
    `overwrite` is set; nothing is written then.
    """
    commit = refs.resolve(repo.git, ref)
    if commit is None:
        raise UsageError(f"{ref} names no commit.", "`git log` shows what there is.")
    with ExitStack() as opened:
        reader = opened.enter_context(ObjectReader(repo.git))
        items = of_commit(repo, reader, commit, workspace, patterns).items
        scratch = opened.enter_context(tempfile.TemporaryDirectory(prefix="memgit-export-"))
        git = Git(repo.work_tree) if repo.work_tree is not None else repo.git
        archive = opened.enter_context(Archive(git, commit, [workspace + item.path for item in items], scratch))

        def read(item: Item) -> bytes:
            return archive.read(workspace + item.path)

        items = [item for item in items if workspace + item.path in archive]
        todo, other = _compare(to, items, read)
        if other and not overwrite:
            more = f" and {len(other) - 1:,} more" if len(other) > 1 else ""
            raise UsageError(
                f"{to} holds other content under the same names: {os.fsdecode(other[0])}{more}.",
                "Name an empty directory, or add --overwrite.",
            )
        if not dry_run:
            os.makedirs(to, exist_ok=True)
            with Folder(to) as folder:
                folder.clear_leftovers(item.path for item in items)
                generation.apply(folder, plan(todo, {}, {}), lambda item: (read(item),), (), None, advance)
    return Exported(commit, to, tuple(item.path for item in todo), len(items) - len(todo), dry_run)


def _compare(to: str, items: list[Item], read: Callable[[Item], bytes]) -> tuple[list[Item], list[bytes]]:
    """What has to be written, and the paths among it where something else lies."""
    if not os.path.isdir(to):
        return items, []
    with Folder(to) as folder:
        folder.refuse_obstacles(item.path for item in items)
        todo = [item for item in items if not _is_there(folder, item.path, read(item), item.mode)]
        return todo, [item.path for item in todo if folder.lstat(item.path) is not None]


def _is_there(folder: Folder, path: bytes, content: bytes, mode: int) -> bool:
    status = folder.lstat(path)
    if status is None or status.st_mode != mode or status.st_size != len(content):
        return False
    return folder.read(path)[0] == content
