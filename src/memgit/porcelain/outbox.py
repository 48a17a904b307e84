"""What waits to be sent and how the remotes have answered lately: kept across runs, read by `memgit status`."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping

from memgit.core.objects import ZERO, Oid, RefName
from memgit.core.retry import Backoff, Failure
from memgit.core.values import dataclass, field, replace
from memgit.git.repository import Repository
from memgit.host import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_SCHEMA = 1


@dataclass(frozen=True, slots=True)
class BranchState:
    """One branch and its remote. Times are seconds since the epoch.

    raw: what memgit last put on its own raw ref there. oldest_s: commit time of the oldest commit that is not there.
    trouble: why a person is needed, in words; paths: the files it is about.
    """

    raw: Oid | None = None
    raw_ref: RefName = ""
    pushed: Oid | None = None
    pushed_s: int | None = None
    offered_s: int | None = None
    unpushed: int = 0
    oldest_s: int | None = None
    trouble: str = ""
    paths: tuple[str, ...] = ()
    scanned: str = ""  # version of the rules, and the commit up to which they found nothing
    quiet: str = ""  # what was there when the last sync found nothing left to do


@dataclass(frozen=True, slots=True)
class Outbox:
    """All of it. backoff: by remote. branches: by `remote branch`, both as git names them. captured: what this machine
    keeps there of captures aside, by `remote ref`.
    """

    backoff: Mapping[str, Backoff] = field(default_factory=dict)
    branches: Mapping[str, BranchState] = field(default_factory=dict)
    captured: Mapping[str, Oid] = field(default_factory=dict)

    def branch(self, remote: str, branch: RefName) -> BranchState:
        """What is known of a branch."""
        return self.branches.get(f"{remote} {branch}", BranchState())

    def with_branch(self, remote: str, branch: RefName, **changes: Any) -> Outbox:
        """The same with these facts of a branch changed."""
        state = replace(self.branch(remote, branch), **changes)
        return replace(self, branches={**self.branches, f"{remote} {branch}": state})

    def with_backoff(self, remote: str, backoff: Backoff) -> Outbox:
        """The same with this remote's failures."""
        return replace(self, backoff={**self.backoff, remote: backoff})

    def aside(self, remote: str) -> dict[RefName, Oid]:
        """The refs of captures aside on a remote."""
        return {name.partition(" ")[2]: oid for name, oid in self.captured.items() if name.partition(" ")[0] == remote}

    def with_aside(self, remote: str, ref: RefName, oid: Oid) -> Outbox:
        """The same with one of them where it is now; ZERO if it is gone."""
        left = {name: value for name, value in self.captured.items() if name != f"{remote} {ref}"}
        return replace(self, captured=left if oid == ZERO else {**left, f"{remote} {ref}": oid})

    def of(self, remote: str) -> Backoff:
        """How a remote has failed lately."""
        return self.backoff.get(remote, Backoff())


def path(repo: Repository) -> str:
    """Where it is kept."""
    return os.path.join(repo.private_dir, "outbox.json")


def load(repo: Repository) -> Outbox:
    """What was kept; a file that is missing, damaged or from another version is an empty outbox."""
    try:
        record = json.loads(files.read(path(repo)) or b"")
        if record["schema"] != _SCHEMA:
            return Outbox()
        backoff = {
            str(remote): Backoff(
                int(row["failures"]),
                Failure[row["failure"]] if row["failure"] else None,
                str(row["message"]),
                _number(row["since_s"]),
                int(row["next_s"]),
            )
            for remote, row in record["backoff"].items()
        }
        branches = {
            str(name): BranchState(
                _oid(row["raw"]),
                str(row["raw_ref"]),
                _oid(row["pushed"]),
                _number(row["pushed_s"]),
                _number(row["offered_s"]),
                int(row["unpushed"]),
                _number(row["oldest_s"]),
                str(row["trouble"]),
                tuple(str(name) for name in row["paths"]),
                str(row.get("scanned", "")),
                str(row.get("quiet", "")),
            )
            for name, row in record["branches"].items()
        }
        captured = {str(name): str(oid).encode() for name, oid in record.get("captured", {}).items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        return Outbox()
    return Outbox(backoff, branches, captured)


def save(repo: Repository, outbox: Outbox) -> None:
    """Keep it."""
    record = {
        "schema": _SCHEMA,
        "backoff": {
            remote: {
                "failures": row.failures,
                "failure": row.failure.name if row.failure else None,
                "message": row.message,
                "since_s": row.since_s,
                "next_s": row.next_s,
            }
            for remote, row in outbox.backoff.items()
        },
        "branches": {
            name: {
                "raw": row.raw.decode() if row.raw else None,
                "raw_ref": row.raw_ref,
                "pushed": row.pushed.decode() if row.pushed else None,
                "pushed_s": row.pushed_s,
                "offered_s": row.offered_s,
                "unpushed": row.unpushed,
                "oldest_s": row.oldest_s,
                "trouble": row.trouble,
                "paths": list(row.paths),
                "scanned": row.scanned,
                "quiet": row.quiet,
            }
            for name, row in outbox.branches.items()
        },
        "captured": {name: oid.decode() for name, oid in outbox.captured.items()},
    }
    content = json.dumps(record, sort_keys=True).encode()
    if files.read(path(repo)) != content:
        files.replace(path(repo), content)


def _number(value: object) -> int | None:
    return None if value is None else int(str(value))


def _oid(value: object) -> Oid | None:
    return None if value is None else str(value).encode()
