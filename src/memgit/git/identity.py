"""Who signs what memgit commits: the identity git itself would use."""

from __future__ import annotations

from memgit.errors import CommandFailed
from memgit.git.command import Git


def identity(git: Git, machine: str, now_s: int) -> bytes:
    """`Name <email> seconds zone` as it stands in a commit, for this moment.

    Where git knows no name for this user, memgit's own: a capture does not wait for somebody to configure one.
    """
    try:
        found = git.run("var", "GIT_AUTHOR_IDENT").stdout.strip()
    except CommandFailed:
        found = b"memgit <memgit@%s> 0 +0000" % (machine.encode("ascii", "ignore") or b"localhost")
    who, _, zone = found.rpartition(b" ")
    who, _, _ = who.rpartition(b" ")
    return b"%s %d %s" % (who, now_s, zone)
