"""memgit commit: one auto-commit of the changed memory files, and never a lost change where the branch can't move."""

from __future__ import annotations

import os
import time

from memgit.core.objects import Oid, RefName
from memgit.core.settings import Config
from memgit.core.values import dataclass
from memgit.errors import Busy, RefMoved, UsageError
from memgit.git.repository import Repository
from memgit.host import scan
from memgit.host.scan import Scan, Skipped
from memgit.porcelain import memo, place, transaction
from memgit.porcelain.memo import Memo
from memgit.porcelain.place import Place
from memgit.porcelain.transaction import Transaction

TYPE_CHECKING = False
if TYPE_CHECKING:  # not needed where nothing has changed
    from memgit.core.capture import Counted, Held

_ATTEMPTS = 5
_PAUSE_S = 0.05


@dataclass(frozen=True, slots=True)
class Request:
    """What the caller asks of one run."""

    paths: tuple[bytes, ...] = ()  # of the repository; empty for all memory files
    message: str | None = None
    machine: str = ""
    agent: str | None = None
    session: str | None = None
    confirm_deletions: bool = False
    dry_run: bool = False
    operation: str | None = None  # the kind under which it is entered in the operation log; a plain capture is not
    undoes: Oid | None = None
    over: frozenset[int] = frozenset()  # processes whose `git commit` is made: we are one of its last hooks


@dataclass(frozen=True, slots=True)
class Report:
    """What a capture did, or in a dry run would do."""

    ref: RefName | None  # where it went: the branch, or its stand-in
    old_tip: Oid | None
    commit: Oid | None  # None where nothing was to be captured
    why: str | None  # why it did not go to the branch
    needs_repair: bool = False  # ... which does not pass by itself
    files: tuple[Counted, ...] = ()
    held: tuple[Held, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    unfinished: tuple[bytes, ...] = ()  # being written; the rest of them comes with a later capture
    kept_staged: tuple[bytes, ...] = ()  # the user staged another version, which stays staged
    folded: tuple[RefName, ...] = ()  # private refs whose content is on the branch now
    set_aside: tuple[tuple[bytes, Oid], ...] = ()  # captured states the work tree no longer has, and where they are
    operation: Oid | None = None  # the entry in the log, where there is one
    dry_run: bool = False


def run(repo: Repository, config: Config, workspace: bytes, version: str, request: Request, now_s: int) -> Report:
    """Capture the memory files that changed since the commit that is checked out.

    workspace: the memory's root below the repository's, "" or ending in a slash. version: of memgit, since
    another one may judge files differently. Starts over if somebody commits meanwhile, a few times.
    """
    if repo.work_tree is None:
        raise UsageError("A bare repository has no files to capture.", "Run this in a work tree.")
    if request.dry_run:
        return _look(Transaction(repo), config, workspace, version, request, now_s, None)
    why = None
    for attempt in range(_ATTEMPTS):
        try:
            with transaction.begin(repo) as change:
                return _look(change, config, workspace, version, request, now_s, why)
        except RefMoved as moved:
            if attempt == _ATTEMPTS - 2:
                why = f"{moved.ref} keeps moving"
            time.sleep(_PAUSE_S)
    raise Busy("The branch keeps moving.", "Nothing was changed; run the command again.")


def _look(
    change: Transaction,
    config: Config,
    workspace: bytes,
    version: str,
    request: Request,
    now_s: int,
    why: str | None,
) -> Report:
    """See whether anything has changed; only then load what it takes to capture it. why: not on the branch."""
    repo = change.repo
    assert repo.work_tree is not None
    patterns = config.memory.patterns().under(workspace)
    where = place.choose(repo, config.capture.exclude_branches)
    if where.is_branch and (why or change.is_owing):
        where = place.aside(repo, where, why)
    found = scan.walk(os.fsencode(repo.work_tree), patterns, nested=config.capture.nested == "include")
    known = memo.recall(repo, memo.policy_of(repo, config, workspace, version))
    to_fold = place.waiting(repo, where.ref) if where.is_branch else ()
    if known.tip and known.ref == where.ref and known.tip != memo.text_of(where.tip) and not request.dry_run:
        from memgit.porcelain import discarded

        discarded.keep(change, where.ref, known.tip.encode(), where.tip, now_s)
    if not to_fold and _is_quiet(known, where, found, request):
        return Report(where.ref, where.tip, None, where.why, held=known.held, skipped=found.skipped)
    from memgit.porcelain.capturing import Capturing

    return Capturing(change, config, patterns, request, now_s, where, to_fold).carry_out(found, known)


def _is_quiet(known: Memo, where: Place, found: Scan, request: Request) -> bool:
    """Whether nothing has changed since a run that left nothing to do."""
    return (
        not (request.paths or request.confirm_deletions)
        and known.is_settled
        and known.ref == where.ref
        and known.tip == memo.text_of(where.tip)
        and known.base == memo.text_of(where.base)
        and known.is_unchanged(found.files)
    )
