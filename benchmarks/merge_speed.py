"""The speed of the merge driver, measured side by side in one run.

    python benchmarks/merge_speed.py [--quick]

CPU is user plus system time of the process itself, taken from the operating system, the best of several
runs: ratios of two such figures from one run mean something on a busy machine, single figures do not.
"""

from __future__ import annotations

import argparse
import random
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from memgit.core.driver_line import driver_line
from memgit.core.merge.api import merge

START = Path(__file__).resolve().parents[1] / "src" / "memgit" / "driver_start.py"
LINE = driver_line(sys.executable, str(START))


def cpu_ms(command: list[str], folder: Path, runs: int, before: tuple[Path, Path] | None = None) -> float:
    """The least CPU time of one run of a command; `before` is a file to copy into place each time."""
    best = float("inf")
    for _ in range(5):
        spent = 0.0
        for _ in range(runs):
            if before:
                shutil.copy(*before)
            start = resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
            end = resource.getrusage(resource.RUSAGE_CHILDREN)
            spent += end.ru_utime + end.ru_stime - start.ru_utime - start.ru_stime
        best = min(best, 1000 * spent / runs)
    return best


def driver(folder: Path, *names: str, path: str = "MEMORY.md") -> list[str]:
    """The driver's own command, without the shell and the fallback around it."""
    return [sys.executable, "-I", "-S", str(START), *names, "7", path, "%S", "%X", "%Y"]


def write(folder: Path, base: str, ours: str, theirs: str) -> None:
    for name, text in (("o", base), ("a0", ours), ("a", ours), ("b", theirs)):
        (folder / name).write_text(text)


def start_up(folder: Path) -> list[str]:
    """A file of 200 lines to which both sides appended, and one that git merges too."""
    base = "# Memory\n\n" + "".join(f"- fact {n} about thing {n * 7 % 13}\n" for n in range(198))
    append = (base + "- 10:00 from here\n", base + "- 10:05 from there\n")
    plain = (base + "- 10:00 from here\n", base.replace("fact 5 ", "fact five "))
    bare = cpu_ms([sys.executable, "-I", "-S", "-c", "pass"], folder, 20)
    rows = [f"| `python3 -I -S -c pass` | {bare:.1f} | 1.0 |"]
    for name, (ours, theirs) in (("both sides appended", append), ("git merges it too", plain)):
        write(folder, base, ours, theirs)
        before = (folder / "a0", folder / "a")
        spent = cpu_ms(driver(folder, "o", "a", "b"), folder, 20, before)
        rows.append(f"| driver, 200 lines, {name} | {spent:.1f} | {spent / bare:.1f} |")
        spent = cpu_ms(["git", "merge-file", "-q", "a", "o", "b"], folder, 20, before)
        rows.append(f"| `git merge-file`, the same | {spent:.1f} | {spent / bare:.1f} |")
    return ["| process | CPU ms | of a bare interpreter |", "|---|---|---|", *rows]


def scattered(lines: int, edits: int) -> tuple[str, str, str]:
    """A file, and two versions of it with edits in lines that never meet."""
    rng = random.Random(lines)
    base = [f"- {n} the fact number {rng.randrange(10**9)} of this file\n" for n in range(lines)]
    places = rng.sample(range(0, lines - 2, 3), 2 * edits)
    sides = []
    for chosen in (places[:edits], places[edits:]):
        side = list(base)
        for at in chosen:
            side[at] = side[at].replace("fact", "truth") + rng.choice(["", f"- new {at}\n"])
        sides.append("".join(side))
    return "".join(base), sides[0], sides[1]


def large(folder: Path, sizes: tuple[int, ...]) -> list[str]:
    """CPU and memory of the whole driver process beside `git merge-file`, edits in one of a hundred lines."""
    out = [
        "| lines | edits a side | driver CPU ms | `git merge-file` CPU ms | ratio | peak memory / input |",
        "|---|---|---|---|---|---|",
    ]
    for size in sizes:
        base, ours, theirs = scattered(size, size // 100)
        write(folder, base, ours, theirs)
        before = (folder / "a0", folder / "a")
        runs = 1 if size >= 10**6 else 3
        mine = cpu_ms(driver(folder, "o", "a", "b"), folder, runs, before)
        gits = cpu_ms(["git", "merge-file", "-q", "a", "o", "b"], folder, runs, before)
        peak = peak_bytes(driver(folder, "o", "a", "b"), folder, before)
        total = len(base) + len(ours) + len(theirs)
        out.append(f"| {size:,} | {size // 100:,} | {mine:.0f} | {gits:.0f} | {mine / gits:.1f} | {peak / total:.1f} |")
    return out


def records(folder: Path, sizes: tuple[int, ...]) -> list[str]:
    """A file of JSON records: both sides changed one of a hundred, some of them alike, and appended others."""
    out = ["| records | changed and added a side | driver CPU ms | records a ms |", "|---|---|---|---|"]
    for size in sizes:
        base = [f'{{"id":"r-{n}","title":"task number {n}","state":"open","n":{n}}}\n' for n in range(size)]
        ours, theirs = list(base), list(base)
        for n in range(0, size, 100):
            ours[n] = ours[n].replace("open", "done")
            theirs[n + 50 * (n % 200 == 0)] = base[n + 50 * (n % 200 == 0)].replace("task", "feature")
            ours.append(f'{{"id":"a-{n}","title":"new"}}\n')
            theirs.append(f'{{"id":"b-{n}","title":"new"}}\n')
        write(folder, *("".join(text) for text in (base, ours, theirs)))
        before = (folder / "a0", folder / "a")
        command = driver(folder, "o", "a", "b", path="events.jsonl")
        shutil.copy(*before)
        assert subprocess.run(command, cwd=folder, check=False).returncode == 0
        spent = cpu_ms(command, folder, 1, before)
        out.append(f"| {size:,} | {size // 50:,} | {spent:.0f} | {size / spent:.0f} |")
    return out


def peak_bytes(command: list[str], folder: Path, before: tuple[Path, Path]) -> int:
    """The largest resident size of one run, measured by a process that has no other children."""
    shutil.copy(*before)
    program = (
        "import resource, subprocess, sys; subprocess.run(sys.argv[1:]);"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    done = subprocess.run([sys.executable, "-c", program, *command], cwd=folder, capture_output=True, check=True)
    return int(done.stdout.split()[-1]) * (1 if sys.platform == "darwin" else 1024)


def many(folder: Path, files: int) -> list[str]:
    """Conflicting memory files: one driver process each, and one process that merges them all."""
    base = "# Memory\n\n" + "".join(f"- fact {n} about thing {n * 7 % 13}\n" for n in range(60))
    ours, theirs = base + "- 10:00 from here\n", base + "- 10:05 from there\n"
    write(folder, base, ours, theirs)
    sample = min(files, 100)
    per_process = cpu_ms(driver(folder, "o", "a", "b"), folder, sample // 5, (folder / "a0", folder / "a"))
    texts = [text.encode() for text in (base, ours, theirs)]
    start = resource.getrusage(resource.RUSAGE_SELF)
    for _ in range(files):
        assert merge(texts[0], texts[1], texts[2], "MEMORY.md").clean
    end = resource.getrusage(resource.RUSAGE_SELF)
    inside = 1000 * (end.ru_utime + end.ru_stime - start.ru_utime - start.ru_stime) / files
    return [
        "| path | CPU ms a file | ratio |",
        "|---|---|---|",
        f"| in one process, {files:,} files | {inside:.2f} | 1.0 |",
        f"| a driver process each | {per_process:.2f} | {per_process / inside:.1f} |",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="leave the file of a million lines out")
    options = parser.parse_args()
    sizes = (10_000, 100_000) if options.quick else (10_000, 100_000, 1_000_000)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for table in (start_up(folder), large(folder, sizes), records(folder, (10_000, 100_000)), many(folder, 1000)):
            print("\n".join(table) + "\n", flush=True)


if __name__ == "__main__":
    main()
