"""A repository where there is none: there whole or not at all."""

from __future__ import annotations

import os

from memgit.git.command import Git
from memgit.host import files, tree

_BEGUN = ".memgit-repository-"


def make(place: str) -> None:
    """Make one in a directory. A `git init` that is killed half way leaves locks that no other gets past."""
    for name in os.listdir(place):
        if name.startswith(_BEGUN) and not files.is_alive(name[len(_BEGUN) :]):
            left = os.path.join(place, name)
            if os.path.isdir(left) and not os.path.islink(left):
                tree.remove(left)
    new = os.path.join(place, f"{_BEGUN}{os.getpid()}")
    Git(place).run("init", "--quiet", new)
    os.rename(os.path.join(new, ".git"), os.path.join(place, ".git"))
    os.rmdir(new)
    files.flush_directory(place)
