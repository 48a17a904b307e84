"""Joining what a remote has with what is here: computed among objects, applied only when it is complete."""

from __future__ import annotations

from collections.abc import Sequence

from memgit.core.merge.api import merge
from memgit.core.objects import Oid, RefName, hash_object
from memgit.core.operations import JOIN, Operation, RefChange
from memgit.core.trees import Trees, edited
from memgit.errors import Busy
from memgit.git import mergetree, refs, signing
from memgit.git.identity import identity
from memgit.git.mergetree import Merged, Stage
from memgit.git.objects import ObjectReader
from memgit.git.refs import RefUpdate
from memgit.porcelain import moving, oplog
from memgit.porcelain.joined import How, Joined, Rules
from memgit.porcelain.transaction import Transaction


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
            blocking = moving.move(change, reader, RefUpdate(branch, theirs, ours), f"memgit sync: {shown}", rules)
            return Joined(How.BLOCKED, ours, None, blocking) if blocking else Joined(How.FORWARD, ours, theirs)
        trees = Trees(reader.read_many)
        merged = mergetree.merge(git, ours, theirs)
        tree, blobs, resolved, left = _resolve(reader, trees, merged, rules)
        if left:
            return Joined(How.CONFLICT, ours, None, tuple(left), why="both sides changed them")
        raw = _commit(change, tree, (ours, theirs), branch, shown, resolved, machine, now_s)
        new = hash_object(b"commit", raw)
        operation = Operation(JOIN, now_s, (RefChange(branch, ours, new),), f"join {shown}")
        told, entry = oplog.prepare(repo, operation)
        made = [*blobs, *((b"tree", content) for content in trees.made.values()), (b"commit", raw), *told]
        change.store(list(dict.fromkeys(made)))
        blocking = moving.move(change, reader, RefUpdate(branch, new, ours), f"memgit sync: {shown}", rules, entry)
        if blocking:
            return Joined(How.BLOCKED, ours, None, blocking)
        return Joined(How.MERGED, ours, new, resolved=tuple(resolved))


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
