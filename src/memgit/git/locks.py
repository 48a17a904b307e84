"""Lock files that stand in git's way, and whether anybody may still need them."""

from __future__ import annotations

import os
import time

from memgit import running
from memgit.core.values import dataclass
from memgit.git.leftovers import is_open_anywhere
from memgit.git.repository import Repository

_OLD_S = 600


@dataclass(frozen=True, slots=True)
class StaleLock:
    """A lock file. is_dead: old, open in no process, and no git runs in this repository."""

    path: str
    age_s: int
    holder: int | None  # a git process at work here, if one is
    is_dead: bool


def find(repo: Repository) -> tuple[StaleLock, ...]:
    """Every lock file of index, HEAD, configuration and refs."""
    places = [checkout.git_dir for checkout in repo.checkouts()] or [repo.git_dir]
    paths = {os.path.join(place, name) for place in places for name in ("index.lock", "HEAD.lock")}
    paths |= {os.path.join(repo.common_dir, name) for name in ("config.lock", "packed-refs.lock", "shallow.lock")}
    for directory, _, names in os.walk(os.path.join(repo.common_dir, "refs")):
        paths |= {os.path.join(directory, name) for name in names if name.endswith(".lock")}
    found = []
    at_work = _git_at_work(tuple(filter(None, (repo.work_tree, repo.common_dir))))
    for path in sorted(paths):
        try:
            status = os.stat(path, follow_symlinks=False)
        except OSError:
            continue
        age_s = int(time.time() - status.st_mtime)
        dead = at_work is None and age_s > _OLD_S and not is_open_anywhere(status) and running.is_told()
        found.append(StaleLock(path, age_s, at_work, dead))
    return tuple(found)


def _git_at_work(directories: tuple[str, ...]) -> int | None:
    """A running git whose directory is one of these or below: it may own a lock without having it open."""
    roots = [os.path.realpath(directory) for directory in directories]
    gits = (one for one in running.processes() if one.name().partition("-")[0] == "git")
    return next((one.pid for one in gits if one.is_in(roots)), None)
