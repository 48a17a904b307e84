"""Joining what a remote has with what is here: computed among objects, applied only when it is complete."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from memgit.core.memory import PatternList, Patterns
from memgit.core.merge.api import MergePolicy, merge
from memgit.core.objects import EMPTY_TREE, Oid, RefName, hash_object
from memgit.core.settings import MergeRule
from memgit.core.trees import Trees, changes, edited
from memgit.errors import Busy
from memgit.git import mergetree, refs, signing
from memgit.git.identity import identity
from memgit.git.mergetree import Merged, Stage
from memgit.git.objects import ObjectReader
from memgit.git.refs import RefUpdate
from memgit.host import late
from memgit.porcelain.transaction import Transaction


class How(Enum):
    """What became of the remote's commits."""

    NOTHING = "nothing new"
    FORWARD = "moved forward"
    MERGED = "merged"
    CONFLICT = "in conflict"
    BLOCKED = "files in the way"


@dataclass(frozen=True, slots=True)
class Joined:
    """paths: in conflict, or in the way. resolved: memory files that memgit joined itself. why: more on a conflict."""

    how: How
    old: Oid | None
    new: Oid | None
    paths: tuple[bytes, ...] = ()
    resolved: tuple[bytes, ...] = ()
    why: str = ""


@dataclass(frozen=True, slots=True)
class Rules:
    """Which files are memory and how each is merged."""

    memory: Patterns  # asked with repository paths
    workspace: bytes
    merge: tuple[MergeRule, ...]

    def of(self, path: bytes) -> MergePolicy:
        """Nobody is there to look at markers, so both sides are kept where they can't be joined."""
        inside = path[len(self.workspace) :]
        for rule in self.merge:
            if PatternList([rule.glob]).selects(inside):
                return MergePolicy(rule.kind, "keep-both" if rule.policy == "markers" else rule.policy)
        return MergePolicy("auto", "keep-both")


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
    """Move the branch, and where it is checked out its index and files."""
    assert joined.old is not None
    assert joined.new is not None
    repo = change.repo
    update = RefUpdate(branch, joined.new, joined.old)
    if repo.work_tree is None or repo.current_branch() != branch:
        change.move([update], f"memgit sync: {shown}")
        return joined
    old_tree, new_tree = (reader.read(oid)[5:45] for oid in (joined.old, joined.new))
    trees = Trees(reader.read_many)
    touched = [
        (path, old, new)
        for path, old, new in changes(trees, old_tree or EMPTY_TREE, new_tree)
        if rules.memory.matches(path)
    ]
    top = os.fsencode(repo.work_tree)
    with late.guard(top, [path for path, _, _ in touched], repo.private_dir) as writes:
        blocking = change.forward(update, "memgit sync")
        if not blocking:
            late.flush(top, [path for path, _, new in touched if new is not None])
            for write in writes():
                # Somebody wrote into the old file while it was being replaced: joined with what took its place.
                there = late.read(top, write.path)
                result = merge(write.before, write.after, there or b"", write.path, rules.of(write.path))
                late.put(top, write.path, result.content, there)
    if blocking:
        return Joined(How.BLOCKED, joined.old, None, blocking)
    return joined
