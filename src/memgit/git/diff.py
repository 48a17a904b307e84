"""Which paths differ between trees."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from memgit.core.objects import Oid
from memgit.core.trees import Paths
from memgit.git.command import Git

_HEADER = 82  # two ids, a space, a newline


def changed_paths(git: Git, pairs: Iterable[tuple[Oid, Oid]]) -> Iterator[Paths]:
    """For each pair of trees, in order, the paths that differ; one git process for all of them.

    git prints each pair on a line of its own, and behind it a status letter and a path per difference,
    all ended by NUL; so pairs without a difference run up in front of the next status letter.
    """
    wanted = list(pairs)
    if not wanted:
        return
    stdin = (b"%s %s\n" % pair for pair in wanted)
    fields = _fields(git.stream("diff-tree", "--stdin", "-r", "-z", "--name-status", "--no-renames", stdin=stdin))
    status, path = next(fields, (b"", b""))
    for pair in wanted:
        paths: list[bytes] = []
        if status:
            if not status.startswith(b"%s %s\n" % pair):
                raise ValueError(f"git diff-tree answered {status!r} for {pair!r}")
            status = status[_HEADER:]
            while 0 < len(status) < _HEADER:
                paths.append(path)
                status, path = next(fields, (b"", b""))
        yield Paths(paths)


def _fields(chunks: Iterable[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """(status, path) of every change; pairs stand before the status of the first change behind them."""
    rest = b""
    for chunk in chunks:
        data = rest + chunk
        parts = data.split(b"\0")
        whole = (len(parts) - 1) // 2 * 2
        rest = b"\0".join(parts[whole:])
        yield from zip(parts[0:whole:2], parts[1:whole:2], strict=True)
