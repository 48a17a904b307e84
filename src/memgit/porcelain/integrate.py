"""Joining what a remote has with what is here: computed among objects, applied only when it is complete."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence

from memgit.core.merge.api import merge
from memgit.core.objects import ZERO, Oid, RefName, hash_object
from memgit.core.trees import Entry, Trees, changes, edited, mode_of, oid_of
from memgit.errors import Busy
from memgit.git import conversion, index, mergetree, refs, signing
from memgit.git.command import Git
from memgit.git.identity import identity
from memgit.git.index import FileStat, IndexLocked, Update
from memgit.git.mergetree import Merged, Stage
from memgit.git.objects import ObjectReader
from memgit.git.refs import RefUpdate
from memgit.git.repository import Repository
from memgit.host import worktree
from memgit.host.worktree import Late, Move, Version
from memgit.porcelain import people
from memgit.porcelain.following import IndexChange
from memgit.porcelain.joined import How, Joined, Rules
from memgit.porcelain.transaction import Transaction

_TRIES = 5
_PAUSE_S = 0.1
Touched = tuple[bytes, Entry | None, Entry | None]  # path, old, new


def run(
    change: Transaction, branch: RefName, theirs: Oid, shown: str, rules: Rules, machine: str, now_s: int
) -> Joined:
    """Bring `theirs` into the branch checked out. shown: what people call `theirs`. Raises Busy if in the way."""
    repo, git = change.repo, change.repo.git
    ours = refs.peek(git, repo.common_dir, branch)
    if ours == theirs:
        return Joined(How.NOTHING, ours, ours)
    if ours is None:
        raise Busy(
            f"{branch.removeprefix('refs/heads/')} has no commit yet, but {shown} has.",
            f"Begin with what is there: git merge {shown}",
        )
    found = mergetree.bases(git, ours, theirs)
    if theirs in found:
        return Joined(How.NOTHING, ours, ours)
    if not found:
        why = "the histories have no commit in common"
        if repo.is_shallow:
            why = "this clone is too shallow to tell what they have in common; `git fetch --unshallow` helps"
        return Joined(How.CONFLICT, ours, None, why=why)
    repo.refuse_if_in_progress(branch)
    with ObjectReader(git) as reader:
        if ours in found:
            return _apply(change, reader, branch, Joined(How.FORWARD, ours, theirs), shown, rules)
        trees = Trees(reader.read_many)
        merged = mergetree.merge(git, ours, theirs)
        tree, blobs, resolved, left = _resolve(reader, trees, merged, rules)
        if left:
            return Joined(How.CONFLICT, ours, None, tuple(left), why="both sides changed them")
        raw = _commit(change, tree, (ours, theirs), branch, shown, resolved, machine, now_s)
        new = hash_object(b"commit", raw)
        change.store([*blobs, *((b"tree", content) for content in trees.made.values()), (b"commit", raw)])
        joined = Joined(How.MERGED, ours, new, resolved=tuple(resolved))
        return _apply(change, reader, branch, joined, shown, rules)


def _resolve(
    reader: ObjectReader, trees: Trees, merged: Merged, rules: Rules
) -> tuple[Oid, list[tuple[bytes, bytes]], list[bytes], list[bytes]]:
    """The tree with every memory file joined; the new blobs, the paths joined, and the paths left in conflict."""
    edits: dict[bytes, tuple[bytes, Oid] | None] = {}
    blobs, resolved, left = [], [], []
    for path, stages in sorted(merged.conflicts.items()):
        base, ours, theirs = stages.get(1), stages.get(2), stages.get(3)
        if not rules.memory.matches(path) or not all(_is_file(stage) for stage in stages.values()):
            left.append(path)
        elif ours is None or theirs is None:
            kept = ours or theirs  # deleted here, changed there: what was written last is worth more
            if kept is None:
                left.append(path)
                continue
            edits[path] = kept.mode, kept.oid
            resolved.append(path)
        else:
            before = reader.read(base.oid) if base is not None else b""
            result = merge(before, reader.read(ours.oid), reader.read(theirs.oid), path, rules.of(path))
            if not result.clean:
                left.append(path)
                continue
            blobs.append((b"blob", result.content))
            mode = theirs.mode if base is not None and ours.mode == base.mode else ours.mode
            edits[path] = mode, hash_object(b"blob", result.content)
            resolved.append(path)
    return edited(trees, merged.tree, edits), blobs, resolved, left


def _is_file(stage: Stage) -> bool:
    return stage.mode in (b"100644", b"100755")


def _commit(
    change: Transaction,
    tree: Oid,
    parents: Sequence[Oid],
    branch: RefName,
    shown: str,
    resolved: Sequence[bytes],
    machine: str,
    now_s: int,
) -> bytes:
    repo = change.repo
    who = identity(repo.git, machine, now_s)
    lines = [f"memory: join {shown} into {branch.removeprefix('refs/heads/')}".encode("utf-8", "surrogateescape"), b""]
    if resolved:
        lines += [b"Changed on both sides: " + b", ".join(path.replace(b"\n", b"?") for path in resolved), b""]
    lines += [b"Memgit-Merge: " + machine.encode(), b""]
    head = [b"tree " + tree, *(b"parent " + parent for parent in parents), b"author " + who, b"committer " + who]
    raw = b"\n".join(head) + b"\n\n" + b"\n".join(lines)
    sign = signing.signer(repo.config(), repo.private_dir)
    return sign(raw) if sign is not None else raw


def _apply(
    change: Transaction, reader: ObjectReader, branch: RefName, joined: Joined, shown: str, rules: Rules
) -> Joined:
    """Move the branch, and where it is checked out its index and files: all of it, or nothing if something is in
    the way.

    Files come first, then index and branch in one step. Killed in between, the files hold what the next run brings.
    """
    assert joined.old is not None
    assert joined.new is not None
    repo = change.repo
    update = RefUpdate(branch, joined.new, joined.old)
    if repo.work_tree is None or repo.current_branch() != branch:
        change.move([update], f"memgit sync: {shown}")
        return joined
    people.let_finish(repo, branch, patience_s=0)
    if change.is_owing:
        raise Busy("The index is behind its branch and can't be changed.", "`git status` may tell who holds it.")
    trees = Trees(reader.read_many)
    old_tree, new_tree = (reader.read(oid)[5:45] for oid in (joined.old, joined.new))
    touched = list(changes(trees, old_tree, new_tree))
    git = Git(repo.work_tree, None, repo.git.keep_fds)
    if not _is_plain(repo, git, touched):
        blocking = change.forward(update, "memgit sync")
        return Joined(How.BLOCKED, joined.old, None, blocking) if blocking else joined
    moves = [Move(path, _version(reader, old), _version(reader, new)) for path, old, new in touched]
    entries = index.entries(git, [move.path for move in moves])
    blocking = _staged_otherwise(touched, entries)
    moves = [move for move in moves if move.path not in entries or not entries[move.path].skip_worktree]
    top, scratch = os.fsencode(repo.work_tree), os.path.join(repo.private_dir, "scratch")
    moves = [_with_newer(top, move, rules) for move in moves]
    newer = frozenset(move.path for move in moves if move.old and move.new and rules.memory.matches(move.path))
    blocking = blocking or worktree.in_the_way(top, moves, newer)
    if blocking:
        return Joined(How.BLOCKED, joined.old, None, blocking)
    wanted = {path: new for path, _, new in touched}
    with worktree.placing(top, moves, scratch) as late:
        same = {move.path for move in moves if move.new == _version(reader, wanted.get(move.path))}
        updates = tuple(_index_update(path, new, entries.get(path), top, path in same) for path, _, new in touched)
        try:
            _move(change, update, f"memgit sync: {shown}", IndexChange(repo.work_tree, repo.git_dir, updates))
        except Busy:
            with worktree.placing(top, [Move(move.path, move.new, move.old) for move in moves], scratch):
                raise
    for write in late:
        _take_in(top, write, rules, scratch)
    return joined


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


def _move(change: Transaction, update: RefUpdate, reason: str, following: IndexChange) -> None:
    """Branch and index together; somebody's index.lock is waited for a little. Raises Busy."""
    for attempt in range(_TRIES):
        try:
            change.capture([], [update], reason, following)
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
        status = os.lstat(os.path.join(top, path))
        stat = FileStat(
            status.st_ctime_ns,
            status.st_mtime_ns,
            status.st_dev,
            status.st_ino,
            status.st_uid,
            status.st_gid,
            status.st_size,
        )
    flags = (held.assume_unchanged, held.skip_worktree) if held is not None else (False, False)
    return Update(path, mode_of(new), oid_of(new), stat, *flags), held


def _take_in(top: bytes, write: Late, rules: Rules, scratch: str) -> None:
    """Join what came late with what took its place. What was appended is appended: no one can get in between."""
    while True:
        if write.expected and write.found.startswith(write.expected):
            worktree.append(top, write.path, write.found[len(write.expected) :])
            return
        there = worktree.look(top, write.path)
        base = Version(there.mode if there is not None else b"100644", there.content if there is not None else b"")
        result = merge(write.expected, write.found, base.content, write.path, rules.of(write.path))
        wanted = Version(base.mode, result.content)
        with worktree.placing(top, [Move(write.path, there, wanted)], scratch) as late:
            pass
        if not late:
            return
        write = late[0]
