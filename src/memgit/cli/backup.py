"""memgit backup run. The other commands stand in `cli/backups.py`, so that a timer need not load them."""

from __future__ import annotations

import json
import os
import sys
import time

from memgit.cli import render
from memgit.cli.app import ITSELF
from memgit.cli.context import Context, open_repository, text
from memgit.cli.params import Values
from memgit.cli.progress import Progress
from memgit.core.backup.manifest import digest_of
from memgit.core.setting_rows import Target
from memgit.core.version import VERSION
from memgit.errors import MemgitError
from memgit.host.beside import Beside
from memgit.porcelain.backup import run as runs
from memgit.porcelain.backup import target as targets
from memgit.porcelain.backup.source import Screen
from memgit.porcelain.judge import Judge, allowed

_AT_ONCE = 4  # targets on other machines
_PASSED_ON = ("dry_run", "confirm_shrink", "new_target", "json", "quiet", "verbose")
_SHOWN = 20  # paths of one kind; --verbose and --json show all


def run(values: Values) -> int:
    """Back up to one target or to all: those on other machines beside each other, those of this one in turn."""
    context = open_repository(values)
    name = text(values, "target")
    every = name is None and len(context.config.target) > 1
    chosen = context.config.target if every else (targets.choose(context.config.target, name),)
    far = tuple(target for target in chosen if every and target.path is None)
    request = runs.Request(bool(values["dry_run"]), bool(values["confirm_shrink"]), bool(values["new_target"]))
    reports: list[object] = []
    failures: list[MemgitError] = []
    statuses: list[int] = []
    with Beside([_argv(values, target) for target in far], _AT_ONCE) as others:
        for target in chosen:
            if target in far:
                continue
            try:
                report = _one(context, target, request, quiet=bool(values["quiet"]))
            except MemgitError as error:  # the others do not wait for it
                failures.append(error)
                continue
            reports.append(report)
            if not values["json"] and not values["quiet"]:
                _show_run(report, all_paths=bool(values["verbose"]) or request.dry_run)
        for _, result in others.ended(wait=True):  # each one's output in one piece
            statuses.append(result.status)
            sys.stderr.write(result.stderr.decode("utf-8", "replace"))
            if not values["json"]:
                sys.stdout.write(result.stdout.decode("utf-8", "replace"))
            elif result.stdout:
                reports += json.loads(result.stdout)["runs"]
    if values["json"] and (reports or not (failures or any(statuses))):
        render.emit_json({"runs": reports})
    for failure in failures[1:]:
        render.note(f"memgit: {failure.message}")
    if failures:
        raise failures[0]
    return next((status for status in statuses if status), 0)


def _argv(values: Values, target: Target) -> tuple[str, ...]:
    """The command that backs up to one target, with all that was asked for."""
    given = tuple(f"--{name.replace('_', '-')}" for name in _PASSED_ON if values[name])
    where = ("-C", text(values, "directory") or os.curdir)
    return (*ITSELF, *where, "backup", "run", *given, target.name)


def _one(context: Context, target: Target, request: runs.Request, *, quiet: bool) -> runs.Report:
    with Progress(f"Backing up to {target.name}", quiet=quiet) as progress:
        return runs.run(
            context.repo,
            context.workspace,
            target,
            context.config.memory.patterns(),
            screen_of(context),
            _rules(context),
            request,
            time.time_ns(),
            progress.advance,
        )


def screen_of(context: Context) -> Screen:
    """The guard: whether a file has a secret that was not allowed. Loaded when there is a file to read."""
    judge = Judge(context.repo, context.config, makes_key=False)
    return lambda path, content: bool(judge.of_file(content, path))


def _rules(context: Context) -> bytes:
    """Changes with whatever could let the guard judge a file in another way."""
    return digest_of("\n".join((VERSION, *sorted(allowed(context.repo, context.config)))).encode())


def _show_run(report: runs.Report, *, all_paths: bool) -> None:
    would = "would be " if report.dry_run else ""
    show_paths(report.copied, f"{would}copied", all_paths=all_paths)
    show_paths(report.deleted, f"{would}deleted", all_paths=all_paths)
    for held in report.held:
        render.note(f"left out: {held.path.decode('utf-8', 'backslashreplace')}: {held.reason}")
    for note in report.notes:
        render.note(f"{report.target}: {note}")
    if not report.is_new:
        since = "" if report.mode == "mirror" else f" since {report.generation}"
        render.say(f"{report.target}: nothing changed{since}; {_count(report)}.")
        return
    parts = [
        f"{render.plural(len(report.copied), 'file')} {would}copied ({render.plural(report.bytes_copied, 'byte')})"
    ]
    if report.linked:
        parts.append(f"{report.linked:,} shared with the snapshot before")
    if report.deleted:
        parts.append(f"{len(report.deleted):,} {would}deleted")
    if report.unchanged:
        parts.append(f"{report.unchanged:,} there already")
    where = "the mirror" if report.mode == "mirror" else report.generation or "a new snapshot"
    render.say(f"{report.target}: {', '.join(parts)}; {_count(report)} in {where}.")


def _count(report: runs.Report) -> str:
    return render.plural(report.files, "file")


def show_paths(paths: tuple[bytes, ...], what: str, *, all_paths: bool) -> None:
    """A line for each path, or for the first few."""
    for path in paths if all_paths else paths[:_SHOWN]:
        render.say(f"  {what}: {path.decode('utf-8', 'backslashreplace')}")
    if len(paths) > _SHOWN and not all_paths:
        render.say(f"  ... and {len(paths) - _SHOWN:,} more {what}")
