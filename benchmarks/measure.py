"""Measuring whole commands: CPU seconds and peak memory of a process and all it starts, the best of several runs."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("MEMGIT_SHARED", ROOT.parent / "shared"))
MEMGIT = str(Path(sys.executable).parent / "memgit")


@dataclass(frozen=True, slots=True)
class Cost:
    """cpu_s: user and system seconds. peak_kib: resident memory of the largest process."""

    cpu_s: float
    peak_kib: int


def cost(argv: Sequence[str], cwd: Path, *, runs: int = 3, prepare: Callable[[], None] | None = None) -> Cost:
    """The cheapest of `runs` runs; other work on the machine only ever adds. Raises if the command fails."""
    found = []
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    for _ in range(runs):
        if prepare is not None:
            prepare()
        code = (
            "import resource,subprocess,sys;"
            "done=subprocess.run(sys.argv[1:],stdout=subprocess.DEVNULL,stdin=subprocess.DEVNULL);"
            "used=resource.getrusage(resource.RUSAGE_CHILDREN);"
            "print(done.returncode,used.ru_utime+used.ru_stime,used.ru_maxrss)"
        )
        done = subprocess.run(
            (sys.executable, "-c", code, *argv), cwd=cwd, env=env, capture_output=True, text=True, check=True
        )
        status, cpu_s, peak_kib = done.stdout.split()
        if status != "0":
            raise SystemExit(f"{argv} failed with {status}: {done.stderr}")
        found.append(Cost(float(cpu_s), int(peak_kib)))
    return min(found, key=lambda item: item.cpu_s)


def workspace(place: Path, commits: int, **options: object) -> Path:
    """A generated repository, built once under `place`."""
    name = "-".join([f"ws{commits}", *(f"{key}{value}" for key, value in options.items())])
    repo = place / name
    if not repo.exists():
        args = [word for key, value in options.items() for word in (f"--{key.replace('_', '-')}", str(value))]
        generator = SHARED / "tools" / "gen_workspace.py"
        building = place / (name + ".new")
        shutil.rmtree(building, ignore_errors=True)
        subprocess.run(
            (sys.executable, str(generator), str(building), "--commits", str(commits), *args),
            check=True,
            stdout=subprocess.DEVNULL,
        )
        building.rename(repo)
    return repo


def copy(source: Path, target: Path) -> None:
    """A copy of a repository that shares no object file, so that a run can be repeated from the same start."""
    shutil.rmtree(target, ignore_errors=True)
    subprocess.run(("cp", "-a", str(source.resolve()), str(target)), check=True)


def machine() -> str:
    """What the figures were measured on, without naming the machine."""
    git = subprocess.run(("git", "version"), capture_output=True, text=True, check=True).stdout.strip()
    return f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {git}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines)


def write(name: str, text: str) -> None:
    """Put the results where README points and show them."""
    (ROOT / "benchmarks" / name).write_text(text)
    print(text)
