"""memgit pause and resume: hold every automatic action of a repository."""

from __future__ import annotations

import json
import os

from memgit.core.values import dataclass
from memgit.git.repository import Repository
from memgit.host import files

_SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Pause:
    """A pause in force. Times are seconds since the epoch; until_s: None for one that only `resume` ends."""

    since_s: int
    until_s: int | None


def _path(repo: Repository) -> str:
    return os.path.join(repo.private_dir, "pause.json")


def current(repo: Repository, now_s: int) -> Pause | None:
    """The pause in force. A file that can't be read pauses, too: somebody wanted quiet.

    A clock that was set back ends no pause early, and makes none longer than it was to be.
    """
    content = files.read(_path(repo))
    if content is None:
        return None
    try:
        record = json.loads(content)
        pause = Pause(int(record["since_s"]), None if record["until_s"] is None else int(record["until_s"]))
    except (ValueError, KeyError, TypeError):
        return Pause(now_s, None)
    if pause.until_s is None:
        return pause
    return pause if now_s < pause.until_s and now_s >= pause.since_s - (pause.until_s - pause.since_s) else None


def start(repo: Repository, for_s: int | None, now_s: int) -> Pause:
    """Pause, for a while or until `resume`."""
    pause = Pause(now_s, None if for_s is None else now_s + for_s)
    record = {"schema": _SCHEMA, "since_s": pause.since_s, "until_s": pause.until_s}
    files.replace(_path(repo), json.dumps(record).encode())
    return pause


def stop(repo: Repository, now_s: int) -> Pause | None:
    """End the pause; the one that was in force."""
    was = current(repo, now_s)
    if files.read(_path(repo)) is not None:
        files.remove(_path(repo))
    return was
