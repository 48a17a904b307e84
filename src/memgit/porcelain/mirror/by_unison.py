"""memgit mirror with engine = "unison": memgit says which paths may move, unison moves them.

What both sides agree on is remembered here as well, so that dry run, shrink guard and search for secrets are the same
with both engines. unison merges nothing: where both sides changed a file, `prefer` decides, or it stays as it is.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import UTC, datetime

from memgit.core.backup.twoway import Act, Step
from memgit.host import unison
from memgit.porcelain.backup.source import Held, Screen
from memgit.porcelain.mirror.report import Conflict, Report
from memgit.porcelain.mirror.side import Pair, Side

_STAYS = "left as it is on both sides until they agree, or `prefer` says which wins"
_LEAVES = (Act.TO_THEIRS, Act.MERGE)


def run(pair: Pair, steps: Iterable[Step], directory: str, lock_fd: int) -> set[bytes]:
    """Let unison carry the steps out; the paths that stay as they were agreed on.

    directory: memgit's own for this folder, for unison's archive and for what loses. lock_fd: inherited by unison, so
    that the next run waits for it even where this one is killed.
    """
    ours, theirs, report = pair.ours, pair.theirs, pair.report
    todo: list[Step] = []
    left = set()
    for step in steps:
        if step.act is Act.NOTHING:
            continue
        if not unison.can_name(step.path):
            report.held.append(Held(step.path, "unison can't be told this name"))
        elif step.act in _LEAVES and pair.screen is not None and _is_held(step.path, ours, pair.screen):
            report.held.append(Held(step.path, "held back by the guard"))
        else:
            todo.append(step)
            continue
        left.add(step.path)
    for step in todo:
        _list(step, pair.chosen.prefer, report)
    if report.dry_run or not todo:
        return left
    kept = os.path.join(
        directory, "kept", datetime.fromtimestamp(pair.now_s, UTC).strftime("%Y-%m-%dT%H-%M-%SZ"), "lost"
    )
    prefer = {"ours": ours.folder.path, "theirs": theirs.folder.path, "newest": "newer"}.get(pair.chosen.prefer)
    paths = [step.path for step in todo]
    os.makedirs(os.path.dirname(kept), mode=0o700, exist_ok=True)
    unison.run(os.path.join(directory, "unison"), ours.folder.path, theirs.folder.path, paths, prefer, kept, lock_fd)
    for top, _, names in os.walk(kept):
        report.kept += [os.path.join(top, name) for name in sorted(names)]
    for step in todo:
        for side in (ours, theirs):
            side.look_again(step.path)
        if ours.digests.get(step.path) == theirs.digests.get(step.path):
            continue
        left.add(step.path)
        if not any(conflict.path == step.path for conflict in report.conflicts):
            report.deferred.append(step.path)
    return left


def _is_held(path: bytes, ours: Side, screen: Screen) -> bool:
    content = ours.read(path)
    return content is not None and screen(path, content)


def _list(step: Step, prefer: str, report: Report) -> None:
    """What unison will do with a step."""
    if step.act is Act.MERGE or step.survives:
        outcome = _STAYS if prefer == "keep-both" else f"both changed it; {prefer}"
        report.conflicts.append(Conflict(step.path, outcome, ()))
        return
    for act, paths in (
        (Act.TO_THEIRS, report.to_folder),
        (Act.TO_OURS, report.to_workspace),
        (Act.DELETE_THEIRS, report.deleted_in_folder),
        (Act.DELETE_OURS, report.deleted_in_workspace),
    ):
        if step.act is act:
            paths.append(step.path)
