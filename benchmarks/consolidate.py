"""`memgit consolidate` beside `git rev-list` of the same range, and beside what else squashes history.

    python benchmarks/consolidate.py [--sizes 1000,100000,1000000] [--place DIR]

Whole processes, CPU seconds of everything they start, as ratios in one run. Writes consolidate.md.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from measure import MEMGIT, Cost, copy, cost, machine, table, workspace, write

AUTO = ("--auto-subject", r"(?i)auto|backup|sync|nightly|自动")
_HOW = (
    "CPU of the whole process with all it starts, the best of several runs; `git rev-list` of the same range without a "
    "commit-graph is 1."
)
HISTORY = {"days": 90, "auto_fraction": 0.95}


def main() -> None:
    """Measure and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="1000,100000,1000000")
    parser.add_argument("--place", type=Path, default=Path(tempfile.gettempdir()) / "memgit-benchmarks")
    parser.add_argument("--no-peers", action="store_true")
    arguments = parser.parse_args()
    arguments.place.mkdir(parents=True, exist_ok=True)
    sizes = [int(size) for size in arguments.sizes.split(",")]
    parts = [
        "# Consolidation: measured",
        f"{machine()}. Histories of `gen_workspace.py` with 95 % auto-commits over 90 days. {_HOW}",
        against_rev_list(arguments.place, sizes),
        "## The newest 200 commits on top of what is consolidated already",
        incremental(arguments.place),
    ]
    if not arguments.no_peers:
        parts += ["## Beside other ways to squash 1,000 commits", peers(arguments.place)]
    write("consolidate.md", "\n\n".join(parts) + "\n")


def against_rev_list(place: Path, sizes: list[int]) -> str:
    """Rows for each size and policy."""
    rows = []
    scratch = place / "scratch"
    startup = cost((sys.executable, "-c", "import pygit2"), place, runs=9)
    for size in sizes:
        repo = workspace(place, size, **HISTORY)
        runs = 9 if size <= 1000 else 3 if size <= 100_000 else 2
        limit = cost(("git", "-c", "core.commitGraph=false", "rev-list", "HEAD"), repo, runs=runs + 2)
        for how in ("keep", "commute"):
            found = cost(
                (MEMGIT, "consolidate", "-q", "--interleaved", how, *AUTO),
                scratch,
                runs=runs,
                prepare=lambda repo=repo: copy(repo, scratch),  # type: ignore[misc]
            )
            rows.append(_row(size, how, limit, found, startup))
    shutil.rmtree(scratch, ignore_errors=True)
    return table(
        (
            "commits",
            "policy",
            "rev-list",
            "memgit",
            "ratio",
            "memory, ratio",
            "in units of pygit2's import + 10 x rev-list",
        ),
        rows,
    )


def _row(size: int, how: str, limit: Cost, found: Cost, startup: Cost) -> tuple[str, ...]:
    small = f"{found.cpu_s / (startup.cpu_s + 10 * limit.cpu_s):.2f}" if size <= 1000 else ""
    return (
        f"{size:,}",
        how,
        f"{limit.cpu_s:.3f} s",
        f"{found.cpu_s:.3f} s",
        f"{found.cpu_s / limit.cpu_s:.2f}",
        f"{found.peak_kib / limit.peak_kib:.2f}",
        small,
    )


def incremental(place: Path) -> str:
    """200 new commits with 10^5 below, against 200 alone."""
    big = place / "incremental-big"
    small = place / "incremental-small"
    copy(workspace(place, 100_000, **HISTORY), big)
    subprocess.run((MEMGIT, "consolidate", "-q", "--now", *AUTO), cwd=big, check=True)
    shutil.rmtree(small, ignore_errors=True)
    subprocess.run(("git", "init", "-q", "-b", "main", str(small)), check=True)
    for repo in (big, small):
        _add_commits(repo, 200)
    scratch = place / "scratch"
    costs = [
        cost(
            (MEMGIT, "consolidate", "-q", "--now", *AUTO),
            scratch,
            runs=7,
            prepare=lambda repo=repo: copy(repo, scratch),  # type: ignore[misc]
        )
        for repo in (small, big)
    ]
    for repo in (big, small, scratch):
        shutil.rmtree(repo, ignore_errors=True)
    rows = [
        ("200 commits alone", f"{costs[0].cpu_s:.3f} s", "1"),
        ("200 on top of 100,000", f"{costs[1].cpu_s:.3f} s", f"{costs[1].cpu_s / costs[0].cpu_s:.2f}"),
    ]
    return table(("repository", "CPU", "ratio"), rows)


def _add_commits(repo: Path, count: int) -> None:
    """Auto-commits in the year after the generated history, five a day."""
    parts = []
    has_head = subprocess.run(("git", "rev-parse", "-q", "--verify", "HEAD"), cwd=repo, capture_output=True).stdout
    for number in range(count):
        at = 1_800_000_000 + number * 17_000
        parts.append(
            f"commit refs/heads/main\ncommitter Agent <agent@example.invalid> {at} +0000\ndata 12\nauto-backup\n\n"
        )
        if number == 0 and has_head:
            parts.append(f"from {has_head.decode().strip()}\n")
        parts.append(f"M 100644 inline memory/extra.md\ndata <<E\nline {number}\nE\n")
    subprocess.run(("git", "fast-import", "--quiet"), cwd=repo, input="".join(parts).encode(), check=True)


def peers(place: Path) -> str:
    """git rebase with scripted fixups, and git-filter-repo, on the same 1,000 commits."""
    repo = workspace(place, 1000, **HISTORY)
    scratch = place / "scratch"

    def fresh() -> None:
        copy(repo, scratch)
        subprocess.run(("git", "reset", "-q", "--hard"), cwd=scratch, check=True)

    ours = cost((MEMGIT, "consolidate", "-q", *AUTO), scratch, runs=5, prepare=fresh)
    fixups = place / "fixups.py"
    fixups.write_text(
        "import re, sys\n"
        "lines = open(sys.argv[1], encoding='utf-8').read().split('\\n')\n"
        "out, before = [], False\n"
        "for line in lines:\n"
        "    auto = line.startswith('pick') and bool(re.search(r'(?i)auto|backup|sync|nightly|自动', line))\n"
        "    out.append('fixup' + line[4:] if auto and before else line)\n"
        "    before = auto\n"
        "open(sys.argv[1], 'w', encoding='utf-8').write('\\n'.join(out))\n"
    )
    rebase = cost(
        ("git", "-c", f"sequence.editor={sys.executable} {fixups}", "rebase", "-q", "-i", "--root", "--empty=drop"),
        scratch,
        runs=1,
        prepare=fresh,
    )
    rows = [
        ("memgit consolidate", f"{ours.cpu_s:.2f} s", "1"),
        ("git rebase -i, scripted fixups", f"{rebase.cpu_s:.2f} s", f"{rebase.cpu_s / ours.cpu_s:.0f}"),
    ]
    filter_repo = shutil.which("git-filter-repo") or str(Path(sys.executable).parent / "git-filter-repo")
    if Path(filter_repo).exists():
        found = cost((filter_repo, "--force", "--quiet", "--prune-empty", "never"), scratch, runs=2, prepare=fresh)
        rows.append(
            ("git-filter-repo, rewriting without a squash", f"{found.cpu_s:.2f} s", f"{found.cpu_s / ours.cpu_s:.1f}")
        )
    shutil.rmtree(scratch, ignore_errors=True)
    return table(("way", "CPU", "ratio"), rows)


if __name__ == "__main__":
    main()
