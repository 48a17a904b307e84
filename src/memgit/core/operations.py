"""The operation log: one commit per operation in `refs/memgit/ops`, which keeps what it replaced alive.

An operation's commit has as parents the operation before it, then the old and the new values of the
refs it moved, so that nothing it replaced is ever unreachable before the log is pruned. Its message
is a subject for people, an empty line, and one line of JSON. Its tree holds `created`, the list of
commits that the operation made.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from memgit.core.objects import EMPTY_TREE, ZERO, Oid, RefName, hash_object
from memgit.core.trees import entry, oid_of
from memgit.core.values import dataclass
from memgit.errors import MemgitError

LOG_REF: RefName = "refs/memgit/ops"
FILES = "files"  # digest of an operation that wrote files: it is taken back by writing them again
JOIN = "join"  # kind of an operation that joined a remote's commits with ours
MOVED_BACK = "moved back"  # kind of one that others made: memgit only keeps what the branch held
WITHHOLD = "withhold"  # kind of one that took out what a remote refused for a secret
_SCHEMA = 1
_CREATED = b"created"


@dataclass(frozen=True, slots=True)
class RefChange:
    """A ref that an operation moved; ZERO where it did not exist before or after."""

    ref: RefName
    old: Oid
    new: Oid


@dataclass(frozen=True, slots=True)
class Created:
    """A commit that an operation made, and the raw commits it stands for."""

    commit: Oid
    window: str
    sources: int
    first: Oid
    last: Oid


@dataclass(frozen=True, slots=True)
class Operation:
    """Something memgit did to refs.

    kind: "consolidate", "undo", ... time_s: seconds since the epoch. changes: the branch first.
    digest: identifies the plan that was carried out. undoes: the operation an undo took back.
    pinned: commits that some ref points at, each with the one that stands in its place on the branch, so
    that the place stays a place of its own in later runs.
    created_tree: the tree in the log that lists the commits it created, empty if there were none.
    """

    kind: str
    time_s: int
    changes: tuple[RefChange, ...]
    summary: str
    digest: str = ""
    undoes: Oid | None = None
    pinned: tuple[tuple[Oid, Oid], ...] = ()
    oid: Oid = ZERO  # of the log's own commit; ZERO until it is written
    created_tree: Oid = EMPTY_TREE

    @property
    def branch(self) -> RefChange:
        """The change of the branch the operation was about."""
        return self.changes[0]


def taken_back(log: Iterable[Operation]) -> frozenset[Oid]:
    """The operations that are undone as things stand; one whose undo was itself undone is in force again.

    log: newest first, none left out between the newest and the oldest given.
    """
    undone: set[Oid] = set()
    for operation in log:
        if operation.undoes is not None and operation.oid not in undone:
            undone.add(operation.undoes)
    return frozenset(undone)


def write(operation: Operation, previous: Oid | None, created: Sequence[Created]) -> list[tuple[bytes, bytes]]:
    """The objects of an operation as (kind, raw content), its commit last."""
    objects: list[tuple[bytes, bytes]] = [(b"tree", b"")]
    tree = EMPTY_TREE
    if created:
        blob = b"".join(
            b"%s %s..%s %d %s\n" % (item.commit, item.first, item.last, item.sources, item.window.encode())
            for item in created
        )
        raw_tree = entry(b"100644", _CREATED, hash_object(b"blob", blob))
        tree = hash_object(b"tree", raw_tree)
        objects = [(b"blob", blob), (b"tree", raw_tree)]
    record = {
        "schema": _SCHEMA,
        "kind": operation.kind,
        "time": operation.time_s,
        "refs": [[change.ref, change.old.decode(), change.new.decode()] for change in operation.changes],
        "digest": operation.digest,
        **({"undoes": operation.undoes.decode()} if operation.undoes else {}),
        **({"pinned": [[old.decode(), new.decode()] for old, new in operation.pinned]} if operation.pinned else {}),
    }
    parents = [] if previous is None else [previous]
    ends = [oid for change in operation.changes for oid in (change.old, change.new) if oid != ZERO]
    parents += [oid for oid in dict.fromkeys(ends) if oid not in parents]
    who = b"memgit <memgit@localhost> %d +0000" % operation.time_s
    raw = b"".join(
        [
            b"tree %s\n" % tree,
            *[b"parent %s\n" % parent for parent in parents],
            b"author %s\ncommitter %s\n\n" % (who, who),
            operation.summary.encode("utf-8", "surrogateescape"),
            b"\n\n",
            json.dumps(record, sort_keys=True).encode(),
            b"\n",
        ]
    )
    objects.append((b"commit", raw))
    return objects


def read(oid: Oid, raw: bytes) -> tuple[Operation, Oid | None]:
    """The operation in a commit of the log, and the commit of the operation before it.

    Raises MemgitError if it is none or comes from a newer memgit.
    """
    head, _, message = raw.partition(b"\n\n")
    lines = head.split(b"\n")
    parents = [line[7:] for line in lines if line.startswith(b"parent ")]
    summary, _, rest = message.partition(b"\n\n")
    try:
        record = json.loads(rest)
        if record["schema"] != _SCHEMA:
            raise MemgitError(
                f"The operation {oid.decode()[:12]} was written by a newer memgit.", "Update memgit to work with it."
            )
        changes = tuple(RefChange(ref, old.encode(), new.encode()) for ref, old, new in record["refs"])
        undoes = record.get("undoes")
        operation = Operation(
            record["kind"],
            record["time"],
            changes,
            summary.decode("utf-8", "surrogateescape"),
            record["digest"],
            undoes.encode() if undoes else None,
            tuple((old.encode(), new.encode()) for old, new in record.get("pinned", ())),
            oid,
            lines[0][5:],
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        raise MemgitError(
            f"The commit {oid.decode()[:12]} in {LOG_REF} is no operation that this memgit can read."
        ) from None
    touched = {value for change in changes for value in (change.old, change.new)}
    previous = parents[0] if parents and parents[0] not in touched else None
    return operation, previous


def read_created(blob: bytes) -> tuple[Created, ...]:
    """The commits listed in the `created` file of an operation, oldest first."""
    result = []
    for line in blob.splitlines():
        commit, sources, count, window = line.split(b" ", 3)
        first, _, last = sources.partition(b"..")
        result.append(Created(commit, window.decode(), int(count), first, last))
    return tuple(result)


def created_blob(raw_tree: bytes) -> Oid | None:
    """Where the list of created commits lies, from the raw tree of an operation's commit."""
    return oid_of(raw_tree) if raw_tree.startswith(b"100644 " + _CREATED + b"\0") else None
