"""The guard before a push: every commit that is about to leave is looked at, people's own included.

A commit with a secret stays here, and so does all that stands on it; what stands before it may go. Nothing is
rewritten: whose commit it is decides.
"""

from __future__ import annotations

from collections.abc import Mapping

from memgit.core.objects import Oid
from memgit.core.settings import Config
from memgit.core.values import dataclass
from memgit.core.version import VERSION
from memgit.git import history, refs
from memgit.git.repository import Repository
from memgit.porcelain.remotes import Remote

TYPE_CHECKING = False
if TYPE_CHECKING:  # its rules take time to compile; a push that sends nothing needs none
    from memgit.porcelain.guard import Found


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What would leave. found: what must not. clean: commits with nothing found in or below them, oldest first; ready:
    those of them that stand on what is published.
    """

    found: tuple[Found, ...]
    clean: tuple[Oid, ...]
    ready: tuple[Oid, ...]

    def limit(self, repo: Repository, tip: Oid | None) -> Oid | None:
        """The newest commit up to `tip` that the remote's branch may move to."""
        if tip is None or not self.found or tip in self.ready:
            return tip
        below = frozenset(history.oldest_first(repo.git, tip, []))
        return next((oid for oid in reversed(self.ready) if oid in below), None)


def look(remote: Remote, config: Config, tip: Oid, published: Oid | None) -> Outgoing:
    """Look at the commits up to `tip` that the remote does not have; what was clean before is not read again."""
    repo = remote.repo
    commits = history.graph(repo.git, tip, [published] if published is not None else [])
    version, _, seen = remote.outbox.branch(remote.target.remote, remote.target.branch).scanned.partition(" ")
    before = refs.resolve(repo.git, seen) if seen and version == VERSION else None  # it may be gone since
    known = [oid for oid in (published, before) if oid is not None] + _there(remote)
    unread = frozenset(history.oldest_first(repo.git, tip, known))
    found = scan(repo, config, {oid: len(parents) for oid, parents in commits if oid in unread})
    bad = {item.commit for item in found}
    inside = {oid for oid, _ in commits}
    clean: dict[Oid, None] = {}
    ready: dict[Oid, None] = {}
    for oid, parents in commits:
        if oid not in bad and all(parent in clean or parent not in inside for parent in parents):
            clean[oid] = None
            if published is None or any(parent == published or parent in ready for parent in parents):
                ready[oid] = None
    return Outgoing(found, tuple(clean), tuple(ready))


def scan(repo: Repository, config: Config, parents: Mapping[Oid, int]) -> tuple[Found, ...]:
    """Secrets that these commits bring. parents: how many each has."""
    if not parents:
        return ()
    from memgit.porcelain.guard import Guard

    return Guard(repo, config).scan_commits(parents)


def _there(remote: Remote) -> list[Oid]:
    """What other branches of the same remote hold, it has."""
    prefix = remote.target.tracking.rpartition("/")[0] + "/"
    return [ref.peeled for ref in refs.read_all(remote.repo.git) if ref.name.startswith(prefix)]
