"""Reading a range of history as one stream."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from memgit.core.objects import Oid
from memgit.git.command import Git


def stream(git: Git, tip: Oid, hidden: Iterable[Oid]) -> Iterator[bytes]:
    """Raw headers and messages of the commits reachable from `tip` and from none of `hidden`.

    Children before parents; the format is that of `core.consolidation.records`.
    """
    lines = [tip, *(b"^" + oid for oid in hidden)]
    return git.stream(
        "rev-list", "--header", "--topo-order", "--encoding=none", "--stdin", stdin=b"\n".join(lines) + b"\n"
    )


def count(git: Git, tip: Oid, hidden: Iterable[Oid]) -> int:
    """How many commits `stream` would give."""
    lines = [tip, *(b"^" + oid for oid in hidden)]
    return int(git.run("rev-list", "--count", "--stdin", stdin=b"\n".join(lines) + b"\n").stdout)


def oldest_first(git: Git, tip: Oid, hidden: Iterable[Oid]) -> tuple[Oid, ...]:
    """The ids `stream` would give, parents before children."""
    lines = [tip, *(b"^" + oid for oid in hidden)]
    out = git.run("rev-list", "--topo-order", "--reverse", "--stdin", stdin=b"\n".join(lines) + b"\n").stdout
    return tuple(out.split())
