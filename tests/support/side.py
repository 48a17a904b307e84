"""Two sides of a remote: clones whose files are written and committed as an agent does."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from support.repo import Repo, Run, memgit_program, run

MACHINE = {"MEMGIT_MACHINE": "laptop"}
DAY_S = 86_400


class Side(Repo):
    """A clone whose files are written and committed as an agent does. env: what it takes to reach the remote."""

    env: Mapping[str, str] = MACHINE

    def git(self, *args: str, stdin: bytes | None = None, env: Mapping[str, str] | None = None) -> bytes:
        """Output of a git command that must work."""
        return super().git(*args, stdin=stdin, env={**self.env, **(env or {})})

    def memgit(self, *args: str, ok: int = 0, env: Mapping[str, str] | None = None) -> Run:
        """Run the installed command."""
        return super().memgit(*args, ok=ok, env={**self.env, **(env or {})})

    def write(self, name: str, text: str, *, at: int | None = None, auto: bool = True) -> None:
        """Write a file and commit it. at: author and commit time."""
        place = self.path / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
        at = int(time.time()) if at is None else at
        env = {"GIT_AUTHOR_DATE": f"{at} +0000", "GIT_COMMITTER_DATE": f"{at} +0000"}
        self.git("add", "-A", env=env)
        trailer = ["-m", "Memgit-Auto: laptop"] if auto else []
        self.git("commit", "-q", "-m", f"auto: {name}" if auto else f"Write {name}", *trailer, env=env)

    def text(self, name: str) -> str:
        """A file of the work tree."""
        return (self.path / name).read_text()

    def sync(self, *args: str, ok: int = 0, machine: str = "laptop") -> dict[str, object]:
        """Run memgit sync; its report."""
        done = self.memgit("sync", "--json", *args, ok=ok, env={"MEMGIT_MACHINE": machine})
        found: dict[str, object] = json.loads(done.out) if done.out else {"err": done.err}
        return found

    def tries_to_sync(self) -> bool:
        """Whether memgit sync works now; it may find the network gone, as it does on a busy machine."""
        done = subprocess.run(
            (memgit_program(), "-C", str(self.path), "sync", "-q"), env={**os.environ, **self.env}, timeout=120
        )
        assert done.returncode in (0, 7)
        return done.returncode == 0

    def status(self) -> str:
        """What git says of the work tree."""
        return self.git("status", "--porcelain").decode()


def clone(hub: Path | str, place: Path, *how: str, env: Mapping[str, str] | None = None) -> Side:
    """A clone as git makes it. how: more arguments; env: what it takes to reach the remote, and a machine's name."""
    run("git", "clone", "-q", *how, str(hub), str(place), env=env)
    side = Side.__new__(Side)
    side.path, side.git_dir, side._files, side.time_s = place, place / ".git", {}, 0
    side.env = {**MACHINE, **(env or {})}
    return side


def there(hub: Path, ref: str = "refs/heads/main") -> str:
    """Where a ref of a remote is."""
    return run("git", "-C", str(hub), "rev-parse", "--verify", "-q", ref).decode().strip()


def log_of(hub: Path, ref: str = "main") -> list[str]:
    """The subjects of a remote's branch, oldest first."""
    return run("git", "-C", str(hub), "log", "--format=%s", "--reverse", ref).decode().splitlines()


def children_in(directory: Path) -> list[str]:
    """Command lines of processes that run in a directory."""
    found = []
    for place in Path("/proc").iterdir():
        if place.name.isdigit():
            try:
                if Path(os.readlink(place / "cwd")).is_relative_to(directory):
                    found.append((place / "cmdline").read_text().replace("\0", " "))
            except OSError:
                continue
    return found
