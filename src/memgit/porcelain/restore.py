"""memgit restore: a memory file as it was, written over what is there now, which is captured first."""

from __future__ import annotations

import os
import time

from memgit.core import capture
from memgit.core.capture import Side
from memgit.core.objects import ZERO, Oid, RefName, split_commit
from memgit.core.operations import Operation, RefChange
from memgit.core.settings import Config
from memgit.core.trees import Trees, changes
from memgit.core.values import dataclass, replace
from memgit.errors import GuardHeld, MemgitError, UsageError
from memgit.git import dates, refs
from memgit.git.command import Git
from memgit.git.objects import ObjectReader
from memgit.git.repository import Repository
from memgit.host import scan, work_files
from memgit.host.scan import Unreadable
from memgit.porcelain import commit, states
from memgit.porcelain.commit import Request
from memgit.porcelain.gather import memory_files
from memgit.porcelain.states import State

_SHOWN_UP_TO = 4 << 20


@dataclass(frozen=True, slots=True)
class Restored:
    """One file: what it was to become, and what it was."""

    path: bytes
    commit: Oid  # the state comes from here
    time_s: int
    before: bytes | None  # as in the work tree; None where nothing was, or it is too large to show
    after: bytes | None  # None where the file is taken away


@dataclass(frozen=True, slots=True)
class Report:
    """What a restore wrote, or in a dry run would write."""

    files: tuple[Restored, ...]
    same: tuple[bytes, ...]  # were like that already
    ref: RefName | None
    old_tip: Oid | None
    commit: Oid | None
    operation: Oid | None
    dry_run: bool


@dataclass(frozen=True, slots=True)
class Site:
    """Where a restore takes place: all that it, and the captures it makes, have to know of a workspace."""

    repo: Repository
    config: Config
    workspace: bytes
    version: str
    machine: str
    now_s: int


@dataclass(frozen=True, slots=True)
class _Moment:
    """What the state is asked of: a commit, or else a time."""

    commit: Oid | None
    time_s: int

    def __str__(self) -> str:
        if self.commit is not None:
            return self.commit.decode()[:10]
        return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(self.time_s))


@dataclass(frozen=True, slots=True)
class _Wanted:
    path: bytes
    state: State
    side: Side | None


def run(where: Site, paths: tuple[bytes, ...], at: str, *, dry_run: bool) -> Report:
    """Write memory files as they were at a time or in a commit.

    paths: of the repository, files or directories. at: a date as git reads them, or a revision.
    Raises UsageError for what is no memory or has no such state, GuardHeld if what is there now can't be captured.
    """
    when = _moment(where, at)
    with ObjectReader(where.repo.git) as reader:
        wanted = [item for path in paths for item in _find(where, reader, path, when)]
    named = ", ".join(capture.show(item.path) for item in wanted[:3]) + (", ..." if len(wanted) > 3 else "")
    return _write(where, wanted, f"restore: {named} as of {when}", "restore", None, dry_run=dry_run)


def take_back(where: Site, operation: Operation, *, dry_run: bool) -> Report:
    """Undo a restore: write the files it changed as they were before it."""
    changed = operation.branch
    with ObjectReader(where.repo.git) as reader:
        trees = Trees(reader.read_many)
        before = _before(reader, changed)
        old, new = (reader.tree(oid) for oid in (before, changed.new))
        patterns = where.config.memory.patterns().under(where.workspace)
        wanted = []
        for path, _, _ in changes(trees, old, new):
            if patterns.matches(path):
                state = states.at_commit(reader, trees, before, path)
                wanted.append(_Wanted(path, state, state.side))
    return _write(where, wanted, f"undo: {operation.summary}", "undo", operation.oid, dry_run=dry_run)


def _before(reader: ObjectReader, changed: RefChange) -> Oid:
    """The commit that a restore was made on; a private ref that began with it stood nowhere, but its commit did."""
    if changed.old != ZERO:
        return changed.old
    head = split_commit(reader.read(changed.new))[0]
    for field in head:
        if field.startswith(b"parent "):
            return field[7:]
    raise UsageError("Before this operation there was no commit to go back to.", "Delete the files if they should go.")


def _moment(where: Site, at: str) -> _Moment:
    commit = refs.resolve(where.repo.git, at)
    time_s = dates.seconds(where.repo.git, at, where.now_s) if commit is None else 0
    if time_s is None:
        raise UsageError(f"{at} is neither a commit nor a date.", "Write `2026-02-04 10:30`, `2 hours ago`, or an id.")
    return _Moment(commit, time_s)


def _find(where: Site, reader: ObjectReader, path: bytes, when: _Moment) -> list[_Wanted]:
    repo = where.repo
    patterns = where.config.memory.patterns().under(where.workspace)
    if not patterns.matches(path) and not patterns.may_contain(path):
        raise UsageError(f"{capture.show(path)} is no memory file.", "memgit restores only what it captures.")
    trees = Trees(reader.read_many)
    if when.commit is not None:
        state = states.at_commit(reader, trees, when.commit, path)
    else:
        known = states.of(repo, reader, path)
        state_then = next((state for state in known if state.time_s <= when.time_s), None)
        if state_then is None:
            oldest = f"; the oldest state is {known[-1].commit.decode()[:10]}" if known else ""
            raise UsageError(
                f"{capture.show(path)} is not known from that time{oldest}.",
                f"`memgit log --raw {capture.show(path)}` lists all its states.",
            )
        state = state_then
    if state.side is not None:
        return [_Wanted(path, state, state.side)]
    inside = memory_files(trees, state.tree, patterns)
    below = {name: side for name, side in inside.items() if not path or name.startswith(path + b"/")}
    if not below:
        raise UsageError(
            f"{capture.show(path)} did not exist then.", f"`memgit log --raw {capture.show(path)}` lists its states."
        )
    return [_Wanted(name, state, side) for name, side in sorted(below.items())]


def _write(where: Site, wanted: list[_Wanted], message: str, kind: str, undoes: Oid | None, *, dry_run: bool) -> Report:
    repo = where.repo
    if repo.work_tree is None:
        raise UsageError("A bare repository has no files to restore.", "Run this in a work tree.")
    git = Git(repo.work_tree, repo.git.git_dir)
    root = os.fsencode(repo.work_tree)
    paths = tuple(item.path for item in wanted)
    capture_first(where, paths, dry_run=dry_run)
    files, same, modes = [], [], {}
    for item in wanted:
        before, looks = _now(root, item.path)
        after = None if item.side is None else _as_checked_out(git, item.path, item.side)
        mode = None if item.side is None else item.side.mode
        if before == after and (after is None or looks == mode):
            same.append(item.path)
        else:
            files.append(Restored(item.path, item.state.commit, item.state.time_s, before, after))
            modes[item.path] = mode
    report = Report(tuple(files), tuple(same), None, None, None, None, dry_run)
    if dry_run or not files:
        return report
    for file in files:
        if _now(root, file.path)[0] != file.before:
            raise MemgitError(f"{capture.show(file.path)} changed during the run.", "Run the command again.")
        work_files.put(root, file.path, file.after, modes[file.path], repo.private_dir)
    request = Request(
        paths=tuple(file.path for file in files),
        message=message,
        machine=where.machine,
        confirm_deletions=True,
        operation=kind,
        undoes=undoes,
    )
    done = commit.run(repo, where.config, where.workspace, where.version, request, where.now_s)
    return replace(report, ref=done.ref, old_tip=done.old_tip, commit=done.commit, operation=done.operation)


def capture_first(where: Site, paths: tuple[bytes, ...], *, dry_run: bool = False) -> None:
    """What is there now must be in a commit before it is written over. Raises GuardHeld."""
    request = Request(paths=paths, machine=where.machine, confirm_deletions=True, dry_run=dry_run)
    done = commit.run(where.repo, where.config, where.workspace, where.version, request, where.now_s)
    if done.held:
        raise GuardHeld(
            f"{done.held[0].path} {done.held[0].why.value}, so what is there now can't be captured and would be lost.",
            "Move the file away or mend it first.",
        )


def _now(root: bytes, path: bytes) -> tuple[bytes | None, bytes]:
    """Content and git's mode of a file in the work tree."""
    try:
        content, stamp = scan.read(root, path, _SHOWN_UP_TO)
    except Unreadable as problem:
        if problem.is_gone:
            return None, b""
        raise MemgitError(f"{capture.show(path)} {problem.reason}.") from None
    return content, b"120000" if stamp.is_link else b"100755" if stamp.mode & 0o100 else b"100644"


def _as_checked_out(git: Git, path: bytes, side: Side) -> bytes:
    """The content as git would write it into the work tree: line ends, encoding and filters applied."""
    if side.mode == b"120000":
        return git.run("cat-file", "blob", side.oid.decode()).stdout
    return git.run("cat-file", "--filters", "--path=" + os.fsdecode(path), side.oid.decode()).stdout
