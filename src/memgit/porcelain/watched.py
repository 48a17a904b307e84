"""A workspace under watch: what changed since it was looked at, what waits to be captured, and what is told of it."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable

from memgit.core.debounce import Debounce
from memgit.core.memory import PatternList, Patterns
from memgit.core.units import duration_s
from memgit.core.values import dataclass, field
from memgit.errors import Busy, MemgitError
from memgit.host import config_files, files, scan
from memgit.host.lock import Lock
from memgit.host.log import JsonLog
from memgit.porcelain import commit, jobs, notices, outbox
from memgit.porcelain.jobs import Timetable, Workspace

Open = Callable[[str], Workspace]  # raises MemgitError
Environ = dict[str, str]

POLL_S = 5
_RETRY_S = 10  # after a capture that failed
_REOPEN_S = 60
_TICK_S = 5  # scans are put on common ticks, so that a thousand workspaces wake us no more often than one
_NO_PATTERNS = Patterns.compile((), ())


@dataclass(slots=True)
class Watched:
    """A workspace under watch, open or not. Times with `_m` are of the steady clock."""

    path: str
    verbose: JsonLog | None = None  # everything that is logged goes there, too
    workspace: Workspace | None = None
    lock: Lock | None = None
    patterns: Patterns = _NO_PATTERNS
    times: Timetable | None = None
    identity: tuple[tuple[int, int], ...] = ()
    stamps: dict[bytes, scan.Stamp] = field(default_factory=dict)
    configs: tuple[object, ...] = ()
    waiting: dict[int, Debounce] = field(default_factory=dict)  # by pace in seconds; 0 is immediate
    changed: dict[int, set[bytes]] = field(default_factory=dict)  # repository paths, by pace
    is_polling: bool = False
    polling_why: str = ""
    next_scan_m: float = 0.0
    next_job_s: int | None = 0
    retry_m: float | None = None
    is_paused: bool = False
    said: str = ""  # the last trouble, so that it is logged once
    state: str = ""
    dirs_changed: bool = True
    is_aside: bool = False  # the last capture could not go to the branch, and goes back there when it can
    is_anything: bool = False  # something may have changed that no hint named
    _file: JsonLog | None = None

    def open(self, open_workspace: Open, environ: Environ, wait_s: float) -> MemgitError | None:
        """Read it and become its only runner; the trouble if that fails. wait_s: for another runner to end."""
        try:
            workspace = open_workspace(self.path)
            if workspace.repo.work_tree is None:
                raise MemgitError(f"{self.path} is a bare repository, so there is nothing to watch.")
            lock = Lock(os.path.join(workspace.repo.private_dir, "run"), timeout_s=wait_s)
            try:
                lock.__enter__()
            except Busy:
                raise Busy(
                    f"Another `memgit run` looks after {self.path}.", "`memgit status` tells about it."
                ) from None
        except MemgitError as error:
            self.next_scan_m = time.monotonic() + _REOPEN_S
            self.say("unavailable", error.message)
            return error
        self.workspace, self.lock = workspace, lock
        self.times = jobs.timetable(workspace)
        self._file = JsonLog(os.path.join(workspace.repo.private_dir, "log", "run.jsonl"))
        self.patterns = workspace.config.memory.patterns().under(workspace.prefix_bytes)
        self.identity = _identity(workspace)
        self.configs = _config_stamps(workspace, environ)
        self.stamps, self.next_scan_m, self.next_job_s, self.dirs_changed = {}, 0.0, 0, True
        return None

    @property
    def root(self) -> bytes:
        """The top of the work tree; only while it is open."""
        assert self.workspace is not None
        assert self.workspace.repo.work_tree is not None
        return os.fsencode(self.workspace.repo.work_tree)

    @property
    def is_another(self) -> bool:
        """Whether the repository is gone, or another one took its place."""
        return self.workspace is None or _identity(self.workspace) != self.identity

    @property
    def is_settled(self) -> bool:
        """Whether nothing is known that waits to be captured, and the last sync left nothing to complain about."""
        last = self.times.ran.get("sync") if self.times is not None else None
        return not self.waiting and last is not None and last.status == 0

    def is_configured_anew(self, environ: Environ) -> bool:
        """Whether settings changed since they were read."""
        return self.workspace is not None and _config_stamps(self.workspace, environ) != self.configs

    def close(self) -> None:
        """Let go of it."""
        if self.lock is not None:
            self.lock.__exit__(None, None, None)
        self.workspace = self.lock = self.times = None
        self.waiting, self.changed = {}, {}

    def look(self, now_m: float) -> None:
        """The periodic scan: the truth about files."""
        workspace = self.workspace
        assert workspace is not None
        found = scan.walk(self.root, self.patterns, nested=workspace.config.capture.nested == "include").files
        if self.stamps:
            for path in found.keys() | self.stamps.keys():
                if found.get(path) != self.stamps.get(path):
                    self.touch(path, now_m)
        elif not self.waiting:
            self.touch(None, now_m)  # whatever changed while nobody looked
            for path in found if workspace.config.policy else ():
                if _pace(workspace, path):
                    self.touch(path, now_m)
        self.stamps = found
        if self.is_aside and not self.waiting:
            self.touch(None, now_m)
        every_s = min(workspace.config.watch.scan, POLL_S) if self.is_polling else workspace.config.watch.scan
        self.next_scan_m = (
            (now_m + every_s) // _TICK_S * _TICK_S + _TICK_S if every_s >= 2 * _TICK_S else now_m + every_s
        )
        self.write_state()

    def touch(self, path: bytes | None, now_m: float) -> None:
        """A file changed, or with None anything may have."""
        workspace = self.workspace
        assert workspace is not None
        pace = 0 if path is None else _pace(workspace, path)
        debounce = self.waiting.get(pace)
        if debounce is None:
            settings = workspace.config.watch
            quiet_s, max_wait_s = (settings.debounce, settings.max_wait) if pace == 0 else (pace, pace)
            debounce = Debounce(quiet_s, max_wait_s)
        self.waiting[pace] = debounce.touched(now_m)
        if path is None:
            self.is_anything = True
        else:
            self.changed.setdefault(pace, set()).add(path)

    def capture(self, due: list[int], now_m: float, *, is_last: bool = False) -> None:
        """Capture the files whose time has come; all memory files where no other pace holds any back."""
        workspace = self.workspace
        assert workspace is not None
        paths: set[bytes] = set()
        whole = is_last or all(rule.capture == "immediate" for rule in workspace.config.policy)
        for pace in due:
            self.waiting[pace] = self.waiting[pace].taken()
            paths |= self.changed.pop(pace, set())
        for pace in due:
            del self.waiting[pace]
        if not whole and self.is_anything:
            paths |= {path for path in self.stamps if _pace(workspace, path) == 0}
        if not whole and not paths:
            return
        self.is_anything = False
        request = commit.Request(paths=() if whole else tuple(sorted(paths)), machine=workspace.machine)
        try:
            report = commit.run(
                workspace.repo, workspace.config, workspace.prefix_bytes, workspace.version, request, int(time.time())
            )
        except (MemgitError, OSError) as error:
            self.trouble("capture", str(error))
            self.retry_m = now_m + _RETRY_S
            self.touch(None, now_m)
            return
        self.retry_m = None
        self.said = ""
        self.is_aside = report.why is not None
        if report.commit is not None:
            self.log("captured", commit=report.commit.decode(), ref=report.ref, files=len(report.files))
        if report.held:
            held = [item.path for item in report.held]
            self.notify("held", f"held back: {', '.join(held[:5])}", held)
        if report.unfinished:
            for path in report.unfinished:
                self.touch(path, now_m)

    def log(self, event: str, **facts: object) -> None:
        """One line in the log of this workspace."""
        if self._file is not None:
            self._file.write(event, **facts)
        if self.verbose is not None:
            self.verbose.write(event, workspace=self.path, **facts)

    def say(self, event: str, message: str) -> None:
        """The same for a trouble that is told once, until it is another."""
        if message != self.said:
            self.said = message
            self.log(event, message=message)

    def trouble(self, what: str, message: str) -> None:
        """A trouble that people are told of, once."""
        if message != self.said:
            self.said = message
            self.log("trouble", what=what, message=message)
            self.notify("failed", f"{what}: {message}", [])

    def notify(self, kind: str, message: str, paths: list[str]) -> None:
        """Tell whoever is to be told."""
        workspace = self.workspace
        assert workspace is not None
        if kind == "network" and not any(
            backoff.needs_person for backoff in outbox.load(workspace.repo).backoff.values()
        ):
            return
        told = notices.tell(workspace.repo, workspace.config, workspace.prefix, kind, message, paths, int(time.time()))
        for how, trouble in told:
            self.log("told", how=how, trouble=trouble)

    def write_state(self) -> None:
        """What `memgit status` shows of a running daemon; written when it changes."""
        workspace = self.workspace
        assert workspace is not None
        assert self.times is not None
        now_s = int(time.time())
        state = json.dumps(
            {
                "schema": 1,
                "pid": os.getpid(),
                "watching": "polling" if self.is_polling else "inotify",
                "why": self.polling_why,
                "paused": self.is_paused,
                "trouble": self.said,
                "next": {job: self.times.next_of(job, now_s) for job in jobs.JOBS},
            },
            sort_keys=True,
        )
        if state != self.state:
            self.state = state
            files.replace(state_path(workspace), state.encode(), flush=False)


def state_path(workspace: Workspace) -> str:
    """Where a running daemon says what it does."""
    return os.path.join(workspace.repo.private_dir, "run.json")


def _config_stamps(workspace: Workspace, environ: Environ) -> tuple[object, ...]:
    repo = workspace.repo
    where = config_files.places(repo.common_dir, repo.work_tree, workspace.prefix, environ)
    found: list[object] = []
    for path in (where.local, where.tracked, where.user):
        try:
            status = os.stat(path) if path is not None else None
        except OSError:
            status = None
        found.append((status.st_mtime_ns, status.st_size, status.st_ino) if status is not None else None)
    return tuple(found)


def _pace(workspace: Workspace, path: bytes) -> int:
    """After how many seconds at most a file is captured; 0 is at once."""
    inside = path[len(workspace.prefix_bytes) :]
    for rule in workspace.config.policy:
        if PatternList([rule.glob]).selects(inside):
            return 0 if rule.capture == "immediate" else duration_s(rule.capture)
    return 0


def _identity(workspace: Workspace) -> tuple[tuple[int, int], ...]:
    """Device and inode of work tree and git directory; empty if one is gone."""
    found = []
    for path in (workspace.repo.work_tree, workspace.repo.git_dir):
        try:
            status = os.stat(path or "")
        except OSError:
            return ()
        found.append((status.st_dev, status.st_ino))
    return tuple(found)
