"""memgit backup beside the bare rsync command that does the same, restic and borg: CPU and bytes, in one run.

    python benchmarks/backup.py [FILES]

5,000 small memory files, ten of which change between runs. Every program writes to a directory of this machine.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from measure import MEMGIT, Cost, cost, machine, table, write

CHANGED = 10
MIRRORED = ("memgit, mirror", "memgit, mirror, within a process")


def fill(source: Path, files: int) -> None:
    for number in range(files):
        place = source / "memory" / f"{number // 100:03}" / f"{number}.md"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(
            f"# Note {number}\n"
            + "- a line of text, as long as such lines are in a note that somebody keeps for years\n" * (number % 100)
        )


class Edits:
    """Each call changes ten files."""

    def __init__(self, source: Path) -> None:
        self._files = sorted(source.glob("memory/*/*.md"))
        self._round = 0

    def __call__(self) -> None:
        self._round += 1
        step = len(self._files) // CHANGED
        for number in range(CHANGED):
            with open(self._files[number * step + self._round % step], "a") as file:
                file.write(f"- round {self._round}\n")


def size(directory: Path) -> int:
    """Bytes on disk; what has several names counts once."""
    return int(
        subprocess.run(("du", "-s", "-B1", directory), capture_output=True, text=True, check=True).stdout.split()[0]
    )


def main() -> None:
    files = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000
    place = Path(tempfile.mkdtemp(prefix="memgit-benchmark-"))
    try:
        measure(place, files)
    finally:
        shutil.rmtree(place)


def measure(place: Path, files: int) -> None:
    source = place / "workspace"
    fill(source, files)
    subprocess.run(("git", "init", "-q", source), check=True)
    local = source / ".git" / "memgit"
    local.mkdir()
    targets = [("snapshots", "snapshots"), ("mirror", "mirror")]
    (local / "config.toml").write_text(
        "".join(f'[[target]]\nname = "{name}"\npath = "{place}/{name}"\nmode = "{mode}"\n' for name, mode in targets)
    )
    edit = Edits(source)
    memory = source / "memory"
    os.environ.update(
        RESTIC_PASSWORD="benchmark", RESTIC_CACHE_DIR=str(place / "cache"), BORG_BASE_DIR=str(place / "borg")
    )
    os.environ.update(BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK="yes", BORG_RELOCATED_REPO_ACCESS_IS_OK="yes")

    def relinked() -> tuple[str, ...]:
        return ("rsync", "-a", "--delete", f"--link-dest={place}/rsync/0", f"{source}/memory", f"{place}/rsync/next/")

    def clear() -> None:
        shutil.rmtree(place / "rsync" / "next", ignore_errors=True)

    def both(*steps: Callable[[], None]) -> Callable[[], None]:
        def run() -> None:
            for step in steps:
                step()
            time.sleep(2.2)  # a file that changed a moment ago is read again, which is not what is measured here

        return run

    for name, _ in targets:
        subprocess.run((MEMGIT, "backup", "run", "-q", name), cwd=source, check=True, stderr=subprocess.DEVNULL)
    first = size(place / "snapshots")
    (place / "rsync").mkdir()
    subprocess.run(("rsync", "-a", memory, place / "rsync" / "0/"), check=True)
    subprocess.run(("rsync", "-a", "--delete", memory, place / "rsync-mirror/"), check=True)

    costs: dict[str, tuple[Cost, Cost]] = {}
    edit()
    subprocess.run((MEMGIT, "backup", "run", "-q", "snapshots"), cwd=source, check=True, stderr=subprocess.DEVNULL)
    second = size(place / "snapshots") - first
    held = size(place / "rsync")
    subprocess.run(relinked(), check=True)
    bare = size(place / "rsync") - held
    shutil.rmtree(place / "rsync")
    (place / "rsync").mkdir()
    subprocess.run(("rsync", "-a", memory, place / "rsync" / "0/"), check=True)

    costs["rsync --link-dest"] = (
        cost(relinked(), source, runs=5, prepare=both(clear, edit)),
        cost(relinked(), source, runs=5, prepare=both(clear)),
    )
    for name, _ in targets:
        argv: tuple[str, ...] = (MEMGIT, "backup", "run", "-q", name)
        costs[f"memgit, {name}"] = (
            cost(argv, source, runs=5, prepare=both(edit)),
            cost(argv, source, runs=5, prepare=both()),
        )
    costs["memgit, mirror, within a process"] = (
        warm(("backup", "run", "-q", "mirror"), source, both(edit)),
        warm(("backup", "run", "-q", "mirror"), source, both()),
    )
    mirrored = ("rsync", "-a", "--delete", str(memory), f"{place}/rsync-mirror/")
    costs["rsync --delete"] = (
        cost(mirrored, source, runs=5, prepare=both(edit)),
        cost(mirrored, source, runs=5, prepare=both()),
    )
    extra: dict[str, int] = {}
    if shutil.which("restic"):
        repository = f"{place}/restic"
        subprocess.run(("restic", "-q", "-r", repository, "init"), check=True)
        argv = ("restic", "-q", "-r", repository, "backup", str(memory))
        subprocess.run(argv, check=True)
        held = size(Path(repository))
        edit()
        subprocess.run(argv, check=True)
        extra["restic"] = size(Path(repository)) - held
        costs["restic backup"] = (cost(argv, source, prepare=both(edit)), cost(argv, source))
    if shutil.which("borg"):
        repository = f"{place}/borg-repository"
        subprocess.run(("borg", "init", "-e", "none", repository), check=True, stderr=subprocess.DEVNULL)

        def borg() -> tuple[str, ...]:
            return ("sh", "-c", f"exec borg create {repository}::$(date +%s%N) {memory}")

        subprocess.run(borg(), check=True)
        held = size(Path(repository))
        edit()
        subprocess.run(borg(), check=True)
        extra["borg"] = size(Path(repository)) - held
        costs["borg create"] = (cost(borg(), source, prepare=both(edit)), cost(borg(), source))
    report(files, costs, first, second, bare, extra)


def warm(args: tuple[str, ...], source: Path, prepare: Callable[[], None]) -> Cost:
    """What a command costs a process that has run it before: no start, nothing to import."""
    code = (
        "import gc, resource, sys; from memgit.cli import app; gc.disable()\n"
        "def used(): return sum(u.ru_utime + u.ru_stime for u in map(resource.getrusage, (0, -1)))\n"
        "for _ in sys.stdin:\n"
        "    began = used(); assert app.run(sys.argv[1:]) == 0\n"
        "    print(used() - began, resource.getrusage(0).ru_maxrss, flush=True)"
    )
    found = []
    with subprocess.Popen(
        (sys.executable, "-c", code, *args), cwd=source, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        for _ in range(6):
            prepare()
            child.stdin.write("\n")
            child.stdin.flush()
            cpu_s, peak_kib = child.stdout.readline().split()
            found.append(Cost(float(cpu_s), int(peak_kib)))
    return min(found, key=lambda item: item.cpu_s)


def report(
    files: int, costs: dict[str, tuple[Cost, Cost]], first: int, second: int, bare: int, extra: dict[str, int]
) -> None:
    rows = []
    for name, (changed, same) in costs.items():
        base = costs["rsync --delete" if name in (*MIRRORED, "rsync --delete") else "rsync --link-dest"]
        rows.append(
            (
                name,
                f"{changed.cpu_s * 1000:.0f} ms",
                f"{changed.cpu_s / base[0].cpu_s:.2f}",
                f"{same.cpu_s * 1000:.0f} ms",
                f"{same.cpu_s / base[1].cpu_s:.2f}",
                f"{max(changed.peak_kib, same.peak_kib) / 1024:.0f} MiB",
            )
        )
    others = "".join(f", {name} {added / 1024:,.0f} KiB" for name, added in extra.items())
    write(
        "backup.md",
        f"""# Backup

{machine()}. {files:,} memory files, {CHANGED} changed between runs; CPU of the whole command, the best of several runs.
Ratios are to the bare rsync that does the same, in the same run of the benchmark: `rsync -a --delete` for a mirror, and
`rsync -a --delete --link-dest`, which makes a snapshot as memgit does, for all others.

{table(("command", f"{CHANGED} changed", "ratio", "nothing changed", "ratio", "peak memory"), rows)}

The first snapshot takes {first / 1024:,.0f} KiB on disk, the second {second / 1024:,.0f} KiB more, directories and
manifest included: {100 * second / first:.2f} %. The same ten changes add: bare rsync {bare / 1024:,.0f} KiB{others}.

memgit also searches the new bytes for secrets, proves by manifest what it wrote, and flushes it to disk; rsync does
nothing of that. Where nothing changed memgit makes no new snapshot, so it has no links to make. A mirror costs rsync
less than Python takes to start and to load what reads a configuration, which is what "within a process" leaves out; a
backup that `memgit run` starts on its schedule is a process of its own and costs the whole.
""",
    )


if __name__ == "__main__":
    main()
