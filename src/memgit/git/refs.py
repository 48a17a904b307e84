"""Refs: reading all of them at once, and moving several in one compare-and-swap transaction."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from memgit.core.objects import ZERO, Oid, RefName
from memgit.core.values import dataclass
from memgit.errors import Busy, CommandFailed, MemgitError, RefMoved
from memgit.git.command import DURABLE, Git

_FORMAT = "%(objectname)%00%(*objectname)%00%(refname)%00%(symref)"


@dataclass(frozen=True, slots=True)
class Ref:
    """A ref as it was read."""

    name: RefName
    oid: Oid  # what it points at
    peeled: Oid  # the commit behind an annotated tag, else the same as oid
    symref: RefName | None  # the ref it stands for, if it is symbolic


@dataclass(frozen=True, slots=True)
class RefUpdate:
    """One ref to move: from `expected` (ZERO: it must not exist yet) to `new` (ZERO: delete it)."""

    ref: RefName
    new: Oid
    expected: Oid


def read_all(git: Git) -> tuple[Ref, ...]:
    """Every ref, sorted by name."""
    out = git.run("for-each-ref", "--format=" + _FORMAT).stdout
    refs = []
    for line in out.split(b"\n")[:-1]:
        oid, peeled, name, symref = line.split(b"\0")
        refs.append(Ref(_name(name), oid, peeled or oid, _name(symref) if symref else None))
    return tuple(refs)


def peek(git: Git, common_dir: str, ref: RefName) -> Oid | None:
    """Where a ref points, without starting git if it can be told from its own file; None if there is no such ref.

    Raises MemgitError if the ref is damaged.
    """
    try:
        with open(os.path.join(common_dir, ref), "rb") as file:
            content = file.read().strip()
        if _OID.fullmatch(content):
            return content
        if not content.startswith(b"ref:"):
            raise MemgitError(f"{ref} is damaged: it holds no commit.", "`git reflog` tells where it was.")
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return _packed(common_dir, ref)
    return resolve(git, ref)


def is_symbolic(common_dir: str, ref: RefName) -> bool:
    """Whether the ref only stands for another one."""
    try:
        with open(os.path.join(common_dir, ref), "rb") as file:
            return file.read(4) == b"ref:"
    except OSError:
        return False


def _packed(common_dir: str, ref: RefName) -> Oid | None:
    """Source: gitrepository-layout(5), packed-refs: `<id> <name>` lines."""
    try:
        with open(os.path.join(common_dir, "packed-refs"), "rb") as file:
            content = file.read()
    except FileNotFoundError:
        return None
    at = content.find(b" " + ref.encode("utf-8", "surrogateescape") + b"\n")
    return content[at - 40 : at] if at >= 40 else None


def holding(git: Git, commits: Iterable[Oid]) -> frozenset[RefName]:
    """The refs from which any of the commits is reachable."""
    wanted = [f"--contains={commit.decode()}" for commit in commits]
    out = git.run("for-each-ref", "--format=%(refname)", *wanted).stdout if wanted else b""
    return frozenset(_name(line) for line in out.split(b"\n")[:-1])


def resolve(git: Git, ref: str) -> Oid | None:
    """The commit a ref or revision names, or None if there is none."""
    out = git.run("rev-parse", "--verify", "--quiet", "--end-of-options", ref + "^{commit}", ok=(0, 1, 128)).stdout
    return out.strip() or None


def refuse_if_broken(common_dir: str, ref: RefName) -> None:
    """Raise MemgitError if a ref that git does not list has a file: then it is damaged, not unborn."""
    if os.path.isfile(os.path.join(common_dir, ref)):
        raise MemgitError(f"{ref} is broken: its file names no commit.", "`git reflog` may tell where it was.")


def _name(raw: bytes) -> RefName:
    return raw.decode("utf-8", "surrogateescape")


_OID = re.compile(rb"[0-9a-f]{40}")
_MOVED = re.compile(r"cannot lock ref '([^']+)': (?:is at ([0-9a-f]{40}) but expected ([0-9a-f]{40}))")
_MISSING = re.compile(r"cannot lock ref '([^']+)': (?:unable to resolve reference|reference already exists)")
_LOCKED = re.compile(r"Unable to create '([^']+\.lock)': File exists")


def move(git: Git, updates: Iterable[RefUpdate], reason: str) -> None:
    """Move all of these refs or none, flushed to disk when this returns.

    They move in the order given, so what must not be lost comes first.
    Raises RefMoved if one is not where it was expected, Busy if another program holds one's lock.
    """
    try:
        git.run(*DURABLE, "update-ref", "-m", reason, "--stdin", "-z", stdin=_commands(updates))
    except CommandFailed as failure:
        raise _explain(failure) from None


@contextmanager
def prepared(git: Git, updates: Iterable[RefUpdate], reason: str) -> Iterator[Callable[[], None]]:
    """Lock these refs with their new values written and flushed; what is given carries the move out.

    Leaving without having called it lets the refs go as they were. Raises as `move` does.
    Source: git-update-ref(1), `start`, `prepare`, `commit`.
    """
    with git.talk(*DURABLE, "update-ref", "-m", reason, "--stdin", "-z") as child:

        def say(word: bytes, *, before: bytes = b"") -> None:
            try:
                child.send(before + word + b"\0")
                if child.receive_line() == word + b": ok\n":
                    return
                child.finish()
            except CommandFailed as failure:
                raise _explain(failure) from None
            raise Busy(f"git update-ref did not {word.decode()}.")

        say(b"start")
        say(b"prepare", before=_commands(updates))
        try:
            yield lambda: say(b"commit")
        finally:
            child.finish()


def _commands(updates: Iterable[RefUpdate]) -> bytes:
    return b"".join(
        b"update %s\0%s\0%s\0" % (update.ref.encode("utf-8", "surrogateescape"), update.new, update.expected)
        if update.new != ZERO
        else b"delete %s\0%s\0" % (update.ref.encode("utf-8", "surrogateescape"), update.expected)
        for update in updates
    )


def has_moved(git: Git, update: RefUpdate, found: Oid | None) -> bool:
    """Whether an update that was interrupted took place, judged by where its ref is found afterwards.

    People may have gone on from either end. True if the ref is gone or somewhere else altogether: then
    nobody can tell.
    """
    if found in (update.new, update.expected):
        return found == update.new
    if found is None:
        return True

    def contains(tip: Oid, commit: Oid) -> bool:
        return git.run("merge-base", "--is-ancestor", commit.decode(), tip.decode(), ok=(0, 1, 128)).status == 0

    if not contains(found, update.expected):
        return True
    return contains(found, update.new) and not contains(update.expected, update.new)


def _explain(failure: CommandFailed) -> Exception:
    if moved := _MOVED.search(failure.stderr):
        return RefMoved(moved[1], moved[3], moved[2])
    if missing := _MISSING.search(failure.stderr):
        return RefMoved(missing[1], "another value", "something else")
    if locked := _LOCKED.search(failure.stderr):
        return Busy(
            f"Another program holds {locked[1]}.",
            "Wait for it to end; if none is running, `memgit doctor` tells what is known about the lock.",
        )
    return failure


def flush_directories(common_dir: str, refs: Iterable[RefName]) -> None:
    """Make the renames that moved these refs survive a power cut.

    git flushes the file of a ref but not the directory it renames it in.
    """
    directories = {os.path.dirname(os.path.join(common_dir, ref)) for ref in refs} | {common_dir}
    for directory in directories:
        flush_directory(directory)


def flush_directory(directory: str) -> None:
    """fsync a directory; one that has gone in the meantime needs no flush."""
    try:
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
