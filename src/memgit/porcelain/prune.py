"""memgit prune: forget operations that are older than the retention."""

from __future__ import annotations

from collections.abc import Sequence

from memgit.core import operations
from memgit.core.objects import Oid, hash_object
from memgit.core.operations import LOG_REF, Operation
from memgit.core.values import dataclass, replace
from memgit.git import refs
from memgit.git.objects import ObjectReader
from memgit.git.refs import RefUpdate
from memgit.git.repository import Repository
from memgit.porcelain import oplog, transaction

ALWAYS_KEPT = 10  # a clock that jumps ahead must not empty the log


@dataclass(frozen=True, slots=True)
class Pruned:
    """Which operations were forgotten, or in a dry run would be."""

    forgotten: tuple[Operation, ...]  # newest first
    kept: int
    dry_run: bool


def run(repo: Repository, keep_s: int, now_s: int, *, dry_run: bool) -> Pruned:
    """Drop entries from the old end of the log. The commits only they held are git's to collect.

    keep_s: age in seconds up to which an entry stays; the newest ten stay whatever their age. A clock that
    is or was wrong never makes an entry older than it is.
    """
    with transaction.begin(repo, only_looks=dry_run) as change, ObjectReader(change.repo.git) as reader:
        tip = refs.resolve(repo.git, LOG_REF)
        log = list(oplog.walk(reader, tip))
        times = _times([operation.time_s for operation in log], now_s)
        kept = next((at for at in range(ALWAYS_KEPT, len(log)) if now_s - times[at] > keep_s), len(log))
        forgotten = tuple(log[kept:])
        if forgotten and not dry_run:
            new_ids: dict[Oid, Oid] = {}
            objects: list[tuple[bytes, bytes]] = []
            previous = None
            for operation in reversed(log[:kept]):
                undoes = new_ids.get(operation.undoes, operation.undoes) if operation.undoes else None
                made = operations.write(replace(operation, undoes=undoes), previous, oplog.created(reader, operation))
                objects += made
                previous = new_ids[operation.oid] = hash_object(*made[-1])
            assert tip is not None
            assert previous is not None
            change.store(list(dict.fromkeys(objects)))
            change.move([RefUpdate(LOG_REF, previous, tip)], f"memgit: prune {len(forgotten)} operations")
    return Pruned(forgotten, kept, dry_run)


def _times(log: Sequence[int], now_s: int) -> list[int]:
    """When entries were made, newest first, as late as they can have been.

    Each came after the ones before it, so one with an earlier time had a clock that ran behind. One from
    the future had a clock that ran ahead: it was made no later than the next one, or now.
    """
    times = [now_s] * len(log)
    latest = min(log, default=0)
    for at in reversed(range(len(log))):  # oldest first
        if log[at] <= now_s:
            latest = times[at] = max(latest, log[at])
    for at in range(1, len(log)):
        if log[at] > now_s:
            times[at] = times[at - 1]
    return times
