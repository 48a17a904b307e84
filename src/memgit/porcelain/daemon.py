"""memgit run: watch workspaces, capture what changes, and do every job when it is due. One process, many workspaces.

Hints from the system only say when to look; a scan says what changed. Captures are made here, everything else in
programs of its own: a remote that hangs never holds a capture up, and no job can take the daemon down with it.
"""

from __future__ import annotations

import json
import os
import select
import signal
import time
from collections.abc import Callable, Sequence
from types import FrameType

from memgit.core.debounce import Debounce
from memgit.core.memory import PatternList, Patterns
from memgit.core.units import duration_s
from memgit.core.values import dataclass, field
from memgit.errors import Busy, MemgitError
from memgit.git import refs
from memgit.git.repository import checkout_of
from memgit.host import config_files, files, scan, watch
from memgit.host.lock import Lock
from memgit.host.log import JsonLog
from memgit.host.supervisor import Supervisor
from memgit.host.watch import NoWatch, Watcher
from memgit.porcelain import commit, jobs, notices, outbox, pause
from memgit.porcelain.jobs import REMOTE_JOBS, Ran, Timetable, Workspace
from memgit.process import Child

Open = Callable[[str], Workspace]  # raises MemgitError
Environ = dict[str, str]

_AT_ONCE = 4  # programs at a time in one lane
_LAST_CHANCE_S = 8.0  # for the last captures when told to stop
_RETRY_S = 10  # after a capture that failed
_REOPEN_S = 60
_POLL_S = 5
_TICK_S = 5  # scans are put on common ticks, so that a thousand workspaces wake us no more often than one
_JUMP_S = 60  # wall clock and steady clock apart by more: suspended, or set


_NO_PATTERNS = Patterns.compile((), ())


@dataclass(slots=True)
class _Place:
    """A workspace under watch. Times with `_m` are of the steady clock."""

    path: str
    workspace: Workspace | None = None
    lock: Lock | None = None
    patterns: Patterns = _NO_PATTERNS
    times: Timetable | None = None
    log: JsonLog | None = None
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


@dataclass(slots=True)
class _Job:
    place: _Place
    name: str
    child: Child


class Daemon:
    """All of it. open_workspace: reads repository and settings; program: how memgit is started."""

    def __init__(
        self, open_workspace: Open, program: tuple[str, ...], environ: Environ, verbose: JsonLog | None
    ) -> None:
        self._open = open_workspace
        self._program = program
        self._environ = environ
        self._verbose = verbose
        self._supervisor = Supervisor(environ)
        self._places: list[_Place] = []
        self._by_root: dict[bytes, _Place] = {}
        self._jobs: list[_Job] = []
        self._stopping = False
        self._wake_r, self._wake_w = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            self._watcher: Watcher | None = Watcher()
        except NoWatch:
            self._watcher = None

    # -- the loop --------------------------------------------------------------------------------

    def run(self, paths: Sequence[str]) -> int:
        """Work until told to stop; how many workspaces could be opened at the start.

        Raises MemgitError if none could: its first trouble.
        """
        _allow_many_files()
        self._places = [_Place(path) for path in dict.fromkeys(paths)]
        troubles = [trouble for place in self._places if (trouble := self._try_open(place)) is not None]
        if len(troubles) == len(self._places):
            raise troubles[0]
        opened = len(self._places) - len(troubles)
        before = {number: signal.signal(number, self._on_signal) for number in (signal.SIGTERM, signal.SIGINT)}
        self._supervisor.say("READY=1", f"STATUS=watching {opened} workspaces")
        try:
            self._loop()
        finally:
            self._finish()
            for number, handler in before.items():
                signal.signal(number, handler)
        return opened

    def once(self, paths: Sequence[str]) -> tuple[tuple[str, str, Ran], ...]:
        """Do whatever is due in each workspace, then end: (path, job, result). Raises what opening raises."""
        done = []
        now_s = int(time.time())
        for path in dict.fromkeys(paths):
            place = _Place(path)
            trouble = self._try_open(place, watched=False)
            if trouble is not None:
                raise trouble
            assert place.workspace is not None
            assert place.times is not None
            try:
                if pause.current(place.workspace.repo, now_s) is None:
                    for job in place.times.due(now_s):
                        if self._may_start(place, job, now_s):
                            done.append((path, job, self._run_now(place, job)))
            finally:
                self._close(place)
        return tuple(done)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._stopping = True
        os.write(self._wake_w, b"x")

    def _loop(self) -> None:
        started = time.time() - time.monotonic()
        while not self._stopping:
            now_m, now_s = time.monotonic(), int(time.time())
            if abs(time.time() - time.monotonic() - started) > _JUMP_S:
                started = time.time() - time.monotonic()
                for place in self._places:
                    place.next_scan_m, place.next_job_s = 0.0, 0
            self._take_hints(now_m)
            self._reap(now_s)
            for place in self._places:
                self._attend(place, now_m, now_s)
            if self._stopping:
                return
            self._sleep()

    def _sleep(self) -> None:
        now_m, now_s = time.monotonic(), time.time()
        wake_m = now_m + 600
        if self._supervisor.ping_s is not None:
            self._supervisor.say("WATCHDOG=1")
            wake_m = now_m + self._supervisor.ping_s
        for place in self._places:
            wake_m = min(wake_m, place.next_scan_m)
            if place.workspace is None or place.is_paused:
                continue
            for debounce in place.waiting.values():
                if debounce.due_s is not None:
                    wake_m = min(wake_m, max(debounce.due_s, place.retry_m or 0.0))
            if place.next_job_s is not None:
                wake_m = min(wake_m, now_m + max(place.next_job_s - now_s, 0.05))
        if self._jobs:
            wake_m = min(wake_m, now_m + 1.0)
        wanted = [self._wake_r, *([self._watcher.fd] if self._watcher is not None else [])]
        wanted += [job.child.handle for job in self._jobs if job.child.handle is not None]
        try:
            select.select(wanted, [], [], max(0.0, wake_m - time.monotonic()))
        except (OSError, ValueError):  # more descriptors than select takes: wait a little instead
            time.sleep(min(0.5, max(0.0, wake_m - time.monotonic())))

    def _attend(self, place: _Place, now_m: float, now_s: int) -> None:
        if now_m >= place.next_scan_m:
            if place.workspace is None:
                self._try_open(place)
            else:
                self._look(place, now_m, now_s)
        if place.workspace is None or self._is_paused(place, now_m, now_s):
            return
        if place.retry_m is None or now_m >= place.retry_m:
            due = [pace for pace, debounce in place.waiting.items() if debounce.is_due(now_m)]
            if due:
                self._capture(place, due, now_m)
        if place.next_job_s is not None and now_s >= place.next_job_s:
            self._start_due(place, now_s)

    def _is_paused(self, place: _Place, now_m: float, now_s: int) -> bool:
        """Looked up only when there is something to do, or to see whether the pause has ended."""
        due_m = min((d.due_s for d in place.waiting.values() if d.due_s is not None), default=now_m + 1)
        is_due = due_m <= now_m or (place.next_job_s is not None and now_s >= place.next_job_s)
        if not (is_due or place.is_paused):
            return False
        assert place.workspace is not None
        paused = pause.current(place.workspace.repo, now_s) is not None
        if paused != place.is_paused:
            place.is_paused = paused
            self._write_state(place)
            self._log(place, "paused" if paused else "resumed")
        if paused:
            place.next_scan_m = min(place.next_scan_m, now_m + _POLL_S)
        return paused

    # -- workspaces ------------------------------------------------------------------------------

    def _try_open(self, place: _Place, *, watched: bool = True) -> MemgitError | None:
        """Open and lock a workspace; the trouble if that fails."""
        try:
            workspace = self._open(place.path)
            if workspace.repo.work_tree is None:
                raise MemgitError(f"{place.path} is a bare repository, so there is nothing to watch.")
            lock = Lock(os.path.join(workspace.repo.private_dir, "run"), timeout_s=0 if watched else 5.0)
            try:
                lock.__enter__()
            except Busy:
                raise Busy(
                    f"Another `memgit run` looks after {place.path}.", "`memgit status` tells about it."
                ) from None
        except MemgitError as error:
            place.next_scan_m = time.monotonic() + _REOPEN_S
            self._say(place, "unavailable", error.message)
            return error
        place.workspace, place.lock = workspace, lock
        place.times = jobs.timetable(workspace)
        place.log = JsonLog(os.path.join(workspace.repo.private_dir, "log", "run.jsonl"))
        place.patterns = workspace.config.memory.patterns().under(workspace.prefix_bytes)
        place.identity = _identity(workspace)
        place.configs = self._config_stamps(workspace)
        place.stamps, place.next_scan_m, place.next_job_s, place.dirs_changed = {}, 0.0, 0, True
        if watched:
            self._by_root[os.fsencode(workspace.repo.work_tree)] = place
            self._log(place, "started")
        return None

    def _close(self, place: _Place) -> None:
        workspace = place.workspace
        if workspace is not None and workspace.repo.work_tree is not None:
            root = os.fsencode(workspace.repo.work_tree)
            self._by_root.pop(root, None)
            if self._watcher is not None:
                self._watcher.forget(root)
        if place.lock is not None:
            place.lock.__exit__(None, None, None)
        place.workspace = place.lock = place.times = None
        place.waiting, place.changed = {}, {}

    def _config_stamps(self, workspace: Workspace) -> tuple[object, ...]:
        repo = workspace.repo
        where = config_files.places(repo.common_dir, repo.work_tree, workspace.prefix, self._environ)
        found: list[object] = []
        for path in (where.local, where.tracked, where.user):
            try:
                status = os.stat(path) if path is not None else None
            except OSError:
                status = None
            found.append((status.st_mtime_ns, status.st_size, status.st_ino) if status is not None else None)
        return tuple(found)

    # -- looking ---------------------------------------------------------------------------------

    def _take_hints(self, now_m: float) -> None:
        try:
            os.read(self._wake_r, 64)
        except BlockingIOError:
            pass
        if self._watcher is None:
            return
        for hint in self._watcher.hints():
            place = self._by_root.get(hint.root)
            if place is None or place.workspace is None:
                continue
            if hint.is_lost:
                place.dirs_changed = True
                place.next_scan_m = 0.0
            elif hint.is_directory:
                place.dirs_changed = True
                place.next_scan_m = min(place.next_scan_m, now_m + 0.05)
            elif place.patterns.matches(hint.path):
                self._touch(place, hint.path, now_m)
            elif hint.path == os.fsencode(place.workspace.prefix + config_files.TRACKED_NAME):
                place.next_scan_m = min(place.next_scan_m, now_m + 0.2)

    def _look(self, place: _Place, now_m: float, now_s: int) -> None:
        """The periodic scan: the truth about files, settings and the repository itself."""
        workspace = place.workspace
        assert workspace is not None
        assert workspace.repo.work_tree is not None
        if _identity(workspace) != place.identity:
            self._say(place, "unavailable", "the repository is gone or another one took its place")
            self._close(place)
            place.next_scan_m = now_m + _REOPEN_S
            return
        if self._config_stamps(workspace) != place.configs:
            self._close(place)
            if self._try_open(place) is not None:
                return
            self._look(place, now_m, now_s)
            return
        patterns = place.patterns
        root = os.fsencode(workspace.repo.work_tree)
        if place.dirs_changed:
            place.dirs_changed = False
            self._watch(place, root, patterns)
        found = scan.walk(root, patterns, nested=workspace.config.capture.nested == "include").files
        if place.stamps:
            for path in found.keys() | place.stamps.keys():
                if found.get(path) != place.stamps.get(path):
                    self._touch(place, path, now_m)
        elif not place.waiting:
            self._touch(place, None, now_m)  # whatever changed while nobody looked
            for path in found if workspace.config.policy else ():
                if _pace(workspace, path):
                    self._touch(place, path, now_m)
        place.stamps = found
        if place.is_aside and not place.waiting:
            self._touch(place, None, now_m)
        every_s = min(workspace.config.watch.scan, _POLL_S) if place.is_polling else workspace.config.watch.scan
        place.next_scan_m = (
            (now_m + every_s) // _TICK_S * _TICK_S + _TICK_S if every_s >= 2 * _TICK_S else now_m + every_s
        )
        self._write_state(place)

    def _watch(self, place: _Place, root: bytes, patterns: Patterns) -> None:
        workspace = place.workspace
        assert workspace is not None
        why = "the system gives no hints"
        if workspace.config.watch.method == "poll":
            why = "as configured"
        elif self._watcher is not None:
            try:
                self._watcher.watch(root, watch.directories(root, patterns.may_contain))
                why = ""
            except NoWatch as error:
                why = str(error)
        if why and why != place.polling_why:
            self._log(place, "polling", why=why)
        place.is_polling, place.polling_why = bool(why), why

    def _touch(self, place: _Place, path: bytes | None, now_m: float) -> None:
        """A file changed, or with None anything may have."""
        workspace = place.workspace
        assert workspace is not None
        pace = 0 if path is None else _pace(workspace, path)
        debounce = place.waiting.get(pace)
        if debounce is None:
            settings = workspace.config.watch
            quiet_s, max_wait_s = (settings.debounce, settings.max_wait) if pace == 0 else (pace, pace)
            debounce = Debounce(quiet_s, max_wait_s)
        place.waiting[pace] = debounce.touched(now_m)
        if path is None:
            place.is_anything = True
        else:
            place.changed.setdefault(pace, set()).add(path)

    # -- acting ----------------------------------------------------------------------------------

    def _capture(self, place: _Place, due: list[int], now_m: float) -> None:
        """Capture the files whose time has come; all memory files where no other pace holds any back."""
        workspace = place.workspace
        assert workspace is not None
        paths: set[bytes] = set()
        whole = self._stopping or all(rule.capture == "immediate" for rule in workspace.config.policy)
        for pace in due:
            place.waiting[pace] = place.waiting[pace].taken()
            paths |= place.changed.pop(pace, set())
        for pace in due:
            del place.waiting[pace]
        if not whole and place.is_anything:
            paths |= {path for path in place.stamps if _pace(workspace, path) == 0}
        if not whole and not paths:
            return
        place.is_anything = False
        request = commit.Request(paths=() if whole else tuple(sorted(paths)), machine=workspace.machine)
        try:
            report = commit.run(
                workspace.repo, workspace.config, workspace.prefix_bytes, workspace.version, request, int(time.time())
            )
        except (MemgitError, OSError) as error:
            self._trouble(place, "capture", str(error))
            place.retry_m = now_m + _RETRY_S
            self._touch(place, None, now_m)
            return
        place.retry_m = None
        place.said = ""
        place.is_aside = report.why is not None
        if report.commit is not None:
            self._log(place, "captured", commit=report.commit.decode(), ref=report.ref, files=len(report.files))
        if report.held:
            held = [item.path for item in report.held]
            self._notify(place, "held", f"held back: {', '.join(held[:5])}", held)
        if report.unfinished:
            for path in report.unfinished:
                self._touch(place, path, now_m)

    def _start_due(self, place: _Place, now_s: int) -> None:
        assert place.times is not None
        assert place.workspace is not None
        waits = False
        for job in place.times.due(now_s):
            lane = [running for running in self._jobs if jobs.lane(running.name) == jobs.lane(job)]
            if any(running.place is place for running in lane) or len(lane) >= _AT_ONCE:
                waits = True
            elif self._may_start(place, job, now_s):
                if job == "capture":
                    self._touch(place, None, time.monotonic() - 3600)
                    self._record(place, job, Ran(now_s, 0))
                else:
                    self._jobs.append(_Job(place, job, Child(self._argv(place, job), env=self._environ)))
                    waits = True
        place.next_job_s = now_s + 1 if waits else self._next_job_s(place, now_s)

    def _next_job_s(self, place: _Place, now_s: int) -> int | None:
        assert place.times is not None
        next_s = place.times.next_s(now_s)
        return next_s if next_s is None or next_s > now_s else now_s + _RETRY_S

    def _may_start(self, place: _Place, job: str, now_s: int) -> bool:
        """Not while a person works on history, nor before a remote that failed may be asked again."""
        workspace = place.workspace
        assert workspace is not None
        if job not in ("capture", "backup") and checkout_of(workspace.repo.git_dir).operation is not None:
            return False
        if job == "backup" and not workspace.config.target:
            self._record(place, job, Ran(now_s, 0))
            return False
        if job in REMOTE_JOBS:
            if not any(key.startswith("remote.") and key.endswith(".url") for key in workspace.repo.config()):
                self._record(place, job, Ran(now_s, 0))
                return False
            if job == "push" and self._is_pushed(place):
                self._record(place, job, Ran(now_s, 0))
                return False
            return all(backoff.may_try(now_s) for backoff in outbox.load(workspace.repo).backoff.values())
        return True

    def _is_pushed(self, place: _Place) -> bool:
        """Whether the branch is where it was when all of it was last sent."""
        assert place.workspace is not None
        repo = place.workspace.repo
        branch = repo.current_branch()
        tip = refs.peek(repo.git, repo.common_dir, branch) if branch is not None else None
        states = outbox.load(repo).branches.values()
        return tip is not None and any(state.pushed == tip and not state.unpushed for state in states)

    def _argv(self, place: _Place, job: str) -> tuple[str, ...]:
        return (*self._program, "-C", place.path, *jobs.COMMANDS.get(job, (job,)), "--quiet")

    def _run_now(self, place: _Place, job: str) -> Ran:
        """Run one job and wait for it."""
        if job == "capture":
            workspace = place.workspace
            assert workspace is not None
            request = commit.Request(machine=workspace.machine)
            now_s = int(time.time())
            try:
                report = commit.run(
                    workspace.repo, workspace.config, workspace.prefix_bytes, workspace.version, request, now_s
                )
                ran = Ran(now_s, 4 if report.held else 0, "")
            except MemgitError as error:
                ran = Ran(now_s, 1, error.message)
        else:
            child = Child(self._argv(place, job), env=self._environ)
            ran = _result(child)
        self._record(place, job, ran)
        return ran

    def _reap(self, now_s: int) -> None:
        for job in list(self._jobs):
            if job.child.is_running:
                continue
            self._jobs.remove(job)
            self._record(job.place, job.name, _result(job.child))
            if job.place.workspace is not None:
                job.place.next_job_s = now_s

    def _record(self, place: _Place, job: str, ran: Ran) -> None:
        if place.times is None or place.workspace is None:
            return
        place.times.ran[job] = ran
        jobs.save(place.workspace.repo, place.times.ran)
        if (job != "capture" or ran.status) and self._places:
            self._log(place, "job", job=job, status=ran.status, message=ran.message)
        if ran.status in _TELLS:
            self._notify(place, _TELLS[ran.status], f"{job}: {ran.message}", [])
        elif ran.status == 0 and job in REMOTE_JOBS:
            notices.clear(place.workspace.repo, place.workspace.config, place.workspace.prefix)
        if place.state:
            self._write_state(place)

    # -- telling ---------------------------------------------------------------------------------

    def _trouble(self, place: _Place, what: str, message: str) -> None:
        if message != place.said:
            place.said = message
            self._log(place, "trouble", what=what, message=message)
            self._notify(place, "failed", f"{what}: {message}", [])

    def _notify(self, place: _Place, kind: str, message: str, paths: list[str]) -> None:
        workspace = place.workspace
        assert workspace is not None
        if kind == "network" and not any(
            backoff.needs_person for backoff in outbox.load(workspace.repo).backoff.values()
        ):
            return
        told = notices.tell(workspace.repo, workspace.config, workspace.prefix, kind, message, paths, int(time.time()))
        for how, trouble in told:
            self._log(place, "told", how=how, trouble=trouble)

    def _log(self, place: _Place, event: str, **facts: object) -> None:
        if place.log is not None:
            place.log.write(event, **facts)
        if self._verbose is not None:
            self._verbose.write(event, workspace=place.path, **facts)

    def _say(self, place: _Place, event: str, message: str) -> None:
        if message != place.said:
            place.said = message
            self._log(place, event, message=message)

    def _write_state(self, place: _Place) -> None:
        """What `memgit status` shows of a running daemon; written when it changes."""
        workspace = place.workspace
        assert workspace is not None
        assert place.times is not None
        now_s = int(time.time())
        state = json.dumps(
            {
                "schema": 1,
                "pid": os.getpid(),
                "watching": "polling" if place.is_polling else "inotify",
                "why": place.polling_why,
                "paused": place.is_paused,
                "trouble": place.said,
                "next": {job: place.times.next_of(job, now_s) for job in jobs.JOBS},
            },
            sort_keys=True,
        )
        if state != place.state:
            place.state = state
            files.replace(state_path(workspace), state.encode())

    def _finish(self) -> None:
        """Last captures, then nothing of ours runs any more."""
        self._supervisor.say("STOPPING=1")
        for job in self._jobs:
            job.child.terminate()
        deadline_m = time.monotonic() + _LAST_CHANCE_S
        for place in self._places:
            if place.workspace is None:
                continue
            if not place.is_paused and time.monotonic() < deadline_m:
                place.waiting = {0: Debounce(0, 0).touched(0)}
                place.changed = {}
                self._capture(place, [0], 0.0)
            self._log(place, "stopped")
            files.remove(state_path(place.workspace))
        for job in self._jobs:
            job.child.stop()
        for place in self._places:
            self._close(place)
        if self._watcher is not None:
            self._watcher.close()


_TELLS = {1: "failed", 2: "configuration", 4: "held", 5: "conflict", 7: "network", 8: "configuration", 9: "failed"}


def state_path(workspace: Workspace) -> str:
    """Where a running daemon says what it does."""
    return os.path.join(workspace.repo.private_dir, "run.json")


def _result(child: Child) -> Ran:
    done = child.finish()
    lines = [line for line in done.stderr.decode("utf-8", "replace").splitlines() if line.strip()]
    message = lines[0].removeprefix("memgit: ") if lines and done.status else ""
    return Ran(int(time.time()), done.status, message[:500])


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


def _allow_many_files() -> None:
    """A lock for each workspace: more open files than the usual soft limit allows."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
