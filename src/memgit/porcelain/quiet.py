"""Whether a branch and its remote have anything to exchange, and asking the remote just that.

Most syncs find nothing to do. What decides it is kept from one that left nothing to do; where it still holds here, a
fetch tells the rest.
"""

from __future__ import annotations

from contextlib import ExitStack

from memgit.core.objects import Oid
from memgit.core.retry import Failure
from memgit.errors import MemgitError
from memgit.git.remote import Line, RemoteFailed
from memgit.git.repository import Repository
from memgit.porcelain import exchange, place, remotes, transaction
from memgit.porcelain.pushed import Plan
from memgit.porcelain.remotes import Remote
from memgit.process import Child

_QUARTER_S = 900  # all time zones are apart by quarters of an hour, and no window ends in the middle of one


def asked(remote: Remote, plan: Plan) -> str:
    """What is asked for: all settings, for any of them may decide whether there is anything to do."""
    import hashlib  # costs time to load, which goes by while the remote thinks

    text = repr((plan, remote.branch))
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def state(remote: Remote, wanted: str, tip: Oid | None, there: Oid | None) -> str:
    """What decides whether there is anything to do: both tips, what is captured aside, what is asked for, and where
    something waits for its window to end, the time.
    """
    aside = [oid for _, oid in place.waiting(remote.repo, remote.branch)]
    words = [oid.decode() if oid is not None else "-" for oid in (tip, there, *aside)]
    return " ".join([*words, wanted, *([str(remote.now_s // _QUARTER_S)] if tip != there else [])])


def is_known(remote: Remote, found: str) -> bool:
    """Whether the last sync left nothing to do in this very state, and no person has been asked to look since."""
    known = remote.outbox.branch(remote.target.remote, remote.target.branch)
    return known.quiet == found and not known.trouble


class Question:
    """Whether the remote has news, asked by a fetch that goes on beside us; to be ended by `answer` or `stop`."""

    def __init__(self, held: ExitStack, remote: Remote, wanted: str, child: Child) -> None:
        self._held = held
        self._remote = remote
        self._wanted = wanted
        self._child = child

    @property
    def handle(self) -> int | None:
        """Becomes readable when the remote has answered, where the system has such a thing."""
        return self._child.handle

    @property
    def is_running(self) -> bool:
        """Whether the answer is not there yet, and worth waiting for."""
        return self._child.is_running and self._remote.line.may_wait(self._child)

    def terminate(self) -> None:
        """Ask the fetch to end."""
        self._child.terminate()

    def stop(self) -> None:
        """End it."""
        self._held.close()

    def answer(self) -> bool:
        """Whether all is quiet, which is noted. False where a sync has to find out. Raises RemoteFailed, after noting
        it.
        """
        remote = self._remote
        with self._held:
            try:
                found = remote.line.heard(remote.target, self._child)
            except RemoteFailed as error:
                if error.failure is Failure.REJECTED:
                    return False
                remote.failed(error.failure, error.message)
                raise
            is_quiet = found and is_known(remote, state(remote, self._wanted, remote.tip, remote.tracking))
            if is_quiet:
                remote.answered()
            return is_quiet


def ask(repo: Repository, line: Line, plan: Plan, default: str, now_s: int) -> Question | None:
    """Ask the remote of the current branch; None where there is something to do here already, or in the way."""
    with ExitStack() as held:
        try:
            ours = held.enter_context(exchange.begin(repo))
            branch, target = remotes.choose(line.config, ours.current_branch(), None, default)
            remote = Remote(ours, line.of(ours.git), target, branch, now_s)
            wanted = asked(remote, plan)
            if not is_known(remote, state(remote, wanted, remote.tip, remote.tracking)):
                return None
            remote.name_locks()
            transaction.heal(ours)
            child = held.enter_context(remote.line.ask(target))
            return Question(held.pop_all(), remote, wanted, child)
        except (MemgitError, OSError):
            return None
