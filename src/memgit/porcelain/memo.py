"""What the last capture saw, so that the next one reads only files that look different.

A shortcut, never a truth: without the file, or with one that does not fit, every memory file is read and the
result is the same. It holds names, sizes and ids, no content.
"""

from __future__ import annotations

import json
import os

from memgit.core.objects import Oid
from memgit.core.settings import Config
from memgit.core.values import dataclass, field
from memgit.git.repository import Repository
from memgit.host import files
from memgit.host.scan import Stamp

TYPE_CHECKING = False
if TYPE_CHECKING:  # not needed where nothing is held
    from typing import Any

    from memgit.core.capture import Held

_PUT_OFF_AT_MOST = 5
_SCHEMA = 1
_Known = tuple[tuple[int, ...], str, str]  # stamp, mode and id as git would store it


@dataclass(slots=True)
class Memo:
    """What was seen in one work tree under one policy."""

    policy: str
    ref: str = ""  # where the last capture went
    tip: str = ""  # where that ref was afterwards
    base: str = ""  # the commit that was compared with
    is_settled: bool = False  # nothing was left to capture but what is held
    files: dict[str, _Known] = field(default_factory=dict)
    held: tuple[Held, ...] = ()
    put_off: dict[str, int] = field(default_factory=dict)  # files that never held still, and how often

    def put_off_again(self, path: bytes) -> bool:
        """Count one more time that a file was being written; False when it has been put off often enough."""
        name = os.fsdecode(path)
        self.put_off[name] = self.put_off.get(name, 0) + 1
        return self.put_off[name] <= _PUT_OFF_AT_MOST

    def knows(self, path: bytes, stamp: Stamp) -> tuple[bytes, Oid] | None:
        """Mode and id of a file that looks as it did when it was read."""
        known = self.files.get(os.fsdecode(path))
        return (known[1].encode(), known[2].encode()) if known is not None and known[0] == stamp[:5] else None

    def learn(self, path: bytes, stamp: Stamp, mode: bytes, oid: Oid) -> None:
        """Remember what a file holds."""
        self.files[os.fsdecode(path)] = (stamp[:5], mode.decode(), oid.decode())

    def is_unchanged(self, found: dict[bytes, Stamp]) -> bool:
        """Whether exactly the files that were seen are there, looking the same."""
        if len(found) != len(self.files):
            return False
        known = self.files
        for path, stamp in found.items():
            entry = known.get(os.fsdecode(path))
            if entry is None or entry[0] != stamp[:5]:
                return False
        return True


def policy_of(repo: Repository, config: Config, workspace: bytes, version: str) -> str:
    """Changes with everything that decides what is captured."""
    allowed = files.read(os.path.join(repo.private_dir, "guard.allow"))
    memory = (config.memory.include, config.memory.exclude)
    return repr((memory, config.capture, config.guard, allowed, workspace, version))


def recall(repo: Repository, policy: str) -> Memo:
    """What is remembered of this work tree, or an empty memo."""
    try:
        record = json.loads(files.read(_path(repo)) or b"{}")
        if record.get("schema") != _SCHEMA or record["policy"] != policy:
            return Memo(policy)
        known = {path: (tuple(stamp), mode, oid) for path, (stamp, mode, oid) in record["files"].items()}
        held = held_from(record["held"])
        put_off = {str(path): int(count) for path, count in record["put_off"].items()}
        return Memo(policy, record["ref"], record["tip"], record["base"], record["settled"], known, held, put_off)
    except (ValueError, KeyError, TypeError, AttributeError):
        return Memo(policy)


def remember(repo: Repository, memo: Memo) -> None:
    """Write it down for the next run; not flushed, since losing it costs only time."""
    record = {
        "schema": _SCHEMA,
        "policy": memo.policy,
        "ref": memo.ref,
        "tip": memo.tip,
        "base": memo.base,
        "settled": memo.is_settled,
        "files": memo.files,
        "put_off": memo.put_off,
        "held": [_held_record(held) for held in memo.held],
    }
    files.replace(_path(repo), json.dumps(record, separators=(",", ":")).encode(), flush=False)


def held_from(records: list[dict[str, Any]]) -> tuple[Held, ...]:
    """Held paths as they were written down."""
    if not records:
        return ()
    from memgit.core.capture import Held, Why
    from memgit.core.secrets.finding import Finding

    return tuple(
        Held(item["path"], Why[item["why"]], item["note"], tuple(Finding(*finding) for finding in item["findings"]))
        for item in records
    )


def _held_record(held: Held) -> dict[str, Any]:
    findings = [[f.path, f.line, f.end_line, f.rule, f.fingerprint] for f in held.findings]
    return {"path": held.path, "why": held.why.name, "note": held.note, "findings": findings}


def text_of(oid: Oid | None) -> str:
    """An id as it is written down; empty where there is none."""
    return "" if oid is None else oid.decode()


def worktree_name(repo: Repository) -> str:
    """The work tree's place in the names of refs and files: `main`, or `worktrees/<id>`."""
    return "main" if repo.git_dir == repo.common_dir else os.path.relpath(repo.git_dir, repo.common_dir)


def _path(repo: Repository) -> str:
    return os.path.join(repo.private_dir, "seen", worktree_name(repo) + ".json")
