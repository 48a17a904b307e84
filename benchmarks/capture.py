"""Captures in a repository of 100,000 files, against `git commit --only` of the same paths (= 1), in one run.

    python benchmarks/capture.py [PLACE]

PLACE holds the generated repository between runs. Figures go to benchmarks/capture.md.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from measure import MEMGIT, machine, table, write

from memgit.cli.context import find_workspace, now_s
from memgit.core.settings import Config
from memgit.core.version import VERSION
from memgit.git.repository import discover
from memgit.porcelain import commit
from memgit.porcelain.commit import Request

FILES = 100_000
MEMORY = 50
CHANGED = 3
RUNS = 7
PATHS = [f"memory/note-{number:02d}.md" for number in range(CHANGED)]
BARS = {"in process": 0.35, "whole process": 1.0, "nothing changed": 0.35}


def build(place: Path) -> Path:
    """The repository, made once."""
    repo = place / f"files{FILES}"
    if repo.exists():
        return repo
    making = place / "making"
    for number in range(FILES - MEMORY):
        file = making / f"src/d{number // 5000:02d}/e{number // 50 % 100:02d}/f{number}.txt"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{number}\n")
    (making / "memory").mkdir()
    for number in range(MEMORY):
        (making / f"memory/note-{number:02d}.md").write_text("# Note\n" + "- a fact worth keeping, in a line\n" * 100)
    for args in (
        ("init", "-q", "-b", "main"),
        ("config", "user.name", "Bench"),
        ("config", "user.email", "bench@example.invalid"),
        ("config", "gc.auto", "0"),
        ("add", "-A"),
        ("commit", "-q", "-m", "start"),
        ("gc", "-q"),
    ):
        subprocess.run(("git", *args), cwd=making, check=True)
    making.rename(repo)
    return repo


def touch(repo: Path, round_: int) -> None:
    """Change the files that a round commits, and let them get older than a moment."""
    for path in PATHS:
        with open(repo / path, "a") as file:
            file.write(f"- learned in round {round_}, {os.urandom(4).hex()}\n")
        os.utime(repo / path, (1_700_000_000 + round_,) * 2)


def used() -> float:
    """CPU seconds of this process and of the children it has waited for."""
    return sum(
        usage.ru_utime + usage.ru_stime
        for usage in (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    )


def cheapest(repo: Path, run: Callable[[], object], *, changes: bool, start: int) -> float:
    """CPU seconds of the cheapest of some runs; other work on the machine only ever adds."""
    found = []
    for round_ in range(RUNS):
        if changes:
            touch(repo, start + round_)
        before = used()
        run()
        found.append(used() - before)
    return min(found)


def main() -> None:
    """Measure all four and write them down."""
    place = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.gettempdir()) / "memgit-bench"
    place.mkdir(parents=True, exist_ok=True)
    repo = build(place)
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}

    def program(*argv: str) -> Callable[[], object]:
        return lambda: subprocess.run(argv, cwd=repo, env=env, check=True, stdout=subprocess.DEVNULL)

    opened = discover(str(repo))
    workspace = os.fsencode(find_workspace(opened))

    def capture() -> None:
        report = commit.run(opened, Config(), workspace, VERSION, Request(machine="bench"), now_s())
        assert len(report.files) == CHANGED, report

    program(MEMGIT, "commit")()
    touch(repo, 0)
    capture()  # loads what a daemon has loaded
    base = cheapest(repo, program("git", "commit", "-q", "-m", "x", "--only", "--", *PATHS), changes=True, start=10)
    figures = {
        "in process": cheapest(repo, capture, changes=True, start=30),
        "whole process": cheapest(repo, program(MEMGIT, "commit", "-q"), changes=True, start=50),
    }
    program(MEMGIT, "commit", "-q")()
    figures["nothing changed"] = cheapest(repo, program(MEMGIT, "commit", "-q"), changes=False, start=70)
    rows = [("`git commit --only`", f"{base * 1000:.0f}", "1", "")]
    rows += [
        (f"`memgit commit`, {name}", f"{cpu * 1000:.0f}", f"{cpu / base:.2f}", f"{BARS[name]:.2f}")
        for name, cpu in figures.items()
    ]
    text = (
        "# Captures\n\n"
        f"`python benchmarks/capture.py`, {machine()}. {FILES:,} tracked files, {MEMORY} of them memory, {CHANGED}"
        f" changed. CPU of the command and all it starts, the cheapest of {RUNS} runs each, all in one run.\n\n"
        + table(("", "CPU ms", "ratio", "bar"), rows)
        + "\n"
    )
    write("capture.md", text)


if __name__ == "__main__":
    main()
