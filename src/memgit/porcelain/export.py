"""memgit export: the memory of a commit as plain files, without git."""

from __future__ import annotations

import os
from collections.abc import Callable

from memgit.core.backup.plan import plan
from memgit.core.memory import Patterns
from memgit.core.objects import Oid
from memgit.core.values import dataclass
from memgit.errors import UsageError
from memgit.git import refs
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
    """Write the selected files of a commit into the directory `to`, as git stores them, with the commit's time.

    What else lies there stays. Raises UsageError for a ref that names no commit, and for a directory that holds other
    content at one of the paths, unless `overwrite` is set; nothing is written then.
    """
    commit = refs.resolve(repo.git, ref)
    if commit is None:
        raise UsageError(f"{ref} names no commit.", "`git log` shows what there is.")
    with ObjectReader(repo.git) as reader:
        source = of_commit(repo, reader, commit, workspace, patterns)
        if not os.path.isdir(to):
            if dry_run:
                return Exported(commit, to, tuple(item.path for item in source.items), 0, dry_run)
            os.makedirs(to)
        with Folder(to) as folder:
            todo = [item for item in source.items if not _is_there(folder, item.path, source.read(item), item.mode)]
            other = [item.path for item in todo if folder.lstat(item.path) is not None]
            if other and not overwrite:
                raise UsageError(
                    f"{len(other):,} files in {to} have other content, {os.fsdecode(other[0])} for one.",
                    "Name an empty directory, or add --overwrite.",
                )
            report = Exported(
                commit, to, tuple(item.path for item in todo), len(source.items) - len(todo), dry_run
            )  # fmt: skip
            if not dry_run:
                steps = plan(todo, {}, {})
                generation.apply(folder, steps, lambda item: (source.read(item),), (), None, advance)
    return report


def _is_there(folder: Folder, path: bytes, content: bytes, mode: int) -> bool:
    status = folder.lstat(path)
    if status is None or status.st_mode != mode or status.st_size != len(content):
        return False
    return folder.read(path)[0] == content
