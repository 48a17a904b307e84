"""memgit sync and memgit push."""

from __future__ import annotations

import os

from memgit.cli import render
from memgit.cli.context import Context, now_s, open_repository, text
from memgit.cli.params import Values
from memgit.core.layers import Layer, flag
from memgit.core.version import VERSION
from memgit.git.remote import Line
from memgit.host import machine
from memgit.porcelain import sync as sync_branch
from memgit.porcelain.joined import How, Rules
from memgit.porcelain.pushed import Plan, Pushed
from memgit.porcelain.sync import Synced

HELD = 4
_SHOWN = 10


def sync(values: Values) -> int:
    """Bring the branch and its remote together."""
    context = open_repository(values, _flags(values))
    held: list[str] = []

    def capture() -> None:
        from memgit.porcelain import commit  # loaded while the remote is asked

        request = commit.Request(machine=machine.name(os.environ))
        report = commit.run(context.repo, context.config, context.workspace_bytes, VERSION, request, now_s())
        held[:] = [item.path for item in report.held]

    rules = Rules(
        context.config.memory.patterns().under(context.workspace_bytes), context.workspace_bytes, context.config.merge
    )
    synced = sync_branch.run(
        context.repo,
        _line(context),
        plan(context, values),
        rules,
        capture if context.repo.work_tree is not None else lambda: None,
        text(values, "remote"),
        context.config.remote.default,
        now_s(),
    )
    if values["json"]:
        render.emit_json(synced)
    elif not values["quiet"]:
        _show_synced(synced)
    if held:
        render.note(f"memgit: held back: {', '.join(held[:5])}; `memgit commit` says why")
    return _told_withheld(synced.pushed) or (HELD if held else 0)


def push(values: Values) -> int:
    """Send what is ready."""
    from memgit.porcelain import push as push_branch

    context = open_repository(values, _flags(values))
    pushed = push_branch.run(
        context.repo,
        _line(context),
        plan(context, values),
        text(values, "remote"),
        context.config.remote.default,
        now_s(),
    )
    if values["json"]:
        render.emit_json(pushed)
    elif not values["quiet"]:
        _show_pushed(pushed)
    return _told_withheld(pushed)


def _told_withheld(pushed: Pushed | None) -> int:
    """The exit status; says which files the remote refused, and which commits were not sent."""
    if pushed is None or not (pushed.withheld or pushed.stopped):
        return 0
    if pushed.withheld:
        render.note(
            f"memgit: {pushed.remote} found secrets, so these files are held back: {', '.join(pushed.withheld)}"
        )
        render.note("  They are unchanged on disk. Take the secret out, and change it where it is in use.")
        render.note("  The commits as they were stay in this clone alone, until `memgit prune` forgets them.")
    if pushed.stopped:
        commits = len({item.commit for item in pushed.stopped})
        render.note(f"memgit: {render.plural(commits, 'commit')} not sent for secrets, nor what stands on them:")
        for item in pushed.stopped[:_SHOWN]:
            where, finding = (item.commit or b"").decode()[:10], item.finding
            render.note(f"  {where} {finding.path}:{finding.line}: {finding.rule} {finding.fingerprint}".rstrip())
        if len(pushed.stopped) > _SHOWN:
            render.note(f"  and {len(pushed.stopped) - _SHOWN} more; --json lists them")
        render.note(
            "  Nobody else has them yet: take the secret out (git rebase -i), and change it where it is in use."
        )
        render.note("  If one is no secret: memgit guard allow, with the name at the end of its line.")
    return HELD


def _flags(values: Values) -> tuple[Layer, ...]:
    return (flag("--now", "push.open_windows", True),) if values["now"] else ()


def _line(context: Context) -> Line:
    return Line(context.repo.git, context.repo.config(), context.config.remote.timeout)


def plan(context: Context, values: Values) -> Plan:
    """What a push is asked to do, from settings and options."""
    create, dry_run = bool(values["create"]), bool(values["dry_run"])
    return Plan.of(context.config, context.workspace_bytes, machine.name(os.environ), create=create, dry_run=dry_run)


def _show_synced(synced: Synced) -> None:
    joined = synced.joined
    name = f"{synced.remote}/{synced.branch.removeprefix('refs/heads/')}"
    would = "would be " if synced.dry_run else ""
    if joined.how is How.NOTHING and not synced.fetched:
        render.say(f"{name}: nothing new there.")
    else:
        render.say(f"{name}: {render.plural(synced.fetched, 'new commit')} {would}taken in.")
    if joined.how is How.MERGED:
        render.say(f"  joined both sides in {render.short(joined.new)}")
        for path in joined.resolved:
            render.say(f"  {os.fsdecode(path)}: both sides kept")
    if synced.consolidated is not None:
        report = synced.consolidated
        render.say(f"  consolidated {report.commits_before:,} commits to {report.commits_after:,}; see `memgit log`")
    if synced.pushed is not None:
        _show_pushed(synced.pushed)
    else:
        render.say(f"{name}: nothing to send.")
    is_sent = synced.pushed is not None and synced.pushed.sent
    if joined.how is How.MERGED and not is_sent and synced.consolidated is None:
        render.say("Take the join back with: memgit undo")


def _show_pushed(pushed: Pushed) -> None:
    name = f"{pushed.remote}/{pushed.branch.removeprefix('refs/heads/')}"
    if pushed.sent:
        verb = "Would send" if pushed.dry_run else "Sent"
        new = ", a new branch" if pushed.is_new else ""
        render.say(f"{verb} {render.plural(pushed.sent, 'commit')} to {name}{new}.")
    else:
        render.say(f"{name}: nothing to send.")
    if pushed.waiting:
        safe = "; the raw tip is on the remote" if pushed.raw else ""
        why = "not sent for what the guard found" if pushed.stopped else "waiting for a window to end"
        render.say(f"  {render.plural(pushed.waiting, 'commit')} {why}{safe}")
    if pushed.raw_refused:
        render.say(f"  the remote did not take the raw tip: {pushed.raw_refused}")
