"""Remembers how far a branch is consolidated, so that the next run reads only what came after.

A shortcut, never a truth: without the file, or with one that does not fit, the whole range is read
and the result is the same.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Collection, Mapping

from memgit.core.consolidation.gather import Step
from memgit.core.consolidation.plan import Plan
from memgit.core.consolidation.policy import Policy, Request
from memgit.core.consolidation.runs import Collapsed
from memgit.core.objects import Oid, RefName
from memgit.core.values import dataclass
from memgit.git.repository import Repository
from memgit.host import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_BOUNDS_KEPT = 1000  # a range with more of them is read anew each time


@dataclass(frozen=True, slots=True)
class Settled:
    """Below and at `commit` nothing is left to do, as long as no auto-commit of a window up to `key` appears.

    bounds: commits that ended the range or held windows apart. What once was published or pinned may no
    longer be, and then there is something to do again.
    """

    commit: Oid
    key: int
    bounds: tuple[Oid, ...]


def reached(
    plan: Plan, collapsed: Collapsed, known: Settled | None, new_ids: Mapping[Oid, Oid], bounds: Collection[Oid]
) -> Settled | None:
    """How far a branch is consolidated after this plan; None where that can't be told by one commit.

    That is the newest commit of the linear end of the history with no open window at or below it.
    """
    steps = plan.steps
    tail: list[Step] = []  # newest first
    for index in range(len(steps) - 1, -1, -1):
        tail.append(steps[index])
        if index == 0 or steps[index].parents != (steps[index - 1].stands_for,):
            break
    waiting = [index for index, step in enumerate(tail) if step.nodes[0].is_waiting]
    if len(waiting) != sum(node.is_waiting for node in collapsed.nodes):
        return None  # an open window on a branch that was merged in: read it all again next time
    cut = max(waiting, default=-1) + 1
    keys = [node.key for node in collapsed.nodes if node.key is not None]
    keys += [known.key] if known is not None else []
    if cut >= len(tail) or not keys or len(bounds) > _BOUNDS_KEPT:
        return None
    commit = tail[cut].stands_for
    return Settled(new_ids.get(commit, commit), max(keys), tuple(sorted(bounds)))


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
