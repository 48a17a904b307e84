"""Bringing a work tree forward to a commit that stands on the one it has, without a step on anybody's toes."""

from __future__ import annotations

import os
import re

from memgit.core.objects import ZERO, Oid
from memgit.errors import Busy, CommandFailed
from memgit.git.command import DURABLE, Git

_IN_THE_WAY = re.compile(rb"would be overwritten by merge|following untracked working tree files|uncommitted changes")
_LOCKED = re.compile(rb"Unable to create '([^']+\.lock)': File exists")
_QUIET = ("-c", "merge.autostash=false", "-c", "submodule.recurse=false", "-c", "core.quotePath=false")


def forward(git: Git, commit: Oid, reason: str) -> tuple[bytes, ...]:
    """Fast-forward the branch checked out, its index and files; the paths that are in the way, if any.

    git: runs at the top of the work tree. A file that already is as the commit has it is not in the way.
    Raises Busy if another program holds the index, CommandFailed for everything else that git can't do.
    """
    blocking = _merge(git, commit, reason)
    if blocking and _adopt(git, commit, blocking):
        blocking = _merge(git, commit, reason)
    return blocking


def _merge(git: Git, commit: Oid, reason: str) -> tuple[bytes, ...]:
    args = ("merge", "--ff-only", "--quiet", "--no-stat", "--no-overwrite-ignore", commit.decode())
    done = git.run(*DURABLE, *_QUIET, *args, env={"GIT_REFLOG_ACTION": reason}, ok=None)
    if done.status == 0:
        return ()
    if locked := _LOCKED.search(done.stderr):
        raise Busy(
            f"Another program holds {os.fsdecode(locked[1])}.", "Wait for it to end, then run the command again."
        )
    if done.status < 0 or not _IN_THE_WAY.search(done.stderr):
        raise CommandFailed(("git", *args), done.status, done.stderr.decode("utf-8", "replace"))
    return tuple(line[1:] for line in done.stderr.split(b"\n") if line.startswith(b"\t"))


def _adopt(git: Git, commit: Oid, paths: tuple[bytes, ...]) -> bool:
    """Enter those of the paths that are on disk as the commit has them into the index; whether all of them are.

    An interrupted run leaves such files, and git can't know that nothing is lost with them.
    """
    wanted = {}
    names = [os.fsdecode(path) for path in paths]
    out = git.run("ls-tree", "-r", "-z", "--full-tree", commit.decode(), "--", *names).stdout
    for line in out.split(b"\0")[:-1]:
        head, _, path = line.partition(b"\t")
        wanted[path] = (head.split()[0], head.split()[2])
    lines = []
    for path in paths:
        here = os.path.join(os.fsencode(git.directory or "."), path)
        mode, oid = wanted.get(path, (b"", b""))
        if not mode and not os.path.lexists(here):
            lines.append(b"0 %s\t%s\0" % (ZERO, path))
        elif mode.startswith(b"100") and os.path.isfile(here) and not os.path.islink(here):
            name = os.fsdecode(path)
            found = git.run("hash-object", "--path", name, "--", os.path.join(".", name), ok=None)
            if found.status == 0 and found.stdout.strip() == oid:
                lines.append(b"%s %s\t%s\0" % (mode, oid, path))
    if len(lines) < len(paths):
        return False
    git.run(*DURABLE, "update-index", "-z", "--index-info", stdin=b"".join(lines))
    return True
