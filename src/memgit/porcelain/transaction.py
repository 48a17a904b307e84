"""Change refs so that a crash at any moment leaves the old state or the new one, and nothing to repair.

    with transaction.begin(repo) as change:   one writer; what a dead one left is cleared first
        ...                                   read, plan
        change.store(objects)                 one pack, flushed
        change.move(updates, reason)          compare-and-swap, flushed

The journal says which refs are about to move. It is written before git can take a lock and removed
when all is done, so whoever finds it, holding the lock, knows that its writer died, and can take away
the lock files git left behind and what a half-made move did to refs of our own.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from memgit.errors import Busy, MemgitError
from memgit.git import leftovers, refs
from memgit.git.command import Git
from memgit.git.objects import write_pack
from memgit.git.refs import RefUpdate
from memgit.git.repository import Repository
from memgit.host import files
from memgit.host.lock import Lock
from memgit.process import TimedOut

_SCHEMA = 1


class Transaction:
    """The right to change this repository, for as long as it is open."""

    def __init__(self, repo: Repository) -> None:
        self.repo = repo
        self._journal = os.path.join(repo.private_dir, "journal.json")
        self._token = f"memgit {os.getpid()}"
        self._open = False
        self._moving: tuple[RefUpdate, ...] = ()

    def store(self, objects: Sequence[tuple[bytes, bytes]]) -> None:
        """Write objects, (kind, raw content), flushed, and hold `git gc` off them until the transaction ends."""
        if objects:
            self._note(())
            write_pack(self.repo.git, self.repo.common_dir, objects, self._token)

    def move(self, updates: Iterable[RefUpdate], reason: str) -> None:
        """Move the refs, all or none, in the order given. When this returns, that survives a power cut.

        Raises RefMoved if a ref is not where it was expected and Busy if another program holds its lock.
        """
        todo = tuple(updates)
        self._note(todo)
        self._moving = todo
        refs.move(self.repo.git, todo, reason)
        refs.flush_directories(self.repo.common_dir, (update.ref for update in todo))

    def _note(self, updates: tuple[RefUpdate, ...]) -> None:
        record = {
            "schema": _SCHEMA,
            "keep": self._token,
            "refs": [[update.ref, update.new.decode(), update.expected.decode()] for update in updates],
        }
        files.replace(self._journal, json.dumps(record).encode())
        self._open = True

    def close(self) -> None:
        """All is done, or given up: nothing is left for a later run to clear."""
        if self._open:
            leftovers.release_packs(self.repo.common_dir, self._token)
            files.remove(self._journal)
            self._open = False

    def give_up(self, failure: BaseException) -> None:
        """Something went wrong: undo what was half done. Where that fails too, the journal stays for the next run."""
        try:
            if isinstance(failure, TimedOut | KeyboardInterrupt) or getattr(failure, "status", 0) < 0:
                self.recover()  # only a git that was killed leaves locks behind
            else:
                self._take_back_half(self._moving)
                self.close()
        except (MemgitError, OSError):
            return

    def recover(self) -> tuple[str, ...]:
        """Clear what a dead writer left; the paths of the locks taken away. Moves no branch."""
        content = files.read(self._journal)
        if content is None:
            return ()
        try:
            record = json.loads(content)
            if record["schema"] != _SCHEMA:
                raise ValueError("written by another version")
            updates = tuple(RefUpdate(ref, new.encode(), old.encode()) for ref, new, old in record["refs"])
            token = str(record["keep"])
        except (ValueError, KeyError, TypeError, AttributeError):
            raise MemgitError(
                f"{self._journal} can't be read by this version of memgit.",
                "It records an operation that was interrupted. Update memgit; if that does not help, remove the file"
                " and see with `git status` whether a stale lock is left.",
            ) from None
        since_s = os.stat(self._journal).st_mtime
        checkouts = tuple(checkout.git_dir for checkout in self.repo.checkouts())
        removed = leftovers.clear_locks(self.repo.common_dir, checkouts, updates, since_s)
        self._take_back_half(updates)
        leftovers.release_packs(self.repo.common_dir, token)
        files.remove(self._journal)
        self._open = False
        return removed

    def _take_back_half(self, updates: tuple[RefUpdate, ...]) -> None:
        """git renames the refs of a transaction one after the other, ours in the order given: the branch last.

        Where the branch was not reached, the log must not tell of a move that never was.
        """
        if len(updates) < 2:
            return
        git = self.repo.git
        now = {ref.name: ref.oid for ref in refs.read_all(git)}
        if refs.has_moved(git, updates[-1], now.get(updates[-1].ref)):
            return
        half = [
            RefUpdate(update.ref, update.expected, update.new)
            for update in reversed(updates[:-1])
            if now.get(update.ref) == update.new
        ]
        if half:
            refs.move(git, half, "memgit: take back an interrupted operation")


@contextmanager
def begin(repo: Repository, timeout_s: float = 5.0) -> Iterator[Transaction]:
    """Become the repository's only writer; clear first what a killed one left. Raises Busy."""
    with Lock(repo.private_dir, timeout_s) as lock:
        git = Git(repo.git.directory, repo.git.git_dir, (lock.fd,))
        transaction = Transaction(replace(repo, git=git))
        transaction.recover()
        try:
            yield transaction
        except BaseException as failure:
            transaction.give_up(failure)
            raise
        transaction.close()


def heal(repo: Repository) -> None:
    """Clear what a dead writer left, if nobody is at work. Every command starts with this."""
    if os.path.exists(os.path.join(repo.private_dir, "journal.json")):
        try:
            with begin(repo, timeout_s=0):
                return
        except Busy:
            return
