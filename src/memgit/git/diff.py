"""Which paths differ between trees."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from memgit.core.objects import EMPTY_TREE, Oid
from memgit.core.values import dataclass
from memgit.errors import CommandFailed, UsageError
from memgit.git.command import Git


@dataclass(frozen=True, slots=True)
class BlobPair:
    """A file before and after a change; ZERO where there was none."""

    path: bytes
    old: Oid
    new: Oid
    commit: Oid | None  # the one that made the change


def staged(git: Git, index_file: str | None) -> Iterator[BlobPair]:
    """What the index holds and HEAD does not. git: at the top. index_file: another index than the work tree's."""
    env = {"GIT_INDEX_FILE": index_file} if index_file else None
    base = git.run("rev-parse", "--verify", "--quiet", "HEAD", env=env, ok=(0, 1)).stdout.strip() or EMPTY_TREE
    out = git.run("diff-index", "--cached", "--raw", "--no-abbrev", "--no-renames", "-z", base.decode(), env=env).stdout
    yield from _raw_pairs(out.split(b"\0"), None)


def pairs_of_range(git: Git, revisions: str) -> Iterator[BlobPair]:
    """Every change of every commit of a range, merges compared with each parent. Raises UsageError for no range."""
    try:
        listed = git.run("rev-list", "--end-of-options", revisions, "--").stdout
    except CommandFailed:
        raise UsageError(
            f"'{revisions}' names no commits here.", "A range is written A..B, as in origin/main..HEAD."
        ) from None
    yield from pairs_of_commits(git, listed.split())


def pairs_of_commits(git: Git, commits: Iterable[Oid]) -> Iterator[BlobPair]:
    """Every change of commits, those of a merge once for each parent."""
    stdin = [commit + b"\n" for commit in commits]
    chunks = git.stream(
        *("diff-tree", "--stdin", "-r", "-m", "--root", "--raw", "--no-abbrev", "--no-renames", "-z"), stdin=stdin
    )
    commit: Oid | None = None
    waiting: list[bytes] = []
    for field in _split(chunks):
        if not waiting and not field.startswith(b":"):
            commit = field[:40]
            continue
        waiting.append(field)
        if len(waiting) == 2:
            yield from _raw_pairs(waiting, commit)
            waiting = []


def _raw_pairs(fields: list[bytes], commit: Oid | None) -> Iterator[BlobPair]:
    """Source: git-diff(1), raw output format with -z: `:mode mode id id status`, then the path."""
    for head, path in zip(fields[0::2], fields[1::2], strict=False):
        old_mode, new_mode, old, new, _ = head[1:].split(b" ")
        if b"160000" not in (old_mode, new_mode):
            yield BlobPair(path, old, new, commit)


def _split(chunks: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\0")
        yield from whole
