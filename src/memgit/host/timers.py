"""The programs that start others at log-in or on a timer, and which of them this machine has.

MEMGIT_TEST_SCHEDULER, such as `systemctl:/path/fake,crontab:/path/other`, puts others in their place, and then only
those named exist; as git's GIT_TEST_MAINT_SCHEDULER does.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping

from memgit import process
from memgit.errors import CommandFailed, MemgitError

PROGRAMS = {"systemd": "systemctl", "cron": "crontab", "launchd": "launchctl", "schtasks": "schtasks"}
_TIMEOUT_S = 30.0
_VARIABLE = "MEMGIT_TEST_SCHEDULER"


class Timers:
    """What this machine has."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        given = environ.get(_VARIABLE)
        self._fakes = None if given is None else dict(item.split(":", 1) for item in given.split(",") if ":" in item)

    def path(self, scheduler: str) -> str | None:
        """The program of a scheduler; None if this machine has none."""
        program = PROGRAMS[scheduler]
        return shutil.which(program) if self._fakes is None else self._fakes.get(program)

    def choose(self) -> str:
        """The scheduler that fits this machine best. Raises MemgitError if there is none."""
        if self._fakes is None and sys.platform == "darwin":
            return "launchd"  # cron there has no access to credentials
        for scheduler in PROGRAMS:
            if self.path(scheduler) is not None and (scheduler != "systemd" or self.answers()):
                return scheduler
        raise MemgitError(
            "There is no systemd, cron, launchd or Task Scheduler here.",
            "Start `memgit run` in another way, for example from a supervisor, or `memgit run --once` on a timer.",
        )

    def answers(self) -> bool:
        """Whether the user's own systemd is there. Source: git's builtin/gc.c, is_systemd_timer_available."""
        try:
            self.run("systemd", "--user", "list-timers")
        except (CommandFailed, MemgitError):
            return False
        return True

    def run(self, scheduler: str, *args: str, stdin: bytes | None = None, ok: tuple[int, ...] | None = (0,)) -> bytes:
        """Run the scheduler's program; its output. Raises CommandFailed, or MemgitError where it is missing."""
        program = self.path(scheduler)
        if program is None:
            raise MemgitError(f"{PROGRAMS[scheduler]} is not installed here.", "Choose another with --scheduler.")
        return process.run((program, *args), stdin=stdin, timeout_s=_TIMEOUT_S, ok=ok).stdout

    def stays(self) -> bool | None:
        """Whether the user's services go on after log-out; None if that can't be told."""
        if self._fakes is not None and "loginctl" not in self._fakes:
            return None
        program = shutil.which("loginctl") if self._fakes is None else self._fakes["loginctl"]
        if program is None:
            return None
        done = process.run((program, "show-user", "--property=Linger"), timeout_s=_TIMEOUT_S, ok=None)
        return done.stdout.strip() == b"Linger=yes" if done.status == 0 else None
