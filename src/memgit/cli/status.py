"""memgit status: what is held back, what waits, what was done last."""

from __future__ import annotations

import time

from memgit.cli import render
from memgit.cli.commit import held_as_dict, tell_held
from memgit.cli.context import open_repository
from memgit.cli.params import Values
from memgit.porcelain import status

_OPERATIONS = 5


def run(values: Values) -> int:
    """Show it."""
    context = open_repository(values)
    report = status.look(context.repo, context.config, _OPERATIONS)
    if values["json"]:
        render.emit_json(
            {
                "branch": report.branch,
                "why_not_on_branch": report.why,
                "held": [held_as_dict(held) for held in report.held],
                "waiting": [{"ref": ref, "commit": oid} for ref, oid in report.waiting],
                "operations": [
                    {"operation": op.oid, "kind": op.kind, "time": op.time_s, "summary": op.summary}
                    for op in report.operations
                ],
            }
        )
        return 0
    if report.why:
        render.say(f"Captures go to a private ref, since {report.why}.")
    else:
        render.say(f"Captures go to {(report.branch or '').removeprefix('refs/heads/')}.")
    for ref, oid in report.waiting:
        render.say(f"  {ref} waits at {render.short(oid)}; it folds back by itself")
    tell_held(report.held)
    if not report.held:
        render.say("Nothing is held back.")
    for op in report.operations:
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(op.time_s))
        render.say(f"{render.short(op.oid)}  {when}  {op.summary}")
    return 0
