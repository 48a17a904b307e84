"""What syncing and watching cost, beside git itself and a gitwatch-like loop; writes benchmarks/sync.md.

python benchmarks/sync.py [--work DIR] [--idle-s 60] [--workspaces 1000] [--files 200000]
"""

from __future__ import annotations

import argparse
import os
import resource
import select
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from measure import MEMGIT, ROOT, cost, machine, table, write

from memgit.cli.app import ITSELF
from memgit.cli.context import open_workspace
from memgit.porcelain.errands import Errands
from memgit.porcelain.watched import Watched

sys.path.insert(0, str(ROOT / "tests"))

DEBOUNCE_S = 1
QUIET = '[schedule]\ncapture = "never"\nconsolidate = "never"\npush = "never"\nprune = "never"\n'
GITWATCH = """
while inotifywait -qq -r -e modify,move,create,delete --exclude '/[.]git' .; do
  sleep {debounce}
  git add -A . && git commit -q -m auto
done
"""


def git(place: Path, *args: str) -> str:
    return subprocess.run(("git", "-C", str(place), *args), check=True, capture_output=True, text=True).stdout


def repository(place: Path, files: int = 1) -> Path:
    subprocess.run(("git", "init", "-q", str(place)), check=True)
    git(place, "config", "user.email", "bench@example.invalid")
    git(place, "config", "user.name", "Bench")
    (place / "memory").mkdir()
    for number in range(files):
        (place / "memory" / f"{number}.md").write_text(f"# {number}\n")
    git(place, "add", "-A")
    git(place, "commit", "-q", "-m", "Start")
    return place


def pair(
    runs: int,
    one: Callable[[], float],
    other: Callable[[], float],
    pick: Callable[[Sequence[float]], float] = statistics.median,
) -> tuple[float, float]:
    """Medians, or what else is picked, of two measurements taken in turn, so that both see the same machine."""
    found: tuple[list[float], list[float]] = ([], [])
    for _ in range(runs):
        found[0].append(one())
        found[1].append(other())
    return pick(found[0]), pick(found[1])


def wall(argv: Sequence[str], env: dict[str, str]) -> float:
    started = time.monotonic()
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL, env={**os.environ, **env})
    return time.monotonic() - started


def syncing(work: Path) -> list[tuple[str, str, str, str]]:
    from support import remotes

    rows = []
    root = work / "served"
    hub = remotes.bare(root / "hub.git")
    for name in ("file", "http", "ssh"):
        place = repository(work / f"sync-{name}")
        with remotes.sshd(root, work / "ssh") as by_ssh, remotes.http(root) as by_http:
            url = {"file": str(hub), "http": by_http.url + "hub.git", "ssh": by_ssh.url + "hub.git"}[name]
            env = dict(by_ssh.env) if name == "ssh" else {}
            env["MEMGIT_MACHINE"] = "bench"
            git(place, "remote", "add", "origin", url)
            git(place, "branch", "-M", f"main-{name}")
            wall((MEMGIT, "-C", str(place), "push", "--now", "-q"), env)
            wall((MEMGIT, "-C", str(place), "sync", "-q"), env)
            ours, theirs = pair(
                25,
                lambda place=place, env=env: wall((MEMGIT, "-C", str(place), "sync", "-q"), env),  # type: ignore[misc]
                lambda place=place, env=env: wall(("git", "-C", str(place), "fetch", "-q"), env),  # type: ignore[misc]
                min,
            )
            rows.append(
                (
                    f"sync with nothing to do, {name}, best of 25",
                    f"{ours:.3f} s",
                    f"git fetch: {theirs:.3f} s",
                    f"{ours / theirs:.2f}",
                )
            )
            rows += scheduled(place, env, name)
        shutil.rmtree(work / "ssh")
    return rows


def scheduled(place: Path, env: dict[str, str], name: str) -> list[tuple[str, str, str, str]]:
    """A sync that the schedule of `memgit run` starts, in this process as in the daemon's."""
    settings = place / ".git" / "memgit" / "config.toml"
    settings.write_text(QUIET + 'sync = "every 1s"\njitter = "0s"\n')
    os.environ.update(env)
    errands = Errands(ITSELF, dict(os.environ))
    watched = Watched(str(place))
    assert watched.open(open_workspace, dict(os.environ), 0) is None
    clock = int(time.time())

    def sync() -> Spent:
        nonlocal clock
        clock += 10
        before = Spent.so_far()
        errands.start_due(watched, clock)
        assert errands.is_any
        while errands.is_any:
            select.select(errands.handles, [], [], 1)
            errands.reap(clock)
        return Spent.so_far() - before

    def fetch() -> Spent:
        before = Spent.so_far()
        subprocess.run(("git", "-C", str(place), "fetch", "-q"), check=True, stdout=subprocess.DEVNULL)
        return Spent.so_far() - before

    for _ in range(2):  # a memgit of its own, which notes that all is quiet; then a question
        sync()
    spent = [(sync(), fetch()) for _ in range(100)]
    watched.close()
    rows = []
    for kind, what in enumerate(("CPU", "wall")):
        ours, theirs = (min(one[kind] for one in side) for side in zip(*spent, strict=True))
        rows.append(
            (
                f"the same by the schedule of `memgit run`, {name}, {what}, best of 100",
                f"{ours * 1000:.2f} ms",
                f"git fetch: {theirs * 1000:.2f} ms",
                f"{ours / theirs:.2f}",
            )
        )
    return rows


class Spent(NamedTuple):
    """Time of this process and of those it started and saw end."""

    cpu_s: float
    wall_s: float

    @classmethod
    def so_far(cls) -> Spent:
        used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        return cls(sum(one.ru_utime + one.ru_stime for one in used), time.monotonic())

    def __sub__(self, other: Spent) -> Spent:
        return Spent(self.cpu_s - other.cpu_s, self.wall_s - other.wall_s)


def latency(work: Path) -> list[tuple[str, str, str, str]]:
    ours_repo, theirs_repo = repository(work / "watch-ours", 50), repository(work / "watch-theirs", 50)
    settings = ours_repo / ".git" / "memgit" / "config.toml"
    settings.parent.mkdir()
    settings.write_text(f'[watch]\ndebounce = "{DEBOUNCE_S}s"\n{QUIET}')
    script = GITWATCH.format(debounce=DEBOUNCE_S)
    children = [
        subprocess.Popen((MEMGIT, "run", str(ours_repo)), start_new_session=True),
        subprocess.Popen(("sh", "-c", script), cwd=theirs_repo, start_new_session=True),
    ]
    try:
        time.sleep(3)
        ours, theirs = pair(15, lambda: captured(ours_repo), lambda: captured(theirs_repo))
    finally:
        for child in children:
            os.killpg(child.pid, signal.SIGTERM)
            child.wait()
    (ours_repo / "memory" / "0.md").write_text(f"{time.time()}\n")
    single = cost((MEMGIT, "commit", "-q"), ours_repo, runs=1).cpu_s
    bar = 1.2 * DEBOUNCE_S + single
    return [
        ("write to commit, debounce 1 s", f"{ours:.3f} s", f"inotifywait, git: {theirs:.3f} s", f"{ours / theirs:.2f}"),
        ("the same against 1.2 x debounce + one `memgit commit`", f"{ours:.3f} s", f"{bar:.3f} s", f"{ours / bar:.2f}"),
    ]  # fmt: skip


def captured(repo: Path) -> float:
    """From a write to the branch having moved."""
    time.sleep(0.5)
    place = repo / ".git" / "refs" / "heads" / "master"
    place = place if place.exists() else repo / ".git" / "refs" / "heads" / "main"
    before = place.read_text()
    with open(repo / "memory" / "1.md", "a") as file:
        file.write(f"{time.time()}\n")
    started = time.monotonic()
    while place.read_text() == before:
        time.sleep(0.002)
    return time.monotonic() - started


def idle(work: Path, files: int, seconds: int) -> list[tuple[str, str, str, str]]:
    repo = repository(work / "large", 50)
    (repo / ".gitignore").write_text("node_modules/\n")
    for number in range(files // 200):
        place = repo / "node_modules" / str(number)
        place.mkdir(parents=True)
        for inner in range(200):
            (place / str(inner)).touch()
    cpu, rss, watches = watched([repo], seconds)
    name = f"idle, 50 memory files in a tree of {files:,}"
    return [(name, f"{cpu:.3f} % CPU, {rss:.0f} MiB", "bar: 0.1 %, 60 MiB", f"{watches} watches")]


def many(work: Path, count: int, seconds: int) -> list[tuple[str, str, str, str]]:
    first = repository(work / "many-0", 5)
    repos = [first]
    for number in range(1, count):
        place = work / f"many-{number}"
        subprocess.run(("cp", "-a", str(first), str(place)), check=True)
        repos.append(place)
    cpu, rss, watches = watched(repos, seconds)
    return [
        (f"idle, {count:,} workspaces", f"{cpu:.3f} % CPU, {rss:.0f} MiB", "bar: 1 %, 300 MiB", f"{watches} watches")
    ]


def watched(repos: Sequence[Path], seconds: int) -> tuple[float, float, int]:
    """CPU per cent, resident MiB and watches of a daemon that has nothing to do."""
    for repo in repos:
        settings = repo / ".git" / "memgit" / "config.toml"
        settings.parent.mkdir(exist_ok=True)
        settings.write_text(QUIET)
    child = subprocess.Popen((MEMGIT, "run", *map(str, repos)), start_new_session=True)
    try:
        while not all((repo / ".git" / "memgit" / "run.json").exists() for repo in repos):
            time.sleep(0.2)
        time.sleep(10)
        before = ticks(child.pid)
        time.sleep(seconds)
        used = (ticks(child.pid) - before) / os.sysconf("SC_CLK_TCK")
        status = Path(f"/proc/{child.pid}/status").read_text()
        rss = int(status.partition("VmRSS:")[2].split()[0]) / 1024
        watches = 0
        for info in Path(f"/proc/{child.pid}/fdinfo").iterdir():
            watches += info.read_text().count("inotify wd:")
    finally:
        os.killpg(child.pid, signal.SIGTERM)
        child.wait()
    return used / seconds * 100, rss, watches


def ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--work", type=Path)
    parser.add_argument("--idle-s", type=int, default=60)
    parser.add_argument("--workspaces", type=int, default=1000)
    parser.add_argument("--files", type=int, default=200_000)
    parser.add_argument("--syncing", action="store_true", help="only that, printed")
    args = parser.parse_args()
    work = args.work or Path(tempfile.mkdtemp(prefix="memgit-bench-"))
    work.mkdir(parents=True, exist_ok=True)
    if args.syncing:
        print(table(("what", "memgit", "beside it", "ratio"), syncing(work)))
        return
    try:
        rows = [*syncing(work), *latency(work), *idle(work, args.files, args.idle_s)]
        rows += many(work, args.workspaces, args.idle_s)
    finally:
        if args.work is None:
            shutil.rmtree(work, ignore_errors=True)
    text = f"# Syncing and watching\n\nOne run of `benchmarks/sync.py` on {machine()}; compare the ratios.\n"
    text += (
        "Over a path or plain HTTP a fetch is shorter than the start of an interpreter; the bar of 1.3 is for ssh.\n\n"
    )
    write("sync.md", text + table(("what", "memgit", "beside it", "ratio"), rows) + "\n")


if __name__ == "__main__":
    main()
