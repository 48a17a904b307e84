"""memgit consolidate: replace runs of auto-commits by one commit per window.

extent.read      the branch and what bounds it
_Run._outlook    collapse the history, plan
_Run._draft      the raw commits, hence their ids; a dry run ends here
_Run._write      notes, then everything in one transaction with the operation log
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from memgit.core import windows
from memgit.core.consolidation import message, plan, report, runs
from memgit.core.consolidation.classify import Classifier
from memgit.core.consolidation.gather import Step
from memgit.core.consolidation.message import FileChange
from memgit.core.consolidation.plan import Plan
from memgit.core.consolidation.policy import Policy, Request
from memgit.core.consolidation.report import Report
from memgit.core.consolidation.runs import Collapsed, Node
from memgit.core.objects import EMPTY_TREE, Oid, RefName, hash_object
from memgit.core.operations import Created, Operation, RefChange
from memgit.core.trees import Trees
from memgit.core.values import dataclass
from memgit.errors import RangeMoved, RefMoved, UsageError
from memgit.git import history, notes, refs, signing
from memgit.git.objects import ObjectReader
from memgit.git.repository import Repository
from memgit.porcelain import extent, oplog, people, settled, transaction
from memgit.porcelain.extent import Extent
from memgit.porcelain.settled import Settled
from memgit.porcelain.transaction import Transaction

_ATTEMPTS = 4
_OLDEST_ASKED = 200  # replaced commits given to one git command line
DETAILED_UP_TO = 20_000  # commits in the range; a longer one gets messages without files and lines


@dataclass(frozen=True, slots=True)
class Outlook:
    """A plan with what was learned while making it."""

    plan: Plan
    collapsed: Collapsed
    known: Settled | None
    trees: Trees
    made_trees: dict[Oid, bytes]


@dataclass(frozen=True, slots=True)
class Draft:
    """The commits that carry a plan out."""

    steps: tuple[Step, ...]  # those that need a new commit
    raws: tuple[tuple[bytes, bytes], ...]  # the new commits, parents before children
    new_ids: dict[Oid, Oid]  # original id -> new id; incomplete where signatures are still to come
    messages: dict[Oid, bytes]  # of squashes, by the original id they stand for
    unsigned: tuple[Oid, ...]  # commits made by people that lose their signature


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
            people.let_finish(repo, request.branch or repo.current_branch())
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
        """The report of a run that changes nothing; with the ids it would write, unless they'd be signed."""
        area = extent.read(self.repo, self.config, self.request)
        if isinstance(area, RefName):
            return report.nothing(area, dry_run=True)
        with ObjectReader(self.repo.git) as reader:
            outlook = self._outlook(area, reader)
            signer = None if self._signer() is None else _leave_unsigned
            draft = self._draft(outlook, reader, signer)
        if signer is not None:
            draft.new_ids.clear()
        return self._report(area, outlook, draft, None)

    def carry_out(self, change: Transaction) -> Report:
        """Plan, write, move the branch."""
        area = extent.read(self.repo, self.config, self.request)
        if isinstance(area, RefName):
            return report.nothing(area, dry_run=False)
        with ObjectReader(self.repo.git) as reader:
            outlook = self._outlook(area, reader)
            draft = self._draft(outlook, reader, self._signer())
        if draft.unsigned and not self.request.drop_signatures:
            raise UsageError(
                f"{len(draft.unsigned)} signed commits made by people would lose their signature, the first of them "
                f"{draft.unsigned[0].decode()[:12]}.",
                "Set commit.gpgSign so that they are signed again, or pass --drop-signatures.",
            )
        operation = None if outlook.plan.is_empty else self._write(change, area, outlook, draft)
        self._remember(area, outlook, draft)
        return self._report(area, outlook, draft, operation)

    def _signer(self) -> signing.Signer | None:
        return None if self.request.drop_signatures else signing.signer(self.config, self.repo.private_dir)

    # -- planning --------------------------------------------------------------------------------

    def _outlook(self, area: Extent, reader: ObjectReader) -> Outlook:
        known = settled.recall(self.repo, area.ref.name, self.policy, self.request)
        if known is not None and not (reader.has(known.commit) and self._is_bounded(area, known)):
            known = None
        trees = Trees(reader.read_many)
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
            reader.tree,
            commute=self.policy.commute,
            keep_empty=self.policy.keep_empty,
        )
        return Outlook(made, collapsed, known, trees, trees.made_for(step.tree for step in made.steps))

    def _is_bounded(self, area: Extent, known: Settled) -> bool:
        """True if what held an earlier run's windows apart, or ended its range, still does."""
        loose = [bound for bound in known.bounds if bound not in area.pinned]
        return not loose or not history.is_any_in(self.repo.git, loose, area.hidden)

    def _collapse(self, area: Extent, known: Settled | None, reader: ObjectReader, trees: Trees) -> Collapsed:
        return runs.collapse(
            history.stream(self.repo.git, area.ref.oid, _hidden(area, known)),
            Classifier(self.policy.rules),
            self.calendar.closed_keys(None if self.request.open_windows else self.now_s),
            area.pinned,
            runs.by_trees(trees, self.paths),
            reader.tree,
            known.key if known is not None else None,
            self.progress,
        )

    # -- drafting --------------------------------------------------------------------------------

    def _draft(self, outlook: Outlook, reader: ObjectReader, signer: signing.Signer | None) -> Draft:
        def raw_of(node: Node) -> bytes:
            return plan.raw_commit(node, reader.read)

        steps = plan.rewritten(outlook.plan)
        signed = plan.signed_people(steps, raw_of)
        compose = self._composer(outlook, reader)
        new_ids: dict[Oid, Oid] = {}
        messages: dict[Oid, bytes] = {}
        raws = []
        to_sign = frozenset(signed)
        for step, unsigned in plan.commits(outlook.plan, steps, compose, raw_of, new_ids):
            raw = unsigned
            if signer is not None and (step.is_squash or step.stands_for in to_sign):
                raw = signer(unsigned)
            if step.is_squash:
                messages[step.stands_for] = raw.partition(b"\n\n")[2]
            new_ids[step.stands_for] = hash_object(b"commit", raw)
            raws.append((b"commit", raw))
        return Draft(steps, tuple(raws), new_ids, messages, signed if signer is None else ())

    def _composer(self, outlook: Outlook, reader: ObjectReader) -> Callable[[Step], bytes]:
        squashes = outlook.plan.squashes
        described: dict[Oid, tuple[FileChange, ...]] = {}
        if outlook.collapsed.commits <= DETAILED_UP_TO:
            pairs = [(step.before or EMPTY_TREE, step.tree) for step in squashes]
            files = message.describe(outlook.trees, pairs, reader.read_limited, self.paths.matches)
            described = {step.stands_for: found for step, found in zip(squashes, files, strict=True)}

        def compose(step: Step) -> bytes:
            oldest, newest = step.nodes[0], step.nodes[-1]
            count = sum(node.raw_count for node in step.nodes)
            sources = message.Sources(report.window_of(step, self.calendar), count, oldest.cited, newest.last)
            return message.compose(sources, described.get(step.stands_for), self.policy.subject)

        return compose

    # -- writing ---------------------------------------------------------------------------------

    def _write(self, change: Transaction, area: Extent, outlook: Outlook, draft: Draft) -> Oid:
        objects = [*[(b"tree", raw) for raw in outlook.made_trees.values()], *draft.raws]
        moved = [RefChange(area.ref.name, area.ref.oid, plan.new_tip(outlook.plan, draft.new_ids))]
        if area.notes:  # they can only be attached to commits that are there
            change.store(objects)
            objects = []
            moved += self._move_notes(change, area, outlook, draft)
        created = [
            Created(
                draft.new_ids[step.stands_for],
                report.window_of(step, self.calendar),
                report.sources_of(step),
                step.nodes[0].first,
                step.nodes[-1].last,
            )
            for step in outlook.plan.squashes
        ]
        summary = (
            f"consolidate {area.ref.name.removeprefix('refs/heads/')}: "
            f"{outlook.collapsed.commits} -> {len(outlook.plan.steps)} commits"
        )
        digest = hashlib.sha256(b"\n".join(draft.new_ids.values())).hexdigest()
        new_ids = draft.new_ids
        stand_ins = {old: new_ids[old] for old in area.pinned if old in new_ids}
        stand_ins |= {old: new_ids.get(new, new) for old, new in area.stand_ins.items()}
        operation = Operation(
            "consolidate", self.now_s, tuple(moved), summary, digest, pinned=tuple(sorted(stand_ins.items()))
        )
        if extent.read(self.repo, self.config, self.request) != area:
            raise RangeMoved  # a push has published, or a merge begun on, what is to be replaced
        people.let_finish(self.repo, area.ref.name, patience_s=0)
        return oplog.record(change, operation, created, area.log, objects)

    def _move_notes(self, change: Transaction, area: Extent, outlook: Outlook, draft: Draft) -> list[RefChange]:
        git = change.repo.git
        noted = {ref: notes.noted_commits(git, ref.name) for ref in area.notes}
        moves = self._replaced(area, outlook, draft, frozenset().union(*noted.values()))
        made = [(ref, notes.copy(git, self.repo.common_dir, ref, noted[ref], moves)) for ref in area.notes]
        return [RefChange(ref.name, ref.oid, new) for ref, new in made if new is not None]

    def _replaced(self, area: Extent, outlook: Outlook, draft: Draft, wanted: frozenset[Oid]) -> list[tuple[Oid, Oid]]:
        """(old, new) for the wanted commits that get replaced, oldest first; those inside a run included."""
        if not wanted:
            return []
        ends = {node.last: (node.first, draft.new_ids[step.stands_for]) for step in draft.steps for node in step.nodes}
        inside: dict[Oid, tuple[Oid, Oid]] = {}
        found = []
        for oid, parent in history.first_parents(self.repo.git, area.ref.oid, _hidden(area, outlook.known)):
            run = ends.get(oid) or inside.pop(oid, None)
            if run is None:
                continue
            if oid in wanted:
                found.append((oid, run[1]))
            if oid != run[0] and parent is not None:
                inside[parent] = run
        return found[::-1]

    def _remember(self, area: Extent, outlook: Outlook, draft: Draft) -> None:
        bounds = set(extent.parents_outside(outlook.collapsed))
        if outlook.known is not None:
            bounds = (bounds - {outlook.known.commit}) | set(outlook.known.bounds)
        pinned = {node.last for node in outlook.collapsed.nodes if node.last in area.pinned}
        bounds |= {draft.new_ids.get(oid, oid) for oid in pinned}
        reached = settled.reached(outlook.plan, outlook.collapsed, outlook.known, draft.new_ids, bounds)
        if reached is not None:
            settled.remember(self.repo, area.ref.name, self.policy, self.request, reached)

    # -- reporting -------------------------------------------------------------------------------

    def _report(self, area: Extent, outlook: Outlook, draft: Draft, operation: Oid | None) -> Report:
        made, dry_run = outlook.plan, self.request.dry_run
        stop_reason, stopped_at = extent.stop(area, outlook.collapsed, outlook.known)
        is_known = bool(draft.new_ids) or made.is_empty or not draft.steps
        return Report(
            branch=area.ref.name,
            old_tip=area.ref.oid,
            new_tip=plan.new_tip(made, draft.new_ids) if is_known else None,
            commits_before=outlook.collapsed.commits,
            commits_after=len(made.steps),
            created=report.squashes(made, draft.messages, draft.new_ids, self.calendar),
            squashed=sum(report.sources_of(step) for step in made.squashes),
            dropped=len(made.dropped),
            rewritten=sum(1 for step in draft.steps if not step.is_squash),
            kept=report.kept(made),
            stop_reason=stop_reason,
            stopped_at=stopped_at,
            signatures_dropped=len(draft.unsigned),
            affected=self._affected(area, outlook, draft),
            operation=operation,
            dry_run=dry_run,
        )

    def _affected(self, area: Extent, outlook: Outlook, draft: Draft) -> tuple[RefName, ...]:
        """Published refs that hold a commit which is, or would be, replaced."""
        if not self.request.published or outlook.plan.is_empty:
            return ()
        new = {step.stands_for for step in draft.steps}
        stay = {step.stands_for for step in outlook.plan.steps if step.stands_for not in new}
        replaced = {node.last: node for node in outlook.collapsed.nodes if node.last not in stay}
        oldest = [node.first for node in replaced.values() if not any(parent in replaced for parent in node.parents)]
        if len(oldest) > _OLDEST_ASKED:
            return area.published
        holding = refs.holding(self.repo.git, oldest)
        return tuple(name for name in area.published if name in holding)


def _leave_unsigned(raw: bytes) -> bytes:
    return raw


def _hidden(area: Extent, known: Settled | None) -> tuple[Oid, ...]:
    return area.hidden if known is None else (*area.hidden, known.commit)
