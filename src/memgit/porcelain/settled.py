"""Remembers how far a branch is consolidated, so that the next run reads only what came after.

A shortcut, never a truth: without the file, or with one that does not fit, the whole range is read
and the result is the same.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import dataclass
from typing import Any

from memgit.core.consolidation.policy import Policy, Request
from memgit.core.objects import Oid, RefName
from memgit.git.repository import Repository
from memgit.host import files


@dataclass(frozen=True, slots=True)
class Settled:
    """Below and at `commit` nothing is left to do, as long as no auto-commit of a window up to `key` appears.

    bounds: commits that ended the range or held windows apart. What once was published or pinned may no
    longer be, and then there is something to do again.
    """

    commit: Oid
    key: int
    bounds: tuple[Oid, ...]


def _path(repo: Repository) -> str:
    return os.path.join(repo.private_dir, "settled.json")


def _fingerprint(policy: Policy, request: Request) -> str:
    memory = (policy.memory.include.lines, policy.memory.exclude.lines)
    plain = (policy.window, policy.zone, policy.commute, policy.keep_empty, policy.rules, policy.subject)
    text = repr((memory, plain, request.published, request.since))
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def recall(repo: Repository, ref: RefName, policy: Policy, request: Request) -> Settled | None:
    """What is remembered of this branch under this policy."""
    try:
        entry = _load(repo)[ref]
        if entry["policy"] == _fingerprint(policy, request):
            return Settled(_oid(entry["commit"]), int(entry["key"]), tuple(_oid(bound) for bound in entry["bounds"]))
    except (TypeError, KeyError, ValueError):
        return None
    return None


def remember(repo: Repository, ref: RefName, policy: Policy, request: Request, settled: Settled) -> None:
    """Write it down for the next run."""
    entries = _load(repo)
    entry = {
        "commit": settled.commit.decode(),
        "key": settled.key,
        "bounds": [bound.decode() for bound in settled.bounds],
        "policy": _fingerprint(policy, request),
    }
    if entries.get(ref) != entry:
        entries[ref] = entry
        files.replace(_path(repo), json.dumps(entries).encode())


def _oid(text: str) -> Oid:
    if not re.fullmatch("[0-9a-f]{40}", text):
        raise ValueError(f"{text!r} is no id")
    return text.encode()


def _load(repo: Repository) -> dict[str, Any]:
    try:
        entries = json.loads(files.read(_path(repo)) or b"{}")
    except ValueError:
        return {}
    return entries if isinstance(entries, dict) else {}
