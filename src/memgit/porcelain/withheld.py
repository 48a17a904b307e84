"""Files that a remote refused for a secret in them: taken out of what is not published yet, and held until it is gone.

The file itself stays as it is.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from memgit.core.objects import ZERO, Oid, RefName, hash_object, is_signed, rewrite_commit, split_commit, tree_of
from memgit.core.operations import WITHHOLD, Operation, RefChange
from memgit.core.retry import Location
from memgit.core.trees import Trees, edited, file_at, mode_of, oid_of
from memgit.errors import UsageError
from memgit.git import history, index, refs, signing
from memgit.git.command import Git
from memgit.git.index import Update
from memgit.git.objects import ObjectReader
from memgit.git.repository import Repository
from memgit.porcelain import judge, oplog
from memgit.porcelain import refused as refused_files
from memgit.porcelain.following import IndexChange
from memgit.porcelain.transaction import Transaction


def take_out(
    change: Transaction, branch: RefName, published: Oid | None, places: Sequence[Location], now_s: int
) -> tuple[bytes, ...]:
    """Rewrite what is not published without the files a remote refused; their paths, none if no commit has them.

    Each of them is in every commit as it is on the remote, or not at all. Work tree files stay, and are held from
    captures. Raises UsageError where a person's signature would be lost.
    """
    repo = change.repo
    tip = refs.peek(repo.git, repo.common_dir, branch)
    if tip is None:
        return ()
    paths = tuple(dict.fromkeys(os.fsencode(place.path) for place in places))
    with ObjectReader(repo.git) as reader:
        trees = Trees(reader.read_many)
        base = reader.tree(published) if published is not None else None
        new_ids: dict[Oid, Oid] = {}
        made: list[tuple[bytes, bytes]] = []
        refused: dict[bytes, Oid] = {}
        sign = signing.signer(repo.config(), repo.private_dir)
        for oid in history.oldest_first(repo.git, tip, [published] if published is not None else []):
            raw = reader.read(oid)
            edits: dict[bytes, tuple[bytes, Oid] | None] = {}
            for path in paths:
                here = file_at(trees, tree_of(raw), path)
                before = file_at(trees, base, path) if base is not None else None
                if here is not None and here != before:
                    refused[path] = oid_of(here)
                    edits[path] = (mode_of(before), oid_of(before)) if before is not None else None
            parents = [field[7:] for field in split_commit(raw)[0] if field.startswith(b"parent ")]
            mapped = [new_ids.get(parent, parent) for parent in parents]
            if not edits and mapped == parents:
                continue
            if is_signed(raw) and sign is None:
                raise UsageError(
                    f"The signed commit {oid.decode()[:10]} holds what the remote refused; rewriting unsigns it.",
                    "Take the secret out of it by hand, or set commit.gpgSign.",
                )
            new = rewrite_commit(raw, edited(trees, tree_of(raw), edits), mapped)
            new = sign(new) if is_signed(raw) and sign is not None else new
            new_ids[oid] = hash_object(b"commit", new)
            made.append((b"commit", new))
        if not refused:
            return ()
        _remember(repo, reader, trees, tip, places, refused)
        change.store([*((b"tree", raw) for raw in trees.made.values()), *made])
        summary = f"withhold {len(refused)} files the remote refused"
        operation = Operation(WITHHOLD, now_s, (RefChange(branch, tip, new_ids[tip]),), summary)
        objects, entry = oplog.prepare(repo, operation)
        updates = [entry, refs.RefUpdate(branch, new_ids[tip], tip)]
        change.capture(objects, updates, "memgit: withhold", _index_change(repo, branch, trees, base, tuple(refused)))
    return tuple(refused)


def _index_change(
    repo: Repository, branch: RefName, trees: Trees, base: Oid | None, paths: tuple[bytes, ...]
) -> IndexChange | None:
    """The files are changed or untracked from now on, and no longer as committed."""
    if repo.work_tree is None or repo.current_branch() != branch:
        return None
    git = Git(repo.work_tree, None, repo.git.keep_fds)
    now = index.entries(git, paths)
    updates = []
    for path in paths:
        before = file_at(trees, base, path) if base is not None else None
        update = Update(path, mode_of(before), oid_of(before)) if before is not None else Update(path, b"0", ZERO)
        updates.append((update, now.get(path)))
    return IndexChange(repo.work_tree, repo.git_dir, tuple(updates))


def _remember(
    repo: Repository,
    reader: ObjectReader,
    trees: Trees,
    tip: Oid,
    places: Sequence[Location],
    refused: dict[bytes, Oid],
) -> None:
    key = judge.key_of(repo)
    held = refused_files.load(repo)
    newest = reader.tree(tip)
    for path, blob in refused.items():
        here = file_at(trees, newest, path)
        now = reader.read(oid_of(here)).split(b"\n") if here is not None else []
        lines = set()
        for place in places:
            if os.fsencode(place.path) != path or place.line is None:
                continue
            commit = refs.resolve(repo.git, place.commit) if place.commit else None
            there = file_at(trees, reader.tree(commit), path) if commit is not None else here
            content = reader.read(oid_of(there)).split(b"\n") if there is not None else now
            if place.line <= len(content) and content[place.line - 1].strip():
                lines.add(refused_files.digest(key, content[place.line - 1]))
        held[path] = refused_files.Held(tuple(sorted(lines)), "" if lines else blob.decode())
    refused_files.save(repo, held)
