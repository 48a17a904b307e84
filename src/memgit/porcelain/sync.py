"""memgit sync: capture, fetch, join, consolidate, push; a step that fails leaves the others standing."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable

from memgit.core.consolidation.policy import Request
from memgit.core.objects import Oid, RefName
from memgit.core.retry import Failure
from memgit.core.values import dataclass
from memgit.errors import Busy, Conflict, MemgitError
from memgit.git import history
from memgit.git.remote import Line, RemoteFailed
from memgit.git.repository import Repository
from memgit.porcelain import exchange, people, quiet, remotes, transaction
from memgit.porcelain.joined import How, Joined, Rules
from memgit.porcelain.pushed import Plan, Pushed
from memgit.porcelain.remotes import Remote

TYPE_CHECKING = False
if TYPE_CHECKING:  # most runs find nothing to do, and each import costs start-up time
    from memgit.core.consolidation.report import Report

_ATTEMPTS = 6

Capture = Callable[[], object]  # takes what changed; raises MemgitError


@dataclass(frozen=True, slots=True)
class Synced:
    """What a sync did, or in a dry run would do as far as can be told without asking the remote."""

    remote: str
    branch: RefName
    fetched: int  # commits of the remote that the branch did not have
    joined: Joined
    consolidated: Report | None
    pushed: Pushed | None
    dry_run: bool


def run(
    repo: Repository,
    line: Line,
    plan: Plan,
    rules: Rules,
    capture: Capture,
    wanted: str | None,
    default: str,
    now_s: int,
) -> Synced:
    """Bring the current branch and its remote together.

    Nothing is applied before it is complete, and the remote's branch only moves forward. Raises Conflict where a
    person has to look first, after everything else is done and the raw tip is safe on the remote; Busy if another
    memgit talks to a remote or files are in the way; RemoteFailed, after all local steps.
    """
    if plan.dry_run:
        branch, target = remotes.choose(line.config, repo.current_branch(), wanted, default)
        return _foresee(Remote(repo, line, target, branch, now_s), plan)
    with exchange.begin(repo) as held:
        branch, target = remotes.choose(line.config, held.current_branch(), wanted, default)
        remote = Remote(held, line.of(held.git), target, branch, now_s)
        remote.name_locks()
        transaction.heal(held)
        fetched = 0
        asked = ""
        joined = Joined(How.NOTHING, None, None)
        consolidated = None
        for attempt in range(_ATTEMPTS):
            with remote.line.ask(target) as question:  # the answer is on its way while the rest is done
                if attempt == 0:
                    capture()
                    asked = quiet.asked(remote, plan)
                try:
                    found = remote.heard(question)
                except RemoteFailed:
                    _consolidate(remote, plan)
                    raise
            tip = remote.tip
            if tip is not None:
                remote.refuse_if_rewritten(tip)
            remote.refuse_if_gone(found, plan.create)
            there = remote.tracking if found else None
            if quiet.is_known(remote, quiet.state(remote, asked, tip, there)):
                remote.answered()
                return Synced(target.remote, target.branch, 0, joined, None, None, False)
            if there is not None and there != tip:
                fetched += history.count(held.git, there, [tip] if tip is not None else [])
            step = _join(remote, there, rules, plan, capture)
            joined = step if step.how is not How.NOTHING else joined
            consolidated = _consolidate(remote, plan) or consolidated
            tip = remote.tip
            if tip is None:
                return Synced(target.remote, target.branch, fetched, joined, consolidated, None, False)
            from memgit.porcelain import push

            try:
                pushed = push.send(remote, plan, tip, found)
                if not (pushed.raw_refused or pushed.stopped or pushed.withheld):
                    remote.note(quiet=quiet.state(remote, asked, tip, remote.tracking))
                return Synced(target.remote, target.branch, fetched, joined, consolidated, pushed, False)
            except RemoteFailed as error:
                if error.failure is not Failure.REJECTED or attempt == _ATTEMPTS - 1:
                    raise
                time.sleep(random.uniform(0.05, 0.2) * 2**attempt)  # somebody was faster; not in step with them
    raise AssertionError("unreachable")


def _join(remote: Remote, there: Oid | None, rules: Rules, plan: Plan, capture: Capture) -> Joined:
    tip = remote.tip
    if there is None or there == tip:
        return Joined(How.NOTHING, tip, tip)
    from memgit.porcelain import integrate

    joined = Joined(How.NOTHING, tip, tip)
    for _ in range(_ATTEMPTS):
        people.let_finish(remote.repo, remote.branch)
        with transaction.begin(remote.repo) as change:
            joined = integrate.run(change, remote.branch, there, remote.name, rules, plan.machine, remote.now_s)
        if joined.how is not How.BLOCKED or not all(rules.memory.matches(path) for path in joined.paths):
            break
        capture()  # memory written in the meantime: it becomes one side of the merge
    if joined.how is How.CONFLICT:
        paths = _shown(joined.paths)
        remote.trouble(joined.why, paths)
        _send_raw(remote, plan)
        what = f"{', '.join(paths[:5])}: {joined.why}" if paths else joined.why
        raise Conflict(
            f"{remote.name} can't be joined without a person: {what}.",
            f"Join it by hand: git merge {remote.name}\nCaptures go on, pushing waits; `memgit sync` resumes then.",
        )
    if joined.how is How.BLOCKED:
        paths = _shown(joined.paths)
        remote.trouble("files with changes that are not committed are in the way", paths)
        raise Busy(
            f"{remote.name} changes files that are not committed here, or open in a program: {', '.join(paths[:5])}.",
            "Commit or stash them, then run `memgit sync` again. Nothing was changed.",
        )
    return joined


def _shown(paths: tuple[bytes, ...]) -> tuple[str, ...]:
    return tuple(os.fsdecode(path).encode("utf-8", "backslashreplace").decode() for path in paths)


def _send_raw(remote: Remote, plan: Plan) -> None:
    """Whatever waits for a person, a second disk has it; a failure here is told by the conflict's own exit."""
    tip = remote.tip
    if tip is None:
        return
    from memgit.porcelain import push

    try:
        push.send_raw(remote, plan, tip)
    except RemoteFailed:
        return


def _consolidate(remote: Remote, plan: Plan) -> Report | None:
    if remote.tip is None:
        return None
    from memgit.porcelain import consolidate

    request = Request(branch=remote.branch, open_windows=plan.open_windows)
    report = consolidate.run(remote.repo, plan.policy, plan.workspace, request, remote.now_s)
    return report if report.created or report.dropped else None


def _foresee(remote: Remote, plan: Plan) -> Synced:
    tip, there = remote.tip, remote.tracking
    if tip is None:
        raise MemgitError(f"{remote.branch.removeprefix('refs/heads/')} has no commit yet.")
    from memgit.porcelain import push

    fetched = history.count(remote.repo.git, there, [tip]) if there is not None else 0
    pushed = push.send(remote, plan, tip, there is not None)
    return Synced(
        remote.target.remote, remote.target.branch, fetched, Joined(How.NOTHING, tip, tip), None, pushed, True
    )
