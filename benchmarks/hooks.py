"""What memgit's hooks cost, and what they keep of writes inside a hook manager's stash. Writes benchmarks/hooks.md."""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from measure import MEMGIT, ROOT, cost, machine, table, write

BIN = Path(sys.executable).parent
MANAGERS = ("pre-commit", "prek")
BEFORE = "# Memory\n\n" + "".join(f"- {hour:02d}:00 line {hour}\n" for hour in range(8))
SECONDS = 0.25  # that the other hook of the stash trials runs
_QUIET = "repos:\n- repo: meta\n  hooks: [{id: identity, files: '^$'}]\n"


def git(repo: Path, *args: str) -> None:
    """Run git; it must work."""
    subprocess.run(("git", "-C", str(repo), *args), check=True, capture_output=True)


def workspace(place: Path) -> Path:
    """A repository with memory and something else."""
    (place / "memory").mkdir(parents=True)
    git(place, "init", "-q", "--template=")
    (place / "memory" / "log.md").write_text(BEFORE)
    (place / "app.py").write_text("print(1)\n")
    git(place, "add", "-A")
    git(place, "commit", "-q", "-m", "start")
    return place


def costs(place: Path, runs: int) -> str:
    """CPU of one hook and of a whole commit that touches no memory, against a bare interpreter."""
    place.mkdir()
    bare = cost((sys.executable, "-I", "-S", "-c", "pass"), place, runs=runs).cpu_s
    rows = [("`python3 -I -S -c pass`", "1.0")]

    def row(name: str, argv: tuple[str, ...], repo: Path, step: str = "") -> None:
        def prepare() -> None:
            (repo / "app.py").write_text(f"print({time.monotonic_ns()})\n")
            if step == "memory":
                (repo / "memory" / "log.md").write_text(BEFORE + f"- {time.monotonic_ns()}\n")
            git(repo, "add", "-A")

        rows.append((name, f"{cost(argv, repo, runs=runs, prepare=prepare).cpu_s / bare:.1f}"))

    native = workspace(place / "native")
    subprocess.run((MEMGIT, "-C", str(native), "init", "--yes", "-q", "--hooks", "native"), check=True)
    git(native, "add", "-A")
    git(native, "commit", "-q", "-m", "policy")
    row("native pre-commit hook, no memory file staged", (".git/hooks/pre-commit",), native)
    row("native pre-commit hook, a memory file staged", (".git/hooks/pre-commit",), native, "memory")
    git(native, "commit", "-q", "-m", "reset")
    row("native post-commit hook, nothing waits", (".git/hooks/post-commit",), native)
    commit = ("git", "commit", "-q", "-m", "change")
    plain = workspace(place / "plain")
    row("`git commit` without hooks", commit, plain)
    row("`git commit` with all of memgit's native hooks", commit, native)
    for manager in MANAGERS:
        if not (BIN / manager).exists():
            continue
        repo = workspace(place / manager)
        (repo / ".pre-commit-config.yaml").write_text(_QUIET)
        subprocess.run((str(BIN / manager), "install"), cwd=repo, check=True, capture_output=True)
        row(f"`git commit` with {manager} and a hook that does nothing", commit, repo)
        (repo / ".pre-commit-config.yaml").write_text(_QUIET)
        subprocess.run((MEMGIT, "-C", str(repo), "init", "--yes", "-q", "--hooks", "pre-commit"), check=True)
        row(f"... and memgit's guard beside it, run by {manager}", commit, repo)
    return table(("what", "CPU"), rows)


def stash(place: Path, trials: int) -> str:
    """Writes kept of writes made at random moments of a stash, with and without memgit's hook."""
    dice = random.Random(7)
    rows = []
    for manager in MANAGERS:
        if not (BIN / manager).exists():
            continue
        for how in ("append", "replace", "rewrite"):
            for staged in (False, True):
                kept = []
                for protected in (False, True):
                    repo = stash_workspace(place / f"{manager}-{how}-{staged}-{protected}", manager, protected)
                    kept.append(sum(trial(repo, how, dice.random(), staged=staged) for _ in range(trials)))
                    shutil.rmtree(repo)
                name = "staged and unstaged" if staged else "unstaged"
                rows.append((manager, how, name, f"{kept[0]} / {trials}", f"{kept[1]} / {trials}"))
    return table(("manager", "the agent's write", "changes in the file", "without memgit", "with memgit"), rows)


def stash_workspace(place: Path, manager: str, protected: bool) -> Path:
    """A repository with a hook that takes a while, and memgit's guard before it."""
    repo = workspace(place)
    entry = "- repo: local\n  hooks:\n  - {id: %s, name: %s, entry: %s, "
    entry += "language: system, always_run: true, pass_filenames: false}\n"
    slow = f"sh -c 'touch .git/inside; sleep {SECONDS}'"
    guard = entry % ("memgit-guard", "guard", f"{BIN / 'memgit-hook'} guard") if protected else ""
    (repo / ".pre-commit-config.yaml").write_text("repos:\n" + guard + entry % ("slow", "slow", f'"{slow}"'))
    git(repo, "add", "-A")
    git(repo, "commit", "-q", "-m", "hooks")
    subprocess.run((str(BIN / manager), "install"), cwd=repo, check=True, capture_output=True)
    return repo


def trial(repo: Path, how: str, moment: float, *, staged: bool) -> bool:
    """One commit with a write inside the stash; whether the write is in the file afterwards, and nothing else gone."""
    log = repo / "memory" / "log.md"
    git(repo, "reset", "-q", "--hard")
    if staged:
        log.write_text(BEFORE + "- 08:30 staged\n")
        git(repo, "add", "memory")
    (repo / "app.py").write_text(f"print({time.monotonic_ns()})\n")
    git(repo, "add", "app.py")
    with log.open("a") as file:
        file.write("- 09:00 unstaged\n")
    inside = repo / ".git" / "inside"
    inside.unlink(missing_ok=True)
    child = subprocess.Popen(
        ("git", "-C", str(repo), "commit", "-q", "-m", "x"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    while not inside.exists() and child.poll() is None:
        time.sleep(0.002)
    time.sleep(moment * SECONDS * 0.98)
    line = "- 09:30 written\n"
    if how == "append":
        with log.open("a") as file:
            file.write(line)
    else:
        text = log.read_text() + line
        target = log if how == "rewrite" else log.with_suffix(".tmp")
        target.write_text(text)
        if how == "replace":
            target.replace(log)
    child.wait()
    while (repo / ".git" / "memgit" / "windows").exists():
        time.sleep(0.005)
    text = log.read_text()
    return line in text and "unstaged" in text and ("- 08:30 staged" in text or not staged)


def main() -> None:
    """Measure, and write the result."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--trials", type=int, default=12)
    options = parser.parse_args()
    os.environ["PATH"] = f"{BIN}{os.pathsep}{os.environ['PATH']}"
    with tempfile.TemporaryDirectory(prefix="memgit-bench-") as directory:
        place = Path(directory)
        (place / "home").mkdir()
        os.environ |= {"HOME": str(place / "home"), "GIT_CONFIG_NOSYSTEM": "1"}
        (place / "home" / ".gitconfig").write_text("[user]\n\tname = A\n\temail = a@example.invalid\n")
        cpu = costs(place / "cpu", options.runs)
        kept = stash(place / "stash", options.trials)
    text = (
        f"# What hooks cost, and what they keep\n\nMade by `benchmarks/hooks.py` ({machine()}).\n\n"
        "## CPU of a commit that touches no memory file\n\nUser and system seconds of the process and all it starts,"
        f" the best of {options.runs} runs,\nas a multiple of a bare interpreter in the same run.\n\n{cpu}\n\n"
        "## Writes inside the stash\n\nUnstaged changes lie about, a person commits, and an agent writes to the same"
        f" memory file at a random moment of\nthe {SECONDS:g} s that another hook runs. Kept: the agent's line, the"
        f" staged and the unstaged one are all in the file\nafterwards.\n\n{kept}\n"
    )
    write("hooks.md", text)
    readme = ROOT / "README.md"
    page = readme.read_text()
    head, mark, rest = page.partition("<!-- table: stash -->\n")
    if mark:
        behind = rest[rest.index("\n## ") :]
        readme.write_text(head + mark + "\n" + kept + "\n" + behind)


if __name__ == "__main__":
    main()
