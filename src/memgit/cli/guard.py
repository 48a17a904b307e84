"""memgit guard: findings as text, JSON, SARIF or bare lines; never a value."""

from __future__ import annotations

import json
import os
import sys

from memgit.cli import render
from memgit.cli.context import find_repository, find_workspace, open_repository, text, texts
from memgit.cli.params import Values
from memgit.core import findings
from memgit.core.secrets.finding import Finding
from memgit.core.settings import Config
from memgit.core.version import VERSION
from memgit.errors import UsageError
from memgit.git.repository import Repository
from memgit.host import config_files
from memgit.porcelain import guarding
from memgit.porcelain.guard import Guard, Report
from memgit.porcelain.judge import allow_file

_FOUND = 4


def scan(values: Values) -> int:
    """Scan one kind of thing; exit 4 when something was found."""
    paths = texts(values, "paths")
    chosen = [bool(paths), bool(values["staged"]), values["range"] is not None, bool(values["stdin"])]
    if sum(chosen) > 1:
        raise UsageError("Paths, --staged, --range and --stdin exclude each other.")
    repo, config = _open(values, needed=not (paths or values["stdin"]))
    guard = Guard(repo, config)
    span = text(values, "range")
    if values["stdin"]:
        report = guard.scan_bytes(sys.stdin.buffer.read(), b"-")
    elif values["staged"]:
        report = guard.scan_staged(dict(os.environ))
    elif span is not None:
        report = guard.scan_range(span)
    elif paths:
        start = text(values, "directory")
        report = guard.scan_paths([os.path.join(start, path) for path in paths] if start else paths)
    else:
        assert repo is not None
        report = guard.scan_memory(os.fsencode(find_workspace(repo)))
    shape = text(values, "format") or ("json" if values["json"] else "text")
    {"json": _as_json, "sarif": _as_sarif, "lines": _as_lines, "text": _as_text}[shape](report)
    if shape == "text" and not values["quiet"]:
        _advise(report)
    for path, reason in report.unread:
        render.note(f"not looked at: {path} {reason}")
    return _FOUND if report.found else 0


def allow(values: Values) -> int:
    """Let findings pass in this clone."""
    context = open_repository(values)
    new = guarding.allow(context.repo, texts(values, "fingerprint"))
    if values["json"]:
        render.emit_json({"allowed": list(new), "file": allow_file(context.repo)})
    elif not values["quiet"]:
        if not new:
            render.say("Allowed already.")
            return 0
        render.say(f"{render.plural(len(new), 'finding')} may pass in this clone.")
        render.say(f"Take it back by removing the line from {allow_file(context.repo)}")
    return 0


def _open(values: Values, *, needed: bool) -> tuple[Repository | None, Config]:
    """The repository and its settings; where none is needed and there is none, the user's settings alone."""
    try:
        if needed:
            context = open_repository(values)
            return context.repo, context.config
        repo = find_repository(text(values, "directory"))
    except UsageError:
        if needed:
            raise
        return None, config_files.load(config_files.places(None, None, "", os.environ), os.environ)
    places = config_files.places(repo.common_dir, repo.work_tree, find_workspace(repo), os.environ)
    return repo, config_files.load(places, os.environ)


def _as_lines(report: Report) -> None:
    print(findings.as_lines(_plain(report)), end="")


def _as_text(report: Report) -> None:
    for found in report.found:
        where = f"{render.short(found.commit)} " if found.commit else ""
        print(where + findings.as_text([found.finding]), end="")


def _advise(report: Report) -> None:
    files = render.plural(report.looked_at, "file")
    if report.found:
        render.note(f"{render.plural(len(report.found), 'finding')} in {files}; if one is no secret:")
        render.note("  memgit guard allow FINGERPRINT")
    else:
        render.note(f"Nothing found in {files}.")


def _as_json(report: Report) -> None:
    told = findings.as_json(_plain(report))
    rows = told["findings"]
    assert isinstance(rows, list)
    for row, found in zip(rows, report.found, strict=True):
        row["commit"] = found.commit
    unread = [{"path": path, "reason": reason} for path, reason in report.unread]
    render.emit_json({**told, "unread": unread, "looked_at": report.looked_at})


def _as_sarif(report: Report) -> None:
    print(json.dumps(findings.as_sarif(_plain(report), VERSION), indent=2))


def _plain(report: Report) -> list[Finding]:
    return [found.finding for found in report.found]
