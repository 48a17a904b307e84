"""People at work: no branch moves under a git command that would fail if it did, such as an open `git commit`."""

from __future__ import annotations

import time

from memgit.core.objects import RefName
from memgit.errors import Busy
from memgit.git.repository import Repository
from memgit.host import processes

PATIENCE_S = 3.0  # longer than any commit without an editor takes
_PAUSE_S = 0.05


def let_finish(repo: Repository, branch: RefName | None, patience_s: float = PATIENCE_S) -> None:
    """Return when no git is about to move this branch in any work tree that has it checked out. Raises Busy.

    To be called without our lock, so that captures go on meanwhile; and with no patience right before the move.
    """
    tops = [(one.work_tree, one.git_dir) for one in repo.checkouts() if branch is not None and one.branch == branch]
    deadline = time.monotonic() + patience_s
    for work_tree, git_dir in tops:
        while busy := processes.committing(work_tree or repo.work_tree or git_dir, git_dir):
            if time.monotonic() >= deadline:
                raise Busy(f"{busy} is running, and would fail if its branch moved.", "Try again when it has ended.")
            time.sleep(_PAUSE_S)
