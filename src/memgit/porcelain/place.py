"""Where a capture may go: to the branch, or to its stand-in on a private ref while the branch must not move."""

from __future__ import annotations

import fnmatch
import os
import time

from memgit import running
from memgit.core.objects import Oid, RefName
from memgit.core.values import dataclass
from memgit.errors import Busy, MemgitError, RefMoved
from memgit.git import refs
from memgit.git.repository import Checkout, Repository, checkout_of
from memgit.host import processes
from memgit.porcelain.memo import worktree_name

CAPTURES = "refs/memgit/capture/"
_STALE_S = 5
_DETACHED = "HEAD"  # no branch can be called that


@dataclass(frozen=True, slots=True)
class Place:
    """Where a capture goes, and what it is compared with."""

    ref: RefName
    tip: Oid | None  # of that ref
    base: Oid | None  # the commit that is checked out; None where there is none yet
    why: str | None  # the reason why it is not the branch

    @property
    def is_branch(self) -> bool:
        """Whether the branch itself moves."""
        return self.why is None


def choose(repo: Repository, excluded: tuple[str, ...]) -> Place:
    """The place for this work tree as it stands. excluded: globs of branches that are left alone.

    Raises MemgitError if HEAD is damaged.
    """
    checkout = checkout_of(repo.git_dir)
    branch = checkout.branch
    if branch is None and checkout.head is None:
        raise MemgitError(
            f"{os.path.join(repo.git_dir, 'HEAD')} is damaged.", "`git status` tells what git makes of it."
        )
    base = checkout.head if branch is None else refs.peek(repo.git, repo.common_dir, branch)
    why = _reason(repo, checkout, base, excluded)
    if why is None:
        assert branch is not None
        return Place(branch, base, base, None)
    return stand_in(repo, checkout, base, why)


def stand_in(repo: Repository, checkout: Checkout | None, base: Oid | None, why: str) -> Place:
    """The private ref that takes a capture while its branch can't."""
    checkout = checkout or checkout_of(repo.git_dir)
    ref = ref_for(repo, checkout.branch or next(iter(checkout.operation_branches), None))
    return Place(ref, refs.peek(repo.git, repo.common_dir, ref), base, why)


def confirm(repo: Repository, where: Place, over: frozenset[int]) -> None:
    """At the last moment, with all locks held: the branch is still the one checked out, and nobody is moving it.

    over: as in `processes.committing`. Raises RefMoved or Busy.
    """
    assert repo.work_tree is not None
    checkout = checkout_of(repo.git_dir)
    if checkout.branch != where.ref or checkout.operation:
        raise RefMoved("HEAD", where.ref, checkout.branch or "a commit")
    if busy := processes.committing(repo.work_tree, repo.git_dir, over):
        raise Busy(f"{busy} is running.", "Wait for it to end.")


def aside(repo: Repository, where: Place, why: str | None) -> Place:
    """The stand-in for a branch that turned out not to be free. why: None for the index, whoever keeps it."""
    return stand_in(repo, None, where.base, why or str(index_lock(repo.git_dir) or "the index can't be changed"))


def ref_for(repo: Repository, branch: RefName | None) -> RefName:
    """The private ref for a branch, or for a detached HEAD."""
    name = branch.removeprefix("refs/heads/") if branch and branch.startswith("refs/heads/") else _DETACHED
    return f"{CAPTURES}{worktree_name(repo)}/{name}"


def refs_for(repo: Repository, branch: RefName) -> tuple[RefName, RefName]:
    """The private refs of a branch: its own, and that of a detached HEAD."""
    return ref_for(repo, branch), ref_for(repo, None)


def waiting(repo: Repository, branch: RefName) -> tuple[tuple[RefName, Oid], ...]:
    """The private refs whose content belongs back on this branch, with their tips."""
    found = []
    for ref in refs_for(repo, branch):
        tip = refs.peek(repo.git, repo.common_dir, ref)
        if tip is not None:
            found.append((ref, tip))
    return tuple(found)


def stays_aside(ref: RefName, excluded: tuple[str, ...]) -> bool:
    """Whether a private ref is that of an excluded branch: it waits for nothing."""
    name = ref.removeprefix(CAPTURES).partition("/")[2]
    return name != _DETACHED and _is_excluded(name, excluded)


def _is_excluded(name: str, excluded: tuple[str, ...]) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in excluded)


def _reason(repo: Repository, checkout: Checkout, base: Oid | None, excluded: tuple[str, ...]) -> str | None:
    if checkout.operation:
        article = "an" if checkout.operation[0] in "aeiou" else "a"
        return f"{article} {checkout.operation} is in progress"
    if checkout.branch is None:
        return "HEAD is detached"
    if not checkout.branch.startswith("refs/heads/"):
        return f"HEAD is on {checkout.branch}, which is no branch"
    name = checkout.branch.removeprefix("refs/heads/")
    if _is_excluded(name, excluded):
        return f"branch {name} is excluded by [capture] exclude_branches"
    if refs.is_symbolic(repo.common_dir, checkout.branch):
        return f"branch {name} stands for another ref"
    if base is None and repo.git.text("for-each-ref", "--count=1", "--format=%(refname)", "refs/heads", "refs/remotes"):
        return f"branch {name} has no commit yet"
    return None


@dataclass(frozen=True, slots=True)
class IndexLock:
    """The lock of an index that is in the way."""

    path: str
    age_s: int
    holder: running.Process | None  # None where nobody has it open any more

    def __str__(self) -> str:
        if self.holder is not None:
            return f"{self.holder.name() or 'a program'} (process {self.holder.pid}) holds {self.path}"
        return f"{self.path} is {self.age_s} s old and no running program has it open (see `memgit doctor`)"

    @property
    def is_stale(self) -> bool:
        """Whether waiting for it makes little sense."""
        return self.holder is None and self.age_s >= _STALE_S


def index_lock(git_dir: str) -> IndexLock | None:
    """The lock on a work tree's index, if there is one."""
    path = os.path.join(git_dir, "index.lock")
    try:
        status = os.stat(path)
    except OSError:
        return None
    return IndexLock(path, int(max(time.time() - status.st_mtime, 0)), running.holder(status))
