"""Notes that follow their commits through a rewrite."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

from memgit.core.objects import Oid, RefName
from memgit.git.command import DURABLE, Git
from memgit.git.objects import ObjectReader
from memgit.git.refs import Ref

STAGING = "refs/memgit/staging/notes/"  # where fast-import builds; gone when the notes are made


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


def copy(git: Git, notes: Ref, have: Mapping[Oid, Oid], moves: Sequence[tuple[Oid, Oid]]) -> Oid | None:
    """A notes commit in which the new commits carry the notes of the old ones; None if there are none.

    have: what noted_commits() gives. moves: (old, new). Where several old ones with notes became one
    commit, their notes are joined by an empty line, oldest first, as notes.rewriteMode = concatenate
    does. Objects are written, no ref moves.
    """
    wanted: dict[Oid, list[Oid]] = {}
    for old, new in moves:
        note = have.get(old)
        if note is not None and note not in wanted.setdefault(new, []):
            wanted[new].append(note)
    wanted = {new: found for new, found in wanted.items() if found}
    if not wanted:
        return None
    staging = STAGING + notes.name.removeprefix("refs/notes/")
    commands = [
        b"feature done\ncommit %s\ncommitter memgit <memgit@localhost> now\ndata 42\n" % staging.encode(),
        b"Notes follow the commits memgit rewrote.\n\n",
        b"from %s\n" % notes.oid,
    ]
    with ObjectReader(git) as reader:
        for new, found in wanted.items():
            *earlier, last = reader.read_many(found)
            text = b"".join(note.removesuffix(b"\n") + b"\n\n" for note in earlier) + last
            commands.append(b"N inline %s\ndata %d\n%s\n" % (new, len(text), text))
    commands.append(b"done\n")
    git.run(*DURABLE, "fast-import", "--quiet", "--force", "--date-format=now", stdin=b"".join(commands))
    made = git.text("rev-parse", "--verify", staging).encode()
    git.run("update-ref", "-d", staging)
    return made
