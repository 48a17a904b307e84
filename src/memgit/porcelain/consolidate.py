"""memgit consolidate: replace runs of auto-commits by one commit per window."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from memgit.core import windows
from memgit.core.consolidation import message, plan, runs
from memgit.core.consolidation.classify import Classifier
from memgit.core.consolidation.gather import Step
from memgit.core.consolidation.message import FileChange
from memgit.core.consolidation.plan import Plan, StopReason
from memgit.core.consolidation.policy import Kept, Policy, Report, Request, Squash
from memgit.core.consolidation.runs import Collapsed
from memgit.core.objects import EMPTY_TREE, Oid, RefName, hash_object
from memgit.core.operations import LOG_REF, Created, Operation, RefChange
from memgit.core.trees import Trees, changes
from memgit.errors import RangeMoved, RefMoved, UsageError
from memgit.git import diff, history, notes, refs, signing
from memgit.git.objects import ObjectReader
from memgit.git.refs import Ref
from memgit.git.repository import Repository
from memgit.porcelain import oplog, settled, transaction
from memgit.porcelain.settled import Settled
from memgit.porcelain.transaction import Transaction

_ATTEMPTS = 4
_OLDEST_ASKED = 200  # replaced commits given to one git command line
_BOUNDS_KEPT = 1000  # a range with more of them is read anew each time
DETAILED_UP_TO = 20_000  # commits in the range; a longer one gets messages without files and lines


@dataclass(frozen=True, slots=True)
class Range:
    """What a run looks at: a branch and everything that bounds it."""

    ref: Ref
    hidden: tuple[Oid, ...]
    pinned: frozenset[Oid]
    stand_ins: dict[Oid, Oid]  # pinned commit -> what earlier runs put in its place
    published: tuple[RefName, ...]
    since: Oid | None
    shallow: frozenset[Oid]
    log: Oid | None  # newest entry of the operation log
    notes: tuple[Ref, ...]  # that follow rewritten commits


@dataclass(frozen=True, slots=True)
class Outlook:
    """A plan with what was learned while making it."""

    plan: Plan
    collapsed: Collapsed
    known: Settled | None
    stop_reason: StopReason
    stopped_at: Oid | None


def run(
    repo: Repository,
    policy: Policy,
    workspace: bytes,
    request: Request,
    now_s: int,
    progress: Callable[[int], None] = lambda _: None,
) -> Report:
    """Consolidate a branch, or with `request.dry_run` only report what would happen.

    workspace: the memory's root below the repository's, "" or ending in a slash. now_s: the time by
    which windows are judged closed. progress: told how many more commits were read.
    Starts over if somebody commits meanwhile, a few times.
    Raises UsageError for a branch that is none, Busy while another operation is in the way.
    """
    if request.dry_run:
        return _Run(repo, policy, workspace, request, now_s, progress).preview()
    for attempt in range(_ATTEMPTS):
        try:
            with transaction.begin(repo) as change:
                return _Run(change.repo, policy, workspace, request, now_s, progress).carry_out(change)
        except (RefMoved, RangeMoved):
            if attempt == _ATTEMPTS - 1:
                raise
    raise AssertionError("unreachable")


class _Run:
    def __init__(
        self,
        repo: Repository,
        policy: Policy,
        workspace: bytes,
        request: Request,
        now_s: int,
        progress: Callable[[int], None],
    ) -> None:
        self.repo = repo
        self.policy = policy
        self.paths = policy.memory.under(workspace)
        self.request = request
        self.now_s = now_s
        self.progress = progress
        self.config = repo.config()
        self.calendar = windows.Calendar(policy.window, policy.zone)

    def preview(self) -> Report:
        """The report of a run that changes nothing."""
        area = self._range()
        if isinstance(area, Report):
            return area
        with ObjectReader(self.repo.git) as reader:
            trees = Trees(reader.read_many)
            outlook = self._outlook(area, reader, trees)
            steps = plan.rewritten(outlook.plan)
            compose = self._composer(outlook, reader, trees)
            squashes = {step.stands_for: compose(step) for step in outlook.plan.squashes}
            lost = () if self._signer() else plan.signed_people(steps, lambda node: plan.raw_commit(node, reader.read))
            return self._report(area, outlook, steps, squashes, {}, None, len(lost))

    def carry_out(self, change: Transaction) -> Report:
        """Plan, write, move the branch."""
        area = self._range()
        if isinstance(area, Report):
            return area
        with ObjectReader(self.repo.git) as reader:
            trees = Trees(reader.read_many)
            outlook = self._outlook(area, reader, trees)
            if outlook.plan.is_empty:
                self._remember(area, outlook, {})
                return self._report(area, outlook, (), {}, {}, None, 0)
            steps = plan.rewritten(outlook.plan)
            lost = plan.signed_people(steps, lambda node: plan.raw_commit(node, reader.read))
            signer = self._signer()
            if lost and signer is None and not self.request.drop_signatures:
                raise UsageError(
                    f"{len(lost)} signed commits made by people would lose their signature, the first of them "
                    f"{lost[0].decode()[:12]}.",
                    "Set commit.gpgSign so that they are signed again, or pass --drop-signatures.",
                )
            compose = self._composer(outlook, reader, trees)
            new_ids: dict[Oid, Oid] = {}
            messages: dict[Oid, bytes] = {}
            raws = []
            signed = frozenset(lost)
            for step, raw in plan.commits(
                outlook.plan, steps, compose, lambda node: plan.raw_commit(node, reader.read), new_ids
            ):
                if signer is not None and (step.is_squash or step.stands_for in signed):
                    raw = signer(raw)
                if step.is_squash:
                    messages[step.stands_for] = raw.partition(b"\n\n")[2]
                new_ids[step.stands_for] = hash_object(b"commit", raw)
                raws.append((b"commit", raw))
        operation = self._write(change, area, outlook, steps, trees, raws, new_ids)
        self._remember(area, outlook, new_ids)
        dropped = 0 if signer is not None else len(lost)
        return self._report(area, outlook, steps, messages, new_ids, operation, dropped)

    def _signer(self) -> signing.Signer | None:
        return None if self.request.drop_signatures else signing.signer(self.config, self.repo.private_dir)

    # -- reading ---------------------------------------------------------------------------------

    def _range(self) -> Range | Report:
        branch = self.request.branch or self.repo.current_branch()
        if branch is None:
            raise UsageError("HEAD is detached, so there is no branch to consolidate.", "Name one with --branch.")
        if not branch.startswith("refs/heads/"):
            raise UsageError(f"{branch} is no branch.", "Branches are what `git branch` lists.")
        self.repo.refuse_if_in_progress(branch)
        everything = refs.read_all(self.repo.git)
        ref = next((ref for ref in everything if ref.name == branch), None)
        if ref is None:
            if branch == self.repo.current_branch():
                refs.refuse_if_broken(self.repo.common_dir, branch)
                return _nothing(branch, self.request.dry_run)
            raise _no_such_branch(branch, everything)
        if ref.symref is not None:
            raise UsageError(f"{branch} is a symbolic ref.", f"Name the branch it stands for: {ref.symref}.")
        since = None
        if self.request.since is not None:
            since = refs.resolve(self.repo.git, self.request.since)
            if since is None:
                raise UsageError(f"--since {self.request.since} names no commit.", "Give a commit, tag or branch.")
        published = tuple(other for other in everything if is_published(other, branch))
        detached = tuple(checkout.head for checkout in self.repo.checkouts() if checkout.head is not None)
        pinned = {other.peeled for other in everything if other not in published and _is_pin(other, branch)}
        pinned |= {other.name[len("refs/replace/") :].encode() for other in everything if _is_replace(other)}
        hidden = [since] if since is not None else []
        shallow = self.repo.shallow_commits()
        hidden += shallow
        if self.request.published:
            pinned |= {other.peeled for other in published} | set(detached)
        else:
            hidden += [other.peeled for other in published] + list(detached)
        log = next((other.oid for other in everything if other.name == LOG_REF), None)
        stand_ins = {old: new for old, new in oplog.pinned(self.repo.git, log) if old in pinned} if pinned else {}
        return Range(
            ref,
            tuple(dict.fromkeys(hidden)),
            frozenset(pinned | set(stand_ins.values())),
            stand_ins,
            tuple(other.name for other in published),
            since,
            shallow,
            log,
            notes.refs_to_rewrite(self.config, everything),
        )

    def _outlook(self, area: Range, reader: ObjectReader, trees: Trees) -> Outlook:
        known = settled.recall(self.repo, area.ref.name, self.policy, self.request)
        if known is not None and not (reader.has(known.commit) and self._is_bounded(area, known)):
            known = None
        collapsed = self._collapse(area, known, reader, trees)
        if collapsed.late:
            known = None
            collapsed = self._collapse(area, None, reader, trees)
        if collapsed.nodes:
            collapsed.nodes[-1].is_tip = area.ref.oid not in area.pinned
        made = plan.plan(
            area.ref.oid,
            collapsed.nodes,
            trees,
            lambda oid: _tree_of(reader, oid),
            (lambda pairs: diff.changed_paths(self.repo.git, pairs)) if self.policy.commute else None,
            keep_empty=self.policy.keep_empty,
        )
        reason, at = _stop(area, collapsed, known)
        return Outlook(made, collapsed, known, reason, at)

    def _is_bounded(self, area: Range, known: Settled) -> bool:
        """True if what held an earlier run's windows apart, or ended its range, still does."""
        loose = [bound for bound in known.bounds if bound not in area.pinned]
        return not loose or not history.is_any_in(self.repo.git, loose, area.hidden)

    def _collapse(self, area: Range, known: Settled | None, reader: ObjectReader, trees: Trees) -> Collapsed:
        hidden = area.hidden if known is None else (*area.hidden, known.commit)
        return runs.collapse(
            self._counted(history.stream(self.repo.git, area.ref.oid, hidden)),
            Classifier(self.policy.rules),
            self.calendar.closed_key(None if self.request.open_windows else self.now_s),
            area.pinned,
            self._only_memory(trees),
            lambda oid: _tree_of(reader, oid),
            known.key if known is not None else None,
        )

    def _counted(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            self.progress(chunk.count(b"\0"))
            yield chunk

    def _only_memory(self, trees: Trees) -> Callable[[Oid | None, Oid], bool]:
        def check(before: Oid | None, after: Oid) -> bool:
            found = changes(trees, before or EMPTY_TREE, after, self.paths.covers)
            return all(self.paths.covers(path) or self.paths.matches(path) for path, _, _ in found)

        return check

    def _composer(self, outlook: Outlook, reader: ObjectReader, trees: Trees) -> Callable[[Step], bytes]:
        squashes = outlook.plan.squashes
        described: dict[Oid, tuple[FileChange, ...]] = {}
        if outlook.collapsed.commits <= DETAILED_UP_TO:
            pairs = [(step.before or EMPTY_TREE, step.tree) for step in squashes]
            files = message.describe(trees, pairs, reader.read_limited)
            described = {step.stands_for: found for step, found in zip(squashes, files, strict=True)}

        def compose(step: Step) -> bytes:
            oldest, newest = step.nodes[0], step.nodes[-1]
            assert newest.key is not None
            count = sum(node.raw_count for node in step.nodes)
            sources = message.Sources(self.calendar.label(newest.key), count, oldest.cited, newest.last)
            return message.compose(sources, described.get(step.stands_for), self.policy.subject)

        return compose

    # -- writing ---------------------------------------------------------------------------------

    def _write(
        self,
        change: Transaction,
        area: Range,
        outlook: Outlook,
        steps: tuple[Step, ...],
        trees: Trees,
        raws: list[tuple[bytes, bytes]],
        new_ids: dict[Oid, Oid],
    ) -> Oid:
        git = change.repo.git
        old_tip, tip = area.ref.oid, plan.new_tip(outlook.plan, new_ids)
        objects: list[tuple[bytes, bytes]] = [(b"tree", raw) for raw in trees.made.values()]
        objects += raws
        moved = [RefChange(area.ref.name, old_tip, tip)]
        if area.notes:  # they can only be attached to commits that are there
            change.store(objects)
            objects = []
            noted = {ref: notes.noted_commits(git, ref.name) for ref in area.notes}
            moves = self._moves(area, outlook, steps, new_ids, frozenset().union(*noted.values()))
            for ref in area.notes:
                made = notes.copy(git, ref, noted[ref], moves)
                if made is not None:
                    moved.append(RefChange(ref.name, ref.oid, made))
        created = [_created(step, new_ids, self.calendar) for step in outlook.plan.squashes]
        digest = hashlib.sha256(b"\n".join(new_ids.values())).hexdigest()
        summary = (
            f"consolidate {area.ref.name.removeprefix('refs/heads/')}: "
            f"{outlook.collapsed.commits} -> {len(outlook.plan.steps)} commits"
        )
        stand_ins = {old: new_ids.get(old, old) for old in area.pinned if old in new_ids}
        stand_ins |= {old: new_ids.get(new, new) for old, new in area.stand_ins.items()}
        operation = Operation(
            "consolidate", self.now_s, tuple(moved), summary, digest, pinned=tuple(sorted(stand_ins.items()))
        )
        if self._range() != area:  # a push may have published, or a merge begun on, what is to be replaced
            raise RangeMoved
        return oplog.record(change, operation, created, area.log, objects)

    def _moves(
        self,
        area: Range,
        outlook: Outlook,
        steps: tuple[Step, ...],
        new_ids: dict[Oid, Oid],
        wanted: frozenset[Oid],
    ) -> list[tuple[Oid, Oid]]:
        """(old, new) for the wanted commits that get replaced, oldest first; those inside a run included."""
        if not wanted:
            return []
        ends = {node.last: (node.first, new_ids[step.stands_for]) for step in steps for node in step.nodes}
        hidden = area.hidden if outlook.known is None else (*area.hidden, outlook.known.commit)
        inside: dict[Oid, tuple[Oid, Oid]] = {}
        found = []
        for oid, parent in history.first_parents(self.repo.git, area.ref.oid, hidden):
            run = ends.get(oid) or inside.pop(oid, None)
            if run is None:
                continue
            if oid in wanted:
                found.append((oid, run[1]))
            if oid != run[0] and parent is not None:
                inside[parent] = run
        return found[::-1]

    def _remember(self, area: Range, outlook: Outlook, new_ids: dict[Oid, Oid]) -> None:
        steps = outlook.plan.steps
        tail: list[Step] = []  # the linear end of the history, newest first
        for index in range(len(steps) - 1, -1, -1):
            tail.append(steps[index])
            if index == 0 or steps[index].parents != (steps[index - 1].stands_for,):
                break
        waiting = [index for index, step in enumerate(tail) if step.nodes[0].is_waiting]
        if len(waiting) != sum(node.is_waiting for node in outlook.collapsed.nodes):
            return  # an open window on a branch that was merged in: read it all again next time
        cut = max(waiting, default=-1) + 1
        keys = [node.key for node in outlook.collapsed.nodes if node.key is not None]
        keys += [outlook.known.key] if outlook.known is not None else []
        if cut < len(tail) and keys:
            commit = tail[cut].stands_for
            bounds = _bounds(area, outlook, new_ids)
            if len(bounds) <= _BOUNDS_KEPT:
                reached = Settled(new_ids.get(commit, commit), max(keys), bounds)
                settled.remember(self.repo, area.ref.name, self.policy, self.request, reached)

    # -- reporting -------------------------------------------------------------------------------

    def _report(
        self,
        area: Range,
        outlook: Outlook,
        steps: tuple[Step, ...],
        messages: dict[Oid, bytes],
        new_ids: dict[Oid, Oid],
        operation: Oid | None,
        signatures_dropped: int,
    ) -> Report:
        squashes = outlook.plan.squashes
        created = tuple(_squash(step, messages, new_ids, self.calendar) for step in squashes)
        after = len(outlook.plan.steps)
        squashed = sum(node.count for step in squashes for node in step.nodes)
        dry = self.request.dry_run
        return Report(
            branch=area.ref.name,
            old_tip=area.ref.oid,
            new_tip=None if dry else plan.new_tip(outlook.plan, new_ids),
            commits_before=outlook.collapsed.commits,
            commits_after=after,
            created=created,
            squashed=squashed,
            dropped=len(outlook.plan.dropped),
            rewritten=sum(1 for step in steps if not step.is_squash),
            kept=_kept(outlook),
            stop_reason=outlook.stop_reason,
            stopped_at=outlook.stopped_at,
            signatures_dropped=signatures_dropped,
            affected=self._affected(area, outlook, steps),
            operation=operation,
            dry_run=dry,
        )

    def _affected(self, area: Range, outlook: Outlook, steps: tuple[Step, ...]) -> tuple[RefName, ...]:
        """Published refs that hold a commit which is, or would be, replaced."""
        if not self.request.published or outlook.plan.is_empty:
            return ()
        new = {step.stands_for for step in steps}
        stay = {step.stands_for for step in outlook.plan.steps if step.stands_for not in new}
        replaced = {node.last: node for node in outlook.collapsed.nodes if node.last not in stay}
        oldest = [node.first for node in replaced.values() if not any(parent in replaced for parent in node.parents)]
        if len(oldest) > _OLDEST_ASKED:
            return area.published
        holding = refs.holding(self.repo.git, oldest)
        return tuple(name for name in area.published if name in holding)


def _nothing(branch: RefName, dry_run: bool) -> Report:
    return Report(
        branch, None, None, 0, 0, (), 0, 0, 0, (), StopReason.EMPTY, None, 0, (), None, dry_run
    )  # fmt: skip


def _no_such_branch(branch: RefName, everything: tuple[Ref, ...]) -> UsageError:
    import difflib

    names = [ref.name.removeprefix("refs/heads/") for ref in everything if ref.name.startswith("refs/heads/")]
    near = difflib.get_close_matches(branch.removeprefix("refs/heads/"), names, 1, 0)
    return UsageError(
        f"There is no branch {branch.removeprefix('refs/heads/')}.",
        f"Did you mean {near[0]}?" if near else "This repository has no branch yet.",
    )


def is_published(ref: Ref, branch: RefName) -> bool:
    """Held by a remote, a tag or another branch, or offered to a remote in a push whose answer got lost."""
    return (
        ref.name.startswith(("refs/remotes/", "refs/tags/", "refs/heads/", "refs/memgit/offered/"))
        and ref.name != branch
        and ref.symref != branch
    )


def _is_pin(ref: Ref, branch: RefName) -> bool:
    return ref.name != branch and ref.symref != branch and not ref.name.startswith("refs/memgit/")


def _is_replace(ref: Ref) -> bool:
    return ref.name.startswith("refs/replace/")


def _tree_of(reader: ObjectReader, commit: Oid) -> Oid:
    return reader.read(commit)[5:45]


def _stop(area: Range, collapsed: Collapsed, known: Settled | None) -> tuple[StopReason, Oid | None]:
    outside = _outside(collapsed) if collapsed.nodes else [area.ref.oid]
    if not outside:
        return StopReason.ROOT, None
    at = outside[-1]
    if known is not None and at == known.commit:
        return StopReason.SETTLED, at
    if at in area.shallow:
        return StopReason.SHALLOW, at
    if at == area.since:
        return StopReason.SINCE, at
    return StopReason.PUBLISHED, at


def _outside(collapsed: Collapsed) -> list[Oid]:
    """Parents of the range that are not in it, in the order their children came."""
    inside = {node.last for node in collapsed.nodes}
    return [parent for node in collapsed.nodes for parent in node.parents if parent not in inside]


def _bounds(area: Range, outlook: Outlook, new_ids: dict[Oid, Oid]) -> tuple[Oid, ...]:
    known = outlook.known
    bounds = set(known.bounds) if known is not None else set()
    bounds |= {oid for oid in _outside(outlook.collapsed) if known is None or oid != known.commit}
    bounds |= {new_ids.get(node.last, node.last) for node in outlook.collapsed.nodes if node.last in area.pinned}
    return tuple(sorted(bounds))


def _created(step: Step, new_ids: dict[Oid, Oid], calendar: windows.Calendar) -> Created:
    newest = step.nodes[-1]
    assert newest.key is not None
    count = sum(node.count for node in step.nodes)
    return Created(new_ids[step.stands_for], calendar.label(newest.key), count, step.nodes[0].first, newest.last)


def _squash(step: Step, messages: dict[Oid, bytes], new_ids: dict[Oid, Oid], calendar: windows.Calendar) -> Squash:
    newest = step.nodes[-1]
    assert newest.key is not None
    return Squash(
        calendar.label(newest.key),
        sum(node.count for node in step.nodes),
        step.nodes[0].first,
        newest.last,
        new_ids.get(step.stands_for),
        messages[step.stands_for].partition(b"\n")[0].decode(),
    )


def _kept(outlook: Outlook) -> tuple[Kept, ...]:
    steps = outlook.plan.steps
    waiting = sum(step.nodes[0].is_waiting for step in steps)
    alone = sum(1 for step in steps if not step.is_squash and step.nodes[0].key is not None)
    people = sum(1 for step in steps if not step.nodes[0].automatic)
    per_window: dict[int, int] = {}
    for step in steps:
        if step.nodes[0].key is not None:
            per_window[step.nodes[0].key] = per_window.get(step.nodes[0].key, 0) + 1
    pieces = sum(count for count in per_window.values() if count > 1)
    found = (
        Kept("made by people, or changing more than memory", people),
        Kept("automatic, their window is still open", waiting),
        Kept("automatic, with no neighbour of their window to join", alone),
        Kept("in windows kept in pieces by a merge, a fork, a pin or a change to the same file", pieces),
    )
    return tuple(kept for kept in found if kept.count)
