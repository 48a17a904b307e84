"""memgit service: have memgit started at log-in or on a timer, and take exactly that away again."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import time
from collections.abc import Collection, Mapping

from memgit.core import regions, service_files
from memgit.core.service_files import AGENT, TASK, UNIT, Job
from memgit.core.values import dataclass
from memgit.errors import CommandFailed, MemgitError, UsageError
from memgit.git.repository import Repository, discover
from memgit.host import files
from memgit.host.timers import Timers

SCHEDULERS = ("systemd", "cron", "launchd", "schtasks")
_SCHEMA = 1
_REGION = b"memgit service"
_LET_GO_S = 30.0  # longer than a last capture may take


@dataclass(frozen=True, slots=True)
class Service:
    """What is installed, or in a dry run would be.

    files: what was or would be written, with its text. stays: whether it goes on after log-out; None if unknown.
    is_running: as far as the scheduler tells.
    """

    scheduler: str | None
    workspaces: tuple[str, ...]
    files: tuple[tuple[str, str], ...]
    stays: bool | None
    is_running: bool | None
    changed: bool
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Home:
    """Where this user's files lie. config: memgit's own directory."""

    config: str
    systemd: str
    launchd: str
    log: str

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Home:
        """Raises UsageError without a home directory."""
        home = environ.get("HOME") or environ.get("USERPROFILE") or ""
        if not os.path.isabs(home):
            raise UsageError("There is no home directory, so there is no place for a user's service.", "Set HOME.")
        base = environ.get("XDG_CONFIG_HOME", "")
        base = base if os.path.isabs(base) else os.path.join(home, ".config")
        return cls(
            os.path.join(base, "memgit"),
            os.path.join(base, "systemd", "user"),
            os.path.join(home, "Library", "LaunchAgents"),
            os.path.join(home, "Library", "Logs", "memgit.log"),
        )


def install(timers: Timers, home: Home, job: Job, workspace: str, scheduler: str | None, *, dry_run: bool) -> Service:
    """Look after one more workspace. job: without workspaces; those known already are added.

    A scheduler that was chosen before is kept unless another is named, which then takes its place.
    """
    was, known = _load(home)
    chosen = scheduler or was or timers.choose()
    if timers.path(chosen) is None:
        raise MemgitError(f"This machine has no {chosen}.", f"There is: {', '.join(_present(timers)) or 'none'}.")
    workspaces = tuple(sorted({*known, workspace}))
    complete = Job(job.program, workspaces, job.environment, _minute(workspaces), job.period_min)
    texts = _texts(chosen, home, complete)
    if dry_run:
        return Service(chosen, workspaces, texts, timers.stays(), None, True, True)
    if was is not None and was != chosen:
        _take_away(timers, home, was)
    changed = _put(timers, home, chosen, complete, texts)
    _save(home, chosen, workspaces)
    return Service(chosen, workspaces, texts, timers.stays(), _is_running(timers, chosen), changed)


def remove(timers: Timers, home: Home, job: Job, workspaces: Collection[str] | None, *, dry_run: bool) -> Service:
    """Look after these workspaces no more; with None after none at all. What memgit did not make stays."""
    was, known = _load(home)
    left = tuple(path for path in known if workspaces is not None and path not in workspaces)
    changed = was is not None and left != known
    if was is None or not changed or dry_run:
        return Service(was, left if changed else known, (), None, None, changed, dry_run)
    if left:
        complete = Job(job.program, left, job.environment, _minute(left), job.period_min)
        _put(timers, home, was, complete, _texts(was, home, complete))
        _save(home, was, left)
    else:
        _take_away(timers, home, was)
        files.remove(_registry(home))
        if not os.listdir(home.config):
            os.rmdir(home.config)
    return Service(was if left else None, left, (), None, None, True)


def of_repository(home: Home, repo: Repository) -> tuple[str, ...]:
    """The workspaces looked after that lie in a work tree of this repository."""
    return tuple(path for path in _load(home)[1] if _is_in(path, repo))


def _is_in(path: str, repo: Repository) -> bool:
    try:
        return discover(path).common_dir == repo.common_dir
    except MemgitError:  # gone, or no repository any more
        return False


def status(timers: Timers, home: Home) -> Service:
    """What is installed."""
    was, known = _load(home)
    if was is None:
        return Service(None, (), (), None, None, False)
    return Service(was, known, (), timers.stays() if was == "systemd" else None, _is_running(timers, was), False)


def _present(timers: Timers) -> list[str]:
    return [name for name in SCHEDULERS if timers.path(name) is not None]


def _minute(workspaces: tuple[str, ...]) -> int:
    """Not the same on all machines, but the same each time on this one."""
    return hashlib.sha256("\n".join(workspaces).encode("utf-8", "surrogateescape")).digest()[0]


def _texts(scheduler: str, home: Home, job: Job) -> tuple[tuple[str, str], ...]:
    if scheduler == "systemd":
        return ((os.path.join(home.systemd, UNIT), service_files.systemd_unit(job)),)
    if scheduler == "launchd":
        path = os.path.join(home.launchd, AGENT + ".plist")
        return ((path, service_files.launchd_plist(job, home.log)),)
    if scheduler == "schtasks":
        return ((os.path.join(home.config, "task.xml"), service_files.task_xml(job)),)
    try:
        lines = service_files.crontab_lines(job)
    except ValueError as error:
        raise UsageError(f"A crontab can't hold {error} in a path.") from None
    return (("crontab", "".join(line.decode("utf-8", "surrogateescape") + "\n" for line in lines)),)


def _put(timers: Timers, home: Home, scheduler: str, job: Job, texts: tuple[tuple[str, str], ...]) -> bool:
    """Write and start it; whether anything was another before."""
    ((path, text),) = texts
    content = text.encode("utf-8", "surrogateescape")
    if scheduler == "cron":
        before = _crontab(timers)
        after = regions.put(before, tuple(content.splitlines()), _REGION)
        if after != before:
            timers.run("cron", "-", stdin=after)
        return after != before
    encoded = text.encode("utf-16") if scheduler == "schtasks" else content
    changed = files.read(path) != encoded
    if changed:
        files.replace(path, encoded, 0o644)
    if scheduler == "systemd":
        if changed:
            timers.run("systemd", "--user", "daemon-reload")
        timers.run("systemd", "--user", "enable", UNIT)
        timers.run("systemd", "--user", "restart" if changed else "start", UNIT)
    elif scheduler == "launchd":
        domain = f"gui/{os.getuid()}"
        if changed:
            timers.run("launchd", "bootout", f"{domain}/{AGENT}", ok=None)
            _bootstrap(timers, domain, path)
        else:
            timers.run("launchd", "bootstrap", domain, path, ok=None)
    else:
        timers.run("schtasks", "/create", "/tn", TASK, "/f", "/xml", path)
    return changed


def _bootstrap(timers: Timers, domain: str, path: str) -> None:
    """Load an agent. launchd lets go of the last one some seconds after `bootout` returned, and until then says EIO."""
    deadline_s = time.monotonic() + _LET_GO_S
    while True:
        try:
            timers.run("launchd", "bootstrap", domain, path)
            return
        except CommandFailed as failure:
            if failure.status != errno.EIO or time.monotonic() >= deadline_s:
                raise
        time.sleep(0.5)


def _take_away(timers: Timers, home: Home, scheduler: str) -> None:
    if scheduler == "cron":
        before = _crontab(timers)
        after = regions.take(before, None, _REGION)
        if not after.strip() and before != after:
            timers.run("cron", "-r")
        elif after != before:
            timers.run("cron", "-", stdin=after)
        return
    if scheduler == "systemd":
        path = os.path.join(home.systemd, UNIT)
        timers.run("systemd", "--user", "disable", "--now", UNIT, ok=None)
    elif scheduler == "launchd":
        path = os.path.join(home.launchd, AGENT + ".plist")
        timers.run("launchd", "bootout", f"gui/{os.getuid()}/{AGENT}", ok=None)
    else:
        path = os.path.join(home.config, "task.xml")
        timers.run("schtasks", "/delete", "/tn", TASK, "/f", ok=None)
    if files.read(path) is not None:
        files.remove(path)
    if scheduler == "systemd":
        timers.run("systemd", "--user", "daemon-reload")


def _crontab(timers: Timers) -> bytes:
    """The user's crontab; empty if there is none. Raises MemgitError where it can't be read: it must not be lost."""
    try:
        return timers.run("cron", "-l")
    except CommandFailed as failure:
        if "no crontab" in failure.stderr.lower():
            return b""
        raise MemgitError(f"The crontab can't be read: {failure.stderr.strip()}") from None


def _is_running(timers: Timers, scheduler: str) -> bool | None:
    try:
        if scheduler == "systemd":
            return timers.run("systemd", "--user", "is-active", UNIT, ok=None).strip() == b"active"
        if scheduler == "cron" and regions.inside(_crontab(timers), _REGION) is None:
            return False
    except MemgitError:
        return None
    return None


def _registry(home: Home) -> str:
    return os.path.join(home.config, "service.json")


def _load(home: Home) -> tuple[str | None, tuple[str, ...]]:
    try:
        record = json.loads(files.read(_registry(home)) or b"")
        scheduler = str(record["scheduler"])
        return (scheduler if scheduler in SCHEDULERS else None), tuple(str(path) for path in record["workspaces"])
    except (ValueError, KeyError, TypeError):
        return None, ()


def _save(home: Home, scheduler: str, workspaces: tuple[str, ...]) -> None:
    record = {"schema": _SCHEMA, "scheduler": scheduler, "workspaces": list(workspaces)}
    files.replace(_registry(home), json.dumps(record, sort_keys=True).encode())
