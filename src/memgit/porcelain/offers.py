"""What was offered to a remote: written down before, settled by its answer.

A push whose answer got lost may have been taken, and what may have been taken is never rewritten.
"""

from __future__ import annotations

from memgit.core.objects import ZERO, Oid, RefName
from memgit.git import history, refs
from memgit.git.refs import RefUpdate
from memgit.porcelain.remotes import OFFERED, Remote


def offer(remote: Remote, tip: Oid) -> None:
    """Write down, flushed, what is about to be sent; an earlier offer that is not below it stays beside it."""
    git, common = remote.repo.git, remote.repo.common_dir
    before = refs.peek(git, common, remote.offered_ref)
    updates = []
    if before is not None and before != tip and history.count(git, before, [tip]):
        beside = f"{OFFERED}{remote.target.remote}.{before.decode()[:10]}/{remote.target.branch[11:]}"
        if refs.peek(git, common, beside) is None:
            updates.append(RefUpdate(beside, before, ZERO))
    if before != tip:
        updates.append(RefUpdate(remote.offered_ref, tip, before or ZERO))
    if updates:
        refs.move(git, updates, "memgit: about to be offered")
        refs.flush_directories(common, [update.ref for update in updates])
    remote.note(offered_s=remote.now_s)


def withdraw(remote: Remote) -> None:
    """The remote said no, so it does not have what was offered."""
    offered = refs.peek(remote.repo.git, remote.repo.common_dir, remote.offered_ref)
    if offered is not None:
        refs.move(remote.repo.git, [RefUpdate(remote.offered_ref, ZERO, offered)], "memgit: the offer was refused")


def taken(remote: Remote, tip: Oid) -> None:
    """The remote has it: the tracking ref says so, and the offer is settled."""
    git, common = remote.repo.git, remote.repo.common_dir
    updates = []
    tracking = remote.tracking
    if tracking != tip:
        updates.append(RefUpdate(remote.target.tracking, tip, tracking or ZERO))
    offered = refs.peek(git, common, remote.offered_ref)
    if offered is not None:
        updates.append(RefUpdate(remote.offered_ref, ZERO, offered))
    if updates:
        refs.move(git, updates, "memgit: pushed")
    remote.note(pushed=tip, pushed_s=remote.now_s)
    if not remote.target.is_upstream and not remote.repo.config().get(_branch_key(remote.branch)):
        name = remote.branch.removeprefix("refs/heads/")
        git.run("config", f"branch.{name}.remote", remote.target.remote)
        git.run("config", f"branch.{name}.merge", remote.target.branch)


def _branch_key(branch: RefName) -> str:
    return f"branch.{branch.removeprefix('refs/heads/')}.merge"
