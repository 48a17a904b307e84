"""memgit run, pause and resume."""

from __future__ import annotations

import os
import time

from memgit.cli import render
from memgit.cli.app import ITSELF, status_of
from memgit.cli.context import find_repository, now_s, open_repository, open_workspace, text, texts, typed_path
from memgit.cli.params import Values
from memgit.core.units import duration_s, format_duration
from memgit.errors import MemgitError, UsageError
from memgit.host import config_files
from memgit.host.log import JsonLog
from memgit.porcelain import pause as hold
from memgit.porcelain.daemon import Daemon


def run(values: Values) -> int:
    """Look after workspaces until told to stop, or once."""
    verbose = JsonLog("/dev/stderr") if values["verbose"] else None
    daemon = Daemon(open_workspace, ITSELF, dict(os.environ), verbose)
    paths = _paths(values)
    if not values["once"]:
        daemon.run(paths)
        return 0
    worst = 0
    rows = []
    for path in paths:
        try:
            rows += [(path, job, ran) for path, job, ran in daemon.once([path])]
        except MemgitError as error:
            if len(paths) == 1:
                raise
            render.note(f"memgit: {path}: {error.message}")
            worst = worst or status_of(error)
    if values["json"]:
        render.emit_json({"ran": [{"workspace": path, "job": job, "result": ran} for path, job, ran in rows]})
    for path, job, ran in rows:
        worst = worst or ran.status
        if ran.status:
            render.note(f"memgit: {path}: {job}: {ran.message}")
        elif not values["json"] and not values["quiet"]:
            render.say(f"{path}: {job} done.")
    if not rows and not values["json"] and not values["quiet"] and not worst:
        is_held = any(hold.current(open_workspace(path).repo, now_s()) is not None for path in paths)
        render.say("Automatic actions are held; `memgit resume` lets them go on." if is_held else "Nothing is due.")
    return worst


def _paths(values: Values) -> list[str]:
    given = list(texts(values, "paths"))
    if given:
        return [typed_path(values, path) for path in given]
    directory = text(values, "directory")
    try:
        find_repository(directory)
        return [os.path.abspath(directory or os.curdir)]
    except UsageError:
        places = config_files.places(None, None, "", os.environ)
        listed = config_files.load(places, os.environ).run.workspaces
        if not listed:
            raise UsageError(
                "There is no workspace here, and none is listed.",
                "Name one (memgit run PATH), or list them in your user file: [run] workspaces.",
            ) from None
        return [os.path.abspath(os.path.expanduser(path)) for path in listed]


def pause(values: Values) -> int:
    """Hold automatic actions."""
    context = open_repository(values)
    wanted = text(values, "duration")
    try:
        for_s = duration_s(wanted) if wanted is not None else None
    except ValueError as error:
        raise UsageError(f"--for must be {error}, not {wanted}.") from None
    made = hold.start(context.repo, for_s, now_s())
    if values["json"]:
        render.emit_json(made)
    elif not values["quiet"]:
        how_long = f"for {format_duration(for_s)}" if for_s is not None else "until `memgit resume`"
        render.say(f"Automatic actions of this workspace are held {how_long}.")
        if for_s is not None:
            render.say("Go on earlier with: memgit resume")
    return 0


def resume(values: Values) -> int:
    """Let them go on."""
    context = open_repository(values)
    was = hold.stop(context.repo, now_s())
    if values["json"]:
        render.emit_json({"was_paused": was is not None, "since_s": was.since_s if was else None})
    elif not values["quiet"]:
        if was is None:
            render.say("Nothing was paused.")
        else:
            since = time.strftime("%Y-%m-%d %H:%M", time.localtime(was.since_s))
            render.say(f"Automatic actions go on; they were held since {since}.")
    return 0
