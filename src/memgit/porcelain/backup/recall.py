"""memgit backup restore into the workspace: what is there is captured first, and the result is a commit to undo."""

from __future__ import annotations

import os
from collections.abc import Iterable

from memgit.core.backup import manifest
from memgit.core.objects import Oid
from memgit.core.setting_rows import Target
from memgit.core.values import dataclass
from memgit.errors import UsageError
from memgit.host.place import Advance
from memgit.porcelain import commit
from memgit.porcelain.backup import check, restore
from memgit.porcelain.backup.restore import Restored
from memgit.porcelain.backup.target import Memo
from memgit.porcelain.commit import Request
from memgit.porcelain.restore import Site, capture_first

_BEGUN = "restoring"  # the files that a restore began to write; one that was killed is committed by the next


@dataclass(frozen=True, slots=True)
class Recalled:
    """What came back, and the commit that says so; None where nothing had to be written."""

    restored: Restored
    commit: Oid | None
    operation: Oid | None  # takes it back


def run(
    where: Site,
    target: Target,
    name: str | None,
    paths: Iterable[bytes],
    *,
    dry_run: bool,
    advance: Advance = lambda count: None,
) -> Recalled:
    """Bring memory files of a snapshot back into the workspace. paths: relative to it; none for all.

    Files that the snapshot does not have stay. Raises GuardHeld if what is there now can't be captured first, and what
    `restore.into` raises; nothing is written then.
    """
    repo = where.repo
    if repo.work_tree is None:
        raise UsageError("A bare repository has no workspace to restore into.", "Name a directory with --to.")
    place = check.reach(repo, target)
    held = check.choose(place, name)
    to = os.path.join(repo.work_tree, os.fsdecode(where.workspace))
    scratch = os.path.join(Memo(repo, target).directory, "fetched", held.name)
    wanted = tuple(paths)
    planned = restore.into(place, held, wanted, to, scratch, dry_run=True)
    chosen = restore.select(held, wanted)
    new = {*planned.created, *planned.replaced}
    memo = Memo(repo, target)
    begun = [manifest.unquote(path.encode()) for path in (memo.get(_BEGUN) or "").split()]
    brought = sorted({*new, *(path for path in begun if path in chosen)})
    if dry_run or not brought:
        return Recalled(planned, None, None)
    if new:
        capture_first(where, tuple(where.workspace + path for path in sorted(new)))
        memo.set(**{_BEGUN: " ".join(manifest.quote(path).decode() for path in brought)})
    done = restore.into(place, held, wanted, to, scratch, replace=True, advance=advance)
    count = f"{len(brought):,} file{'' if len(brought) == 1 else 's'}"
    request = Request(
        paths=tuple(where.workspace + path for path in brought),
        message=f"restore: {count} from {held.name} of {target.name}",
        machine=where.machine,
        confirm_deletions=True,
        operation="restore",
    )
    made = commit.run(repo, where.config, where.workspace, where.version, request, where.now_s)
    memo.set(**{_BEGUN: None})
    return Recalled(done, made.commit, made.operation)
