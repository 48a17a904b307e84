"""What starts memgit at log-in or on a timer, as text: a systemd unit, crontab lines, a launchd agent, a Windows task.

Each knows its own way to quote, so that no path becomes part of the program.
Source: systemd.service(5), systemd.syntax(7); crontab(5); launchd.plist(5); schtasks /create /xml.
"""

from __future__ import annotations

from collections.abc import Mapping
from xml.sax.saxutils import escape

from memgit.core.values import dataclass

UNIT = "memgit.service"
AGENT = "org.git-memgit.run"
TASK = "memgit"


@dataclass(frozen=True, slots=True)
class Job:
    """What is to run. program: how memgit is started, absolute; workspaces: absolute; environment: what it needs."""

    program: tuple[str, ...]
    workspaces: tuple[str, ...]
    environment: Mapping[str, str]
    minute: int  # from which on timers of minutes count, so that not all machines run at once
    period_min: int = 10

    @property
    def daemon(self) -> tuple[str, ...]:
        """The command that looks after all of them until it is stopped."""
        return (*self.program, "run", *self.workspaces)

    @property
    def once(self) -> tuple[str, ...]:
        """The command that does what is due and ends."""
        return (*self.program, "run", "--once", "--quiet", *self.workspaces)


def systemd_unit(job: Job) -> str:
    """A unit for the user's own service manager."""
    words = " ".join(_systemd_word(word) for word in job.daemon)
    settings = "".join(
        f"Environment={_systemd_word(f'{name}={value}', is_command=False)}\n"
        for name, value in sorted(job.environment.items())
    )
    return (
        "# Made by `memgit service install`; `memgit service remove` takes it away.\n"
        "[Unit]\nDescription=memgit, looks after the memory of agents\n\n"
        f"[Service]\nType=notify\nExecStart={words}\n{settings}"
        "Restart=on-failure\nRestartSec=10\nWatchdogSec=600\nKillMode=mixed\nTimeoutStopSec=30\nNice=5\n\n"
        "[Install]\nWantedBy=default.target\n"
    )


def _systemd_word(word: str, *, is_command: bool = True) -> str:
    plain = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("\n", "\\n").replace("\t", "\\t")
    return '"' + (plain.replace("$", "$$") if is_command else plain) + '"'


def crontab_lines(job: Job) -> tuple[bytes, ...]:
    """The lines of a crontab. Raises ValueError for a path that no crontab can hold."""
    words = " ".join(_shell_word(word) for word in job.once)
    settings = "".join(f"{name}={_shell_word(value)} " for name, value in sorted(job.environment.items()))
    line = (settings + words).replace("%", "\\%")
    if "\n" in line:
        raise ValueError("a line break")
    start = job.minute % job.period_min
    return (f"{start}-59/{job.period_min} * * * * {line}".encode("utf-8", "surrogateescape"),)


def _shell_word(word: str) -> str:
    """Source: shell quoting of POSIX, 2.2.2."""
    if word and all(char.isascii() and (char.isalnum() or char in "_@+=:,./-") for char in word):
        return word
    return "'" + word.replace("'", "'\"'\"'") + "'"


def launchd_plist(job: Job, log: str) -> str:
    """An agent that is started at log-in and again if it ends by itself."""
    words = "".join(f"    <string>{escape(word)}</string>\n" for word in job.daemon)
    settings = "".join(
        f"    <key>{escape(name)}</key>\n    <string>{escape(value)}</string>\n"
        for name, value in sorted(job.environment.items())
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">\n'
        '<plist version="1.0">\n<dict>\n'
        f"  <key>Label</key>\n  <string>{AGENT}</string>\n"
        f"  <key>ProgramArguments</key>\n  <array>\n{words}  </array>\n"
        f"  <key>EnvironmentVariables</key>\n  <dict>\n{settings}  </dict>\n"
        "  <key>RunAtLoad</key>\n  <true/>\n"
        "  <key>KeepAlive</key>\n  <dict>\n    <key>SuccessfulExit</key>\n    <false/>\n  </dict>\n"
        "  <key>ProcessType</key>\n  <string>Background</string>\n"
        f"  <key>StandardErrorPath</key>\n  <string>{escape(log)}</string>\n"
        "</dict>\n</plist>\n"
    )


def task_xml(job: Job) -> str:
    """A task that does what is due every few minutes, without a window that flashes up."""
    program, *arguments = job.once
    return (
        '<?xml version="1.0" encoding="UTF-16"?>\n'
        '<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">\n'
        "  <Triggers>\n    <TimeTrigger>\n"
        f"      <Repetition>\n        <Interval>PT{job.period_min}M</Interval>\n      </Repetition>\n"
        f"      <StartBoundary>2026-01-01T00:{job.minute % job.period_min:02d}:00</StartBoundary>\n"
        "      <Enabled>true</Enabled>\n    </TimeTrigger>\n  </Triggers>\n"
        '  <Principals>\n    <Principal id="Author">\n'
        "      <LogonType>InteractiveToken</LogonType>\n      <RunLevel>LeastPrivilege</RunLevel>\n"
        "    </Principal>\n  </Principals>\n"
        "  <Settings>\n    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>\n"
        "    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>\n"
        "    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>\n"
        "    <StartWhenAvailable>true</StartWhenAvailable>\n    <Hidden>true</Hidden>\n"
        "    <ExecutionTimeLimit>PT1H</ExecutionTimeLimit>\n  </Settings>\n"
        '  <Actions Context="Author">\n    <Exec>\n'
        f"      <Command>{escape(program)}</Command>\n"
        f"      <Arguments>{escape(' '.join(_windows_word(word) for word in arguments))}</Arguments>\n"
        "    </Exec>\n  </Actions>\n</Task>\n"
    )


def _windows_word(word: str) -> str:
    """Source: CommandLineToArgvW: a quote is escaped, and the backslashes in front of it are doubled."""
    if word and not any(char in word for char in ' \t"'):
        return word
    out, slashes = ['"'], 0
    for char in word:
        if char == "\\":
            slashes += 1
            continue
        out.append("\\" * (slashes * 2 + 1 if char == '"' else slashes) + char)
        slashes = 0
    return "".join(out) + "\\" * (slashes * 2) + '"'
