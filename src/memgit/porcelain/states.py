"""Every state of a memory file that can still be reached: on the branch, in captures, and below the operation log."""

from __future__ import annotations

import os
from collections.abc import Iterable

from memgit.core.capture import Side
from memgit.core.objects import ZERO, Oid, tree_of
from memgit.core.trees import Trees, file_at, mode_of, oid_of
from memgit.core.values import dataclass
from memgit.git import history, refs
from memgit.git.command import Git
from memgit.git.objects import ObjectReader
from memgit.git.repository import Repository
from memgit.porcelain import oplog
from memgit.porcelain.place import CAPTURES


@dataclass(frozen=True, slots=True)
class State:
    """A commit that changed a path, and what the path was afterwards."""

    commit: Oid
    time_s: int  # when its author made it
    subject: str
    side: Side | None  # None where it was not a file then
    tree: Oid


def of(repo: Repository, reader: ObjectReader, path: bytes) -> tuple[State, ...]:
    """The states of a file or a directory, newest first; equal ones in a row are listed once."""
    roots = _roots(repo, reader)
    if not roots:
        return ()
    git = Git(repo.work_tree or repo.git.directory, repo.git.git_dir)
    trees = Trees(reader.read_many)
    found: dict[Oid, State] = {}
    for commit in history.touching(git, roots, os.fsdecode(path)):
        found[commit] = at_commit(reader, trees, commit, path)
    newest = sorted(found.values(), key=lambda state: -state.time_s)  # of the same second: children first, as found
    return tuple(
        state
        for at, state in enumerate(newest)
        if at + 1 == len(newest) or state.side is None or state.side != newest[at + 1].side
    )


def at_commit(reader: ObjectReader, trees: Trees, commit: Oid, path: bytes) -> State:
    """What a path was in one commit."""
    raw = reader.read(commit)
    head, _, message = raw.partition(b"\n\n")
    author = next(line for line in head.split(b"\n") if line.startswith(b"author "))
    item = file_at(trees, tree_of(raw), path) if path else None
    side = None if item is None else Side(mode_of(item), oid_of(item))
    subject = message.partition(b"\n")[0].decode("utf-8", "replace")
    return State(commit, int(author.split(b" ")[-2]), subject, side, tree_of(raw))


def _roots(repo: Repository, reader: ObjectReader) -> tuple[Oid, ...]:
    """Where to look from: HEAD, captures, and all tips that operations replaced or made."""
    everything = refs.read_all(repo.git)
    roots = [ref.oid for ref in everything if ref.name.startswith(CAPTURES)]
    head = refs.resolve(repo.git, "HEAD")
    if head is not None:
        roots.append(head)
    log = oplog.newest(everything)
    for operation in oplog.walk(reader, log):
        roots += [oid for change in operation.changes for oid in (change.old, change.new) if oid != ZERO]
    return _existing(reader, dict.fromkeys(roots))


def _existing(reader: ObjectReader, oids: Iterable[Oid]) -> tuple[Oid, ...]:
    """Without what has been pruned in the meantime."""
    return tuple(oid for oid in oids if reader.has(oid) and reader.read(oid).startswith(b"tree "))
