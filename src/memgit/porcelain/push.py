"""memgit push: send the closed part of the branch, forward only, and the raw tip to a private ref beside it.

What is about to be offered is written down before: a push whose answer got lost may have been taken, and what may
have been taken is never rewritten.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator
from contextlib import contextmanager

from memgit.core import retry
from memgit.core.consolidation.policy import Policy
from memgit.core.objects import ZERO, Oid, RefName
from memgit.core.retry import Failure
from memgit.core.values import dataclass, replace
from memgit.errors import Conflict, GuardHeld, UsageError
from memgit.git import history, leftovers, refs
from memgit.git.command import Git
from memgit.git.refs import RefUpdate
from memgit.git.remote import Answer, Config, Line, RemoteFailed, Target, Update, target_of
from memgit.git.repository import Repository
from memgit.host import files
from memgit.host.lock import Lock
from memgit.porcelain import outbox, people, transaction
from memgit.porcelain.outbox import Outbox

TYPE_CHECKING = False
if TYPE_CHECKING:  # most runs find nothing to send, and need none of it
    from memgit.porcelain.closed import Closed

OFFERED = "refs/memgit/offered/"
REWRITTEN = "refs/memgit/rewritten/"


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


class Remote:
    """A branch, its remote, and what is known of both."""

    def __init__(self, repo: Repository, line: Line, target: Target, branch: RefName, now_s: int) -> None:
        self.repo = repo
        self.line = line
        self.target = target
        self.branch = branch
        self.now_s = now_s
        self.outbox = outbox.load(repo)
        self.name = f"{target.remote}/{target.branch.removeprefix('refs/heads/')}"
        _name_locks(self)

    @property
    def tracking(self) -> Oid | None:
        """Where the remote's branch was when we last heard of it."""
        return refs.peek(self.repo.git, self.repo.common_dir, self.target.tracking)

    @property
    def offered_ref(self) -> RefName:
        """Where the tip stands that was last offered and may have been taken."""
        return f"{OFFERED}{self.target.remote}/{self.target.branch.removeprefix('refs/heads/')}"

    @property
    def rewritten_ref(self) -> RefName:
        """Where the remote's branch was before somebody rewrote it."""
        return f"{REWRITTEN}{self.target.remote}/{self.target.branch.removeprefix('refs/heads/')}"

    def fetch(self) -> bool:
        """Hear where the remote's branch is; False if there is none. Raises RemoteFailed, after noting it."""
        try:
            found = self.line.fetch(self.target)
        except RemoteFailed as error:
            if error.failure is not Failure.REJECTED:
                self.failed(error.failure, error.message)
                raise
            self._keep_rewritten()
            found = self.line.fetch(self.target, forced=True)
        self._forget_offer(self.tracking if found else None)
        return found

    def _keep_rewritten(self) -> None:
        was = self.tracking
        if was is not None:
            known = refs.peek(self.repo.git, self.repo.common_dir, self.rewritten_ref)
            if known is None:
                refs.move(self.repo.git, [RefUpdate(self.rewritten_ref, was, ZERO)], "memgit: the remote was rewritten")

    def refuse_if_rewritten(self, tip: Oid) -> None:
        """Raise Conflict while the remote's new history has not been looked at by a person."""
        was = refs.peek(self.repo.git, self.repo.common_dir, self.rewritten_ref)
        if was is None:
            return
        now = self.tracking
        if now is not None and not history.count(self.repo.git, now, [tip]):
            refs.move(self.repo.git, [RefUpdate(self.rewritten_ref, ZERO, was)], "memgit: the rewrite was taken in")
            return
        why = f"somebody rewrote {self.name}"
        self.trouble(why)
        raise Conflict(
            f"{self.name} was rewritten: it no longer contains {was.decode()[:10]}.",
            f"To keep both sides: git merge {self.name}\nTo take the remote's: git reset --keep {self.name}\n"
            "Captures go on; `memgit sync` resumes after either.",
        )

    def refuse_if_gone(self, found: bool, create: bool) -> None:
        """Raise Conflict if the remote's branch was there before and no longer is."""
        was = self.tracking
        if found or create or was is None:
            return
        self.trouble(f"{self.name} was deleted on the remote")
        raise Conflict(
            f"{self.name} was deleted on the remote.",
            "To make it anew: memgit push --create\nTo follow another branch: git branch --set-upstream-to=...",
        )

    def _forget_offer(self, now: Oid | None) -> None:
        """An offer that the remote shows it has, or after a while shows it has not, needs no keeping."""
        offered = refs.peek(self.repo.git, self.repo.common_dir, self.offered_ref)
        if offered is None:
            return
        has = now is not None and not history.count(self.repo.git, offered, [now])
        offered_s = self.outbox.branch(self.target.remote, self.target.branch).offered_s or 0
        if has or not 0 <= self.now_s - offered_s < _MAY_STILL_BE_TAKEN_S:
            refs.move(self.repo.git, [RefUpdate(self.offered_ref, ZERO, offered)], "memgit: the offer is settled")

    def failed(self, failure: Failure, message: str) -> None:
        """Note a failure and when to try again."""
        before = self.outbox.of(self.target.remote)
        after = retry.failed(before, failure, message, self.now_s, random.random())
        self.keep(self.outbox.with_backoff(self.target.remote, after))

    def answered(self) -> None:
        """Note that the remote is well."""
        self.keep(self.outbox.with_backoff(self.target.remote, retry.Backoff()))

    def trouble(self, why: str, paths: tuple[str, ...] = ()) -> None:
        """Note that a person is needed, or with an empty text no longer is."""
        self.note(trouble=why, paths=paths)

    def note(self, **changes: object) -> None:
        """Note facts of the branch."""
        self.keep(self.outbox.with_branch(self.target.remote, self.target.branch, **changes))

    def keep(self, changed: Outbox) -> None:
        """Write the outbox if it is another."""
        if changed != self.outbox:
            self.outbox = changed
            outbox.save(self.repo, changed)


_MAY_STILL_BE_TAKEN_S = 600  # a remote may go on with a push for a while after the line broke


@contextmanager
def exchange(repo: Repository) -> Iterator[Repository]:
    """The right to talk to the remotes of a repository; local work goes on meanwhile. Raises Busy.

    The lock lives as long as any program started under it, so that no two talk to one remote, and whoever gets it
    knows that locks which the last exchange named, and left, are nobody's any more.
    """
    with Lock(os.path.join(repo.private_dir, "exchange"), timeout_s=0) as lock:
        _clear(repo)
        try:
            yield replace(repo, git=Git(repo.git.directory, repo.git.git_dir, (lock.fd,)))
        finally:
            _clear(repo)


def _journal(repo: Repository) -> str:
    return os.path.join(repo.private_dir, "exchange", "journal.json")


def _name_locks(remote: Remote) -> None:
    """Write down which locks git may take in this exchange; not flushed, for a power cut takes young locks, too."""
    tracking = remote.target.tracking
    refs_moved = (tracking, tracking.rpartition("/")[0] + "/HEAD", remote.offered_ref, remote.rewritten_ref)
    names = [f"{ref}.lock" for ref in refs_moved] + ["packed-refs.lock", "shallow.lock", "config.lock"]
    files.replace(_journal(remote.repo), json.dumps({"schema": 1, "locks": names}).encode(), flush=False)


def _clear(repo: Repository) -> None:
    """Take away the locks that a killed git of ours left."""
    journal = _journal(repo)
    content = files.read(journal)
    if content is None:
        return
    try:
        names = [str(name) for name in json.loads(content)["locks"]]
    except (ValueError, KeyError, TypeError):
        names = []
    leftovers.clear_files([os.path.join(repo.common_dir, name) for name in names], os.stat(journal).st_mtime)
    os.unlink(journal)


def choose(config: Config, branch: RefName | None, wanted: str | None, default: str) -> tuple[RefName, Target]:
    """The branch and its remote. Raises UsageError if there is no telling."""
    if branch is None:
        raise UsageError("HEAD is detached, so there is no branch to exchange.", "Switch to a branch first.")
    target = target_of(config, branch, wanted)
    if target is None and wanted is None:
        target = target_of(config, branch, default)
    if target is None:
        remotes = sorted({key[7:-4] for key in config if key.startswith("remote.") and key.endswith(".url")})
        name = branch.removeprefix("refs/heads/")
        if wanted is not None:
            raise UsageError(f"There is no remote {wanted}.", f"There is: {', '.join(remotes) or 'none'}.")
        if not remotes:
            raise UsageError("This repository has no remote.", "Add one with: git remote add origin URL")
        raise UsageError(
            f"{name} has no upstream, and there are several remotes: {', '.join(remotes)}.",
            f"Say which with --remote, or once and for all: git config branch.{name}.remote {remotes[0]}",
        )
    return branch, target


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
        _offer(remote, ready.tip)
    answers = {answer.ref: answer for answer in _push(remote, updates)}
    raw, refused = known.raw, ""
    if (answer := answers.get(raw_ref)) is not None:
        raw, refused = _raw_answer(remote, raw_ref, tip, answer)
    answer = answers.get(target.branch)
    if answer is not None and answer.failure is not None:
        _withdraw(remote)
        remote.failed(answer.failure, retry.reason(answer.said))
        raise RemoteFailed(target.remote, answer.failure, answer.said)
    if ready.tip is not None:
        _taken(remote, ready.tip)
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


def _offer(remote: Remote, tip: Oid) -> None:
    """Write down, flushed, what is about to be sent; an earlier offer that is not below it stays beside it."""
    git, common = remote.repo.git, remote.repo.common_dir
    before = refs.peek(git, common, remote.offered_ref)
    updates = []
    if before is not None and before != tip and history.count(git, before, [tip]):
        beside = f"{OFFERED}{remote.target.remote}.{before.decode()[:10]}/{remote.target.branch[11:]}"
        if refs.peek(git, common, beside) is None:
            updates.append(RefUpdate(beside, before, ZERO))
    if before != tip:
        updates.append(RefUpdate(remote.offered_ref, tip, before or ZERO))
    if updates:
        refs.move(git, updates, "memgit: about to be offered")
        refs.flush_directories(common, [update.ref for update in updates])
    remote.note(offered_s=remote.now_s)


def _withdraw(remote: Remote) -> None:
    """The remote said no, so it does not have what was offered."""
    offered = refs.peek(remote.repo.git, remote.repo.common_dir, remote.offered_ref)
    if offered is not None:
        refs.move(remote.repo.git, [RefUpdate(remote.offered_ref, ZERO, offered)], "memgit: the offer was refused")


def _taken(remote: Remote, tip: Oid) -> None:
    """The remote has it: the tracking ref says so, and the offer is settled."""
    git, common = remote.repo.git, remote.repo.common_dir
    updates = []
    tracking = remote.tracking
    if tracking != tip:
        updates.append(RefUpdate(remote.target.tracking, tip, tracking or ZERO))
    offered = refs.peek(git, common, remote.offered_ref)
    if offered is not None:
        updates.append(RefUpdate(remote.offered_ref, ZERO, offered))
    if updates:
        refs.move(git, updates, "memgit: pushed")
    remote.note(pushed=tip, pushed_s=remote.now_s)
    if not remote.target.is_upstream and not remote.repo.config().get(_branch_key(remote.branch)):
        name = remote.branch.removeprefix("refs/heads/")
        git.run("config", f"branch.{name}.remote", remote.target.remote)
        git.run("config", f"branch.{name}.merge", remote.target.branch)


def _branch_key(branch: RefName) -> str:
    return f"branch.{branch.removeprefix('refs/heads/')}.merge"


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
    with exchange(repo) as held:
        branch, target = choose(line.config, held.current_branch(), wanted, default)
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
