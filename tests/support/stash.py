"""An agent that writes to memory while pre-commit or prek has the tree stashed; no clock decides anything."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from memgit.core import precommit_config

BIN = Path(sys.executable).parent
MANAGERS = ("pre-commit", "prek")
BEFORE = "# Memory\n\n- 08:00 opened the office\n"
STAGED = BEFORE + "- 08:30 staged by the person\n"
UNSTAGED = "- 09:00 not staged\n"
WRITTEN = "- 09:30 written by the agent\n"

# A hook of somebody else that takes as long as the test wants: it says that it runs and waits to be let go.
_SLOW = """\
import pathlib, sys, time
inside, go = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
inside.touch()
while not go.exists():
    time.sleep(0.01)
"""
_HOOKS = """\
- repo: local
  hooks:
  - id: slow
    name: slow
    entry: {python} {slow} {inside} {go}
    language: system
    always_run: true
    pass_filenames: false
    stages: [{stage}]
"""


def append(file: Path) -> None:
    """As a script that logs."""
    with file.open("a") as opened:
        opened.write(WRITTEN)


def replace(file: Path) -> None:
    """As an editor that saves: a new file takes the old one's place."""
    fresh = file.with_name("fresh.tmp")
    fresh.write_text(file.read_text() + WRITTEN)
    fresh.replace(file)


def rewrite(file: Path) -> None:
    """As a program that reads, changes, and writes the same file."""
    text = file.read_text()
    file.write_text(text + WRITTEN)


WRITERS: dict[str, Callable[[Path], None]] = {"append": append, "replace": replace, "rewrite": rewrite}


def git(repo: Path, *args: str, ok: bool = True) -> str:
    """Output of git."""
    done = subprocess.run(("git", "-C", str(repo), *args), capture_output=True, text=True, check=False, env=_env())
    assert done.returncode == 0 or not ok, done.stderr
    return done.stdout


def _env() -> dict[str, str]:
    return {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}


def workspace(place: Path, manager: str, *, protected: bool, stage: str = "pre-commit") -> Path:
    """A repository whose commits run `manager`, with a slow hook at a stage and, if protected, memgit's before it."""
    repo = place / "work"
    (repo / "memory").mkdir(parents=True)
    git_init = subprocess.run(("git", "init", "-q", "--template=", str(repo)), check=True)
    assert git_init.returncode == 0
    (place / "slow.py").write_text(_SLOW)
    config = b"\n".join((b"repos:", *(precommit_config.entry("") if protected else ()), b"")).decode()
    files = {"slow": place / "slow.py", "inside": place / "inside", "go": place / "go"}
    config += _HOOKS.format(python=sys.executable, stage=stage, **files)
    (repo / ".pre-commit-config.yaml").write_text(config)
    (repo / "memory" / "log.md").write_text(BEFORE)
    (repo / "app.py").write_text("print(1)\n")
    git(repo, "add", "-A")
    git(repo, "commit", "-q", "-m", "start")
    argv = (str(BIN / manager), "install", "-t", "pre-commit", "-t", stage)
    subprocess.run(argv, cwd=repo, check=True, capture_output=True, env=_env())
    return repo


def commit_with_writer(
    repo: Path,
    writer: Callable[[Path], None],
    *,
    staged: bool,
    common: Path | None = None,
    kill_keeper: bool = False,
    kill_manager: bool = False,
) -> str:
    """A person commits while the agent writes inside the stash; the log file as it is once all is over."""
    windows = (common or repo / ".git") / "memgit" / "windows"
    place, log = repo.parent, repo / "memory" / "log.md"
    if staged:
        log.write_text(STAGED)
        git(repo, "add", "memory/log.md")
    (repo / "app.py").write_text("print(2)\n")
    git(repo, "add", "app.py")
    with log.open("a") as opened:
        opened.write(UNSTAGED)
    unstaged = log.read_text()
    (place / "inside").unlink(missing_ok=True)
    (place / "go").unlink(missing_ok=True)
    child = subprocess.Popen(
        ("git", "-C", str(repo), "commit", "-q", "-m", "work"),
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=_env(),
    )
    wait_for(lambda: (place / "inside").exists() or child.poll() is not None)
    assert child.poll() is None, child.communicate()
    assert log.read_text() != unstaged  # it is stashed, so this is the window
    writer(log)
    if kill_keeper:
        wait_for(lambda: any(path.name.isdigit() for path in windows.glob("*/*")))  # it wrote down what it saw
        (lock,) = windows.glob("*/lock")
        os.kill(_holder(lock), signal.SIGKILL)
    if kill_manager:
        (window,) = windows.iterdir()
        os.kill(int(window.name.partition("-")[0]), signal.SIGKILL)
    (place / "go").touch()
    child.communicate(
        timeout=60
    )  # whether it fails does not matter: a manager calls such a file "modified by this hook"
    wait_for(lambda: kill_keeper or not windows.exists())
    return log.read_text()


def _holder(file: Path) -> int:
    """The process that has a file open."""
    wanted = file.stat()
    for descriptor in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            found = descriptor.stat()
        except OSError:
            continue
        if (found.st_dev, found.st_ino) == (wanted.st_dev, wanted.st_ino):
            return int(descriptor.parts[2])
    raise AssertionError(f"nobody has {file} open")


def wait_for(condition: Callable[[], bool], limit_s: float = 60) -> None:
    """Return as soon as it holds; only a test that fails waits for the limit."""
    end = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)
