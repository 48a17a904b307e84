"""Reading a range of history as one stream."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from memgit.core.objects import Oid
from memgit.git.command import Git


def stream(git: Git, tip: Oid, hidden: Iterable[Oid]) -> Iterator[bytes]:
    """Raw headers and messages of the commits reachable from `tip` and from none of `hidden`.

    Children before parents; the format is that of `core.consolidation.records`.
    """
    return git.stream("rev-list", "--header", "--topo-order", "--encoding=none", "--stdin", stdin=_range(tip, hidden))


def count(git: Git, tip: Oid, hidden: Iterable[Oid]) -> int:
    """How many commits `stream` would give."""
    return int(git.run("rev-list", "--count", "--stdin", stdin=b"".join(_range(tip, hidden))).stdout)


def outstanding(git: Git, tip: Oid, hidden: Iterable[Oid]) -> tuple[int, int | None]:
    """How many commits `stream` would give, and the commit time of the oldest, seconds since the epoch."""
    args = ("rev-list", "--no-commit-header", "--format=%ct", "--stdin")
    times = git.run(*args, stdin=b"".join(_range(tip, hidden))).stdout.split()
    return len(times), min(map(int, times), default=None)


def is_any_in(git: Git, commits: Iterable[Oid], hidden: Iterable[Oid]) -> bool:
    """Whether one of the commits, or anything below them, is reachable from none of `hidden`."""
    lines = [*(b"%s\n" % oid for oid in commits), *(b"^%s\n" % oid for oid in hidden)]
    return bool(git.run("rev-list", "--max-count=1", "--stdin", stdin=b"".join(lines), ok=(0, 128)).stdout)


def first_parents(git: Git, tip: Oid, hidden: Iterable[Oid]) -> Iterator[tuple[Oid, Oid | None]]:
    """Every commit `stream` would give, in the same order, with its first parent."""
    rest = b""
    for chunk in git.stream("rev-list", "--topo-order", "--parents", "--stdin", stdin=_range(tip, hidden)):
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield line[:40], line[41:81] or None


def oldest_first(git: Git, tip: Oid, hidden: Iterable[Oid]) -> tuple[Oid, ...]:
    """The ids `stream` would give, parents before children."""
    out = git.run("rev-list", "--topo-order", "--reverse", "--stdin", stdin=b"".join(_range(tip, hidden))).stdout
    return tuple(out.split())


def graph(git: Git, tip: Oid, hidden: Iterable[Oid]) -> tuple[tuple[Oid, tuple[Oid, ...]], ...]:
    """The commits of `oldest_first`, each with its parents."""
    stdin = b"".join(_range(tip, hidden))
    out = git.run("rev-list", "--topo-order", "--reverse", "--parents", "--stdin", stdin=stdin).stdout
    return tuple((line[:40], tuple(line[41:].split())) for line in out.splitlines())


def touching(git: Git, roots: Iterable[Oid], path: str) -> tuple[Oid, ...]:
    """The commits reachable from `roots` that changed a path, on whatever side of a merge, children first.

    git: at the top.
    """
    stdin = b"".join(oid + b"\n" for oid in roots)
    return tuple(
        git.run("rev-list", "--full-history", "--topo-order", "--stdin", "--", path, stdin=stdin).stdout.split()
    )


def _range(tip: Oid, hidden: Iterable[Oid]) -> list[bytes]:
    return [tip + b"\n", *(b"^%s\n" % oid for oid in hidden)]
