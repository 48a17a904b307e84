"""memgit mirror."""

from __future__ import annotations

import time

from memgit.cli import render
from memgit.cli.backup import screen_of
from memgit.cli.context import open_repository, text
from memgit.cli.params import Values
from memgit.cli.progress import Progress
from memgit.core.setting_rows import MirroredFolder
from memgit.errors import UsageError
from memgit.porcelain.mirror import run as mirrors
from memgit.porcelain.mirror.report import Report

CONFLICT = 5


def run(values: Values) -> int:
    """Bring folders and the workspace together; 5 if changes could not be joined."""
    context = open_repository(values)
    request = mirrors.Request(bool(values["dry_run"]), bool(values["confirm_shrink"]))
    reports = []
    for folder in _chosen(context.config.folder, text(values, "folder")):
        with Progress(f"Mirroring {folder.name}", quiet=bool(values["quiet"])) as progress:
            reports.append(
                mirrors.run(
                    context.repo,
                    context.workspace,
                    folder,
                    context.config.memory.patterns(),
                    context.config.merge,
                    screen_of(context),
                    request,
                    time.time_ns(),
                    progress.advance,
                )
            )
        if not values["json"]:
            _show(reports[-1], quiet=bool(values["quiet"]))
    if values["json"]:
        render.emit_json({"folders": reports})
    return CONFLICT if any(report.conflicts for report in reports) else 0


def _chosen(folders: tuple[MirroredFolder, ...], name: str | None) -> tuple[MirroredFolder, ...]:
    if not folders:
        raise UsageError(
            "No folder is configured.",
            "Add one to the memgit/config.toml below the git directory, or to your user file:\n"
            '[[folder]]\nname = "vault"\npath = "~/Vault/memory"',
        )
    if name is None:
        return folders
    found = tuple(folder for folder in folders if folder.name == name)
    if not found:
        raise UsageError(f"There is no folder {name}.", f"There are {', '.join(folder.name for folder in folders)}.")
    return found


def _show(report: Report, *, quiet: bool) -> None:
    would = "would be " if report.dry_run else ""
    if not quiet:
        for paths, what in (
            (report.to_folder, "copied to the folder"),
            (report.to_workspace, "copied to the workspace"),
            (report.deleted_in_folder, "deleted in the folder"),
            (report.deleted_in_workspace, "deleted in the workspace"),
            (report.merged, "merged"),
        ):
            for path in paths:
                render.say(f"  {would}{what}: {path.decode('utf-8', 'backslashreplace')}")
        for path in report.survived:
            render.say(f"  kept although deleted on one side: {path.decode('utf-8', 'backslashreplace')}")
        if report.is_empty:
            render.say(f"{report.name}: both sides agree.")
        for place in report.kept:
            render.say(f"  kept aside: {place}")
    for conflict in report.conflicts:
        render.note(
            f"{report.name}: conflict in {conflict.path.decode('utf-8', 'backslashreplace')}: {conflict.outcome}"
        )
    for held in report.held:
        render.note(f"left out: {held.path.decode('utf-8', 'backslashreplace')}: {held.reason}")
    for path in report.deferred:
        render.note(f"changed during the run, so left for the next: {path.decode('utf-8', 'backslashreplace')}")
    for path in report.copies:
        name = path.decode("utf-8", "backslashreplace")
        render.note(f"{report.name}: a conflicted copy, to be joined with its original by hand: {name}")
