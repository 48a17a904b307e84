"""memgit service install, remove and status."""

from __future__ import annotations

import os
import shutil
import sys

from memgit.cli import render
from memgit.cli.context import open_repository, text
from memgit.cli.params import Values
from memgit.core.service_files import Job
from memgit.host.timers import Timers
from memgit.porcelain import service
from memgit.porcelain.service import Home, Service


def install(values: Values) -> int:
    """Have this workspace looked after."""
    made = service.install(
        Timers(os.environ),
        Home.of(os.environ),
        job(),
        _workspace(values),
        text(values, "scheduler"),
        dry_run=bool(values["dry_run"]),
    )
    if values["json"]:
        render.emit_json(made)
    elif not values["quiet"]:
        if made.dry_run:
            for path, content in made.files:
                render.say(f"{path}:")
                render.say(content)
            return 0
        _show(made)
        render.say("Take it back with: memgit service remove")
    return 0


def remove(values: Values) -> int:
    """Look after it no more."""
    workspaces = None if values["all"] else (_workspace(values),)
    dry_run = bool(values["dry_run"])
    left = service.remove(Timers(os.environ), Home.of(os.environ), job(), workspaces, dry_run=dry_run)
    if values["json"]:
        render.emit_json(left)
    elif not values["quiet"]:
        if not left.changed:
            render.say("Nothing of this workspace is installed.")
        elif left.workspaces:
            render.say(f"{'Would go' if dry_run else 'Goes'} on with {', '.join(left.workspaces)}.")
        else:
            render.say(f"The service {'would be' if dry_run else 'is'} gone.")
    return 0


def status(values: Values) -> int:
    """What is installed."""
    found = service.status(Timers(os.environ), Home.of(os.environ))
    if values["json"]:
        render.emit_json(found)
    elif not values["quiet"]:
        if found.scheduler is None:
            render.say("No service is installed; `memgit service install` does.")
        else:
            _show(found)
    return 0


def _show(found: Service) -> None:
    running = {True: "running", False: "not running", None: "installed"}[found.is_running]
    render.say(f"{found.scheduler}: {running}, looks after {', '.join(found.workspaces)}.")
    if found.scheduler == "systemd" and found.stays is False:
        render.say("  It ends when you log out. To have it go on: loginctl enable-linger")


def _workspace(values: Values) -> str:
    context = open_repository(values)
    return os.path.join(context.repo.work_tree or context.repo.git_dir, context.workspace).rstrip("/")


def job() -> Job:
    """This very memgit, with the git it found."""
    git = shutil.which("git")
    places = dict.fromkeys([*([os.path.dirname(git)] if git else []), "/usr/local/bin", "/usr/bin", "/bin"])
    program: tuple[str, ...] = (sys.executable, "-c", "from memgit.cli.app import main; main()")
    script = os.path.join(os.path.dirname(sys.executable), "memgit")
    if os.access(script, os.X_OK):
        program = (script,)
    return Job(program, (), {"PATH": ":".join(places)}, 0)
