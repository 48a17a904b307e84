"""The secret guard measured on made-up memory, beside other scanners, and its cost on ordinary text.

  benchmarks/guard.py lines DIR              path:line per finding, for the shared evaluator
  benchmarks/guard.py table [SEED...]        recall and false alarms of each scanner found, over seeds (default 1 to 10)
  benchmarks/guard.py natural FILE.jsonl.gz... | DIR    findings per MB of secret-free text, each with its place
  benchmarks/guard.py cost FILE.jsonl.gz     microseconds of CPU per line

The cases come from `tools/faults/secret_cases.py` in the shared directory (`MEMGIT_SHARED`). Other scanners are used
where they are on PATH or, for detect-secrets, importable.
"""

from __future__ import annotations

import gzip
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import mean

from memgit.core import findings
from memgit.core.secrets.scan import scan

SHARED = Path(os.environ.get("MEMGIT_SHARED") or Path(__file__).resolve().parents[2] / "shared")
CASES = SHARED / "tools" / "faults" / "secret_cases.py"
FIGURES = ("core_recall", "context_recall", "evasion_recall", "benign_flagged", "control_flagged")
SIDES = ("base", "ours", "theirs")


def files(directory: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(directory.rglob("*")):
        if path.is_file():
            yield str(path.relative_to(directory)), path.read_bytes()


def texts(source: Path) -> Iterator[tuple[str, bytes]]:
    """The files of a directory, or the different sides of merge cases."""
    if source.is_dir():
        yield from files(source)
        return
    seen = set()
    with gzip.open(source, "rt", encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            case = json.loads(line)
            for side in SIDES:
                if isinstance(case.get(side), str) and hash(case[side]) not in seen:
                    seen.add(hash(case[side]))
                    yield f"{source.name}:{number}:{side}", case[side].encode()


def lines(directory: Path) -> None:
    for path, data in files(directory):
        print(findings.as_lines(scan(data, os.fsencode(path))), end="")


def scanners() -> dict[str, list[str]]:
    own = f"{sys.executable} {Path(__file__).resolve()} lines {{dir}}"
    found = {"memgit": ["--lines-cmd", own]}
    if importlib.util.find_spec("detect_secrets"):
        found["detect-secrets"] = ["--scanner", "detect-secrets"]
    for name in ("gitleaks", "secretlint"):
        if program := shutil.which(name):
            found[name] = ["--scanner", f"{name}={program}"]
    return found


def table(seeds: list[int]) -> None:
    figures: dict[str, list[dict[str, float]]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for seed in seeds:
            cases = Path(scratch) / f"seed{seed}"
            subprocess.run([sys.executable, CASES, "gen", cases, "--seed", str(seed)], check=True, capture_output=True)
            for name, argv in scanners().items():
                out = Path(scratch) / "out.json"
                call = [sys.executable, str(CASES), "eval", str(cases), *argv, "--json", str(out)]
                subprocess.run(call, check=True, capture_output=True)
                figures.setdefault(name, []).append(json.loads(out.read_text()))
    print(f"| scanner, mean of seeds {seeds[0]} to {seeds[-1]} | core | context | evasion | benign flagged | control |")
    print("|---|---|---|---|---|---|")
    for name, runs in figures.items():
        print(f"| {name} | " + " | ".join(f"{mean(run[key] for run in runs):.1f} %" for key in FIGURES) + " |")
    for name, runs in figures.items():
        worst = [
            max(run[key] for run in runs) if "flagged" in key else min(run[key] for run in runs) for key in FIGURES
        ]
        print(f"| {name}, worst seed | " + " | ".join(f"{figure:.1f} %" for figure in worst) + " |")


def natural(sources: list[Path]) -> None:
    print("| text | MB | lines | findings | per MB | µs per line |\n|---|---|---|---|---|---|")
    places = []
    for source in sources:
        size = count = found = 0
        spent = 0.0
        for name, data in texts(source):
            begin = time.process_time()
            some = scan(data, b"a.md")
            spent += time.process_time() - begin
            size, count, found = size + len(data), count + data.count(b"\n") + 1, found + len(some)
            places += [f"{name} line {one.line}: {one.rule}" for one in some]
        per_line = spent / max(count, 1) * 1e6
        row = (
            source.name,
            f"{size / 1e6:.2f}",
            count,
            found,
            f"{found / max(size / 1e6, 0.01):.2f}",
            f"{per_line:.2f}",
        )
        print("| " + " | ".join(str(cell) for cell in row) + " |")
    print("\n".join(places))


def cost(source: Path) -> None:
    sample = [data for number, (_, data) in enumerate(texts(source)) if number % 10 == 0]
    count = sum(data.count(b"\n") + 1 for data in sample)
    best = float("inf")
    for _ in range(5):
        begin = time.process_time()
        for data in sample:
            scan(data, b"memory/a.md")
        best = min(best, time.process_time() - begin)
    width = sum(map(len, sample)) / count
    print(f"{best / count * 1e6:.2f} µs of CPU per line of {width:.0f} bytes ({count} lines, best of 5)")


def main(argv: list[str]) -> None:
    match argv:
        case ["lines", directory]:
            lines(Path(directory))
        case ["table", *seeds]:
            table([int(seed) for seed in seeds] or list(range(1, 11)))
        case ["natural", *sources] if sources:
            natural([Path(source) for source in sources])
        case ["cost", source]:
            cost(Path(source))
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
