"""Who makes a commit, as git is configured."""

from __future__ import annotations

from memgit.errors import CommandFailed
from memgit.git.command import Git


def committer(git: Git) -> bytes:
    """`Name <email> seconds zone`, of now; memgit's own name where git has none to give."""
    try:
        return git.run("var", "GIT_COMMITTER_IDENT").stdout.strip()
    except CommandFailed:
        named = ("-c", "user.name=memgit", "-c", "user.email=memgit@localhost")
        return git.run(*named, "var", "GIT_COMMITTER_IDENT").stdout.strip()
