"""Change refs so that a crash at any moment leaves the old state or the new one, and nothing to repair.

    with transaction.begin(repo) as change:   one writer; what a dead one left is cleared first
        ...                                   read, plan
        change.store(objects)                 one pack, flushed
        change.move(updates, reason)          compare-and-swap, flushed
        change.capture(...)                   few objects, a branch and the index of its work tree, as one
        change.forward(update, reason)        the branch checked out, its index and its files

The journal says which refs are about to move. It is written before git can take a lock and removed
when all is done, so whoever finds it, holding the lock, knows that its writer died, and can take away
the lock files git left behind, what a half-made move did to refs of our own, and bring the index of a
work tree up to a branch that did move.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from memgit.core.objects import ZERO, hash_object
from memgit.core.values import replace
from memgit.errors import Busy, MemgitError
from memgit.git import leftovers, refs
from memgit.git.command import Git
from memgit.git.objects import is_loose, write_loose, write_pack
from memgit.git.refs import RefUpdate
from memgit.git.repository import Repository
from memgit.host import files
from memgit.host.lock import Lock
from memgit.process import TimedOut

TYPE_CHECKING = False
if TYPE_CHECKING:  # most runs of memgit change no index
    from typing import Any

    from memgit.porcelain.following import IndexChange

_SCHEMA = 1
_FEW = 100  # more objects than this go into a pack of their own; as git's transfer.unpackLimit


class Transaction:
    """The right to change this repository, for as long as it is open."""

    def __init__(self, repo: Repository) -> None:
        self.repo = repo
        self._journal = os.path.join(repo.private_dir, "journal.json")
        self._token = f"memgit {os.getpid()}"
        self._waiting = os.path.join(repo.private_dir, f"index.{os.getpid()}")
        self._open = False
        self._moving: tuple[RefUpdate, ...] = ()
        self._is_behind = False  # the branch has moved, its index has not: the journal has to stay
        self._owed: IndexChange | None = None  # an index that could not be brought up to its branch yet

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

    def capture(
        self,
        objects: Sequence[tuple[bytes, bytes]],
        updates: Sequence[RefUpdate],
        reason: str,
        change: IndexChange | None = None,
        confirm: Callable[[], None] = lambda: None,
    ) -> None:
        """Store objects, a new commit last if any, move the refs, the branch last, and let the index's entries follow.

        The locks of refs and index are held together only for the two renames. Raises as `move` does, and
        IndexLocked or IndexUnusable, always before anything but objects has changed. confirm: called with
        all of them locked; what it raises calls everything off.
        """
        if self._is_behind:
            self.recover()
        self._moving = tuple(updates)
        self._note(self._moving, change)
        copy = None
        try:
            if change is not None and change.updates:
                from memgit.porcelain import following

                copy = following.prepared(self.repo, change, self._waiting)
            self._store_few(objects)
            with refs.prepared(self.repo.git, updates, reason) as commit:
                if copy is not None:
                    copy.lock()  # fails if the index has changed since the copy was made
                confirm()  # last: a `git commit` begun from here on has to wait for the index
                self._is_behind = copy is not None  # git may fail after it moved the branch
                self._moving = tuple(updates)
                commit()
                if copy is not None:
                    copy.install()
            if copy is not None:
                copy.flush()
            self._is_behind = False
        finally:
            if copy is not None:
                copy.drop()
        refs.flush_directories(self.repo.common_dir, (update.ref for update in updates))
        # A `git gc --prune=now` at this very moment may have taken what no ref held yet.
        if 0 < len(objects) <= _FEW and not is_loose(self.repo.common_dir, hash_object(*objects[-1])):
            self._store_few(objects)

    def _store_few(self, objects: Sequence[tuple[bytes, bytes]]) -> None:
        if not objects:
            return
        if len(objects) <= _FEW:
            write_loose(self.repo.git, self.repo.common_dir, objects)
        else:
            write_pack(self.repo.git, self.repo.common_dir, objects, self._token)

    def forward(self, update: RefUpdate, reason: str) -> tuple[bytes, ...]:
        """Move the branch checked out here forward, with index and files; the paths that are in the way, if any.

        Files come first, then the index, then the branch, and only if nobody has changed what would be
        overwritten; killed in between, the files hold what the next run will bring. Nothing is changed where a
        path is in the way. Raises CommandFailed if git can't do it for another reason.
        """
        from memgit.git import checkout

        git_dir = self.repo.git_dir
        names = ("index.lock", "ORIG_HEAD.lock")
        self._note((update,), locks=tuple(os.path.join(git_dir, name) for name in names))
        git = Git(self.repo.work_tree, None, self.repo.git.keep_fds)
        blocking = checkout.forward(git, update.new, reason)
        if not blocking:
            refs.flush_directories(self.repo.common_dir, (update.ref,))
            refs.flush_directory(git_dir)
        return blocking

    @property
    def is_owing(self) -> bool:
        """Whether an index still waits to be brought up to its branch; until then no branch should move."""
        return self._owed is not None

    def _note(
        self, updates: tuple[RefUpdate, ...], change: IndexChange | None = None, locks: tuple[str, ...] = ()
    ) -> None:
        record = {
            "schema": _SCHEMA,
            "keep": self._token,
            "refs": [[update.ref, update.new.decode(), update.expected.decode()] for update in updates],
        }
        if change is not None:
            record |= {"index": change.as_json(), "waiting": self._waiting}
        if locks:
            record["locks"] = list(locks)
        if self._owed is not None:
            record["owed"] = self._owed.as_json()
        files.replace(self._journal, json.dumps(record).encode())
        self._open = True

    def close(self) -> None:
        """All is done, or given up: nothing is left for a later run to clear, unless an index is still owed."""
        if self._is_behind:
            try:
                self.recover()
            except (MemgitError, OSError):
                return  # the journal stays for the next run
        if self._open:
            leftovers.release_packs(self.repo.common_dir, self._token)
            if self._owed is not None:
                self._note(())
            else:
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
            change, owed = (_index_change(record.get(name)) for name in ("index", "owed"))
            waiting = str(record.get("waiting", ""))
            locks = tuple(str(path) for path in record.get("locks", ()))
        except (ValueError, KeyError, TypeError, AttributeError):
            raise MemgitError(
                f"{self._journal} can't be read by this version of memgit.",
                "It records an operation that was interrupted. Update memgit; if that does not help, remove the file"
                " and see with `git status` whether a stale lock is left.",
            ) from None
        since_s = os.stat(self._journal).st_mtime
        checkouts = tuple(checkout.git_dir for checkout in self.repo.checkouts())
        removed = leftovers.clear_locks(self.repo.common_dir, checkouts, updates, since_s)
        removed += leftovers.clear_files(locks, since_s)
        if change is not None and (lock := change.take_back_lock(waiting)):
            removed = (*removed, lock)
        self._take_back_half(updates)
        self._owed = owed
        if change is not None and updates and self._has_moved(updates[-1]):
            self._owed = change
        self._pay()
        self._sweep()
        leftovers.release_packs(self.repo.common_dir, token)
        if self._owed is None:
            files.remove(self._journal)
        else:
            self._note(())
        self._open = self._is_behind = False
        return removed

    def _has_moved(self, update: RefUpdate) -> bool:
        git = self.repo.git
        return refs.has_moved(git, update, refs.peek(git, self.repo.common_dir, update.ref))

    def _pay(self) -> None:
        """Bring the index that is owed up to its branch."""
        if self._owed is not None:
            from memgit.porcelain import following

            if following.catch_up(self.repo, self._owed, self._waiting):
                self._owed = None

    def _sweep(self) -> None:
        """Take away the copies of an index that dead writers left in our own directory."""
        for name in os.listdir(self.repo.private_dir):
            if name.startswith("index."):
                os.unlink(os.path.join(self.repo.private_dir, name))

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
            if now.get(update.ref, ZERO) == update.new
        ]
        if half:
            refs.move(git, half, "memgit: take back an interrupted operation")


@contextmanager
def begin(repo: Repository, timeout_s: float = 5.0, *, only_looks: bool = False) -> Iterator[Transaction]:
    """Become the repository's only writer; clear first what a killed one left. Raises Busy.

    only_looks: for a dry run, which writes nothing, and waits for nobody.
    """
    if only_looks:
        yield Transaction(repo)
        return
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


def _index_change(record: dict[str, Any] | None) -> IndexChange | None:
    if record is None:
        return None
    from memgit.porcelain import following

    return following.IndexChange.from_json(record)
