"""A branch and its remote: which one that is, all that is known of both, and where a person has to look first."""

from __future__ import annotations

import random

from memgit.core import retry
from memgit.core.objects import ZERO, Oid, RefName
from memgit.core.retry import Failure
from memgit.errors import Conflict, UsageError
from memgit.git import history, refs
from memgit.git.refs import RefUpdate
from memgit.git.remote import Config, Line, RemoteFailed, Target, remotes_of, target_of
from memgit.git.repository import Repository
from memgit.porcelain import exchange, outbox
from memgit.porcelain.outbox import Outbox
from memgit.process import Child

OFFERED = "refs/memgit/offered/"
REWRITTEN = "refs/memgit/rewritten/"
_MAY_STILL_BE_TAKEN_S = 600  # a remote may go on with a push for a while after the line broke


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

    def name_locks(self) -> None:
        """Write down which locks an exchange may take, for whoever finds them after a crash. Before anything moves."""
        tracking = self.target.tracking
        moved = (tracking, tracking.rpartition("/")[0] + "/HEAD", self.offered_ref, self.rewritten_ref)
        exchange.name_locks(self.repo, moved)

    @property
    def tip(self) -> Oid | None:
        """Where the branch is here."""
        return refs.peek(self.repo.git, self.repo.common_dir, self.branch)

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
        with self.line.ask(self.target) as question:
            return self.heard(question)

    def heard(self, question: Child) -> bool:
        """The same, where the line was asked before."""
        try:
            found = self.line.heard(self.target, question)
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


def choose(config: Config, branch: RefName | None, wanted: str | None, default: str) -> tuple[RefName, Target]:
    """The branch and its remote. Raises UsageError if there is no telling."""
    if branch is None:
        raise UsageError("HEAD is detached, so there is no branch to exchange.", "Switch to a branch first.")
    target = target_of(config, branch, wanted)
    if target is None and wanted is None:
        target = target_of(config, branch, default)
    if target is None:
        remotes = remotes_of(config)
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
