"""Where a repository lies, what it is made of, and what is going on in it."""

from __future__ import annotations

import os
import re

from memgit.core.objects import Oid, RefName
from memgit.core.values import dataclass
from memgit.errors import Busy, CommandFailed, MemgitError, UnsupportedRepository, UsageError
from memgit.git.command import Git

_IN_PROGRESS = {
    "MERGE_HEAD": "merge",
    "rebase-merge": "rebase",
    "rebase-apply": "rebase or am",
    "CHERRY_PICK_HEAD": "cherry-pick",
    "REVERT_HEAD": "revert",
    "sequencer": "cherry-pick or revert",
    "BISECT_LOG": "bisect",
}


@dataclass(frozen=True, slots=True)
class Checkout:
    """A work tree of the repository: which branch or commit it has checked out, and what is going on in it."""

    git_dir: str
    branch: RefName | None  # None when HEAD is detached
    head: Oid | None  # only when detached
    operation: str | None  # "merge", "rebase", ... in progress
    operation_branches: tuple[RefName, ...]  # those that a rebase or bisect will move or go back to when it ends

    @property
    def work_tree(self) -> str | None:
        """Where its files are; None for a main one that does not lie around its `.git`."""
        link = _first_line(self.git_dir, "gitdir") or self.git_dir
        return os.path.dirname(link) if os.path.basename(link) == ".git" else None


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository that memgit can work with."""

    git: Git
    git_dir: str  # of this work tree
    common_dir: str  # shared by all work trees
    work_tree: str | None  # None if it is bare, or if the command was started inside the git directory
    prefix: str  # where the command was started, below the work tree; "" or ends in a slash
    is_shallow: bool
    is_bare: bool

    @property
    def private_dir(self) -> str:
        """memgit's own place; nothing of ours lies in the work tree."""
        return os.path.join(self.common_dir, "memgit")

    def config(self) -> dict[str, list[str]]:
        """All git configuration in force, each key in lower case with its values, last one winning."""
        out = self.git.run("config", "--list", "-z").stdout.decode("utf-8", "surrogateescape")
        values: dict[str, list[str]] = {}
        for item in out.split("\0")[:-1]:
            key, _, value = item.partition("\n")
            values.setdefault(key, []).append(value)
        return values

    def shallow_commits(self) -> frozenset[Oid]:
        """Commits whose parents this clone does not have."""
        if not self.is_shallow:
            return frozenset()
        with open(os.path.join(self.common_dir, "shallow"), "rb") as file:
            return frozenset(file.read().split())

    def current_branch(self) -> RefName | None:
        """The branch HEAD names, born or not; None when HEAD is detached."""
        name = _head_of(self.git_dir)[0]
        return name if name is None or name.startswith("refs/heads/") else None

    def checkouts(self) -> tuple[Checkout, ...]:
        """Every work tree, the main one first."""
        linked = os.path.join(self.common_dir, "worktrees")
        names = sorted(os.listdir(linked)) if os.path.isdir(linked) else []
        main = [] if self.is_bare else [self.common_dir]
        return tuple(checkout_of(directory) for directory in (*main, *(os.path.join(linked, name) for name in names)))

    def refuse_if_in_progress(self, branch: RefName) -> None:
        """Raise Busy if moving `branch` would pull the rug from under a merge, rebase, pick or bisect."""
        for checkout in self.checkouts():
            if checkout.operation and branch in (checkout.branch, *checkout.operation_branches):
                raise Busy(
                    f"A {checkout.operation} is in progress on {branch.removeprefix('refs/heads/')}.",
                    "Finish or abort it (`git status` tells how), then run the command again.",
                )


def _head_of(git_dir: str) -> tuple[RefName | None, Oid | None]:
    try:
        with open(os.path.join(git_dir, "HEAD"), "rb") as file:
            content = file.read().strip()
    except OSError:
        return None, None
    if content.startswith(b"ref:"):
        return content[4:].strip().decode("utf-8", "surrogateescape"), None
    return None, content


def checkout_of(git_dir: str) -> Checkout:
    """What is checked out in the work tree with this git directory."""
    branch, head = _head_of(git_dir)
    operation = next((what for name, what in _IN_PROGRESS.items() if os.path.exists(os.path.join(git_dir, name))), None)
    branches = []
    for place in ("rebase-merge/head-name", "rebase-apply/head-name", "BISECT_START"):
        if name := _first_line(git_dir, place):
            branches.append(name if name.startswith("refs/") else "refs/heads/" + name)
    # git rebase --update-refs: three lines a ref, the first its name.
    branches += [line for line in _lines(git_dir, "rebase-merge/update-refs") if line.startswith("refs/")]
    return Checkout(git_dir, branch, head, operation, tuple(branches))


def _first_line(git_dir: str, place: str) -> str | None:
    return next(iter(_lines(git_dir, place)), None)


def _lines(git_dir: str, place: str) -> list[str]:
    try:
        with open(os.path.join(git_dir, place), encoding="utf-8", errors="surrogateescape") as file:
            return file.read().splitlines()
    except OSError:
        return []


# git up to 2.23 wrote the extension, later ones mark the remote. Both in lower case.
_PROMISOR = re.compile(rb"^\s*(?:partialclone\s*=|promisor\s*(?:$|=\s*\"?(?:true|yes|on|1)\b))", re.MULTILINE)

_QUESTIONS = (
    "--absolute-git-dir",
    "--git-common-dir",
    "--is-bare-repository",
    "--is-inside-work-tree",
    "--is-shallow-repository",
    "--show-object-format",
    "--show-cdup",
    "--show-prefix",
)


def discover(directory: str | None, git_dir: str | None = None, keep_fds: tuple[int, ...] = ()) -> Repository:
    """The repository that `directory` (None: the current one) belongs to.

    Raises UnsupportedRepository for SHA-256, reftable and partial clones, UsageError where there is no
    repository, MemgitError where git refuses it (another owner, a broken configuration).
    """
    git = Git(directory, git_dir, keep_fds)
    try:
        out = git.run("rev-parse", *_QUESTIONS).stdout
    except CommandFailed as failure:
        raise _no_repository(failure, directory) from None
    absolute, common, bare, inside, shallow, object_format, cdup, prefix, _ = (
        out.decode("utf-8", "surrogateescape").split("\n") + [""] * 2
    )[:9]
    if object_format != "sha1":
        raise UnsupportedRepository(
            f"This repository names its objects by {object_format}; memgit works with sha1 only."
        )
    here = os.path.realpath(directory or os.curdir)
    common_dir = os.path.normpath(os.path.join(here, common))
    _refuse_unsupported_formats(common_dir)
    work_tree = os.path.normpath(os.path.join(here, cdup)) if inside == "true" and bare == "false" else None
    return Repository(git, absolute, common_dir, work_tree, prefix, shallow == "true", bare == "true")


def _no_repository(failure: CommandFailed, directory: str | None) -> MemgitError:
    said = failure.stderr.strip().splitlines()
    reason = said[0].removeprefix("fatal: ") if said else "git failed"
    if "not a git repository" in reason:
        where = directory or os.curdir
        return UsageError(
            f"{os.path.abspath(where)} is not in a git repository.", "Run `git init` there first, or use -C PATH."
        )
    if "repository extension" in failure.stderr or "repo version" in failure.stderr:
        return UnsupportedRepository(f"This git can't read the repository's format: {' '.join(said)}")
    return MemgitError(f"git can't open this repository: {reason}", "\n".join(said[1:]) or None)


def _refuse_unsupported_formats(common_dir: str) -> None:
    """Look at the repository's own config file for extensions, without starting git once more."""
    try:
        with open(os.path.join(common_dir, "config"), "rb") as file:
            text = file.read().lower()
    except OSError:
        return
    if _PROMISOR.search(text):
        raise UnsupportedRepository(
            "This is a partial clone: objects are missing, and memgit never fetches them behind your back."
        )
    if b"[extensions]" not in text:
        return
    keys = {line.split(b"=")[0].strip(): line.partition(b"=")[2].strip() for line in text.split(b"\n")}
    if keys.get(b"refstorage", b"files") != b"files":
        raise UnsupportedRepository("This repository keeps its refs in a reftable; memgit works with ref files only.")
