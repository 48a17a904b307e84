"""What a consolidation may look at and touch: the branch, and everything that bounds it."""

from __future__ import annotations

from memgit.core.consolidation.plan import StopReason
from memgit.core.consolidation.policy import Request
from memgit.core.consolidation.runs import Collapsed
from memgit.core.objects import Oid, RefName
from memgit.core.values import dataclass
from memgit.errors import UsageError
from memgit.git import notes, refs
from memgit.git.refs import Ref
from memgit.git.repository import Repository
from memgit.porcelain import oplog
from memgit.porcelain.settled import Settled


@dataclass(frozen=True, slots=True)
class Extent:
    """A branch and its bounds, as they were read. Equal extents bound the same commits."""

    ref: Ref
    hidden: tuple[Oid, ...]  # these and all below them stay
    pinned: frozenset[Oid]  # something besides the branch points at them
    stand_ins: dict[Oid, Oid]  # pinned commit -> what earlier runs put in its place
    published: tuple[RefName, ...]
    since: Oid | None
    shallow: frozenset[Oid]
    log: Oid | None  # newest entry of the operation log
    notes: tuple[Ref, ...]  # that follow rewritten commits


def read(repo: Repository, config: dict[str, list[str]], request: Request) -> Extent | RefName:
    """The extent of a request; the branch's name if it is the current one and has no commit yet.

    Raises UsageError for a branch or --since that is none, Busy while a merge, rebase or the like is
    in progress on the branch.
    """
    branch = request.branch or repo.current_branch()
    if branch is None:
        raise UsageError("HEAD is detached, so there is no branch to consolidate.", "Name one with --branch.")
    if not branch.startswith("refs/heads/"):
        raise UsageError(f"{branch} is no branch.", "Branches are what `git branch` lists.")
    repo.refuse_if_in_progress(branch)
    everything = refs.read_all(repo.git)
    ref = next((ref for ref in everything if ref.name == branch), None)
    if ref is None:
        if branch == repo.current_branch():
            refs.refuse_if_broken(repo.common_dir, branch)
            return branch
        raise _no_such_branch(branch, everything)
    if ref.symref is not None:
        raise UsageError(f"{branch} is a symbolic ref.", f"Name the branch it stands for: {ref.symref}.")
    since = None if request.since is None else _since(repo, request.since)
    published = tuple(other for other in everything if is_published(other, branch))
    detached = tuple(checkout.head for checkout in repo.checkouts() if checkout.head is not None)
    held = [*[other.peeled for other in published], *detached]
    pinned = {other.peeled for other in everything if other not in published and _is_pin(other, branch)}
    pinned |= {other.name[len("refs/replace/") :].encode() for other in everything if _is_replace(other)}
    shallow = repo.shallow_commits()
    hidden = [*([since] if since is not None else []), *shallow]
    if request.published:
        pinned |= set(held)
    else:
        hidden += held
    log = oplog.newest(everything)
    stand_ins = {old: new for old, new in oplog.pinned(repo.git, log) if old in pinned} if pinned else {}
    return Extent(
        ref,
        tuple(dict.fromkeys(hidden)),
        frozenset(pinned | set(stand_ins.values())),
        stand_ins,
        tuple(other.name for other in published),
        since,
        shallow,
        log,
        notes.refs_to_rewrite(config, everything),
    )


def is_published(ref: Ref, branch: RefName) -> bool:
    """Held by a remote, a tag or another branch, or offered to a remote in a push whose answer got lost."""
    return (
        ref.name.startswith(("refs/remotes/", "refs/tags/", "refs/heads/", "refs/memgit/offered/"))
        and ref.name != branch
        and ref.symref != branch
    )


def stop(extent: Extent, collapsed: Collapsed, known: Settled | None) -> tuple[StopReason, Oid | None]:
    """Why the walk back ended, and at which commit."""
    outside = parents_outside(collapsed) if collapsed.nodes else [extent.ref.oid]
    if not outside:
        return StopReason.ROOT, None
    at = outside[-1]
    if known is not None and at == known.commit:
        return StopReason.SETTLED, at
    if at in extent.shallow:
        return StopReason.SHALLOW, at
    if at == extent.since:
        return StopReason.SINCE, at
    return StopReason.PUBLISHED, at


def parents_outside(collapsed: Collapsed) -> list[Oid]:
    """Parents of the range that are not in it, in the order their children came."""
    inside = {node.last for node in collapsed.nodes}
    return [parent for node in collapsed.nodes for parent in node.parents if parent not in inside]


def _since(repo: Repository, revision: str) -> Oid:
    since = refs.resolve(repo.git, revision)
    if since is None:
        raise UsageError(f"--since {revision} names no commit.", "Give a commit, tag or branch.")
    return since


def _no_such_branch(branch: RefName, everything: tuple[Ref, ...]) -> UsageError:
    import difflib

    names = [ref.name.removeprefix("refs/heads/") for ref in everything if ref.name.startswith("refs/heads/")]
    near = difflib.get_close_matches(branch.removeprefix("refs/heads/"), names, 1, 0)
    return UsageError(
        f"There is no branch {branch.removeprefix('refs/heads/')}.",
        f"Did you mean {near[0]}?" if near else "This repository has no branch yet.",
    )


def _is_pin(ref: Ref, branch: RefName) -> bool:
    return ref.name != branch and ref.symref != branch and not ref.name.startswith("refs/memgit/")


def _is_replace(ref: Ref) -> bool:
    return ref.name.startswith("refs/replace/")
