"""Every command that changes something, run again at once, finds nothing left to do."""

from __future__ import annotations

import hashlib
from pathlib import Path

from support import clone
from support.clone import git
from support.repo import memgit

COMMANDS = (
    "init --yes",
    "commit",
    "sync",
    "sync --now",
    "consolidate --now",
    "push --now",
    "backup run",
    "backup prune",
    "mirror",
    "run --once",
    "restore MEMORY.md --at {start}",
    "prune",
    "export --to ../exported",
    "backup restore --from disk --to ../restored",
    "doctor --fix",
    "guard allow s0123456789abcdef0123",
    "pause",
    "resume",
    "uninstall",
    "uninstall --purge --yes",
)
NOTES = {"memgit", "logs"}  # what memgit and git note down of a run


def test_a_second_run_changes_nothing(tmp_path: Path) -> None:
    repo = clone.with_places(tmp_path)
    start = git(repo, "rev-parse", "HEAD").stdout.strip()

    def everything() -> dict[str, str]:
        refs = {place: git(tmp_path / place, "for-each-ref").stdout for place in ("work", "remote.git")}
        files = {
            str(path): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in tmp_path.rglob("*")
            if path.is_file() and not NOTES & set(path.relative_to(tmp_path).parts)
        }
        return refs | files

    for number, command in enumerate(COMMANDS):
        if (repo / ".memgit.toml").exists():
            with (repo / "MEMORY.md").open("a") as file:
                file.write(f"- {number}\n")
            if command != "commit":
                memgit(repo, "commit")
        words = command.format(start=start).split()
        memgit(repo, *words)
        before = everything()
        memgit(repo, *words)
        assert everything() == before, command
