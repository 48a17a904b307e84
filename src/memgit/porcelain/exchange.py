"""The right to talk to the remotes of a repository: one memgit at a time, and what a killed one left goes."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from memgit.core.objects import RefName
from memgit.core.values import replace
from memgit.git import leftovers
from memgit.git.command import Git
from memgit.git.repository import Repository
from memgit.host import files
from memgit.host.lock import Lock


@contextmanager
def begin(repo: Repository) -> Iterator[Repository]:
    """The right to talk to the remotes of a repository; local work goes on meanwhile. Raises Busy.

    The lock lives as long as any program started under it, so that no two talk to one remote, and whoever gets it
    knows that locks which the last exchange named, and left, are nobody's any more.
    """
    with Lock(os.path.join(repo.private_dir, "exchange"), timeout_s=0) as lock:
        _clear(repo)
        try:
            yield replace(repo, git=Git(repo.git.directory, repo.git.git_dir, (lock.fd,)))
        finally:
            _clear(repo)


def _journal(repo: Repository) -> str:
    return os.path.join(repo.private_dir, "exchange", "journal.json")


def name_locks(repo: Repository, moved: Iterable[RefName]) -> None:
    """Write down which locks git may take to move these refs; not flushed, for a power cut takes young locks, too."""
    names = [f"{ref}.lock" for ref in moved] + ["packed-refs.lock", "shallow.lock", "config.lock"]
    files.replace(_journal(repo), json.dumps({"schema": 1, "locks": names}).encode(), flush=False)


def _clear(repo: Repository) -> None:
    """Take away the locks that a killed git of ours left."""
    journal = _journal(repo)
    content = files.read(journal)
    if content is None:
        return
    try:
        names = [str(name) for name in json.loads(content)["locks"]]
    except (ValueError, KeyError, TypeError):
        names = []
    leftovers.clear_files([os.path.join(repo.common_dir, name) for name in names], os.stat(journal).st_mtime)
    os.unlink(journal)
