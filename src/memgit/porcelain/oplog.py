"""The operation log: reading it, and moving refs together with a new entry."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from memgit.core import operations
from memgit.core.objects import EMPTY_TREE, ZERO, Oid, hash_object
from memgit.core.operations import LOG_REF, Created, Operation
from memgit.core.values import replace
from memgit.git import refs
from memgit.git.command import Git
from memgit.git.objects import ObjectReader
from memgit.git.refs import Ref, RefUpdate
from memgit.git.repository import Repository
from memgit.porcelain.transaction import Transaction


def record(
    change: Transaction,
    operation: Operation,
    created: Sequence[Created],
    previous: Oid | None,
    objects: Sequence[tuple[bytes, bytes]],
) -> Oid:
    """Make the changes of an operation and enter it in the log, all in one; the id of the entry.

    previous: where the log stood. objects: what the operation adds, stored together with the entry.
    The log moves first, since it keeps what is replaced reachable.
    Raises RefMoved if any of the refs is not where the operation says.
    """
    own = operations.write(operation, previous, created)
    change.store([*objects, *own])
    entry = hash_object(*own[-1])
    updates = [RefUpdate(LOG_REF, entry, previous or ZERO)]
    updates += [RefUpdate(moved.ref, moved.new, moved.old) for moved in reversed(operation.changes)]
    change.move(updates, f"memgit: {operation.summary}")
    return entry


def prepare(repo: Repository, operation: Operation) -> tuple[list[tuple[bytes, bytes]], RefUpdate]:
    """The objects of an entry and the move of the log to it, for a change that makes both itself.

    What earlier operations pinned stays pinned.
    """
    previous = refs.peek(repo.git, repo.common_dir, LOG_REF)
    own = operations.write(replace(operation, pinned=pinned(repo.git, previous)), previous, ())
    return own, RefUpdate(LOG_REF, hash_object(*own[-1]), previous or ZERO)


def newest(everything: Iterable[Ref]) -> Oid | None:
    """Where the log stands, among all refs as they were read; None if there is none."""
    return next((ref.oid for ref in everything if ref.name == LOG_REF), None)


def walk(reader: ObjectReader, newest: Oid | None) -> Iterator[Operation]:
    """Operations from the newest back to the oldest that is kept."""
    while newest is not None:
        operation, newest = operations.read(newest, reader.read(newest))
        yield operation


def created(reader: ObjectReader, operation: Operation) -> tuple[Created, ...]:
    """The commits an operation made, oldest first."""
    if operation.created_tree == EMPTY_TREE:
        return ()
    blob = operations.created_blob(reader.read(operation.created_tree))
    return operations.read_created(reader.read(blob)) if blob else ()


def pinned(git: Git, newest: Oid | None) -> tuple[tuple[Oid, Oid], ...]:
    """Pinned commits, each with what stands in its place, as the newest operation has them."""
    if newest is None:
        return ()
    with ObjectReader(git) as reader:
        return operations.read(newest, reader.read(newest))[0].pinned
