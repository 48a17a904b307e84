"""A whole merge computed among objects: neither index nor work tree takes part."""

from __future__ import annotations

from memgit.core.objects import Oid
from memgit.core.values import dataclass
from memgit.errors import CommandFailed, MemgitError
from memgit.git import versions
from memgit.git.command import DURABLE, Git


@dataclass(frozen=True, slots=True)
class Stage:
    """One version of a path that git could not join."""

    mode: bytes
    oid: Oid


@dataclass(frozen=True, slots=True)
class Merged:
    """tree: with markers or one side in the conflicting paths. conflicts: stages by path; 1 base, 2 ours, 3 theirs."""

    tree: Oid
    conflicts: dict[bytes, dict[int, Stage]]


def bases(git: Git, ours: Oid, theirs: Oid) -> tuple[Oid, ...]:
    """The best common ancestors; none for unrelated histories."""
    return tuple(git.run("merge-base", "--all", ours.decode(), theirs.decode(), ok=(0, 1)).stdout.split())


def merge(git: Git, ours: Oid, theirs: Oid) -> Merged:
    """Merge two commits, the registered drivers included. Source: git-merge-tree(1), OUTPUT and `-z`."""
    try:
        args = ("merge-tree", "--write-tree", "-z", "--no-messages", ours.decode(), theirs.decode())
        done = git.run(*DURABLE, *args, ok=(0, 1))
    except CommandFailed as failure:
        version = versions.parse(git.text("version"))
        if version < versions.MERGE_TREE:
            raise MemgitError(
                f"git {version[0]}.{version[1]} can't merge without a work tree; 2.38 can.", "Update git."
            ) from None
        raise failure from None
    tree, *rows = done.stdout.split(b"\0")
    conflicts: dict[bytes, dict[int, Stage]] = {}
    for row in rows:
        head, tab, path = row.partition(b"\t")
        if tab:
            mode, oid, stage = head.split(b" ")
            conflicts.setdefault(path, {})[int(stage)] = Stage(mode, oid)
    return Merged(tree, conflicts)
