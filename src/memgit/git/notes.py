"""Notes that follow their commits through a rewrite."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

from memgit.core.objects import Oid, RefName
from memgit.git.command import DURABLE, Git
from memgit.git.objects import ObjectReader
from memgit.git.refs import Ref

_REF = b"refs/notes/new"


def refs_to_rewrite(config: Mapping[str, list[str]], refs: Sequence[Ref]) -> tuple[Ref, ...]:
    """The notes refs that the user lists in notes.rewriteRef, globs expanded.

    Source: git-config(1), notes.rewriteRef; notes.rewrite.rebase switches it off as for git rebase.
    """
    patterns = config.get("notes.rewriteref", [])
    if not patterns or config.get("notes.rewrite.rebase", ["true"])[-1].lower() in ("false", "no", "off", "0"):
        return ()
    return tuple(
        ref
        for ref in refs
        if ref.name.startswith("refs/notes/") and any(fnmatchcase(ref.name, pattern) for pattern in patterns)
    )


def noted_commits(git: Git, notes: RefName) -> dict[Oid, Oid]:
    """Annotated object -> note, for every note below a notes ref."""
    out = git.run("notes", "--ref", notes, "list", ok=(0, 1)).stdout
    pairs = (line.split(b" ") for line in out.splitlines())
    return {annotated: note for note, annotated in pairs}


def copy(git: Git, place: str, notes: Ref, have: Mapping[Oid, Oid], moves: Sequence[tuple[Oid, Oid]]) -> Oid | None:
    """A notes commit in which the new commits carry the notes of the old ones; None if there are none.

    place: the repository's common directory. have: what noted_commits() gives. moves: (old, new). Where
    several old ones with notes became one commit, their notes are joined by an empty line, oldest first,
    as notes.rewriteMode = concatenate does. Objects are written; no ref of the repository is touched.
    """
    wanted: dict[Oid, list[Oid]] = {}
    for old, new in moves:
        note = have.get(old)
        if note is not None and note not in wanted.setdefault(new, []):
            wanted[new].append(note)
    wanted = {new: found for new, found in wanted.items() if found}
    if not wanted:
        return None
    commands = [
        b"feature done\ncommit %s\ncommitter memgit <memgit@localhost> now\ndata 42\n" % _REF,
        b"Notes follow the commits memgit rewrote.\n\n",
        b"from %s\n" % notes.oid,
    ]
    with ObjectReader(git) as reader:
        for new, found in wanted.items():
            *earlier, last = reader.read_many(found)
            text = b"".join(note.removesuffix(b"\n") + b"\n\n" for note in earlier) + last
            commands.append(b"N inline %s\ndata %d\n%s\n" % (new, len(text), text))
    commands.append(b"done\n")
    # fast-import wants a ref to build on. It gets one in a repository of its own that shares the objects,
    # so that its death leaves no lock in this one.
    scratch = os.path.join(place, "memgit", "notes")
    shutil.rmtree(scratch, ignore_errors=True)
    for directory in ("objects", "refs"):
        os.makedirs(os.path.join(scratch, directory), mode=0o700)
    with open(os.path.join(scratch, "HEAD"), "wb") as file:
        file.write(b"ref: %s\n" % _REF)
    there = Git(scratch, scratch, git.keep_fds)
    shared = {"GIT_OBJECT_DIRECTORY": os.path.join(place, "objects")}
    there.run(*DURABLE, "fast-import", "--quiet", "--force", "--date-format=now", stdin=b"".join(commands), env=shared)
    made = there.run("rev-parse", "--verify", _REF.decode(), env=shared).stdout.strip()
    shutil.rmtree(scratch)
    return made
