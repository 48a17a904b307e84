"""memgit push: send the closed part of the branch, forward only, and the raw tip to a private ref beside it."""

from __future__ import annotations

import os

from memgit.core import retry
from memgit.core.objects import ZERO, Oid, RefName
from memgit.core.retry import Failure
from memgit.core.values import replace
from memgit.core.version import VERSION
from memgit.errors import Conflict, GuardHeld, UsageError
from memgit.git import history, refs
from memgit.git.remote import Answer, Line, RemoteFailed, Update
from memgit.git.repository import Repository
from memgit.porcelain import exchange, offers, outgoing, people, raw, remotes, transaction
from memgit.porcelain.pushed import Plan, Pushed
from memgit.porcelain.remotes import Remote

TYPE_CHECKING = False
if TYPE_CHECKING:  # most runs find nothing to send, and need none of it
    from memgit.porcelain.closed import Closed
    from memgit.porcelain.guard import Found
    from memgit.porcelain.outgoing import Outgoing


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
            people.let_finish(remote.repo, remote.branch)
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
    target = remote.target
    published = remote.tracking if has_branch else None
    ready, going = _ready(remote, plan, tip, published)
    updates = [Update(target.branch, ready.tip)] if ready.tip is not None else []
    kept = raw.Kept(remote, plan.machine, plan.config)
    newest = (going.clean or (None,))[-1] if going.found else tip
    if plan.raw:
        updates += kept.updates(newest if newest not in (ready.tip, published) else None)
    now_there = ready.tip if ready.tip is not None else published
    if plan.dry_run or not updates:
        if not plan.dry_run:
            _settle(remote, tip, now_there, going.found)
        return _report(remote, ready, now_there, kept, going.found, not has_branch, plan.dry_run)
    if ready.tip is not None:
        offers.offer(remote, ready.tip)
    answers = _push(remote, updates)
    kept.answered(answers)
    answer = answers.get(target.branch)
    if answer is not None and answer.failure is not None:
        offers.withdraw(remote)
        remote.failed(answer.failure, retry.reason(answer.said))
        raise RemoteFailed(target.remote, answer.failure, answer.said)
    if ready.tip is not None:
        offers.taken(remote, ready.tip)
    remote.answered()
    _settle(remote, tip, now_there, going.found)
    return _report(remote, ready, now_there, kept, going.found, not has_branch, False)


def _ready(remote: Remote, plan: Plan, tip: Oid, published: Oid | None) -> tuple[Closed, Outgoing]:
    """What of the branch can go: no window is open, and nothing that the guard found is in it."""
    from memgit.porcelain import closed

    repo = remote.repo
    ready = closed.find(
        repo, plan.policy, plan.workspace, tip, published, remote.now_s, everything=plan.open_windows
    )  # fmt: skip
    going = outgoing.look(remote, plan.config, tip, published)
    limit = going.limit(repo, ready.tip)
    if limit != ready.tip:
        hidden = [published] if published is not None else []
        commits = history.count(repo.git, limit, hidden) if limit is not None else 0
        ready = replace(ready, tip=limit, commits=commits, waiting=ready.waiting + ready.commits - commits)
    return ready, going


def send_raw(remote: Remote, plan: Plan, tip: Oid) -> None:
    """Push what this machine keeps there alone, while the branch waits for a person. Raises RemoteFailed, after
    noting it.
    """
    going = outgoing.look(remote, plan.config, tip, remote.tracking)
    kept = raw.Kept(remote, plan.machine, plan.config)
    if updates := kept.updates(going.clean[-1] if going.found and going.clean else None if going.found else tip):
        kept.answered(_push(remote, updates))


def _push(remote: Remote, updates: list[Update]) -> dict[RefName, Answer]:
    try:
        return {answer.ref: answer for answer in remote.line.push(remote.target.remote, updates)}
    except RemoteFailed as error:
        remote.failed(error.failure, error.message)
        raise


def _settle(remote: Remote, tip: Oid, there: Oid | None, found: tuple[Found, ...]) -> None:
    """Note how much is not on the remote's branch, since when, how far the guard has looked, and what it found."""
    unpushed, oldest_s = history.outstanding(remote.repo.git, tip, [there] if there else [])
    commits = tuple(dict.fromkeys((item.commit or ZERO).decode()[:10] for item in found))
    trouble = f"Not sent: secrets in {', '.join(commits[:3])}" if found else ""
    paths = tuple(dict.fromkeys(item.finding.path for item in found))
    scanned = {} if found else {"scanned": f"{VERSION} {tip.decode()}"}
    remote.note(unpushed=unpushed, oldest_s=oldest_s, trouble=trouble, paths=paths, **scanned)


def _report(
    remote: Remote,
    ready: Closed,
    there: Oid | None,
    kept: raw.Kept,
    found: tuple[Found, ...],
    is_new: bool,
    dry_run: bool,
) -> Pushed:
    return Pushed(
        remote.target.remote,
        remote.target.branch,
        there,
        ready.commits,
        ready.waiting,
        kept.tip,
        kept.refused,
        is_new and ready.tip is not None,
        dry_run,
        stopped=found,
    )


def run(repo: Repository, line: Line, plan: Plan, wanted: str | None, default: str, now_s: int) -> Pushed:
    """Push the current branch to its remote.

    Raises UsageError where there is no telling which remote, Conflict where a person has to look first, Busy while
    another memgit talks to a remote, RemoteFailed.
    """
    if plan.dry_run:
        branch, target = remotes.choose(line.config, repo.current_branch(), wanted, default)
        remote = Remote(repo, line, target, branch, now_s)
        return send(remote, plan, _tip(repo, branch), remote.tracking is not None)
    with exchange.begin(repo) as held:
        branch, target = remotes.choose(line.config, held.current_branch(), wanted, default)
        remote = Remote(held, line.of(held.git), target, branch, now_s)
        remote.name_locks()
        transaction.heal(held)
        tip = _tip(held, branch)
        found = remote.fetch()
        remote.refuse_if_rewritten(tip)
        remote.refuse_if_gone(found, plan.create)
        there = remote.tracking if found else None
        if there is not None and history.count(held.git, there, [tip]):
            raise Conflict(
                f"{remote.name} has commits that are not here.", "Join them with `memgit sync`, which pushes, too."
            )
        return send(remote, plan, tip, found)


def _tip(repo: Repository, branch: RefName) -> Oid:
    tip = refs.peek(repo.git, repo.common_dir, branch)
    if tip is None:
        raise UsageError(f"{branch.removeprefix('refs/heads/')} has no commit yet; nothing to push.")
    return tip
