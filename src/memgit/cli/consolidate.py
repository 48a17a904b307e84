"""memgit consolidate: options in, table or JSON out."""

from __future__ import annotations

import re

from memgit.cli import render
from memgit.cli.context import Context, branch_ref, now_s, open_repository, text, texts
from memgit.cli.params import Values
from memgit.cli.progress import Progress
from memgit.core.consolidation.plan import StopReason
from memgit.core.consolidation.policy import Policy, Request
from memgit.core.consolidation.report import KeptReason, Report
from memgit.core.layers import Layer, flag
from memgit.core.setting_rows import AutoRule
from memgit.errors import UsageError
from memgit.porcelain import consolidate

_ROWS = 30


def run(values: Values) -> int:
    """Consolidate, show what was done, and how to take it back."""
    context = open_repository(values, _flags(values))
    request = Request(
        branch=branch_ref(text(values, "branch")),
        since=text(values, "since"),
        open_windows=bool(values["now"]),
        published=bool(values["published"]),
        drop_signatures=bool(values["drop_signatures"]),
        dry_run=bool(values["dry_run"]),
    )
    with Progress("commits read", quiet=bool(values["quiet"])) as progress:
        report = consolidate.run(
            context.repo, policy(context, values), context.workspace_bytes, request, now_s(), progress.advance
        )
    if values["json"]:
        render.emit_json(as_dict(report))
    elif not values["quiet"]:
        show(report, bool(values["verbose"]))
    return 0


def _flags(values: Values) -> tuple[Layer, ...]:
    """The options that stand for settings."""
    given = []
    for name, option in (("window", "--window"), ("interleaved", "--interleaved")):
        if values[name] is not None:
            given.append(flag(option, f"consolidate.{name}", values[name]))
    if values["keep_empty"]:
        given.append(flag("--keep-empty", "consolidate.keep_empty", True))
    return tuple(given)


def policy(context: Context, values: Values) -> Policy:
    """The policy of this run: the settings, and the rules given as options beside the configured ones."""
    return Policy.of(context.config, _rules(texts(values, "auto_subject"), texts(values, "auto_author")))


def _rules(subjects: tuple[str, ...], authors: tuple[str, ...]) -> tuple[AutoRule, ...]:
    if authors and not subjects:
        raise UsageError(
            "--auto-author needs --auto-subject: an author alone never makes a commit automatic.",
            "In nearly every workspace one author signs both the automatic and the hand-made commits.",
        )
    for option, patterns in (("--auto-subject", subjects), ("--auto-author", authors)):
        for pattern in patterns:
            try:
                re.compile(pattern)
            except re.error as error:
                raise UsageError(
                    f"{option} {pattern!r} does not compile: {error}.", "Give a Python regular expression."
                ) from None
    author = "|".join(f"(?:{pattern})" for pattern in authors) or None
    return tuple(AutoRule(pattern, author, mixed=True) for pattern in subjects)


def as_dict(report: Report) -> dict[str, object]:
    """The report as it is printed for programs."""
    return {
        "branch": report.branch,
        "old_tip": report.old_tip,
        "new_tip": report.new_tip,
        "commits_before": report.commits_before,
        "commits_after": report.commits_after,
        "created": list(report.created),
        "squashed": report.squashed,
        "dropped": report.dropped,
        "rewritten": report.rewritten,
        "kept": list(report.kept),
        "stop_reason": report.stop_reason,
        "stopped_at": report.stopped_at,
        "signatures_dropped": report.signatures_dropped,
        "affected": list(report.affected),
        "operation": report.operation,
        "dry_run": report.dry_run,
    }


def show(report: Report, everything: bool) -> None:
    """The report for people."""
    branch = report.branch.removeprefix("refs/heads/")
    if report.stop_reason is StopReason.EMPTY:
        render.say(f"{branch} has no commit yet; nothing to consolidate.")
        return
    shown = report.created if everything else report.created[-_ROWS:]
    if shown:
        rows = [
            (squash.window, str(squash.sources), f"{render.short(squash.first)}..{render.short(squash.last)}",
             render.short(squash.commit), squash.subject)
            for squash in shown
        ]  # fmt: skip
        render.table(rows, ("window", "commits", "sources", "becomes", "subject"), right=(1,))
        if len(shown) < len(report.created):
            render.say(f"and {len(report.created) - len(shown):,} windows before these (-v shows all)")
        render.say()
    verb = "would become" if report.dry_run else "became"
    if report.created or report.dropped:
        render.say(
            f"{branch}: {render.plural(report.commits_before, 'commit')} {verb} {report.commits_after:,};"
            f" the files are the same to the byte."
        )
    else:
        render.say(f"{branch}: nothing to consolidate in {render.plural(report.commits_before, 'commit')}.")
    for kept in report.kept:
        render.say(f"  kept {kept.count:,} {kept.reason.value}")
    if report.dropped:
        render.say(f"  left out {render.plural(report.dropped, 'window')} whose changes cancel out")
    if report.rewritten:
        render.say(f"  {render.plural(report.rewritten, 'other commit')} got a new parent and nothing else")
    if report.signatures_dropped:
        loses = "would lose a signature; see --drop-signatures" if report.dry_run else "lost a signature"
        render.say(f"  {render.plural(report.signatures_dropped, 'commit')} {loses}")
    at = f" {render.short(report.stopped_at)}" if report.stopped_at else ""
    render.say(f"  stopped where it {report.stop_reason.value}{at}")
    if report.affected:
        render.say(f"  the old commits are also held by: {', '.join(report.affected)}")
    if all(kept.reason is KeptReason.PERSON for kept in report.kept) and not report.created and report.commits_before:
        render.say(
            "No commit here is known to be automatic. Name another script's with --auto-subject or an [[auto]] rule."
        )
    if report.operation:
        render.say(f"Take it back with: memgit undo {render.short(report.operation)}")
