"""memgit undo: put the branch back to the identical tip it had before an operation."""

from __future__ import annotations

import os

from memgit.core.objects import Oid, RefName, hash_object, is_signed, rewrite_commit, split_commit, tree_of
from memgit.core.operations import JOIN, LOG_REF, MOVED_BACK, WITHHOLD, Operation, RefChange, taken_back
from memgit.core.values import dataclass
from memgit.errors import Busy, RefMoved, UsageError
from memgit.git import history, refs
from memgit.git.objects import ObjectReader
from memgit.git.refs import Ref, RefUpdate
from memgit.git.repository import Repository
from memgit.porcelain import moving, oplog, people, place, transaction
from memgit.porcelain.extent import is_published
from memgit.porcelain.transaction import Transaction

_ATTEMPTS = 4


@dataclass(frozen=True, slots=True)
class Undone:
    """What an undo did, or in a dry run would do."""

    operation: Oid  # the one taken back
    summary: str
    branch: RefName
    old_tip: Oid
    new_tip: Oid  # the tip from before the operation, or the later commits put on top of it
    carried_over: int  # commits made since, now on top of the old tip
    left_alone: tuple[RefName, ...]  # refs of the operation that have moved on since
    entry: Oid | None  # of the undo itself; None in a dry run
    dry_run: bool


def run(repo: Repository, branch: RefName | None, wanted: str | None, now_s: int, *, dry_run: bool) -> Undone:
    """Take back the last operation on a branch that is not taken back yet, or the one named.

    branch: None for the one checked out. wanted: an operation's id or the start of one.
    Commits made since on top of the operation stay, with the same contents, on top of the old tip.
    Starts over if somebody commits meanwhile, a few times. Raises UsageError if there is nothing to take
    back or others have the result already, Busy while another operation is in the way.
    """
    for attempt in range(_ATTEMPTS):
        try:
            if not dry_run:
                people.let_finish(repo, branch or repo.current_branch())
            return _run(repo, branch, wanted, now_s, dry_run=dry_run)
        except RefMoved:
            if attempt == _ATTEMPTS - 1:
                raise
    raise AssertionError("unreachable")


def find(repo: Repository, branch: RefName | None, wanted: str | None) -> Operation:
    """The operation that `run` would take back. Raises UsageError if there is none."""
    with ObjectReader(repo.git) as reader:
        log = refs.peek(repo.git, repo.common_dir, LOG_REF)
        name = branch or repo.current_branch()
        return _choose(list(oplog.walk(reader, log)), name, place.ref_for(repo, name), wanted)


def _run(repo: Repository, branch: RefName | None, wanted: str | None, now_s: int, *, dry_run: bool) -> Undone:
    with transaction.begin(repo, only_looks=dry_run) as change, ObjectReader(change.repo.git) as reader:
        name = branch or repo.current_branch()
        everything = refs.read_all(repo.git)
        log = oplog.newest(everything)
        operation = _choose(list(oplog.walk(reader, log)), name, place.ref_for(repo, name), wanted)
        _refuse_to_publish(operation)
        moved = operation.branch
        repo.refuse_if_in_progress(moved.ref)
        tip = next((ref.oid for ref in everything if ref.name == moved.ref), None)
        if tip is None:
            raise UsageError(f"{moved.ref} is gone, so the operation on it can't be taken back.")
        _refuse_if_published(repo, everything, operation)
        new_tip, commits = _carry_over(repo, reader, moved, tip)
        changes = [RefChange(moved.ref, tip, new_tip)]
        now_at = {ref.name: ref.oid for ref in everything}
        others = operation.changes[1:]
        changes += [
            RefChange(other.ref, other.new, other.old) for other in others if now_at.get(other.ref) == other.new
        ]
        left = tuple(other.ref for other in others if now_at.get(other.ref) != other.new)
        entry = None
        if not dry_run:
            people.let_finish(repo, moved.ref, patience_s=0)
            entry = _write(change, reader, operation, tuple(changes), commits, now_s)
    return Undone(
        operation.oid, operation.summary, moved.ref, tip, new_tip, len(commits), left, entry, dry_run
    )  # fmt: skip


def _write(
    change: Transaction,
    reader: ObjectReader,
    operation: Operation,
    changes: tuple[RefChange, ...],
    commits: list[tuple[bytes, bytes]],
    now_s: int,
) -> Oid:
    undo = Operation("undo", now_s, changes, f"undo: {operation.summary}", undoes=operation.oid)
    told, entry = oplog.prepare(change.repo, undo)
    change.store([*commits, *told])
    branch = RefUpdate(changes[0].ref, changes[0].new, changes[0].old)
    if reader.tree(branch.new) != reader.tree(branch.expected):
        if blocking := moving.move(change, reader, branch, f"memgit: {undo.summary}", None, entry):
            paths = ", ".join(os.fsdecode(path) for path in blocking[:5])
            raise Busy(
                f"These files have changes that are not committed, and would be replaced: {paths}.",
                "Run `memgit commit`, or commit them yourself, then undo again. Nothing was changed.",
            )
        return entry.new
    others = [RefUpdate(moved.ref, moved.new, moved.old) for moved in reversed(changes[1:])]
    change.move([entry, *others, branch], f"memgit: {undo.summary}")
    return entry.new


def _refuse_to_publish(operation: Operation) -> None:
    if operation.kind == WITHHOLD:
        raise UsageError(
            f"What {operation.oid.decode()[:10]} took out is what the remote refused for a secret in it.",
            f"A file as it was: git show {operation.branch.old.decode()[:10]}:PATH\n"
            "Operations before it can be taken back by name; `memgit log` lists them.",
        )


def _choose(log: list[Operation], branch: RefName | None, stand_in: RefName, wanted: str | None) -> Operation:
    """The operation of this id, or the last one on the branch or on the private ref that stood in for it."""
    if wanted is not None:
        found = [operation for operation in log if operation.oid.startswith(os.fsencode(wanted))]
        if len(found) != 1 or len(wanted) < 4:
            raise UsageError(
                f"{wanted} names {'no' if not found else 'more than one'} operation.", "`memgit log` lists them."
            )
        return found[0]
    undone = taken_back(log)
    for operation in log:
        if (
            operation.kind not in ("undo", MOVED_BACK)
            and operation.branch.ref in (branch, stand_in)
            and operation.oid not in undone
        ):
            return operation
    where = branch.removeprefix("refs/heads/") if branch else "a detached HEAD"
    raise UsageError(f"There is nothing to take back on {where}.", "`memgit log` lists all operations.")


def _refuse_if_published(repo: Repository, everything: tuple[Ref, ...], operation: Operation) -> None:
    """What a push has handed out can't be taken back quietly."""
    moved = operation.branch
    held = [ref.peeled for ref in everything if is_published(ref, moved.ref)]
    name = moved.ref.removeprefix("refs/heads/")
    if operation.kind == JOIN:  # it made one commit; the others came from where they are published
        if not history.count(repo.git, moved.new, held):
            raise UsageError(
                f"The join of {name} is published already, so taking it back would rewrite history that others have.",
                f"A new commit that takes back what it brought: git revert -m 1 {moved.new.decode()[:10]}",
            )
        return
    made = history.count(repo.git, moved.new, [moved.old])
    if made and history.count(repo.git, moved.new, [moved.old, *held]) < made:
        raise UsageError(
            f"What the operation made on {name} is published already.",
            "Taking it back would rewrite history that others have. Use `git revert` for single commits.",
        )


def _carry_over(
    repo: Repository, reader: ObjectReader, moved: RefChange, tip: Oid
) -> tuple[Oid, list[tuple[bytes, bytes]]]:
    """The tip to go back to, and the commits made since, rewritten to stand on it."""
    if tip == moved.new:
        return moved.old, []
    if history.count(repo.git, moved.new, [tip]):
        raise UsageError(
            f"{moved.ref.removeprefix('refs/heads/')} no longer contains what the operation made.",
            "Take back later operations first; `memgit log` lists them.",
        )
    if reader.tree(moved.old) != reader.tree(moved.new):
        raise UsageError(
            "Commits were made since, and the operation changed files, so it can't be taken out from under them.",
            "Use `git revert`.",
        )
    new_ids = {moved.new: moved.old}
    commits = []
    for oid in history.oldest_first(repo.git, tip, [moved.new]):
        raw = reader.read(oid)
        parents = [field[7:] for field in split_commit(raw)[0] if field.startswith(b"parent ")]
        mapped = [new_ids.get(parent, parent) for parent in parents]
        if mapped == parents:
            continue
        if is_signed(raw):
            raise UsageError(f"The signed commit {oid.decode()[:12]} was made since and would lose its signature.")
        raw = rewrite_commit(raw, tree_of(raw), mapped)
        new_ids[oid] = hash_object(b"commit", raw)
        commits.append((b"commit", raw))
    return new_ids[tip], commits
