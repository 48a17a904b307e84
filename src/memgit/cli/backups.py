"""memgit backup list, verify, drill, restore, prune and setup-ssh: what is done with what lies at a target."""

from __future__ import annotations

import os

from memgit.cli import render
from memgit.cli.backup import show_paths
from memgit.cli.context import Context, now_s, open_repository, text, texts, typed_path
from memgit.cli.params import Values
from memgit.cli.progress import Progress
from memgit.core.setting_rows import Target
from memgit.core.values import fields
from memgit.core.version import VERSION
from memgit.errors import MemgitError, UsageError
from memgit.host import machine
from memgit.porcelain.backup import check, recall
from memgit.porcelain.backup import drill as drills
from memgit.porcelain.backup import prune as prunes
from memgit.porcelain.backup import restore as restores
from memgit.porcelain.backup import setup_ssh as setups
from memgit.porcelain.backup import target as targets
from memgit.porcelain.restore import Site


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
    if sample == 0:
        raise UsageError("--sample 0 would check nothing.", "Name how many files to read, or leave it out for all.")
    with Progress(f"Verifying {target.name}", quiet=bool(values["quiet"])) as progress:
        found = check.verify(context.repo, target, text(values, "snapshot"), sample, progress.advance)
    return _show_verified(values, found, "are as its manifest says")


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
        render.note("`memgit backup run` makes a sound one, which takes nothing damaged over.")
    elif not values["quiet"]:
        checked = f"{found.checked:,} of {render.plural(found.files, 'file')}"
        render.say(f"{found.target}: {found.generation}: {checked} {good}.")
    return 1 if found.problems else 0


def restore(values: Values) -> int:
    """Bring files of a backup back, into the workspace as a commit or into another directory."""
    context = open_repository(values)
    name, _, snapshot = (text(values, "source") or "").partition("/")
    to = text(values, "to")
    target = _target(context, name or None)
    paths = tuple(os.fsencode(path) for path in texts(values, "path"))
    dry_run = bool(values["dry_run"])
    with Progress(f"Restoring from {target.name}", quiet=bool(values["quiet"])) as progress:
        if to is None:
            name_here = machine.name(os.environ)
            where = Site(context.repo, context.config, context.workspace_bytes, VERSION, name_here, now_s())
            recalled = recall.run(
                where, target, snapshot or None, paths, dry_run=dry_run, advance=progress.advance
            )  # fmt: skip
        else:
            report = restores.run(
                context.repo,
                target,
                snapshot or None,
                paths,
                typed_path(values, to),
                dry_run=dry_run,
                replace=bool(values["overwrite"]),
                advance=progress.advance,
            )
            recalled = recall.Recalled(report, None, None)
    report = recalled.restored
    if values["json"]:
        plain = {field.name: getattr(report, field.name) for field in fields(report)}
        render.emit_json({**plain, "commit": recalled.commit, "operation": recalled.operation})
    elif not values["quiet"]:
        would = "would be " if dry_run else ""
        everything = bool(values["verbose"]) or dry_run
        show_paths(report.created, f"{would}created", all_paths=everything)
        show_paths(report.replaced, f"{would}replaced", all_paths=everything)
        render.say(
            f"{report.generation}: {len(report.created):,} {would}created, {len(report.replaced):,} {would}replaced,"
            f" {report.unchanged:,} there already in {report.to}"
        )
        if recalled.operation:
            render.say(f"Take it back with: memgit undo {render.short(recalled.operation)}")
    return 0


def prune(values: Values) -> int:
    """Let old snapshots go, at one target or wherever they can go from here."""
    context = open_repository(values)
    name = text(values, "target")
    every = context.config.target if name is None else ()
    chosen = tuple(target for target in every if target.can_prune) if len(every) > 1 else (_target(context, name),)
    reports, failures = [], []
    for target in chosen:
        try:
            report = prunes.run(context.repo, target, now_s(), dry_run=bool(values["dry_run"]))
        except MemgitError as error:  # the others do not wait for it
            failures.append(error)
            continue
        reports.append(report)
        if not values["json"] and not values["quiet"]:
            _show_pruned(report)
    if values["json"] and not failures:
        render.emit_json(reports[0] if len(every) < 2 else {"pruned": reports})
    for failure in failures[1:]:
        render.note(f"memgit: {failure.message}")
    if failures:
        raise failures[0]
    if not chosen and not values["json"]:
        render.say("No target has snapshots that this machine could let go.")
    return 0


def _show_pruned(report: prunes.Pruned) -> None:
    for verdict in report.kept:
        render.say(f"{verdict.snapshot.name}  stays: {', '.join(verdict.reasons)}")
    for name in report.gone:
        render.say(f"{name}  {'would go' if report.dry_run else 'gone'}")
    gone = f"{render.plural(len(report.gone), 'snapshot')} {'would go' if report.dry_run else 'gone'}"
    render.say(f"{report.target}: {gone}, {len(report.kept):,} kept.")


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
        ("See that the key can do nothing else: all of these are refused but the last, which works", setup.tests),
    ):
        render.say(f"{step}. {title}:")
        for line in lines:
            render.say(f"     {line}")
        step += 1
    return 0


def _target(context: Context, name: str | None) -> Target:
    return targets.choose(context.config.target, name)
