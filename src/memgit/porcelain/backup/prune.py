"""memgit backup prune: let old snapshots go, after the newest one was proven."""

from __future__ import annotations

from memgit.core.backup import retention
from memgit.core.backup.names import made_s
from memgit.core.backup.retention import Keep, Snapshot, Verdict
from memgit.core.setting_rows import Target
from memgit.core.values import dataclass
from memgit.errors import MemgitError
from memgit.git.repository import Repository
from memgit.host.lock import Lock
from memgit.porcelain.backup import check
from memgit.porcelain.backup.target import Memo


@dataclass(frozen=True, slots=True)
class Pruned:
    """Which snapshots went, or in a dry run would go, and why the others stay."""

    target: str
    gone: tuple[str, ...]  # newest first
    kept: tuple[Verdict, ...]
    dry_run: bool


def run(repo: Repository, target: Target, now_s: int, *, dry_run: bool) -> Pruned:
    """Apply the retention of a target. Raises MemgitError, and removes nothing, if the newest snapshot is not sound."""
    with Lock(Memo(repo, target).directory, only_looks=dry_run):
        place = check.reach(repo, target)
        snapshots = [
            Snapshot(item.name, begun, item.complete is not None)
            for item in place.generations()
            if (begun := made_s(item.name)) is not None
        ]
        verdicts = retention.decide(snapshots, Keep(*target.keep), now_s)
        gone = tuple(verdict.snapshot.name for verdict in verdicts if not verdict.stays)
        kept = tuple(verdict for verdict in verdicts if verdict.stays)
        if dry_run:
            return Pruned(target.name, gone, kept, dry_run)
        if gone:
            held = check.choose(place, None)
            problems = check.check_held(target, place, held).problems
            if problems:
                raise MemgitError(
                    f"The newest snapshot {held.name} has {len(problems):,} damaged files, so none goes.",
                    f"`memgit backup verify {target.name}` names them; `memgit backup run` makes a new one.",
                )
        place.remove(gone)
    return Pruned(target.name, gone, kept, dry_run)
