"""memgit restore, its undo, and the states that `memgit log --raw` lists."""

from __future__ import annotations

import os
import time

from memgit.cli import render
from memgit.cli.commit import repository_paths
from memgit.cli.context import Context, now_s, open_repository, text, texts
from memgit.cli.params import Values
from memgit.core.capture import show
from memgit.core.operations import Operation
from memgit.core.version import VERSION
from memgit.errors import UsageError
from memgit.git.objects import ObjectReader
from memgit.host import machine
from memgit.porcelain import restore, states
from memgit.porcelain.restore import Report, Restored, Site

_DIFF_LINES = 400


def run(values: Values) -> int:
    """Restore files; show what changed."""
    context = open_repository(values)
    at = text(values, "at")
    if at is None:
        raise UsageError("Say to which state with --at: a date or a commit.", "`memgit log --raw PATH` lists them.")
    paths = repository_paths(context, texts(values, "paths"))
    report = restore.run(_site(context), paths, at, dry_run=bool(values["dry_run"]))
    return _show(report, values)


def undo(values: Values, context: Context, operation: Operation) -> int:
    """Take a restore back."""
    report = restore.take_back(_site(context), operation, dry_run=bool(values["dry_run"]))
    if not values["json"] and not values["quiet"]:
        verb = "Would take back" if report.dry_run else "Took back"
        render.say(f"{verb} {render.short(operation.oid)}: {operation.summary}")
    return _show(report, values)


def log_raw(values: Values) -> int:
    """Every state of one file that can be reached."""
    context = open_repository(values)
    (path,) = repository_paths(context, (text(values, "raw") or "",))
    with ObjectReader(context.repo.git) as reader:
        found = states.of(context.repo, reader, path)
    if values["json"]:
        render.emit_json(
            {
                "path": show(path),
                "states": [
                    {
                        "commit": state.commit,
                        "time": state.time_s,
                        "blob": state.side.oid if state.side else None,
                        "subject": state.subject,
                    }
                    for state in found
                ],
            }
        )
        return 0
    if not found:
        render.say(f"No state of {show(path)} is known.")
    for state in found:
        gone = "" if state.side else "  (not a file then)"
        render.say(f"{render.short(state.commit)}  {_when(state.time_s)}  {state.subject}{gone}")
    return 0


def _site(context: Context) -> Site:
    name = machine.name(os.environ)
    return Site(context.repo, context.config, context.workspace_bytes, VERSION, name, now_s())


def _show(report: Report, values: Values) -> int:
    if values["json"]:
        render.emit_json(
            {
                "files": [
                    {"path": show(file.path), "from": file.commit, "time": file.time_s, "removed": file.after is None}
                    for file in report.files
                ],
                "same": [show(path) for path in report.same],
                "ref": report.ref,
                "old_tip": report.old_tip,
                "commit": report.commit,
                "operation": report.operation,
                "dry_run": report.dry_run,
            }
        )
        return 0
    if values["quiet"]:
        return 0
    for file in report.files:
        _diff(file)
    for path in report.same:
        render.say(f"{show(path)} is like that already.")
    count = render.plural(len(report.files), "file")
    if report.dry_run and report.files:
        render.say(f"{count} would be restored.")
    elif report.files and report.commit is None:
        render.say(f"{count} restored, as in the commit that is checked out; there was nothing to capture.")
        if report.old_tip:
            paths = " ".join(render.shell_word(file.path) for file in report.files)
            render.say(f"Take it back with: memgit restore {paths} --at {render.short(report.old_tip)}")
    elif report.files:
        where = (report.ref or "").removeprefix("refs/heads/")
        render.say(f"{count} restored, as {render.short(report.commit)} on {where}.")
        if report.operation:
            render.say(f"Take it back with: memgit undo {render.short(report.operation)}")
    return 0


def _diff(file: Restored) -> None:
    import difflib

    name = show(file.path)
    before = (file.before or b"").decode("utf-8", "backslashreplace").splitlines()
    after = (file.after or b"").decode("utf-8", "backslashreplace").splitlines()
    old = f"{name} (now)" if file.before is not None else "/dev/null"
    new = f"{name} ({render.short(file.commit)}, {_when(file.time_s)})" if file.after is not None else "/dev/null"
    lines = list(difflib.unified_diff(before, after, old, new, lineterm=""))
    for line in lines[:_DIFF_LINES]:
        render.say(
            "".join(char if char.isprintable() or char == "\t" else "\N{REPLACEMENT CHARACTER}" for char in line)
        )
    if len(lines) > _DIFF_LINES:
        render.say(f"... and {len(lines) - _DIFF_LINES} more lines")


def _when(time_s: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(time_s))
