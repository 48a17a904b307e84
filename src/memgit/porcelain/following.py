"""The index of a work tree follows its branch: exactly the entries that were committed, and those only."""

from __future__ import annotations

import os

from memgit.core.values import dataclass
from memgit.git import index
from memgit.git.command import Git
from memgit.git.index import Entry, IndexLocked, IndexUnusable, NextIndex, Update
from memgit.git.repository import Repository

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


@dataclass(frozen=True, slots=True)
class IndexChange:
    """Entries of one work tree's index that are to follow a branch: what shall stand there, and what stood there."""

    work_tree: str
    git_dir: str
    updates: tuple[tuple[Update, Entry | None], ...]

    def take_back_lock(self, waiting: str) -> str | None:
        """Remove the lock that a dead run left on this index; its path. waiting: the copy it had made."""
        return index.take_back_lock(self.git_dir, waiting)

    def as_json(self) -> dict[str, object]:
        """For the journal."""
        rows = []
        for update, before in self.updates:
            was = None if before is None else [before.mode.decode(), before.oid.decode(), before.intent_to_add]
            flags = [update.assume_unchanged, update.skip_worktree]
            rows.append([os.fsdecode(update.path), update.mode.decode(), update.oid.decode(), flags, was])
        return {"work_tree": self.work_tree, "git_dir": self.git_dir, "updates": rows}

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> IndexChange:
        """From the journal. Raises ValueError, KeyError, TypeError or AttributeError if it is damaged."""
        updates = []
        for path, mode, oid, (assumed, skipped), was in record["updates"]:
            update = Update(os.fsencode(path), mode.encode(), oid.encode(), None, bool(assumed), bool(skipped))
            before = None
            if was is not None:
                flags = (update.assume_unchanged, update.skip_worktree, bool(was[2]))
                before = Entry(was[0].encode(), was[1].encode(), False, *flags)
            updates.append((update, before))
        return cls(str(record["work_tree"]), str(record["git_dir"]), tuple(updates))


def prepared(repo: Repository, change: IndexChange, waiting: str) -> NextIndex:
    """A copy of the index with the change made to it. Raises IndexUnusable; nothing is left behind then."""
    copy = NextIndex(_git(repo, change), change.git_dir, waiting)
    try:
        copy.prepare([update for update, _ in change.updates])
    except BaseException:
        copy.drop()
        raise
    return copy


def catch_up(repo: Repository, change: IndexChange, waiting: str) -> bool:
    """Bring an index up to a branch that moved without it, entry by entry where nobody has changed it since.

    False if somebody holds the index: then it is still to be done.
    """
    if not os.path.isdir(change.work_tree):
        return True
    git = _git(repo, change)
    copy = NextIndex(git, change.git_dir, waiting)
    try:
        now = index.entries(git, [update.path for update, _ in change.updates])
        due = [update for update, before in change.updates if now.get(update.path) == before]
        if due:
            copy.prepare(due)
            copy.lock()
            copy.install()
            copy.flush()
        return True
    except (IndexLocked, IndexUnusable):
        return False
    finally:
        copy.drop()


def _git(repo: Repository, change: IndexChange) -> Git:
    return Git(change.work_tree, repo.git.git_dir, repo.git.keep_fds)
