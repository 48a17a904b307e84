"""memgit config: the settings in force, where each comes from, and an example to start from."""

from __future__ import annotations

import os

from memgit.cli import render
from memgit.cli.context import find_repository, find_workspace, text, texts
from memgit.cli.params import Values
from memgit.core import settings_text
from memgit.core.settings import TABLE
from memgit.errors import UsageError
from memgit.host import config_files


def run(values: Values) -> int:
    """Show, validate, or print the example."""
    if values["example"]:
        render.say(settings_text.example().rstrip("\n"))
        return 0
    places = _places(values)
    config = config_files.load(places, os.environ)
    if values["validate"]:
        read = config_files.read(places)
        for layer in read:
            render.say(f"{layer.name}: in order")
        if not read:
            render.say("There is no configuration file; every setting has its default.")
        return 0
    wanted = texts(values, "key")
    for key in wanted:
        if key not in TABLE:
            raise _unknown(key)
    entries = [entry for entry in settings_text.entries(config) if not wanted or entry.key in wanted]
    if values["json"]:
        shown = {entry.key: {"value": config.value(entry.key), "origin": str(entry.origin)} for entry in entries}
        render.emit_json({"settings": shown})
    elif values["show_origin"]:
        render.table([(entry.key, entry.value, str(entry.origin)) for entry in entries], ("setting", "value", "from"))
    else:
        for entry in entries:
            render.say(f"{entry.key} = {entry.value}")
    return 0


def _places(values: Values) -> config_files.Places:
    try:
        repo = find_repository(text(values, "directory"))
    except UsageError:  # no repository: the user's own file counts all the same
        return config_files.places(None, None, "", os.environ)
    return config_files.places(repo.common_dir, repo.work_tree, find_workspace(repo), os.environ)


def _unknown(key: str) -> UsageError:
    import difflib

    near = difflib.get_close_matches(key, TABLE, 1)
    return UsageError(
        f"{key} is no setting.", f"Did you mean {near[0]}?" if near else "`memgit config` lists them all."
    )
