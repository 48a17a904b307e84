"""memgit status: one screen about a workspace, and an exit status for monitors."""

from __future__ import annotations

import time

from memgit.cli import render
from memgit.cli.captured import held_as_dict, tell_held
from memgit.cli.context import now_s, open_repository
from memgit.cli.params import Values
from memgit.core.capture import show
from memgit.core.operations import taken_back
from memgit.core.values import fields
from memgit.core.version import VERSION
from memgit.porcelain import status
from memgit.porcelain.automatic import Automatic
from memgit.porcelain.status import Status, Unpushed

_OPERATIONS = 5
_FILES = 5
HELD, DEFERRED = 4, 6


def run(values: Values) -> int:
    """Show it. 4: something is held back; 6: something waits that should be on the branch; else 0."""
    context = open_repository(values)
    now = now_s()
    zone = time.strftime("%z", time.localtime(now)).encode()
    report = status.look(context.repo, context.config, context.workspace_bytes, VERSION, now, zone, _OPERATIONS)
    if values["json"]:
        render.emit_json(as_dict(report, now))
    elif not values["quiet"]:
        tell(report, now)
    if report.held:
        return HELD
    return DEFERRED if report.waiting or report.lost_writes else 0


def as_dict(report: Status, now: int) -> dict[str, object]:
    """The report as it is printed for programs."""
    unpushed = report.unpushed
    return {
        "branch": report.branch,
        "why_not_on_branch": report.why,
        "captured": report.captured_s,
        "changed": [show(file.path) for file in report.changed],
        "uncovered": [{"path": show(item.path), "reason": item.reason} for item in report.uncovered],
        "held": [held_as_dict(held) for held in report.held],
        "waiting": [{"ref": ref, "commit": oid} for ref, oid in report.waiting],
        "aside": [{"ref": ref, "commit": oid} for ref, oid in report.aside],
        "lost_writes": report.lost_writes,
        "in_open_window": report.in_open_window,
        "due": report.due,
        "window_ends": report.next_window_s,
        "unpushed": None if unpushed is None else _unpushed(unpushed, now),
        "automatic": report.automatic,
        "operations": [
            {"operation": op.oid, "kind": op.kind, "time": op.time_s, "summary": op.summary} for op in report.operations
        ],
    }


def _unpushed(found: Unpushed, now: int) -> dict[str, object]:
    age_s = None if found.oldest_s is None else now - found.oldest_s
    return {one.name: getattr(found, one.name) for one in fields(found)} | {"age_s": age_s}


def tell(report: Status, now: int) -> None:
    """The report for people."""
    if report.why:
        render.say(f"Captures go to a private ref, since {report.why}.")
    else:
        render.say(f"Captures go to {(report.branch or '').removeprefix('refs/heads/')}.")
    ago = "never" if report.captured_s is None else f"{_age(now - report.captured_s)} ago"
    render.say(f"Last capture: {ago}. {render.plural(len(report.changed), 'memory file')} to capture.")
    for file in report.changed[:_FILES]:
        render.say(f"  {show(file.path)}")
    if len(report.changed) > _FILES:
        render.say(f"  and {len(report.changed) - _FILES} more")
    for ref, oid in report.waiting:
        render.say(f"  {ref} waits at {render.short(oid)}; it folds back when its branch is free")
    for ref, oid in report.aside:
        render.say(f"  {ref} is at {render.short(oid)}; it stays there, since its branch is excluded")
    if report.lost_writes:
        render.say(
            f"  {render.plural(report.lost_writes, 'write')} during a stash not merged back: memgit doctor --fix"
        )
    for item in report.uncovered:
        render.say(f"Not covered: {show(item.path) or '.'} {item.reason}.")
    tell_held(report.held)
    if not report.held:
        render.say("Nothing is held back.")
    if report.in_open_window and report.next_window_s is not None:
        ends = time.strftime("%Y-%m-%d %H:%M", time.localtime(report.next_window_s))
        render.say(f"{render.plural(report.in_open_window, 'automatic commit')} in a window that ends {ends}.")
    if report.due:
        render.say(f"{render.plural(report.due, 'automatic commit')} due to be joined: memgit consolidate")
    if report.unpushed is None:
        render.say("No upstream: nothing of this branch is anywhere else.")
    elif report.unpushed.oldest_s is None:
        render.say("Everything is pushed.")
    else:
        age = _age(now - report.unpushed.oldest_s)
        render.say(f"{render.plural(report.unpushed.commits, 'commit')} not pushed, the oldest {age} old.")
    _tell_automatic(report.automatic, now)
    undone = taken_back(report.operations)
    for op in report.operations:
        render.say(render.operation(op, is_undone=op.oid in undone))


def _tell_automatic(found: Automatic, now: int) -> None:
    if found.runner is not None:
        render.say(f"`memgit run` looks after it (process {found.runner}, {found.watching}).")
    if found.paused is not None:
        until = "until `memgit resume`"
        if found.paused.until_s is not None:
            until = f"for another {_age(found.paused.until_s - now)}"
        render.say(f"Automatic actions are held {until}.")
    for trouble in found.troubles:
        again = f"; tried again in {_age(trouble.next_s - now)}" if trouble.next_s is not None else ""
        files = f" ({', '.join(trouble.paths[:_FILES])})" if trouble.paths else ""
        render.say(f"{trouble.message}{files}{again}.")
        render.say(f"  {trouble.hint}")


def _age(seconds: int) -> str:
    """In the largest unit that gives at least 2."""
    for size, name in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= 2 * size:
            return render.plural(seconds // size, name)
    return render.plural(max(seconds, 0), "second")
