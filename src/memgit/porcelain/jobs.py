"""What memgit does by itself in one workspace, when each job ran last, and what came of it."""

from __future__ import annotations

import json
import os
from datetime import tzinfo

from memgit.core import schedule
from memgit.core.schedule import Schedule
from memgit.core.settings import Config
from memgit.core.values import dataclass, field
from memgit.git.repository import Repository
from memgit.host import files

JOBS = (  # in the order they run when several are due
    *("capture", "mirror", "consolidate", "sync", "push"),
    *("backup", "backup_prune", "prune"),
)
COMMANDS = {"backup": ("backup", "run"), "backup_prune": ("backup", "prune")}  # where it is not the job's own name
BACKUP_JOBS = frozenset({"backup", "backup_prune"})
REMOTE_JOBS = frozenset({"sync", "push"})
_SCHEMA = 1


def lane(job: str) -> str:
    """Jobs of one lane wait for each other. What moves no ref waits for nothing, and nothing waits for it."""
    return "backup" if job in BACKUP_JOBS else "mirror" if job == "mirror" else "history"


def has_object(job: str, config: Config) -> bool:
    """Whether the settings name anything that a job could be done to."""
    if job == "backup":
        return bool(config.target)
    if job == "backup_prune":
        return any(target.can_prune for target in config.target)
    return job != "mirror" or bool(config.folder)


@dataclass(frozen=True, slots=True)
class Workspace:
    """A repository with its settings, ready to work in."""

    repo: Repository
    prefix: str  # the memory's root below the top of the work tree; "" or ending in a slash
    config: Config
    zone: tzinfo
    machine: str
    version: str

    @property
    def prefix_bytes(self) -> bytes:
        """The prefix as git names it."""
        return os.fsencode(self.prefix)


def git_config(workspace: Workspace, job: str) -> dict[str, list[str]]:
    """What of git's own configuration a job needs to start."""
    return workspace.repo.config() if job in REMOTE_JOBS else {}


@dataclass(frozen=True, slots=True)
class Ran:
    """The last run of a job. status: its exit status. message: what went wrong."""

    time_s: int
    status: int
    message: str = ""


@dataclass(slots=True)
class Timetable:
    """When each job of a workspace runs."""

    schedules: dict[str, Schedule]
    zone: tzinfo
    jitter_s: dict[str, int]
    ran: dict[str, Ran] = field(default_factory=dict)

    def due(self, now_s: int) -> tuple[str, ...]:
        """The jobs to run now, in order. A sync pushes, too, so that a push beside it is left out."""
        found = [job for job in JOBS if self._is_due(job, now_s)]
        if "sync" in found and "push" in found:
            found.remove("push")
        return tuple(found)

    def _is_due(self, job: str, now_s: int) -> bool:
        last = self.ran.get(job)
        last_s = last.time_s if last else None
        return schedule.is_due(self.schedules[job], last_s, now_s, self.zone, self.jitter_s[job])

    def next_s(self, now_s: int) -> int | None:
        """When the next job is due."""
        times = [self.next_of(job, now_s) for job in JOBS]
        return min((time_s for time_s in times if time_s is not None), default=None)

    def next_of(self, job: str, now_s: int) -> int | None:
        """When a job is due."""
        last = self.ran.get(job)
        last_s = last.time_s if last else None
        return schedule.next_run_s(self.schedules[job], last_s, now_s, self.zone, self.jitter_s[job])


def timetable(workspace: Workspace) -> Timetable:
    """The times of a workspace's jobs, with what is known of their last runs."""
    config = workspace.config.schedule
    schedules = {job: schedule.parse(getattr(config, job)) for job in JOBS}
    seed = f"{workspace.machine} {workspace.repo.private_dir} {workspace.prefix}"
    jitter = {job: _spread(f"{seed} {job}", config.jitter) for job in JOBS}
    jitter["capture"] = 0  # local and cheap
    return Timetable(schedules, workspace.zone, jitter, load(workspace.repo))


def _spread(seed: str, limit_s: int) -> int:
    """A number below the limit that is always the same for the same job on the same machine."""
    import hashlib

    digest = hashlib.sha256(seed.encode("utf-8", "surrogateescape")).digest()
    return int.from_bytes(digest[:8], "big") % (limit_s + 1)


def _path(repo: Repository) -> str:
    return os.path.join(repo.private_dir, "jobs.json")


def load(repo: Repository) -> dict[str, Ran]:
    """What is known of the last runs; a damaged file is an empty one."""
    try:
        record = json.loads(files.read(_path(repo)) or b"")
        return {
            str(job): Ran(int(row["time_s"]), int(row["status"]), str(row["message"]))
            for job, row in record["jobs"].items()
        }
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}


def save(repo: Repository, ran: dict[str, Ran]) -> None:
    """Keep it. Not flushed: after a power cut that took it, all jobs are due once more."""
    record = {
        "schema": _SCHEMA,
        "jobs": {job: {"time_s": row.time_s, "status": row.status, "message": row.message} for job, row in ran.items()},
    }
    files.replace(_path(repo), json.dumps(record, sort_keys=True).encode(), flush=False)
