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
    render.say(f"Files byte for byte as before: {'yes' if same else 'NO'}.")

    _step("memgit undo")
    run_memgit(["-C", workspace, "undo"])
    render.say(f"The very same tip as at the start: {'yes' if git.text('rev-parse', 'HEAD') == tip else 'NO'}.")


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
