"""What a capture did, told to people and to programs."""

from __future__ import annotations

from memgit.cli import render
from memgit.core.capture import Counted, Held, Why, show
from memgit.porcelain.commit import Report

_ROWS = 20
_NAMED = 5
_AFTERWARDS = {False: "it folds back by itself when that ends", True: "it folds back once that is mended"}


def as_dict(report: Report) -> dict[str, object]:
    """The report as it is printed for programs."""
    return {
        "ref": report.ref,
        "old_tip": report.old_tip,
        "commit": report.commit,
        "why_not_on_branch": report.why,
        "files": [
            {"path": show(file.path), "verb": file.verb, "added": file.added, "deleted": file.deleted}
            for file in report.files
        ],
        "held": [held_as_dict(held) for held in report.held],
        "skipped": [{"path": show(item.path), "reason": item.reason} for item in report.skipped],
        "unfinished": [show(path) for path in report.unfinished],
        "kept_staged": [show(path) for path in report.kept_staged],
        "folded": list(report.folded),
        "set_aside": [{"path": show(path), "commit": oid} for path, oid in report.set_aside],
        "dry_run": report.dry_run,
    }


def held_as_dict(held: Held) -> dict[str, object]:
    """One held path, with rule, line and fingerprint of each finding."""
    findings = [{"line": f.line, "rule": f.rule, "fingerprint": f.fingerprint} for f in held.findings]
    return {"path": held.path, "why": held.why, "note": held.note, "findings": findings}


def tell(report: Report, *, quiet: bool, verbose: bool) -> None:
    """The report for people; what was held back also when quiet."""
    if not quiet:
        for file in report.files[: None if verbose else _ROWS]:
            render.say(f"  {_row(file)}")
        if not verbose and len(report.files) > _ROWS:
            render.say(f"  and {len(report.files) - _ROWS} more (-v shows all)")
        render.say(_what(report))
        if report.why and (report.files or verbose):
            render.say(f"  not on the branch, since {report.why}; {_AFTERWARDS[report.needs_repair]}")
        for ref in report.folded:
            render.say(f"  folded back what had waited on {ref}")
        for path, oid in report.set_aside:
            back = f"memgit restore {render.shell_word(path)} --at {render.short(oid)}"
            render.say(f"  another state of {show(path)} was captured: {back}")
        for path in report.kept_staged:
            render.say(f"  {show(path)}: what you staged stays staged")
        for path in report.unfinished:
            render.say(f"  {show(path)}: is being written; the rest comes with the next capture")
        shown = report.skipped if verbose else report.skipped[:_NAMED]
        for item in shown:
            render.note(f"not covered: {show(item.path) or '.'} {item.reason}")
        if len(shown) < len(report.skipped):
            render.note(f"not covered: {len(report.skipped) - len(shown)} more (-v shows all)")
    tell_held(report.held)
    there = " ".join([render.shell_word(file.path) for file in report.files if file.verb != "new"][:3])
    if not quiet and report.commit and report.old_tip and there:
        render.say(f"Take a file back with: memgit restore {there} --at {render.short(report.old_tip)}")


_WAYS_OUT = {
    Why.MARKERS: "Resolve the conflict; if the markers are meant to stand there, commit the file once yourself.",
    Why.UNPARSABLE: "Mend the file; if it is meant to be like that, commit it once yourself.",
    Why.TOO_LARGE: "Raise capture.max_file or capture.max_commit in the clone's own settings, or exclude the file.",
    Why.BINARY: "Name it, memgit commit PATH, or its kind in memory.include, such as /memory/*.png.",
}


def tell_held(held: tuple[Held, ...]) -> None:
    """What was held back and what to do about it, on standard error; never a value."""
    deleted = [item for item in held if item.why is Why.DELETED]
    for item in held:
        if item.why is Why.DELETED:
            continue
        note = f" ({item.note})" if item.note else ""
        render.note(f"held back: {item.path} {item.why.value}{note}")
        for finding in item.findings[:10]:
            place = "in its name" if finding.is_in_name else f"line {finding.line}"
            name = finding.fingerprint
            next_step = f"if it is none: memgit guard allow {name}" if name else "memgit guard scan gives it a name"
            render.note(f"  {place}: {finding.rule}; {next_step}")
        if item.why in _WAYS_OUT:
            render.note(f"  {_WAYS_OUT[item.why]}")
    if deleted:
        named = ", ".join(item.path for item in deleted[:_NAMED])
        more = f" and {len(deleted) - _NAMED} more" if len(deleted) > _NAMED else ""
        render.note(f"held back: {deleted[0].note}: {named}{more}")
        render.note("  If they are meant to be gone: memgit commit --confirm-deletions")


def _what(report: Report) -> str:
    if not report.files:
        return "Nothing to capture." if not report.folded else "Nothing else to capture."
    count = render.plural(len(report.files), "file")
    if report.dry_run:
        return f"{count} would be captured."
    if report.commit is None:
        return f"{count}, captured already."
    where = (report.ref or "").removeprefix("refs/heads/")
    return f"{count} captured as {render.short(report.commit)} on {where}."


def _row(file: Counted) -> str:
    counts = "" if file.added is None else f" (+{file.added} -{file.deleted})"
    verb = "" if file.verb == "changed" else f"{file.verb}: "
    return f"{verb}{show(file.path)}{counts}"
