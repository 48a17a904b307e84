"""memgit export."""

from __future__ import annotations

from memgit.cli import render
from memgit.cli.context import open_repository, text, typed_path
from memgit.cli.params import Values
from memgit.cli.progress import Progress
from memgit.core.memory import Patterns
from memgit.errors import UsageError
from memgit.porcelain import export


def run(values: Values) -> int:
    """Write the memory of a commit into a directory."""
    context = open_repository(values)
    to = text(values, "to")
    if to is None:
        raise UsageError("Export where?", "Name a directory with --to.")
    patterns = Patterns.compile(("*",), ()) if values["all"] else context.config.memory.patterns()
    with Progress("Exporting", quiet=bool(values["quiet"])) as progress:
        report = export.run(
            context.repo,
            context.workspace_bytes,
            text(values, "ref") or "HEAD",
            patterns,
            typed_path(values, to),
            dry_run=bool(values["dry_run"]),
            overwrite=bool(values["overwrite"]),
            advance=progress.advance,
        )
    if values["json"]:
        render.emit_json(report)
    elif not values["quiet"]:
        if values["verbose"] or values["dry_run"]:
            for path in report.files:
                render.say(f"  {path.decode('utf-8', 'backslashreplace')}")
        done = "would be written" if report.dry_run else "written"
        render.say(
            f"{render.short(report.commit)}: {render.plural(len(report.files), 'file')} {done},"
            f" {report.unchanged:,} there already in {report.to}"
        )
    return 0
