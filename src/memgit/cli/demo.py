"""memgit demo: the main job on a throw-away workspace, told step by step."""

from __future__ import annotations

import os
import shutil
import tempfile

from memgit.cli import render
from memgit.cli.app import run as run_memgit
from memgit.cli.context import now_s, text
from memgit.cli.params import Values
from memgit.errors import UsageError
from memgit.git.command import Git
from memgit.porcelain import demo

_DAYS = 7


def run(values: Values) -> int:
    """Build, consolidate, compare, take back; leave nothing behind unless asked to."""
    keep = text(values, "keep")
    if keep is not None and os.path.isdir(keep) and os.listdir(keep):
        raise UsageError(f"{keep} is not empty.", "Give --keep a directory that is new or empty.")
    place = keep or tempfile.mkdtemp(prefix="memgit-demo-")
    try:
        _tell(place)
    finally:
        if keep is None:
            shutil.rmtree(place, ignore_errors=True)
    if keep is not None:
        render.say(f"The demo is left in {keep}.")
    return 0


def _tell(place: str) -> None:
    workspace = os.path.join(place, "workspace")
    git = Git(workspace)
    midnight = now_s() // demo.DAY_S * demo.DAY_S - (_DAYS + 1) * demo.DAY_S
    _step("A week of an agent's memory, committed every half hour by a script")
    demo.build(workspace, midnight, _DAYS)
    before = _history(git)
    tree = git.text("rev-parse", "HEAD^{tree}")
    tip = git.text("rev-parse", "HEAD")

    _step("memgit consolidate")
    run_memgit(["-C", workspace, "consolidate"])

    _step("The history afterwards")
    after = _history(git)
    render.say(f"{before} commits before, {after} after.")
    same = git.text("rev-parse", "HEAD^{tree}") == tree and not git.text("status", "--porcelain")
    render.say(f"Files byte for byte as before: {_yes(same)}.")

    _step("memgit undo, and consolidate again")
    run_memgit(["-C", workspace, "undo"])
    render.say(f"The very same tip as at the start: {_yes(git.text('rev-parse', 'HEAD') == tip)}.")
    run_memgit(["-C", workspace, "consolidate", "-q"])
    _tell_of_two_machines(place, workspace)


def _tell_of_two_machines(place: str, workspace: str) -> None:
    _step("A second machine: both write the same log at the same time")
    desktop = demo.second_machine(workspace, os.path.join(place, "remote.git"), os.path.join(place, "desktop"))
    here, there = Git(workspace), Git(desktop)
    log = demo.newest_log(workspace)
    demo.append(workspace, log, ["- 19:05 laptop: booked the flight", "- 19:40 laptop: sent the invoice"])
    demo.append(desktop, log, ["- 19:20 desktop: the nightly build is green"])
    for machine in (workspace, desktop):
        run_memgit(["-C", machine, "commit"])
    here.run("push", "--quiet", "origin", "main")
    there.run("fetch", "--quiet", "origin")
    plain = there.run("merge-tree", "--write-tree", "HEAD", "origin/main", ok=(0, 1)).status
    render.say(f"Would git alone merge this? {'yes' if plain == 0 else 'no, it stops with a conflict'}.")

    _step("memgit init --driver-only on both, then an ordinary git pull on each")
    for machine in (workspace, desktop):
        run_memgit(["-C", machine, "init", "--driver-only", "--yes", "-q"])
    there.run("pull", "--quiet", "--no-rebase", "--no-edit", "origin", "main")
    there.run("push", "--quiet", "origin", "main")
    here.run("pull", "--quiet", "--no-rebase", "origin", "main")
    for line in demo.last_lines(desktop, log, 4):
        render.say("  " + line)
    same = here.text("rev-parse", "HEAD^{tree}") == there.text("rev-parse", "HEAD^{tree}")
    render.say(f"Nothing lost, in the order of time, the same on both machines: {_yes(same)}.")


def _yes(holds: bool) -> str:
    return "yes" if holds else "NO"


def _step(title: str) -> None:
    render.say()
    render.say(f"== {title}")


def _history(git: Git) -> int:
    lines = git.text("log", "--format=%h %ad %<(12,trunc)%an %<(70,trunc)%s", "--date=format:%m-%d %H:%M").split("\n")
    for line in lines[:8]:
        render.say("  " + line.rstrip())
    if len(lines) > 8:
        render.say(f"  ... and {len(lines) - 8} more")
    return len(lines)
