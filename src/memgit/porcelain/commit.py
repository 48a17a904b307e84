"""memgit commit: one auto-commit of the changed memory files, and never a lost change where the branch can't move."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from memgit.core import capture
from memgit.core.capture import Change, Counted, Held, Limits, Side
from memgit.core.consolidation.message import count_lines
from memgit.core.content import is_binary
from memgit.core.objects import EMPTY_TREE, ZERO, Oid, RefName, hash_object
from memgit.core.operations import Operation, RefChange
from memgit.core.settings import Config
from memgit.core.trees import Trees, edited
from memgit.errors import Busy, MemgitError, RefMoved
from memgit.git import index, signing
from memgit.git.command import Git
from memgit.git.identity import identity
from memgit.git.index import Entry, FileStat, IndexLocked, IndexUnusable, Update
from memgit.git.objects import ObjectReader
from memgit.git.refs import RefUpdate
from memgit.git.repository import Repository
from memgit.host import processes, scan
from memgit.host.scan import Scan, Skipped, Stamp
from memgit.porcelain import guarding, memo, oplog, place, transaction
from memgit.porcelain.gather import Gather, Gathered, Wanted, memory_files
from memgit.porcelain.memo import Memo
from memgit.porcelain.place import Place
from memgit.porcelain.transaction import IndexChange, Transaction

_ATTEMPTS = 5
_LOCK_TRIES = 6
_LOCK_PAUSE_S = 0.05


@dataclass(frozen=True, slots=True)
class Request:
    """What the caller asks of one run."""

    paths: tuple[bytes, ...] = ()  # of the repository; empty for all memory files
    message: str | None = None
    machine: str = ""
    agent: str | None = None
    session: str | None = None
    confirm_deletions: bool = False
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """What a capture did, or in a dry run would do."""

    ref: RefName | None  # where it went: the branch, or its stand-in
    old_tip: Oid | None
    commit: Oid | None  # None where nothing was to be captured
    why: str | None  # why it did not go to the branch
    files: tuple[Counted, ...]
    held: tuple[Held, ...]
    skipped: tuple[Skipped, ...]
    unfinished: tuple[bytes, ...]  # being written; the rest of them comes with a later capture
    kept_staged: tuple[bytes, ...]  # the user staged another version, which stays staged
    folded: tuple[RefName, ...]  # private refs whose content is on the branch now
    set_aside: tuple[tuple[bytes, Oid], ...]  # captured states that the work tree no longer has, and where they are
    dry_run: bool


def run(repo: Repository, config: Config, workspace: bytes, version: str, request: Request, now_s: int) -> Report:
    """Capture the memory files that changed since the commit that is checked out.

    workspace: the memory's root below the repository's, "" or ending in a slash. version: of memgit, since
    another one may judge files differently. Starts over if somebody commits meanwhile, a few times.
    """
    if repo.work_tree is None:
        raise MemgitError("A bare repository has no files to capture.", "Run this in a work tree.")
    if request.dry_run:
        return _Run(Transaction(repo), config, workspace, version, request, now_s).carry_out()
    for attempt in range(_ATTEMPTS):
        try:
            with transaction.begin(repo) as change:
                return _Run(change, config, workspace, version, request, now_s).carry_out()
        except RefMoved:
            if attempt == _ATTEMPTS - 1:
                raise
            time.sleep(_LOCK_PAUSE_S)
    raise AssertionError


class _Run:
    def __init__(
        self, change: Transaction, config: Config, workspace: bytes, version: str, request: Request, now_s: int
    ) -> None:
        self.change = change
        self.repo = change.repo
        self.config = config
        self.request = request
        self.now_s = now_s
        self.patterns = config.memory.patterns().under(workspace)
        self.policy = memo.policy_of(config, workspace, version)
        assert self.repo.work_tree is not None
        self.work_tree = self.repo.work_tree
        self.git = Git(self.work_tree, self.repo.git.git_dir, self.repo.git.keep_fds)

    def carry_out(self) -> Report:
        where = place.choose(self.repo, self.config.capture.exclude_branches)
        if where.is_branch and self.change.is_owing:
            where = self._aside(where, None)
        found = scan.walk(os.fsencode(self.work_tree), self.patterns, nested=self.config.capture.nested == "include")
        known = memo.recall(self.repo, self.policy)
        to_fold = place.waiting(self.repo, where.ref) if where.is_branch else ()
        if not to_fold and self._is_quiet(known, where, found):
            return self._report(where, None, (), Gathered(held=list(known.held), skipped=list(found.skipped)))
        with ObjectReader(self.repo.git) as reader:
            trees = Trees(reader.read_many)
            tree = EMPTY_TREE if where.base is None else reader.read(where.base)[5:45]
            gather = Gather(self.repo, self.git, reader, trees, self._wanted())
            gathered = gather.run(found, tree, known)
            return self._write(where, tree, trees, reader, gather, gathered, known, to_fold)

    def _is_quiet(self, known: Memo, where: Place, found: Scan) -> bool:
        """Whether nothing has changed since a run that left nothing to do."""
        plain = not (self.request.paths or self.request.confirm_deletions)
        return (
            plain
            and known.is_settled
            and known.ref == where.ref
            and known.tip == _text(where.tip)
            and known.base == _text(where.base)
            and known.is_unchanged(found.files)
        )

    def _wanted(self) -> Wanted:
        limits = Limits(self.config.capture.max_file, self.config.capture.max_commit)
        check = guarding.checker(self.repo, frozenset(self.config.guard.allow))
        nested = self.config.capture.nested == "include"
        return Wanted(self.patterns, limits, self.request.paths, nested, self.request.confirm_deletions, check)

    # -- writing ---------------------------------------------------------------------------------

    def _write(
        self,
        where: Place,
        tree: Oid,
        trees: Trees,
        reader: ObjectReader,
        gather: Gather,
        gathered: Gathered,
        known: Memo,
        to_fold: tuple[tuple[RefName, Oid], ...],
    ) -> Report:
        changes = gathered.changes
        files = tuple(_counted(change, gathered.old.get(change.path)) for change in changes)
        if self.request.dry_run or not (changes or to_fold):
            if not self.request.dry_run:
                self._remember(known, where, where.tip, gathered)
            return self._report(where, None, files, gathered)
        new_tree = edited(trees, tree, {c.path: (c.new.mode, c.new.oid) if c.new else None for c in changes})
        objects = [(b"blob", c.content) for c in changes if c.content is not None]
        objects += [(b"tree", raw) for raw in trees.made.values()]
        kept: tuple[bytes, ...] = ()
        for attempt in range(_LOCK_TRIES):
            if where.is_branch and (busy := processes.committing(self.work_tree, self.repo.git_dir)):
                where, to_fold = self._aside(where, f"{busy} is running"), ()
            if not where.is_branch and self._holds_already(where, new_tree, reader):
                self._remember(known, where, where.tip, gathered)
                return self._report(where, None, files, gathered)
            commit = self._commit(where, new_tree, files, gather) if changes else None
            aside = self._set_aside(where, new_tree, trees, reader, to_fold)
            try:
                index_change, kept = self._index_change(where, gathered)
                self._move(where, commit, objects, to_fold, index_change)
                break
            except (IndexLocked, IndexUnusable) as problem:
                lock = place.index_lock(self.repo.git_dir)
                gives_up = isinstance(problem, IndexUnusable) or (lock is not None and lock.is_stale)
                if gives_up or attempt >= _LOCK_TRIES - 2:
                    where, to_fold = self._aside(where, str(lock) if lock else problem.message.rstrip(".")), ()
                else:
                    time.sleep(_LOCK_PAUSE_S)
        else:
            raise Busy("The index is busy.", "Run the command again.")
        oid = hash_object(b"commit", commit) if commit is not None else None
        self._learn(known, gathered)
        self._remember(known, where, oid or where.tip, gathered)
        report = self._report(where, oid, files, gathered)
        return replace(report, kept_staged=kept, folded=tuple(ref for ref, _ in to_fold), set_aside=aside)

    def _aside(self, where: Place, why: str | None) -> Place:
        reason = why or str(place.index_lock(self.repo.git_dir) or "the index is behind and can't be changed")
        return place.stand_in(self.repo, None, where.base, reason)

    def _holds_already(self, where: Place, tree: Oid, reader: ObjectReader) -> bool:
        return where.tip is not None and reader.read(where.tip)[5:45] == tree

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
        sign = signing.signer(gather.config, os.path.join(self.repo.private_dir, "scratch"))
        return sign(raw) if sign is not None else raw

    def _index_change(self, where: Place, gathered: Gathered) -> tuple[IndexChange | None, tuple[bytes, ...]]:
        """The entries that follow the branch, and the paths the user staged otherwise."""
        if not where.is_branch or not gathered.changes:
            return None, ()
        now = index.entries(self.git, [change.path for change in gathered.changes])
        updates: list[tuple[Update, Entry | None]] = []
        kept = []
        for change in gathered.changes:
            entry = now.get(change.path)
            if _is_staged_otherwise(change, entry):
                kept.append(change.path)
            elif not _is_as_committed(change, entry):
                updates.append((_update(change, entry, gathered.stamps.get(change.path)), entry))
        return IndexChange(self.work_tree, self.repo.git_dir, tuple(updates)), tuple(kept)

    def _move(
        self,
        where: Place,
        commit: bytes | None,
        objects: list[tuple[bytes, bytes]],
        to_fold: tuple[tuple[RefName, Oid], ...],
        index_change: IndexChange | None,
    ) -> None:
        updates = []
        made = []
        if to_fold:
            names = ", ".join(ref.removeprefix(place.CAPTURES) for ref, _ in to_fold)
            folding = Operation(
                "fold", self.now_s, tuple(RefChange(ref, tip, ZERO) for ref, tip in to_fold), f"fold {names}"
            )
            own, entry = oplog.prepare(self.repo, folding)
            made += own
            updates += [entry, *(RefUpdate(ref, ZERO, tip) for ref, tip in to_fold)]
        if commit is not None:
            made += [*objects, (b"commit", commit)]
            updates.append(RefUpdate(where.ref, hash_object(b"commit", commit), where.tip or ZERO))
        self.change.capture(made, updates, "memgit: capture", index_change)

    def _set_aside(
        self,
        where: Place,
        new_tree: Oid,
        trees: Trees,
        reader: ObjectReader,
        to_fold: tuple[tuple[RefName, Oid], ...],
    ) -> tuple[tuple[bytes, Oid], ...]:
        """Captured states of files which are, in the work tree, still or again as in the commit checked out."""
        if not to_fold or where.base is None:
            return ()
        patterns = self.patterns
        base_tree = reader.read(where.base)[5:45]
        here, before = memory_files(trees, new_tree, patterns), memory_files(trees, base_tree, patterns)
        found = []
        for _, tip in to_fold:
            for path, side in memory_files(trees, reader.read(tip)[5:45], patterns).items():
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
        known.ref, known.tip = where.ref, _text(tip)
        known.base = _text(tip if where.is_branch else where.base)
        known.is_settled = not self.request.paths
        known.held = tuple(gathered.held)
        memo.remember(self.repo, known)

    def _report(self, where: Place, commit: Oid | None, files: tuple[Counted, ...], gathered: Gathered) -> Report:
        return Report(
            where.ref,
            where.tip,
            commit,
            where.why,
            files,
            tuple(gathered.held),
            tuple(gathered.skipped),
            tuple(gathered.unfinished),
            (),
            (),
            (),
            self.request.dry_run,
        )


def _text(oid: Oid | None) -> str:
    return "" if oid is None else oid.decode()


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
