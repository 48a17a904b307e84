"""Carry a capture out: gather, commit beside the user's index, or set aside where the branch can't move."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence

from memgit.core import capture
from memgit.core.capture import Change, Counted, Limits, Side
from memgit.core.consolidation.message import count_lines
from memgit.core.content import is_binary
from memgit.core.memory import Patterns
from memgit.core.objects import EMPTY_TREE, ZERO, Oid, RefName, hash_object
from memgit.core.operations import FILES, Operation, RefChange
from memgit.core.settings import Config
from memgit.core.trees import Trees, edited
from memgit.core.values import replace
from memgit.errors import Busy, MemgitError, RefMoved
from memgit.git import index, signing
from memgit.git.command import Git
from memgit.git.identity import identity
from memgit.git.index import Entry, FileStat, IndexLocked, IndexUnusable, Update
from memgit.git.objects import ObjectReader
from memgit.git.refs import RefUpdate
from memgit.host import processes
from memgit.host.scan import Scan, Skipped, Stamp
from memgit.porcelain import guarding, memo, oplog, place
from memgit.porcelain.commit import Report, Request
from memgit.porcelain.following import IndexChange
from memgit.porcelain.gather import Gather, Gathered, Wanted, memory_files
from memgit.porcelain.memo import Memo, text_of
from memgit.porcelain.place import Place
from memgit.porcelain.transaction import Transaction

_LOCK_TRIES = 6
_LOCK_PAUSE_S = 0.05
_Fold = tuple[tuple[RefName, Oid], ...]


class Capturing:
    """One capture of one work tree."""

    def __init__(
        self,
        change: Transaction,
        config: Config,
        patterns: Patterns,
        request: Request,
        now_s: int,
        where: Place,
        to_fold: _Fold,
    ) -> None:
        """patterns: asked with paths of the repository. to_fold: private refs whose content belongs back here."""
        self.change = change
        self.repo = change.repo
        self.config = config
        self.patterns = patterns
        self.request = request
        self.now_s = now_s
        self.where = where
        self.to_fold = to_fold
        assert self.repo.work_tree is not None
        self.work_tree = self.repo.work_tree
        self.git = Git(self.work_tree, self.repo.git.git_dir, self.repo.git.keep_fds)

    def carry_out(self, found: Scan, known: Memo) -> Report:
        """Gather and write; what was found and what is known of it come from the caller's look."""
        base = self.where.base
        with ObjectReader(self.repo.git) as reader:
            trees = Trees(reader.read_many)
            tree = EMPTY_TREE if base is None else reader.tree(base)
            gather = Gather(self.repo, self.git, reader, trees, self._wanted())
            gathered = gather.run(found, tree, known)
            return self._write(tree, trees, reader, gather, gathered, known)

    def _wanted(self) -> Wanted:
        limits = Limits(self.config.capture.max_file, self.config.capture.max_commit)
        check = guarding.checker(self.repo, self.config, makes_key=not self.request.dry_run)
        return Wanted(self.patterns, limits, self.request.paths, self.request.confirm_deletions, check)

    def _write(
        self, tree: Oid, trees: Trees, reader: ObjectReader, gather: Gather, gathered: Gathered, known: Memo
    ) -> Report:
        where, to_fold = self.where, self.to_fold  # until the branch turns out not to be free
        new_tree = self._tree(trees, tree, gathered)
        changes = gathered.changes
        files = tuple(_counted(change, gathered.old.get(change.path)) for change in changes)
        if self.request.dry_run or not (changes or to_fold):
            if not self.request.dry_run:
                self._remember(known, where, where.tip, gathered)
            return self._report(where, None, files, gathered)
        objects = [(b"blob", c.content) for c in changes if c.content is not None]
        objects += [(b"tree", raw) for raw in trees.made.values()]
        kept: tuple[bytes, ...] = ()
        needs_repair = False
        for attempt in range(_LOCK_TRIES):
            if where.is_branch and (busy := processes.committing(self.work_tree, self.repo.git_dir, self.request.over)):
                where, to_fold = place.aside(self.repo, where, f"{busy} is running"), ()
            if not where.is_branch and self._holds_already(where, new_tree, reader):
                self._remember(known, where, where.tip, gathered)
                return self._report(where, None, files, gathered)
            try:
                commit = self._commit(where, new_tree, files, gather) if changes else None
                aside = self._set_aside(where, new_tree, trees, reader, to_fold)
                index_change, kept = self._index_change(where, gathered)
                entry = self._move(where, commit, objects, to_fold, index_change)
                break
            except RefMoved:
                raise
            except (Busy, signing.CannotSign) as problem:
                if not where.is_branch:
                    raise
                lock = place.index_lock(self.repo.git_dir)
                tries = _LOCK_TRIES - 2 if isinstance(problem, IndexLocked) else 1  # git waits for refs by itself
                is_passing = isinstance(problem, Busy) and not isinstance(problem, IndexUnusable)
                if is_passing and not (lock and lock.is_stale) and attempt < tries:
                    time.sleep(_LOCK_PAUSE_S)
                else:
                    where, to_fold = place.aside(self.repo, where, _told(problem, lock)), ()
                    needs_repair = isinstance(problem, IndexUnusable)
        else:
            raise Busy("The index is busy.", "Run the command again.")
        oid = hash_object(b"commit", commit) if commit is not None else None
        self._learn(known, gathered)
        self._remember(known, where, oid or where.tip, gathered)
        report = self._report(where, oid, files, gathered)
        return replace(
            report,
            kept_staged=kept,
            folded=tuple(ref for ref, _ in to_fold),
            set_aside=aside,
            operation=entry,
            needs_repair=needs_repair,
        )

    def _tree(self, trees: Trees, tree: Oid, gathered: Gathered) -> Oid:
        """The tree to commit. What a file or a submodule of the commit stands in the way of is skipped."""

        def edit(changes: Sequence[Change], onto: Oid) -> Oid:
            return edited(trees, onto, {c.path: (c.new.mode, c.new.oid) if c.new else None for c in changes})

        try:
            return edit(gathered.changes, tree)
        except ValueError:
            for change in sorted(gathered.changes, key=lambda change: change.new is not None):
                try:
                    tree = edit([change], tree)
                except ValueError:
                    gathered.skipped.append(Skipped(change.path, "lies where the commit has something else"))
                    gathered.changes.remove(change)
            return tree

    def _holds_already(self, where: Place, tree: Oid, reader: ObjectReader) -> bool:
        return where.tip is not None and reader.tree(where.tip) == tree

    def _commit(self, where: Place, tree: Oid, files: Sequence[Counted], gather: Gather) -> bytes:
        parent = where.tip or where.base
        who = identity(self.git, self.request.machine, self.now_s)
        trailers = (
            (capture.AUTO, self.request.machine),
            (capture.AGENT, self.request.agent),
            (capture.SESSION, self.request.session),
        )
        head = [b"tree " + tree, *([b"parent " + parent] if parent else []), b"author " + who, b"committer " + who]
        raw = b"\n".join([*head, b"", capture.message(files, self.request.message, trailers)])
        if not where.is_branch:
            return raw
        sign = signing.signer(gather.config, os.path.join(self.repo.private_dir, "scratch"))
        return sign(raw) if sign is not None else raw

    def _index_change(self, where: Place, gathered: Gathered) -> tuple[IndexChange | None, tuple[bytes, ...]]:
        """The entries that follow the branch, and the paths the user staged otherwise."""
        if not where.is_branch or not gathered.changes:
            return None, ()
        index.refuse_if_cut(self.repo.git_dir)
        now = index.entries(self.git, [change.path for change in gathered.changes])
        updates: list[tuple[Update, Entry | None]] = []
        kept = []
        for change in gathered.changes:
            entry = now.get(change.path)
            if _is_staged_otherwise(change, entry):
                kept.append(change.path)
            elif not _is_as_committed(change, entry):
                updates.append((_update(change, entry, gathered.settled(change.path)), entry))
        return IndexChange(self.work_tree, self.repo.git_dir, tuple(updates)), tuple(kept)

    def _move(
        self,
        where: Place,
        commit: bytes | None,
        objects: list[tuple[bytes, bytes]],
        to_fold: _Fold,
        index_change: IndexChange | None,
    ) -> Oid | None:
        """Store and move everything at once; the id of the log's new entry, where the run makes one."""
        oid = hash_object(b"commit", commit) if commit is not None else None
        operation = self._operation(where, oid, to_fold)
        updates = []
        made: list[tuple[bytes, bytes]] = []
        entry = None
        if operation is not None:
            made, log = oplog.prepare(self.repo, operation)
            entry = log.new
            updates = [log, *(RefUpdate(ref, ZERO, tip) for ref, tip in to_fold)]
        if commit is not None and oid is not None:
            made = [*made, *objects, (b"commit", commit)]
            updates.append(RefUpdate(where.ref, oid, where.tip or ZERO))

        def confirm() -> None:
            if where.is_branch:
                place.confirm(self.repo, where, self.request.over)

        self.change.capture(made, updates, "memgit: capture", index_change, confirm)
        return entry

    def _operation(self, where: Place, commit: Oid | None, to_fold: _Fold) -> Operation | None:
        """A restore is entered in the log, and the end of a private ref, whose content the log then keeps."""
        changes = [RefChange(ref, tip, ZERO) for ref, tip in to_fold]
        if self.request.operation is not None and commit is not None:
            summary = (self.request.message or "").partition("\n")[0]
            moved = RefChange(where.ref, where.tip or ZERO, commit)
            return Operation(self.request.operation, self.now_s, (moved, *changes), summary, FILES, self.request.undoes)
        if not changes:
            return None
        names = ", ".join(ref.removeprefix(place.CAPTURES) for ref, _ in to_fold)
        return Operation("fold", self.now_s, tuple(changes), f"fold {names}")

    def _set_aside(
        self,
        where: Place,
        new_tree: Oid,
        trees: Trees,
        reader: ObjectReader,
        to_fold: _Fold,
    ) -> tuple[tuple[bytes, Oid], ...]:
        """Captured states of files which are, in the work tree, still or again as in the commit checked out."""
        if not to_fold or where.base is None:
            return ()
        patterns = self.patterns
        base_tree = reader.tree(where.base)
        here, before = memory_files(trees, new_tree, patterns), memory_files(trees, base_tree, patterns)
        found = []
        for _, tip in to_fold:
            for path, side in memory_files(trees, reader.tree(tip), patterns).items():
                if side != here.get(path) and here.get(path) == before.get(path):
                    found.append((path, tip))
        return tuple(sorted(found))

    # -- telling ---------------------------------------------------------------------------------

    def _learn(self, known: Memo, gathered: Gathered) -> None:
        for change in gathered.changes:
            stamp = gathered.stamps.get(change.path)
            if stamp is not None and change.new is not None:
                known.learn(change.path, stamp, change.new.mode, change.new.oid)

    def _remember(self, known: Memo, where: Place, tip: Oid | None, gathered: Gathered) -> None:
        known.ref, known.tip = where.ref, text_of(tip)
        known.base = text_of(tip if where.is_branch else where.base)
        known.is_settled = not self.request.paths
        known.held = tuple(gathered.held)
        memo.remember(self.repo, known)

    def _report(self, where: Place, commit: Oid | None, files: tuple[Counted, ...], gathered: Gathered) -> Report:
        return Report(
            where.ref,
            where.tip,
            commit,
            where.why,
            files=files,
            held=tuple(gathered.held),
            skipped=tuple(gathered.skipped),
            unfinished=tuple(gathered.unfinished),
            dry_run=self.request.dry_run,
        )


def _told(problem: MemgitError, lock: place.IndexLock | None) -> str:
    """Why the branch could not move, as the end of a sentence."""
    if lock is not None and isinstance(problem, IndexLocked):
        return str(lock)
    return problem.message[:1].lower() + problem.message[1:].rstrip(".")


def _counted(change: Change, old: bytes | None) -> Counted:
    verb = "new" if change.old is None else "deleted" if change.new is None else "changed"
    new = change.content
    if verb == "deleted" or new is None:
        return Counted(change.path, verb, None, None)
    if (change.old is not None and old is None) or is_binary(new) or is_binary(old or b""):
        return Counted(change.path, verb, None, None)
    added, removed = count_lines(old or b"", new)
    return Counted(change.path, verb, len(added), len(removed))


def _is_staged_otherwise(change: Change, entry: Entry | None) -> bool:
    """Whether the user staged something of their own at this path."""
    if entry is None:
        return change.old is not None and change.new is not None
    if entry.is_unmerged:
        return True
    if entry.intent_to_add:
        return False
    held = Side(entry.mode, entry.oid)
    return held not in (change.old, change.new)


def _is_as_committed(change: Change, entry: Entry | None) -> bool:
    if entry is None or entry.intent_to_add:
        return entry is None and change.new is None
    return Side(entry.mode, entry.oid) == change.new


def _update(change: Change, entry: Entry | None, stamp: Stamp | None) -> Update:
    if change.new is None:
        return Update(change.path, b"0", ZERO)
    stat = None
    if stamp is not None:
        stat = FileStat(stamp.ctime_ns, stamp.mtime_ns, stamp.device, stamp.inode, stamp.uid, stamp.gid, stamp.size)
    assumed, skipped = (entry.assume_unchanged, entry.skip_worktree) if entry is not None else (False, False)
    return Update(change.path, change.new.mode, change.new.oid, stat, assumed, skipped)
