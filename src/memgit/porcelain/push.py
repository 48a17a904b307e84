"""memgit push: send the closed part of the branch, forward only, and the raw tip to a private ref beside it."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace

from memgit.core import retry
from memgit.core.consolidation.policy import Policy
from memgit.core.objects import ZERO, Oid, RefName
from memgit.core.retry import Failure
from memgit.errors import Conflict, GuardHeld, UsageError
from memgit.git import history, refs
from memgit.git.remote import Answer, Line, RemoteFailed, Update
from memgit.git.repository import Repository
from memgit.porcelain import exchange, offers, remotes, transaction
from memgit.porcelain.remotes import Remote

TYPE_CHECKING = False
if TYPE_CHECKING:  # most runs find nothing to send, and need none of it
    from memgit.porcelain.closed import Closed


@dataclass(frozen=True, slots=True)
class Plan:
    """What a push is asked to do. create: make a branch that is gone on the remote anew."""

    policy: Policy
    workspace: bytes
    machine: str
    open_windows: bool = False
    raw: bool = True
    create: bool = False
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Pushed:
    """What a push did, or in a dry run would do."""

    remote: str
    branch: RefName  # on the remote
    tip: Oid | None  # what the remote's branch is now; None if it has none
    sent: int  # commits
    waiting: int  # commits of windows that are still open
    raw: Oid | None  # on the private ref
    raw_refused: str  # why the remote did not take the private ref
    is_new: bool  # the branch was not there before
    dry_run: bool
    withheld: tuple[str, ...] = ()  # files the remote refused for a secret in them; held from now on


def send(remote: Remote, plan: Plan, tip: Oid, has_branch: bool) -> Pushed:
    """Push. has_branch: whether the remote has the branch. Raises RemoteFailed, after noting it.

    Where the remote names files with secrets in them, they are withheld and the rest is sent.
    """
    withheld: list[str] = []
    for _ in range(_REFUSALS):
        try:
            return replace(_send(remote, plan, tip, has_branch), withheld=tuple(withheld))
        except RemoteFailed as error:
            places = retry.secret_locations(error.said) if error.failure is Failure.SECRET else ()
            if not places:
                raise
            from memgit.porcelain import withheld as withholding

            published = remote.tracking if has_branch else None
            with transaction.begin(remote.repo) as change:
                paths = withholding.take_out(change, remote.branch, published, places, remote.now_s)
            if not paths:
                raise
            withheld += [os.fsdecode(path) for path in paths]
            tip = refs.peek(remote.repo.git, remote.repo.common_dir, remote.branch) or tip
    raise GuardHeld(
        f"{remote.name} finds secrets in ever more files: {', '.join(withheld[:5])}.",
        "Take them out, and change them where they are in use.",
    )


_REFUSALS = 5


def _send(remote: Remote, plan: Plan, tip: Oid, has_branch: bool) -> Pushed:
    from memgit.porcelain import closed

    repo, target = remote.repo, remote.target
    published = remote.tracking if has_branch else None
    ready = closed.find(
        repo, plan.policy, plan.workspace, tip, published, remote.now_s, everything=plan.open_windows
    )  # fmt: skip
    known = remote.outbox.branch(target.remote, target.branch)
    updates = [Update(target.branch, ready.tip)] if ready.tip is not None else []
    raw_ref = raw_ref_of(remote, plan.machine)
    if plan.raw and tip not in (ready.tip, published, known.raw):
        updates.append(_raw_update(remote, raw_ref, tip))
    now_there = ready.tip if ready.tip is not None else published
    if plan.dry_run or not updates:
        if not plan.dry_run:
            _settle(remote, tip, now_there)
        return _report(remote, ready, now_there, known.raw, "", not has_branch, plan.dry_run)
    if ready.tip is not None:
        offers.offer(remote, ready.tip)
    answers = {answer.ref: answer for answer in _push(remote, updates)}
    raw, refused = known.raw, ""
    if (answer := answers.get(raw_ref)) is not None:
        raw, refused = _raw_answer(remote, raw_ref, tip, answer)
    answer = answers.get(target.branch)
    if answer is not None and answer.failure is not None:
        offers.withdraw(remote)
        remote.failed(answer.failure, retry.reason(answer.said))
        raise RemoteFailed(target.remote, answer.failure, answer.said)
    if ready.tip is not None:
        offers.taken(remote, ready.tip)
    remote.answered()
    _settle(remote, tip, now_there)
    return _report(remote, ready, now_there, raw, refused, not has_branch, False)


def send_raw(remote: Remote, machine: str, tip: Oid) -> None:
    """Push the raw tip alone, while the branch waits for a person. Raises RemoteFailed, after noting it."""
    known = remote.outbox.branch(remote.target.remote, remote.target.branch)
    if tip != known.raw:
        raw_ref = raw_ref_of(remote, machine)
        (answer,) = _push(remote, [_raw_update(remote, raw_ref, tip)])
        _raw_answer(remote, raw_ref, tip, answer)


def raw_ref_of(remote: Remote, machine: str) -> RefName:
    """Where this machine's raw tip stands on the remote."""
    return f"refs/memgit/raw/{machine}/{remote.branch.removeprefix('refs/heads/')}"


def _raw_update(remote: Remote, raw_ref: RefName, tip: Oid) -> Update:
    known = remote.outbox.branch(remote.target.remote, remote.target.branch)
    return Update(raw_ref, tip, known.raw if known.raw is not None and known.raw_ref == raw_ref else ZERO)


def _push(remote: Remote, updates: list[Update]) -> tuple[Answer, ...]:
    try:
        return remote.line.push(remote.target.remote, updates)
    except RemoteFailed as error:
        remote.failed(error.failure, error.message)
        raise


def _raw_answer(remote: Remote, raw_ref: RefName, tip: Oid, answer: Answer) -> tuple[Oid | None, str]:
    """Where the private ref is now, and why it could not be moved."""
    if answer.failure is None:
        remote.note(raw=tip, raw_ref=raw_ref)
        return tip, ""
    if answer.failure is not Failure.REJECTED:
        return None, retry.reason(answer.said)
    # Moved without our knowing: by a run that was killed before it could note it, or by a machine of the same name.
    there = remote.line.read(remote.target.remote, raw_ref)
    if there is not None and not refs.resolve(remote.repo.git, there.decode()):
        return there, "another machine of this name uses it; set MEMGIT_MACHINE to tell them apart"
    again = remote.line.push(remote.target.remote, [Update(raw_ref, tip, there or ZERO)])[0]
    if again.failure is None:
        remote.note(raw=tip, raw_ref=raw_ref)
        return tip, ""
    return there, retry.reason(again.said)


def _settle(remote: Remote, tip: Oid, there: Oid | None) -> None:
    """Note how much is not on the remote's branch, and since when."""
    unpushed, oldest_s = history.outstanding(remote.repo.git, tip, [there] if there else [])
    remote.note(unpushed=unpushed, oldest_s=oldest_s, trouble="", paths=())


def _report(
    remote: Remote, ready: Closed, there: Oid | None, raw: Oid | None, refused: str, is_new: bool, dry_run: bool
) -> Pushed:
    return Pushed(
        remote.target.remote,
        remote.target.branch,
        there,
        ready.commits,
        ready.waiting,
        raw,
        refused,
        is_new and ready.tip is not None,
        dry_run,
    )


def run(repo: Repository, line: Line, plan: Plan, wanted: str | None, default: str, now_s: int) -> Pushed:
    """Push the current branch to its remote.

    Raises UsageError where there is no telling which remote, Conflict where a person has to look first, Busy while
    another memgit talks to a remote, RemoteFailed.
    """
    with exchange.begin(repo) as held:
        branch, target = remotes.choose(line.config, held.current_branch(), wanted, default)
        remote = Remote(held, line.of(held.git), target, branch, now_s)
        transaction.heal(held)
        tip = refs.peek(held.git, held.common_dir, branch)
        if tip is None:
            raise UsageError(f"{branch.removeprefix('refs/heads/')} has no commit yet; nothing to push.")
        if plan.dry_run:
            return send(remote, plan, tip, remote.tracking is not None)
        found = remote.fetch()
        remote.refuse_if_rewritten(tip)
        remote.refuse_if_gone(found, plan.create)
        there = remote.tracking if found else None
        if there is not None and history.count(held.git, there, [tip]):
            raise Conflict(
                f"{remote.name} has commits that are not here.", "Join them with `memgit sync`, which pushes, too."
            )
        return send(remote, plan, tip, found)
