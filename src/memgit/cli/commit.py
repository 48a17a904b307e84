"""memgit commit: what was captured, where it went, and what was held back."""

from __future__ import annotations

import os

from memgit.cli import render
from memgit.cli.context import Context, now_s, open_repository, text, texts
from memgit.cli.params import Values
from memgit.core.version import VERSION
from memgit.errors import UsageError
from memgit.host import machine
from memgit.porcelain import commit
from memgit.porcelain.commit import Request

HELD = 4
DEFERRED = 6


def run(values: Values) -> int:
    """Capture, say what was done; the exit status says whether something was held back."""
    context = open_repository(values)
    request = Request(
        paths=_memory_paths(context, texts(values, "paths")),
        message=text(values, "message"),
        machine=machine.name(os.environ),
        agent=text(values, "agent") or os.environ.get("MEMGIT_AGENT"),
        session=text(values, "session") or os.environ.get("MEMGIT_SESSION"),
        confirm_deletions=bool(values["confirm_deletions"]),
        dry_run=bool(values["dry_run"]),
    )
    report = commit.run(context.repo, context.config, context.workspace_bytes, VERSION, request, now_s())
    to_tell = report.files or report.held or report.folded or report.skipped
    if not (to_tell or values["json"] or values["verbose"]):
        if not values["quiet"]:
            render.say("Nothing to capture.")
        return 0
    from memgit.cli import captured  # only where there is something to tell

    if values["json"]:
        render.emit_json(captured.as_dict(report))
    else:
        captured.tell(report, quiet=bool(values["quiet"]), verbose=bool(values["verbose"]))
    return HELD if report.held else DEFERRED if report.needs_repair else 0


def _memory_paths(context: Context, given: tuple[str, ...]) -> tuple[bytes, ...]:
    """The same as repository paths; raises UsageError for one that neither is memory nor could hold any."""
    paths = repository_paths(context, given)
    patterns = context.config.memory.patterns().under(context.workspace_bytes)
    for name, path in zip(given, paths, strict=False):
        if not (patterns.matches(path) or patterns.may_contain(path)):
            raise UsageError(f"{name} is no memory file.", "`memgit config` shows what [memory] include selects.")
    return paths


def repository_paths(context: Context, given: tuple[str, ...]) -> tuple[bytes, ...]:
    """Paths as typed, as paths below the top of the work tree. b"" is all of it. Raises UsageError for others."""
    repo = context.repo
    if repo.work_tree is None:
        return ()
    top = os.path.realpath(repo.work_tree)
    here = os.path.join(top, repo.prefix)
    found = []
    for path in given:
        place = os.path.normpath(os.path.join(here, path))
        # The directory is resolved, the last name is not: a link is a file of its own.
        place = os.path.join(os.path.realpath(os.path.dirname(place)), os.path.basename(place))
        if place != top and not place.startswith(top + "/"):
            raise UsageError(f"{path} is not in this work tree.")
        found.append(os.fsencode(place[len(top) + 1 :]))
    return tuple(found)
