"""The jobs of workspaces: each a program of its own, so that no remote holds a capture up and no job takes us down."""

from __future__ import annotations

import time
from collections.abc import Sequence

from memgit.core.values import dataclass
from memgit.errors import MemgitError
from memgit.git import refs
from memgit.git.remote import Config, Line, RemoteFailed, remotes_of
from memgit.git.repository import checkout_of
from memgit.porcelain import commit, jobs, notices, outbox, quiet
from memgit.porcelain.jobs import BACKUP_JOBS, REMOTE_JOBS, Ran
from memgit.porcelain.outbox import Outbox
from memgit.porcelain.pushed import Plan
from memgit.porcelain.quiet import Question
from memgit.porcelain.watched import Environ, Watched
from memgit.process import Child

_AT_ONCE = 4  # programs at a time in one lane
_AGAIN_S = 10  # what is due and may not start is looked at again
_UNREACHED = 7  # as the program says it
_TELLS = {1: "failed", 2: "configuration", 4: "held", 5: "conflict", 7: "network", 8: "configuration", 9: "failed"}


@dataclass(slots=True)
class _Errand:
    place: Watched
    name: str
    work: Child | Question


class Errands:
    """What runs now, and what is started when it is due. program: how memgit is started."""

    def __init__(self, program: tuple[str, ...], environ: Environ) -> None:
        self._program = program
        self._environ = environ
        self._running: list[_Errand] = []

    @property
    def is_any(self) -> bool:
        """Whether one is running."""
        return bool(self._running)

    @property
    def handles(self) -> list[int]:
        """Each becomes readable when one ends."""
        return [errand.work.handle for errand in self._running if errand.work.handle is not None]

    def terminate(self) -> None:
        """Ask all of them to end."""
        for errand in self._running:
            errand.work.terminate()

    def stop(self) -> None:
        """End all of them."""
        for errand in self._running:
            errand.work.stop()

    def start_due(self, place: Watched, now_s: int) -> None:
        """Start what is due in a workspace and may start; note when to look again."""
        assert place.times is not None
        assert place.workspace is not None
        waits = False
        for job in place.times.due(now_s):
            lane = [running for running in self._running if jobs.lane(running.name) == jobs.lane(job)]
            if any(running.place is place for running in lane) or len(lane) >= _AT_ONCE:
                waits = True
                continue
            config = jobs.git_config(place.workspace, job)
            if self.may_start(place, job, config, now_s):
                if job == "capture":
                    place.touch(None, time.monotonic() - 3600)
                    self._record(place, job, Ran(now_s, 0))
                else:
                    self._running.append(_Errand(place, job, self._begin(place, job, config, now_s)))
                    waits = True
        place.next_job_s = now_s + 1 if waits else self._next_job_s(place, now_s)

    def _next_job_s(self, place: Watched, now_s: int) -> int | None:
        assert place.times is not None
        next_s = place.times.next_s(now_s)
        return next_s if next_s is None or next_s > now_s else now_s + _AGAIN_S

    def may_start(self, place: Watched, job: str, config: Config, now_s: int) -> bool:
        """Not while a person works on history, nor before a remote that failed may be asked again. config: git's."""
        workspace = place.workspace
        assert workspace is not None
        if job not in BACKUP_JOBS | {"capture"} and checkout_of(workspace.repo.git_dir).operation is not None:
            return False
        if not jobs.has_object(job, workspace.config):
            self._record(place, job, Ran(now_s, 0))
            return False
        if job not in REMOTE_JOBS:
            return True
        sent = outbox.load(workspace.repo)
        if not remotes_of(config) or (job == "push" and self._is_pushed(place, sent)):
            self._record(place, job, Ran(now_s, 0))
            return False
        return all(backoff.may_try(now_s) for backoff in sent.backoff.values())

    def _is_pushed(self, place: Watched, sent: Outbox) -> bool:
        """Whether the branch is where it was when all of it was last sent."""
        assert place.workspace is not None
        repo = place.workspace.repo
        branch = repo.current_branch()
        tip = refs.peek(repo.git, repo.common_dir, branch) if branch is not None else None
        states = sent.branches.values()
        return tip is not None and any(state.pushed == tip and not state.unpushed for state in states)

    def _begin(self, place: Watched, job: str, config: Config, now_s: int) -> Child | Question:
        """Most syncs find nothing to do, which a question tells for the price of a fetch."""
        workspace = place.workspace
        if job == "sync" and workspace is not None and place.is_settled:
            plan = Plan.of(workspace.config, workspace.prefix_bytes, workspace.machine)
            line = Line(workspace.repo.git, config, workspace.config.remote.timeout)
            question = quiet.ask(workspace.repo, line, plan, workspace.config.remote.default, now_s)
            if question is not None:
                return question
        return self._start(place, job)

    def _start(self, place: Watched, job: str) -> Child:
        argv = (*self._program, "-C", place.path, *jobs.COMMANDS.get(job, (job,)), "--quiet")
        return Child(argv, env=self._environ)

    def run_now(self, place: Watched, job: str) -> Ran:
        """Run one job and wait for it."""
        paths: list[str] = []
        if job == "capture":
            workspace = place.workspace
            assert workspace is not None
            request = commit.Request(machine=workspace.machine)
            now_s = int(time.time())
            try:
                report = commit.run(
                    workspace.repo, workspace.config, workspace.prefix_bytes, workspace.version, request, now_s
                )
                paths = [item.path for item in report.held]
                ran = Ran(now_s, 4, f"held back: {', '.join(paths[:5])}") if paths else Ran(now_s, 0)
            except MemgitError as error:
                ran = Ran(now_s, 1, error.message)
        else:
            ran = _result(self._start(place, job))
        self._record(place, job, ran, paths)
        return ran

    def reap(self, now_s: int) -> None:
        """Note the results of those that have ended; where a question found something to do, that begins."""
        for errand in list(self._running):
            if errand.work.is_running:
                continue
            self._running.remove(errand)
            if isinstance(errand.work, Child):
                ran = _result(errand.work)
            elif (answered := _answer(errand.work, now_s)) is not None:
                ran = answered
            else:
                self._running.append(_Errand(errand.place, errand.name, self._start(errand.place, errand.name)))
                continue
            self._record(errand.place, errand.name, ran)
            if errand.place.workspace is not None:
                errand.place.next_job_s = now_s

    def _record(self, place: Watched, job: str, ran: Ran, paths: Sequence[str] = ()) -> None:
        if place.times is None or place.workspace is None:
            return
        place.times.ran[job] = ran
        jobs.save(place.workspace.repo, place.times.ran)
        if job != "capture" or ran.status:
            place.log("job", job=job, status=ran.status, message=ran.message)
        if ran.status in _TELLS:
            place.notify(_TELLS[ran.status], f"{job}: {ran.message}", list(paths))
        elif ran.status == 0 and job in REMOTE_JOBS:
            notices.clear(place.workspace.repo, place.workspace.config, place.workspace.prefix)
        if place.state:
            place.write_state()


def _result(child: Child) -> Ran:
    done = child.finish()
    lines = [line for line in done.stderr.decode("utf-8", "replace").splitlines() if line.strip()]
    message = lines[0].removeprefix("memgit: ") if lines and done.status else ""
    return Ran(int(time.time()), done.status, message[:500])


def _answer(question: Question, now_s: int) -> Ran | None:
    """What came of it; None where there is something to do."""
    try:
        return Ran(now_s, 0) if question.answer() else None
    except RemoteFailed as error:
        return Ran(now_s, _UNREACHED, error.message[:500])
