"""Captures that somebody took off their branch: the branch stays where it was put, and they stay reachable.

A reset or a rebase leaves them to the reflog alone, which forgets. An entry in the operation log keeps them as long as
it keeps everything else; `memgit log --raw` and `memgit restore` find them there.
"""

from __future__ import annotations

from memgit.core import capture
from memgit.core.objects import ZERO, Oid, RefName
from memgit.core.operations import MOVED_BACK, Operation, RefChange
from memgit.porcelain import oplog
from memgit.porcelain.transaction import Transaction


def keep(change: Transaction, branch: RefName, before: Oid, now: Oid | None, now_s: int) -> None:
    """Enter it in the log if a branch no longer holds captures that it held, and no ref does.

    before: where the last capture left it. now: where it is.
    """
    lost = change.repo.git.run(
        *("rev-list", "--max-count=1", f"--grep=^{capture.AUTO.decode()}:", before.decode(), "--not", "--all"),
        ok=(0, 128),  # 128: they are gone altogether, as whoever rewrites every ref wants it
    ).stdout
    if not lost:
        return
    name = branch.removeprefix("refs/heads/")
    summary = f"kept what {name} held before it was moved back"
    operation = Operation(MOVED_BACK, now_s, (RefChange(branch, before, now or ZERO),), summary)
    told, entry = oplog.prepare(change.repo, operation)
    change.store(told)
    change.move([entry], f"memgit: {summary}")
