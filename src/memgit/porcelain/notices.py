"""Telling people about trouble: a program, a webhook, a desktop note, a file for agents. Never more often than asked.

What is told holds paths and reasons, never content. Who is told stands in files that do not travel.
"""

from __future__ import annotations

import json
import os

from memgit import process
from memgit.core.settings import Config
from memgit.errors import MemgitError
from memgit.git.repository import Repository
from memgit.host import files, webhook

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_SCHEMA = 1
_TIMEOUT_S = 10.0
_OFF = "none"


def tell(
    repo: Repository, config: Config, prefix: str, kind: str, message: str, paths: list[str], now_s: int
) -> tuple[tuple[str, str], ...]:
    """Tell everybody who is to be told, unless the same kind was told lately: (how, trouble or "").

    kind: held, conflict, network, configuration or failed. A teller that fails stops no other.
    """
    settings = config.notify
    told = _load(repo)
    last_s = told.get(kind)
    if last_s is not None and 0 <= now_s - last_s < settings.every:
        return ()
    notice = {
        "schema": _SCHEMA,
        "kind": kind,
        "message": message,
        "paths": paths,
        "workspace": os.path.join(repo.work_tree or repo.git_dir, prefix),
        "time": now_s,
    }
    body = json.dumps(notice).encode()
    results = []
    if settings.command:
        results.append(("command", _run(settings.command, body)))
    if settings.webhook != _OFF:
        results.append(("webhook", webhook.post(settings.webhook, body, _TIMEOUT_S)))
    if settings.desktop:
        results.append(("desktop", _run(("notify-send", "--app-name=memgit", "memgit", message), b"")))
    if settings.file != _OFF and (place := _notice_file(repo, config, prefix)) is not None:
        text = f"# memgit needs a person\n\n{message}\n\n`memgit status` tells more. This file goes when all is well.\n"
        files.replace(place, text.encode(), 0o644)
        results.append(("file", ""))
    if results:
        told[kind] = now_s
        files.replace(_path(repo), json.dumps({"schema": _SCHEMA, "told": told}).encode())
    return tuple(results)


def clear(repo: Repository, config: Config, prefix: str) -> None:
    """All is well: the file for agents goes, and the next trouble is told at once."""
    if files.read(_path(repo)) is not None:
        files.remove(_path(repo))
    place = _notice_file(repo, config, prefix) if config.notify.file != _OFF else None
    if place is not None and os.path.isfile(place) and not os.path.islink(place):
        files.remove(place)


def _notice_file(repo: Repository, config: Config, prefix: str) -> str | None:
    """The file's place; None if it would leave the workspace, or be captured."""
    if repo.work_tree is None:
        return None
    top = os.path.realpath(os.path.join(repo.work_tree, prefix))
    place = os.path.join(top, config.notify.file)
    inside = os.path.realpath(os.path.dirname(place)) + "/"
    if not inside.startswith(top + "/") or config.memory.patterns().matches(os.fsencode(config.notify.file)):
        return None
    return place


def _run(argv: tuple[str, ...], stdin: bytes) -> str:
    try:
        done = process.run(argv, stdin=stdin, timeout_s=_TIMEOUT_S, ok=None)
    except MemgitError as error:
        return error.message
    return "" if done.status == 0 else f"`{argv[0]}` ended with status {done.status}"


def _path(repo: Repository) -> str:
    return os.path.join(repo.private_dir, "told.json")


def _load(repo: Repository) -> dict[str, int]:
    try:
        record: dict[str, Any] = json.loads(files.read(_path(repo)) or b"")
        return {str(kind): int(time_s) for kind, time_s in record["told"].items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}
