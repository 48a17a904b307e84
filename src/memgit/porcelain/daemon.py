"""memgit run: watch workspaces, capture what changes, and do every job when it is due. One process, many workspaces.

Hints from the system only say when to look; a scan says what changed. Captures are made here, everything else in
programs of its own: a remote that hangs never holds a capture up, and no job can take the daemon down with it.
"""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Sequence
from types import FrameType

from memgit.core.debounce import Debounce
from memgit.errors import MemgitError
from memgit.host import config_files, files, watch
from memgit.host.log import JsonLog
from memgit.host.supervisor import Supervisor
from memgit.host.watch import NoWatch, Watcher
from memgit.porcelain import jobs, pause
from memgit.porcelain.errands import Errands
from memgit.porcelain.jobs import Ran
from memgit.porcelain.watched import POLL_S, Environ, Open, Watched, state_path

_LAST_CHANCE_S = 8.0  # for the last captures when told to stop
_REOPEN_S = 60
_JUMP_S = 60  # wall clock and steady clock apart by more: suspended, or set


class Daemon:
    """All of it. open_workspace: reads repository and settings; program: how memgit is started."""

    def __init__(
        self, open_workspace: Open, program: tuple[str, ...], environ: Environ, verbose: JsonLog | None
    ) -> None:
        self._open_workspace = open_workspace
        self._environ = environ
        self._verbose = verbose
        self._errands = Errands(program, environ)
        self._supervisor = Supervisor(environ)
        self._places: list[Watched] = []
        self._by_root: dict[bytes, Watched] = {}
        self._stopping = False
        self._wake_r, self._wake_w = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            self._watcher: Watcher | None = Watcher()
        except NoWatch:
            self._watcher = None

    def run(self, paths: Sequence[str]) -> int:
        """Work until told to stop; how many workspaces could be opened at the start.

        Raises MemgitError if none could: its first trouble.
        """
        _allow_many_files()
        self._places = [Watched(path, self._verbose) for path in dict.fromkeys(paths)]
        troubles = [trouble for place in self._places if (trouble := self._open(place)) is not None]
        if len(troubles) == len(self._places):
            raise troubles[0]
        opened = len(self._places) - len(troubles)
        before = {number: signal.signal(number, self._on_signal) for number in (signal.SIGTERM, signal.SIGINT)}
        self._supervisor.say("READY=1", f"STATUS=watching {opened} workspace{'s' * (opened != 1)}")
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
            place = Watched(path, self._verbose)
            trouble = place.open(self._open_workspace, self._environ, wait_s=5.0)
            if trouble is not None:
                raise trouble
            assert place.workspace is not None
            assert place.times is not None
            try:
                if pause.current(place.workspace.repo, now_s) is None:
                    for job in place.times.due(now_s):
                        if self._errands.may_start(place, job, jobs.git_config(place.workspace, job), now_s):
                            done.append((path, job, self._errands.run_now(place, job)))
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
            self._errands.reap(now_s)
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
        if self._errands.is_any:
            wake_m = min(wake_m, now_m + 1.0)
        wanted = [self._wake_r, *([self._watcher.fd] if self._watcher is not None else [])]
        wanted += self._errands.handles
        try:
            select.select(wanted, [], [], max(0.0, wake_m - time.monotonic()))
        except (OSError, ValueError):  # more descriptors than select takes: wait a little instead
            time.sleep(min(0.5, max(0.0, wake_m - time.monotonic())))

    def _attend(self, place: Watched, now_m: float, now_s: int) -> None:
        if now_m >= place.next_scan_m:
            if place.workspace is None:
                self._open(place)
            else:
                self._look(place, now_m)
        if place.workspace is None or self._is_paused(place, now_m, now_s):
            return
        if place.retry_m is None or now_m >= place.retry_m:
            due = [pace for pace, debounce in place.waiting.items() if debounce.is_due(now_m)]
            if due:
                place.capture(due, now_m)
        if place.next_job_s is not None and now_s >= place.next_job_s:
            self._errands.start_due(place, now_s)

    def _is_paused(self, place: Watched, now_m: float, now_s: int) -> bool:
        """Looked up only when there is something to do, or to see whether the pause has ended."""
        due_m = min((d.due_s for d in place.waiting.values() if d.due_s is not None), default=now_m + 1)
        is_due = due_m <= now_m or (place.next_job_s is not None and now_s >= place.next_job_s)
        if not (is_due or place.is_paused):
            return False
        assert place.workspace is not None
        paused = pause.current(place.workspace.repo, now_s) is not None
        if paused != place.is_paused:
            place.is_paused = paused
            place.write_state()
            place.log("paused" if paused else "resumed")
        if paused:
            place.next_scan_m = min(place.next_scan_m, now_m + POLL_S)
        return paused

    def _open(self, place: Watched) -> MemgitError | None:
        """Open a workspace and watch it from now on; the trouble if that fails."""
        trouble = place.open(self._open_workspace, self._environ, wait_s=0)
        if trouble is None:
            self._by_root[place.root] = place
            place.log("started")
        return trouble

    def _close(self, place: Watched) -> None:
        if place.workspace is not None:
            self._by_root.pop(place.root, None)
            if self._watcher is not None:
                self._watcher.forget(place.root)
        place.close()

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
                place.touch(hint.path, now_m)
            elif hint.path == os.fsencode(place.workspace.prefix + config_files.TRACKED_NAME):
                place.next_scan_m = min(place.next_scan_m, now_m + 0.2)

    def _look(self, place: Watched, now_m: float) -> None:
        """The periodic look: the repository itself, its settings, its directories, its files."""
        if place.is_another:
            place.say("unavailable", "the repository is gone or another one took its place")
            self._close(place)
            place.next_scan_m = now_m + _REOPEN_S
            return
        if place.is_configured_anew(self._environ):
            self._close(place)
            if self._open(place) is not None:
                return
        if place.dirs_changed:
            place.dirs_changed = False
            self._watch(place)
        place.look(now_m)

    def _watch(self, place: Watched) -> None:
        workspace = place.workspace
        assert workspace is not None
        why = "the system gives no hints"
        if workspace.config.watch.method == "poll":
            why = "as configured"
        elif self._watcher is not None:
            try:
                self._watcher.watch(place.root, watch.directories(place.root, place.patterns.may_contain))
                why = ""
            except NoWatch as error:
                why = str(error)
        if why and why != place.polling_why:
            place.log("polling", why=why)
        place.is_polling, place.polling_why = bool(why), why

    def _finish(self) -> None:
        """Last captures, then nothing of ours runs any more."""
        self._supervisor.say("STOPPING=1")
        self._errands.terminate()
        deadline_m = time.monotonic() + _LAST_CHANCE_S
        for place in self._places:
            if place.workspace is None:
                continue
            if not place.is_paused and time.monotonic() < deadline_m:
                place.waiting = {0: Debounce(0, 0).touched(0)}
                place.changed = {}
                place.capture([0], 0.0, is_last=True)
            place.log("stopped")
            files.remove(state_path(place.workspace))
        self._errands.stop()
        for place in self._places:
            self._close(place)
        if self._watcher is not None:
            self._watcher.close()


def _allow_many_files() -> None:
    """A lock for each workspace: more open files than the usual soft limit allows."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
