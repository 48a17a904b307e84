"""What goes on by itself in a workspace right now: a runner, a pause, trouble with a remote."""

from __future__ import annotations

import json
import os

from memgit.core.retry import RULES
from memgit.core.values import dataclass
from memgit.git.repository import Repository
from memgit.host import files
from memgit.porcelain import outbox, pause
from memgit.porcelain.pause import Pause


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something with a remote. next_s: when memgit tries again; None where a person has to do something first."""

    remote: str
    message: str
    paths: tuple[str, ...]
    hint: str
    next_s: int | None


@dataclass(frozen=True, slots=True)
class Automatic:
    """runner: process id of the `memgit run` that looks after the workspace. watching: inotify or polling."""

    paused: Pause | None
    runner: int | None
    watching: str | None
    troubles: tuple[Trouble, ...]


def look(repo: Repository, now_s: int) -> Automatic:
    """What there is; damaged files are as none."""
    runner, watching = _runner(repo)
    state = outbox.load(repo)
    troubles = [
        Trouble(name.partition(" ")[0], row.trouble, row.paths, "`memgit sync` says more", None)
        for name, row in state.branches.items()
        if row.trouble
    ]
    troubles += [
        Trouble(remote, row.message, (), RULES[row.failure].hint, row.next_s)
        for remote, row in state.backoff.items()
        if row.failure is not None
    ]
    return Automatic(pause.current(repo, now_s), runner, watching, tuple(troubles))


def _runner(repo: Repository) -> tuple[int | None, str | None]:
    try:
        record = json.loads(files.read(os.path.join(repo.private_dir, "run.json")) or b"")
        pid = int(record["pid"])
        os.kill(pid, 0)
        return pid, str(record["watching"])
    except PermissionError:
        return pid, str(record["watching"])
    except (ValueError, KeyError, TypeError, OSError):
        return None, None
