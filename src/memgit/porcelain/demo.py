"""The material of `memgit demo`: a workspace with a noisy week, as an agent and its cron script leave it."""

from __future__ import annotations

import os
import random

from memgit.git.command import Git

DAY_S = 86400
AGENT = "Agent <agent@example.invalid>"
PERSON = "Robin Park <robin@example.invalid>"
_FACTS = (
    "prefers short answers in the morning",
    "deploys go out on Tuesdays after the stand-up",
    "the staging database is rebuilt every night",
    "invoices are due on the 5th",
    "likes the dashboards sorted by age",
    "the parser chokes on empty front matter",
    "retry the export with smaller batches",
    "ask before touching the billing queue",
    "the office closes at 18:00 on Fridays",
    "tests of the importer take four minutes",
)


def build(directory: str, start_s: int, days: int = 7, captures_a_day: int = 24, seed: int = 4) -> int:
    """Make a repository with `days` days of auto-commits and a person's commits between; how many commits.

    start_s: midnight UTC of the first day, seconds since the epoch. Everything goes through one
    `git fast-import`; the work tree is checked out.
    """
    os.makedirs(directory, exist_ok=True)
    git = Git(directory)
    git.run("init", "--quiet", "--initial-branch=main")
    dice = random.Random(seed)
    stream = _Stream()
    memory = ["# Memory", "", "## Facts", ""]
    stream.commit(
        PERSON, start_s, "Start the workspace", {"MEMORY.md": memory, "AGENTS.md": ["# Rules", "", "Write it down."]}
    )
    for day in range(days):
        midnight = start_s + day * DAY_S
        date = _date(midnight)
        log = [f"# {date}", ""]
        for capture in range(captures_a_day):
            at = midnight + 7 * 3600 + capture * 1800
            log.append(f"- {_clock(at)} {dice.choice(_FACTS)}")
            changed = {f"memory/{date}.md": log}
            if capture % 6 == 5:
                memory.append(f"- {date}: {dice.choice(_FACTS)}")
                changed["MEMORY.md"] = memory
            names = ", ".join(sorted(changed))
            stream.commit(AGENT, at, f"auto: {names}\n\nMemgit-Auto: laptop", changed)
            if capture in (9, 17):
                tool = [f"# tool of {date}, version {capture}"]
                stream.commit(PERSON, at + 600, f"Add the {date} report tool, take {capture}", {"tool.py": tool})
    git.run("fast-import", "--quiet", stdin=stream.text())
    git.run("reset", "--quiet", "--hard", "main")
    return stream.commits


def second_machine(workspace: str, remote: str, desktop: str) -> str:
    """A bare remote that both machines use, and a clone for the second one; the clone's directory."""
    here = Git(workspace)
    here.run("init", "--quiet", "--bare", "--initial-branch=main", remote)
    here.run("remote", "add", "origin", remote)
    here.run("push", "--quiet", "origin", "main")
    here.run("clone", "--quiet", remote, desktop)
    for directory, name in ((workspace, "laptop"), (desktop, "desktop")):
        git = Git(directory)
        git.run("config", "user.name", f"Agent on {name}")
        git.run("config", "user.email", f"{name}@example.invalid")
    return desktop


def newest_log(workspace: str) -> str:
    """The path of the newest daily log, relative to the workspace."""
    return "memory/" + max(os.listdir(os.path.join(workspace, "memory")))


def append(workspace: str, path: str, lines: list[str]) -> None:
    """What an agent does: write some lines at the end."""
    with open(os.path.join(workspace, path), "a", encoding="utf-8") as file:
        file.writelines(line + "\n" for line in lines)


def last_lines(workspace: str, path: str, count: int) -> list[str]:
    """The end of a file."""
    with open(os.path.join(workspace, path), encoding="utf-8") as file:
        return file.read().splitlines()[-count:]


class _Stream:
    """Commits in the language of git-fast-import(1), all on main."""

    def __init__(self) -> None:
        self.commits = 0
        self._parts: list[bytes] = []

    def commit(self, who: str, at_s: int, message: str, files: dict[str, list[str]]) -> None:
        self.commits += 1
        text = message.encode() + b"\n"
        self._parts.append(b"commit refs/heads/main\nmark :%d\n" % self.commits)
        self._parts.append(f"author {who} {at_s} +0000\ncommitter {who} {at_s} +0000\n".encode())
        self._parts.append(b"data %d\n%s" % (len(text), text))
        for path, lines in files.items():
            content = "".join(line + "\n" for line in lines).encode()
            self._parts.append(b"M 100644 inline %s\ndata %d\n%s" % (path.encode(), len(content), content))

    def text(self) -> bytes:
        return b"".join(self._parts) + b"done\n"


def _date(time_s: int) -> str:
    import datetime

    return datetime.datetime.fromtimestamp(time_s, datetime.UTC).strftime("%Y-%m-%d")


def _clock(time_s: int) -> str:
    return f"{time_s % DAY_S // 3600:02d}:{time_s % 3600 // 60:02d}"
