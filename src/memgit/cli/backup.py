"""memgit backup: run, list, verify, restore, prune, drill, setup-ssh."""

from __future__ import annotations

import os
import time

from memgit.cli import render
from memgit.cli.app import VERSION
from memgit.cli.context import Context, now_s, open_repository, text, texts
from memgit.cli.params import Values
from memgit.cli.progress import Progress
from memgit.core.backup.manifest import digest_of
from memgit.core.settings import Target
from memgit.errors import UsageError
from memgit.porcelain.backup import check
from memgit.porcelain.backup import drill as drills
from memgit.porcelain.backup import prune as prunes
from memgit.porcelain.backup import restore as restores
from memgit.porcelain.backup import run as runs
from memgit.porcelain.backup import setup_ssh as setups
from memgit.porcelain.backup import target as targets
from memgit.porcelain.backup.source import Screen

_SHOWN = 20  # paths of one kind; --verbose and --json show all


def run(values: Values) -> int:
    """Back up to one target or to all."""
    context = open_repository(values)
    name = text(values, "target")
    chosen = context.config.target if name is None and context.config.target else (_target(context, name),)
    request = runs.Request(bool(values["dry_run"]), bool(values["confirm_shrink"]), bool(values["new_target"]))
    reports = []
    for target in chosen:
        with Progress(f"Backing up to {target.name}", quiet=bool(values["quiet"])) as progress:
            reports.append(
                runs.run(
                    context.repo,
                    context.workspace,
                    target,
                    context.config.memory.patterns(),
                    _screen(context),
                    _rules(context),
                    request,
                    time.time_ns(),
                    progress.advance,
                )
            )
        if not values["json"] and not values["quiet"]:
            _show_run(reports[-1], all_paths=bool(values["verbose"]) or request.dry_run)
    if values["json"]:
        render.emit_json({"runs": reports})
    return 0


def _screen(context: Context) -> Screen:
    """The guard: whether a file has a secret that was not allowed. Loaded when there is a file to read."""
    allowed = frozenset(context.config.guard.allow)

    def screen(path: bytes, content: bytes) -> bool:
        from memgit.core.secrets.scan import scan

        return bool(scan(content, path, allowed))

    return screen


def _rules(context: Context) -> bytes:
    """Changes with whatever could let the guard judge a file in another way."""
    return digest_of("\n".join((VERSION, *context.config.guard.allow)).encode())


def _show_run(report: runs.Report, *, all_paths: bool) -> None:
    would = "would be " if report.dry_run else ""
    _paths(report.copied, f"{would}copied", all_paths=all_paths)
    _paths(report.deleted, f"{would}deleted", all_paths=all_paths)
    for held in report.held:
        render.note(f"left out: {held.path.decode('utf-8', 'backslashreplace')}: {held.reason}")
    for note in report.notes:
        render.note(f"{report.target}: {note}")
    if not report.is_new:
        render.say(f"{report.target}: nothing changed since {report.generation}; {_count(report)}.")
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
    render.say(f"{report.target}: {', '.join(parts)}; {_count(report)} in {report.generation or 'a new snapshot'}.")


def _count(report: runs.Report) -> str:
    return render.plural(report.files, "file")


def _paths(paths: tuple[bytes, ...], what: str, *, all_paths: bool) -> None:
    for path in paths if all_paths else paths[:_SHOWN]:
        render.say(f"  {what}: {path.decode('utf-8', 'backslashreplace')}")
    if len(paths) > _SHOWN and not all_paths:
        render.say(f"  ... and {len(paths) - _SHOWN:,} more {what}")


def _target(context: Context, name: str | None) -> Target:
    return targets.choose(context.config.target, name)


def list_all(values: Values) -> int:
    """Show what lies at a target."""
    context = open_repository(values)
    target = _target(context, text(values, "target"))
    found = check.list_all(context.repo, target)
    if values["json"]:
        render.emit_json({"target": target.name, "generations": found})
        return 0
    if not found:
        render.say(f"{target.name}: there is no backup yet.")
    rows = [
        (item.name, item.state.value, f"{item.files:,}", f"{item.size:,}", render.short(item.commit)) for item in found
    ]
    if rows:
        render.table(rows, ("generation", "state", "files", "bytes", "commit"), right=(2, 3))
    return 0


def verify(values: Values) -> int:
    """Compare a backup with its manifest."""
    context = open_repository(values)
    target = _target(context, text(values, "target"))
    sample = values["sample"]
    assert sample is None or isinstance(sample, int)
    with Progress(f"Verifying {target.name}", quiet=bool(values["quiet"])) as progress:
        found = check.verify(context.repo, target, text(values, "snapshot"), sample, progress.advance)
    return _show_verified(values, found, "as its manifest says")


def drill(values: Values) -> int:
    """Restore the newest backup into a scratch directory and compare."""
    context = open_repository(values)
    target = _target(context, text(values, "target"))
    with Progress(f"Restoring {target.name}", quiet=bool(values["quiet"])) as progress:
        found = drills.run(context.repo, target, progress.advance)
    return _show_verified(values, found, "restored into a scratch directory and equal to the last byte")


def _show_verified(values: Values, found: check.Verified, good: str) -> int:
    if values["json"]:
        render.emit_json(found)
    elif found.problems:
        for problem in found.problems:
            render.say(f"  {problem.path.decode('utf-8', 'backslashreplace')}: {problem.what.value}")
        render.say(f"{found.target}: {found.generation} has {render.plural(len(found.problems), 'problem')}.")
    elif not values["quiet"]:
        checked = f"{found.checked:,} of {render.plural(found.files, 'file')}"
        render.say(f"{found.target}: {found.generation}: {checked} {good}.")
    return 1 if found.problems else 0


def restore(values: Values) -> int:
    """Bring files of a backup back."""
    context = open_repository(values)
    name, _, snapshot = (text(values, "source") or "").partition("/")
    to = text(values, "to")
    if to is None:
        raise UsageError("Restore where?", "Name a directory with --to.")
    target = _target(context, name or None)
    paths = tuple(os.fsencode(path) for path in texts(values, "path"))
    with Progress(f"Restoring from {target.name}", quiet=bool(values["quiet"])) as progress:
        report = restores.run(
            context.repo,
            target,
            snapshot or None,
            paths,
            os.path.abspath(to),
            dry_run=bool(values["dry_run"]),
            replace=bool(values["overwrite"]),
            advance=progress.advance,
        )
    if values["json"]:
        render.emit_json(report)
    elif not values["quiet"]:
        would = "would be " if report.dry_run else ""
        everything = bool(values["verbose"]) or report.dry_run
        _paths(report.created, f"{would}created", all_paths=everything)
        _paths(report.replaced, f"{would}replaced", all_paths=everything)
        render.say(
            f"{report.generation}: {len(report.created):,} {would}created, {len(report.replaced):,} {would}replaced,"
            f" {report.unchanged:,} there already in {report.to}"
        )
    return 0


def prune(values: Values) -> int:
    """Let old snapshots go."""
    context = open_repository(values)
    target = _target(context, text(values, "target"))
    report = prunes.run(context.repo, target, now_s(), dry_run=bool(values["dry_run"]))
    if values["json"]:
        render.emit_json(report)
    elif not values["quiet"]:
        for verdict in report.kept:
            render.say(f"{verdict.snapshot.name}  stays: {', '.join(verdict.reasons)}")
        for name in report.gone:
            render.say(f"{name}  {'would go' if report.dry_run else 'gone'}")
        gone = f"{render.plural(len(report.gone), 'snapshot')} {'would go' if report.dry_run else 'gone'}"
        render.say(f"{report.target}: {gone}, {len(report.kept):,} kept.")
    return 0


def setup_ssh(values: Values) -> int:
    """Show how to give the target a key that can do nothing else."""
    context = open_repository(values)
    target = _target(context, text(values, "target"))
    setup = setups.run(target, text(values, "remote_directory"), text(values, "rrsync") or "rrsync")
    if values["json"]:
        render.emit_json(setup)
        return 0
    step = 1
    for title, lines in (
        (
            "Make a key of its own on this machine" + (" (it is there already)" if setup.has_key else ""),
            (setup.make_key,),
        ),
        ("Make the directory on the other machine", (setup.make_directory,)),
        ("Add this line to ~/.ssh/authorized_keys there", (setup.authorized_keys,)),
        ("Let the target use the key; to the key, the directory is the root", setup.config),
        ("See that the key can do nothing else: the first two are refused, the last works", setup.tests),
    ):
        render.say(f"{step}. {title}:")
        for line in lines:
            render.say(f"     {line}")
        step += 1
    return 0
