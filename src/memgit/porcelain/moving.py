"""Moving a branch that is checked out: its files, its index and the branch itself, and nobody's work under them."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence

from memgit.core.merge.api import merge
from memgit.core.merge.policy import MergePolicy
from memgit.core.objects import ZERO
from memgit.core.trees import Entry, Trees, changes, mode_of, oid_of
from memgit.errors import Busy
from memgit.git import conversion, index
from memgit.git.command import Git
from memgit.git.index import FileStat, IndexLocked, Update
from memgit.git.objects import ObjectReader
from memgit.git.refs import RefUpdate
from memgit.git.repository import Repository
from memgit.host import worktree
from memgit.host.worktree import Late, Move, Version
from memgit.porcelain import people
from memgit.porcelain.following import IndexChange
from memgit.porcelain.joined import Rules
from memgit.porcelain.transaction import Transaction

_TRIES = 5
_PAUSE_S = 0.1
Touched = tuple[bytes, Entry | None, Entry | None]  # path, old, new


def move(
    change: Transaction,
    reader: ObjectReader,
    update: RefUpdate,
    reason: str,
    rules: Rules | None,
    entry: RefUpdate | None = None,
) -> tuple[bytes, ...]:
    """Move a branch, and where it is checked out its index and files: all of it, or nothing where files are in the
    way, which are returned.

    Files come first, then index and branch in one step. Killed in between, the files hold what the next run brings.
    rules: memory that was written meanwhile is joined by them; None if it is in the way like any other file.
    entry: the move of the operation log that goes with it. Raises Busy.
    """
    repo = change.repo
    updates = (update,) if entry is None else (entry, update)
    if repo.work_tree is None or repo.current_branch() != update.ref:
        change.move(updates, reason)
        return ()
    people.let_finish(repo, update.ref, patience_s=0)
    if change.is_owing:
        raise Busy("The index is behind its branch and can't be changed.", "`git status` may tell who holds it.")
    trees = Trees(reader.read_many)
    old_tree, new_tree = (reader.tree(oid) for oid in (update.expected, update.new))
    touched = list(changes(trees, old_tree, new_tree))
    git = Git(repo.work_tree, None, repo.git.keep_fds)
    if not _is_plain(repo, git, touched):
        blocking = change.forward(update, reason)
        if entry is not None and not blocking:
            change.move((entry,), reason)
        return blocking
    moves = [Move(path, _version(reader, old), _version(reader, new)) for path, old, new in touched]
    entries = index.entries(git, [move.path for move in moves])
    blocking = _staged_otherwise(touched, entries)
    moves = [move for move in moves if move.path not in entries or not entries[move.path].skip_worktree]
    top, scratch = os.fsencode(repo.work_tree), os.path.join(repo.private_dir, "scratch")
    newer: frozenset[bytes] = frozenset()
    if rules is not None:
        moves = [_with_newer(top, move, rules) for move in moves]
        newer = frozenset(move.path for move in moves if move.old and move.new and rules.memory.matches(move.path))
    blocking = blocking or worktree.in_the_way(top, moves, newer)
    if blocking:
        return blocking
    wanted = {path: new for path, _, new in touched}
    late: list[Late] = []
    try:
        with worktree.placing(top, moves, scratch, late):
            same = {move.path for move in moves if move.new == _version(reader, wanted.get(move.path))}
            entered = tuple(_index_update(path, new, entries.get(path), top, path in same) for path, _, new in touched)
            try:
                _move(change, updates, reason, IndexChange(repo.work_tree, repo.git_dir, entered))
            except Busy:
                back = [Move(move.path, move.new, move.old) for move in moves]
                with worktree.placing(top, back, scratch, late):
                    raise
    finally:
        for write in late:
            _take_in(top, write, rules, scratch)
    return ()


def _with_newer(top: bytes, move: Move, rules: Rules) -> Move:
    """Memory that was written after the last capture is joined with what comes; the rest of it is captured later."""
    if move.new is None or not rules.memory.matches(move.path):
        return move
    try:
        there = worktree.look(top, move.path)
    except OSError:
        return move
    if there is None or there in (move.old, move.new) or b"120000" in (there.mode, move.new.mode):
        return move
    before = move.old.content if move.old is not None else b""
    result = merge(before, there.content, move.new.content, move.path, rules.of(move.path))
    return Move(move.path, there, Version(there.mode, result.content)) if result.clean else move


def _move(change: Transaction, updates: Sequence[RefUpdate], reason: str, following: IndexChange) -> None:
    """Branch and index together; somebody's index.lock is waited for a little. Raises Busy."""
    for attempt in range(_TRIES):
        try:
            change.capture([], updates, reason, following)
            return
        except IndexLocked:
            if attempt == _TRIES - 1:
                raise
            time.sleep(_PAUSE_S)


def _is_plain(repo: Repository, git: Git, touched: Sequence[Touched]) -> bool:
    """Whether every file lies in the work tree as it is stored; else git has to write them."""
    config = repo.config()
    if (config.get("core.autocrlf") or ["false"])[-1].lower() not in ("false", "no", "off", "0"):
        return False
    modes = {mode_of(entry) for _, old, new in touched for entry in (old, new) if entry is not None}
    if not modes <= {b"100644", b"100755", b"120000"}:
        return False
    paths = {path for path, _, _ in touched}
    above = {path[:at] for path in paths for at, char in enumerate(path) if char == 0x2F}
    if paths & above or any(path.endswith(b".gitattributes") for path in paths):
        return False
    found = conversion.attributes(git, sorted(paths))
    return all(value in ("unset", "auto") for named in found.values() for value in named.values())


def _version(reader: ObjectReader, entry: Entry | None) -> Version | None:
    return None if entry is None else Version(mode_of(entry), reader.read(oid_of(entry)))


def _staged_otherwise(touched: Sequence[Touched], entries: dict[bytes, index.Entry]) -> tuple[bytes, ...]:
    found = []
    for path, old, new in touched:
        held = entries.get(path)
        sides = [(mode_of(side), oid_of(side)) if side is not None else None for side in (old, new)]
        staged = (held.mode, held.oid) if held is not None and not held.is_unmerged else None
        if (held is not None and (held.is_unmerged or held.intent_to_add)) or staged not in sides:
            found.append(path)
    return tuple(found)


def _index_update(
    path: bytes, new: Entry | None, held: index.Entry | None, top: bytes, is_same: bool
) -> tuple[Update, index.Entry | None]:
    if new is None:
        return Update(path, b"0", ZERO), held
    stat = None
    if is_same and (held is None or not held.skip_worktree):
        stat = FileStat.of(os.lstat(os.path.join(top, path)))
    flags = (held.assume_unchanged, held.skip_worktree) if held is not None else (False, False)
    return Update(path, mode_of(new), oid_of(new), stat, *flags), held


def _take_in(top: bytes, write: Late, rules: Rules | None, scratch: str) -> None:
    """Join what came late with what took its place. What was appended is appended: no one can get in between."""
    policy = rules.of(write.path) if rules is not None else MergePolicy("auto", "keep-both")
    while True:
        if write.expected and write.found.startswith(write.expected):
            worktree.append(top, write.path, write.found[len(write.expected) :])
            return
        there = worktree.look(top, write.path)
        base = Version(there.mode if there is not None else b"100644", there.content if there is not None else b"")
        result = merge(write.expected, write.found, base.content, write.path, policy)
        wanted = Version(base.mode, result.content)
        late: list[Late] = []
        with worktree.placing(top, [Move(write.path, there, wanted)], scratch, late):
            pass
        if not late:
            return
        write = late[0]
