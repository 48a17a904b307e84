"""memgit mirror: bring a folder and the workspace together, from what both last agreed on."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack

from memgit.core.backup import shrink
from memgit.core.backup.manifest import Entry, digest_of
from memgit.core.backup.twoway import Act, Step, decide
from memgit.core.memory import PatternList, Patterns
from memgit.core.merge.api import merge
from memgit.core.merge.policy import MergePolicy
from memgit.core.setting_rows import MergeRule, MirroredFolder
from memgit.core.values import dataclass
from memgit.errors import ConfigError, MemgitError
from memgit.git.repository import Repository
from memgit.host.folder import Folder
from memgit.host.lock import Lock
from memgit.porcelain.backup.run import Shrunk
from memgit.porcelain.backup.source import Held, Screen
from memgit.porcelain.backup.target import refuse_inside
from memgit.porcelain.mirror import by_unison
from memgit.porcelain.mirror.report import Conflict, Report
from memgit.porcelain.mirror.side import Pair, Side
from memgit.porcelain.mirror.state import State


@dataclass(frozen=True, slots=True)
class Request:
    """What a person asked for on the command line."""

    dry_run: bool = False
    confirm_shrink: bool = False


def run(
    repo: Repository,
    workspace: str,
    chosen: MirroredFolder,
    patterns: Patterns,
    rules: Iterable[MergeRule],
    screen: Screen | None,
    request: Request,
    now_ns: int,
    advance: Callable[[int], None] = lambda count: None,
) -> Report:
    """Bring both sides together. `core.backup.twoway.act` has the table of what happens to a path.

    screen: the guard, asked about what would leave the workspace.
    Raises Shrunk if one side lost so much that the other does not follow it, Busy while another run is at work.
    """
    path = os.path.expanduser(chosen.path)
    if not os.path.isabs(path):
        raise ConfigError(
            f"The path of the folder {chosen.name} must be absolute, not {chosen.path!r}.",
            "A directory of another machine or a cloud is mounted first, with sshfs or `rclone mount`.",
        )
    if repo.work_tree is None:
        raise MemgitError("This repository is bare and has no workspace to share.")
    refuse_inside(path, repo, f"The folder {chosen.name}")
    private = os.path.join(repo.private_dir, "mirror", chosen.name)
    report = Report(chosen.name, path, dry_run=request.dry_run)
    with Lock(private, only_looks=request.dry_run) as lock, ExitStack() as open_folders:
        state = State(private)
        if not request.dry_run:
            state.clear_unfinished()
        ours = open_folders.enter_context(_open(os.path.join(repo.work_tree, workspace)))
        theirs = open_folders.enter_context(_open_folder(path, may_be_made=not state.agreed and not request.dry_run))
        trusted = os.fstat(ours.fd).st_dev == os.fstat(theirs.fd).st_dev
        theirs_index = os.path.join(private, "index.theirs") if trusted else None
        pair = Pair(
            chosen,
            Side(ours, patterns, os.path.join(private, "index.ours"), now_ns, report),
            Side(theirs, patterns, theirs_index, now_ns, report),
            None if chosen.include_held else screen,
            report,
            now_ns // 10**9,
        )
        if not request.dry_run:
            pair.ours.clear_leftovers()
            pair.theirs.clear_leftovers()
        job = _Job(pair, state, [(PatternList((rule.glob,)), rule) for rule in rules])
        job.recognise()
        job.guard(confirmed=request.confirm_shrink)
        agreed = {path: entry.digest for path, entry in state.agreed.items()}
        steps = decide(agreed, pair.ours.digests, pair.theirs.digests)
        todo = tuple(step for step in steps if step.path not in job.undone)
        if chosen.engine == "unison":
            job.undone |= by_unison.run(pair, todo, private, lock.fd)
        else:
            job.prepare(todo)
            for step in todo:
                if step.act is not Act.NOTHING:
                    job.carry_out(step)
                    advance(1)
        if not request.dry_run:
            ours.flush()
            theirs.flush()
            job.agree(steps)
            state.forget_kept(chosen.keep_deleted, pair.now_s)
    return report


def _open(path: str) -> Folder:
    try:
        return Folder(path)
    except (FileNotFoundError, NotADirectoryError):
        raise MemgitError(f"{path} does not exist.") from None


def _open_folder(path: str, *, may_be_made: bool) -> Folder:
    if may_be_made and not os.path.isdir(path):
        os.mkdir(path)  # and nothing above it: where a disk belongs that is not mounted, nothing is made
    try:
        return Folder(path)
    except (FileNotFoundError, NotADirectoryError):
        raise MemgitError(f"{path} does not exist.", "Is it mounted? Nothing was changed.") from None


class _Job:
    """Carries out the steps of one run."""

    def __init__(self, pair: Pair, state: State, rules: list[tuple[PatternList, MergeRule]]) -> None:
        self._pair, self._state, self._rules = pair, state, rules
        self._ours, self._theirs, self._report = pair.ours, pair.theirs, pair.report
        self._merges: dict[bytes, tuple[bytes, str, bool]] = {}  # content, what happened, whether it was a conflict
        self.undone: set[bytes] = set()  # paths that stay as they were agreed on

    def recognise(self) -> None:
        """Leave out what can't be read, and know the folder's files by the names they have here."""
        known = (*(path for path in self._ours.found if path not in self._state.agreed), *self._state.agreed)
        self.undone |= {
            path for path in {*known, *self._theirs.found} if self._ours.is_away(path) or self._theirs.is_away(path)
        }
        self._report.copies += sorted(self._theirs.copies)
        self._theirs.recognise(known)

    def guard(self, *, confirmed: bool) -> None:
        """Stop where one side lost so much that this is more likely an accident."""
        for side, where in ((self._ours, "the workspace"), (self._theirs, self._report.folder)):
            sizes = {path: found.stat.st_size for path, found in side.found.items()}
            sizes |= {path: entry.size for path, entry in self._state.agreed.items() if side.is_away(path)}
            lost = shrink.check(self._state.agreed, sizes, self._pair.chosen.max_shrink)
            if lost is not None and not confirmed:
                raise Shrunk(
                    f"{where}: {lost.reason}: {lost.gone:,} of {lost.before:,} files are gone and {lost.emptied:,} are"
                    " empty now. Nothing was changed.",
                    "If that is right, run again with --confirm-shrink.",
                )

    def prepare(self, steps: Iterable[Step]) -> None:
        """Merge what both changed, and note it before either side gets it."""
        begun = {}
        for step in steps:
            if step.act is Act.MERGE:
                merged = self._merge(step)
                if merged is None:
                    self._defer(step.path)
                    continue
                self._merges[step.path] = merged
                assert step.ours is not None
                assert step.theirs is not None
                begun[step.path] = (step.ours, step.theirs, digest_of(merged[0]))
        if begun and not self._report.dry_run:
            self._state.begin_merging(begun)

    def _merge(self, step: Step) -> tuple[bytes, str, bool] | None:
        path = step.path
        ours, theirs = self._ours.read(path), self._theirs.read(path)
        if ours is None or theirs is None:
            return None
        begun = self._state.merging.get(path)
        if begun is not None:  # a killed run wrote the result to one side already
            if step.ours == begun[2] and step.theirs == begun[1]:
                return ours, "merged", False
            if step.theirs == begun[2] and step.ours == begun[0]:
                return theirs, "merged", False
        base = self._state.content(step.base) if step.base is not None else b""
        kind, prefer = self._policy(path)
        base = base if base is not None else b""
        plain = merge(base, ours, theirs, path, MergePolicy(kind))
        if plain.clean:
            return plain.content, "merged", False
        joined = merge(base, ours, theirs, path, MergePolicy(kind, prefer))
        if joined.clean:
            return joined.content, f"both changed the same place; {prefer}", True
        wins = prefer
        if prefer == "newest":
            times = [side.found[path].stat.st_mtime_ns for side in (self._ours, self._theirs)]
            wins = "theirs" if times[1] > times[0] else "ours"
        if wins == "theirs":
            return theirs, "can't be merged; the folder's version stays", True
        return ours, "can't be merged; the workspace's version stays", True

    def _policy(self, path: bytes) -> tuple[str, str]:
        for patterns, rule in self._rules:
            if patterns.selects(path):
                return rule.kind, self._pair.chosen.prefer if rule.policy == "markers" else rule.policy
        return "auto", self._pair.chosen.prefer

    def carry_out(self, step: Step) -> None:
        """Do one step, unless the path changed again since it was looked at."""
        path, report = step.path, self._report
        if step.act is Act.AGREE or path in self.undone:
            return
        if step.survives:
            report.survived.append(path)
        if step.act is Act.TO_THEIRS:
            self._copy(path, self._ours, self._theirs, report.to_folder)
        elif step.act is Act.TO_OURS:
            self._copy(path, self._theirs, self._ours, report.to_workspace)
        elif step.act is Act.DELETE_OURS:
            self._delete(path, "workspace", self._ours, report.deleted_in_workspace)
        elif step.act is Act.DELETE_THEIRS:
            self._delete(path, "folder", self._theirs, report.deleted_in_folder)
        else:
            self._write_merged(path)

    def _copy(self, path: bytes, source: Side, target: Side, done: list[bytes]) -> None:
        content = source.read(path)
        taken = target.taken_for(path)
        if taken is not None:
            self.undone.add(path)
            self._report.held.append(Held(path, f"{os.fsdecode(taken)} is the same name there"))
        elif content is None or not target.is_as_seen(path):
            self._defer(path)
        elif source is self._ours and self._is_held(path, content):
            self.undone.add(path)
        else:
            done.append(path)
            if not self._report.dry_run and not target.put(path, content, source.found[path]):
                done.pop()
                self.undone.add(path)
                self._report.held.append(Held(path, "a link or a file stands where its directory has to be"))

    def _delete(self, path: bytes, side: str, target: Side, done: list[bytes]) -> None:
        content = target.read(path)
        if content is None or not target.is_as_seen(path):
            self._defer(path)
            return
        done.append(path)
        if not self._report.dry_run:
            when_ns = target.found[path].stat.st_mtime_ns
            self._report.kept.append(self._state.keep(side, path, content, when_ns, self._pair.now_s))
            target.remove(path)

    def _write_merged(self, path: bytes) -> None:
        content, outcome, is_conflict = self._merges[path]
        sides = (("workspace", self._ours), ("folder", self._theirs))
        if not all(side.is_as_seen(path) for _, side in sides):
            self._defer(path)
            return
        if self._is_held(path, content):
            self.undone.add(path)
            return
        kept = []
        like = max((side.found[path] for _, side in sides), key=lambda found: found.stat.st_mtime_ns)
        for name, side in sides:
            if side.digests[path] == digest_of(content) or self._report.dry_run:
                continue
            old = side.read(path)
            if old is None:
                self._defer(path)
                return
            if is_conflict:
                kept.append(self._state.keep(name, path, old, side.found[path].stat.st_mtime_ns, self._pair.now_s))
            side.put(path, content, like)
        if is_conflict:
            self._report.conflicts.append(Conflict(path, outcome, tuple(kept)))
            self._report.kept += kept
        else:
            self._report.merged.append(path)

    def _is_held(self, path: bytes, content: bytes) -> bool:
        if self._pair.screen is None or not self._pair.screen(path, content):
            return False
        self._report.held.append(Held(path, "held back by the guard"))
        return True

    def _defer(self, path: bytes) -> None:
        self.undone.add(path)
        self._report.deferred.append(path)

    def agree(self, steps: Iterable[Step]) -> None:
        """Remember what both sides hold now; of paths that were left alone, what they last agreed on."""
        agreed: dict[bytes, Entry] = {}
        before: Mapping[bytes, Entry] = self._state.agreed
        for step in steps:
            path = step.path
            old = before.get(path)
            if path in self.undone:
                if old is not None:
                    agreed[path] = old
                continue
            digest = self._ours.digests.get(path)
            if digest is None or digest != self._theirs.digests.get(path):
                continue
            if old is not None and old.digest == digest:
                agreed[path] = old
                continue
            content = self._ours.read(path)
            if content is None:  # changed already; what was agreed is still what both had
                content = self._theirs.read(path)
            if content is not None:
                self._state.store(content)
                agreed[path] = Entry(path, 0o100644, len(content), 0, digest)
        self._state.agree(agreed.values(), self._pair.now_s)
        self._ours.remember()
        self._theirs.remember()
