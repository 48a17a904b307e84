"""Every --dry-run, and every command that only looks: not a byte, mode or time changes, in no place it can reach."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

import pytest

from support import clone
from support.repo import memgit

DRY = (
    "init",
    "uninstall",
    "uninstall --purge",
    "commit",
    "consolidate --now",
    "sync --now",
    "push",
    "undo",
    "prune --keep 1s",
    "restore MEMORY.md --at HEAD~1",
    "backup run",
    "backup prune",
    "backup restore --from disk --overwrite",
    "backup restore --from disk --to ../restored",
    "mirror",
    "export --to ../exported",
    "service install --scheduler cron",
    "service remove",
)
LOOKS = (
    "status",
    "log --windows",
    "log --raw MEMORY.md",
    "config --show-origin",
    "doctor",
    "guard scan",
    "backup list",
    "backup verify",
    "backup drill",
    "service status",
)
NOTHING_THERE_YET = {"undo": 2, "restore": 2, "backup": 1, "backup run": 0}  # exit statuses in a fresh workspace


@pytest.fixture(scope="module", params=["fresh", "used"])
def workspace(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a remote, a backup target and a folder; each of them used before, or none."""
    place: Path = tmp_path_factory.mktemp(request.param)
    repo = clone.with_places(place)
    if request.param == "used":
        memgit(repo, "init", "--yes")
        for command in ("sync --now", "backup run", "mirror"):
            memgit(repo, *command.split())
        note(repo, "one")
        note(repo, "two")
        memgit(repo, "consolidate", "--now")
        note(repo, "three")
        (place / "vault/memory/theirs.md").write_text("- theirs\n")
    with (repo / "MEMORY.md").open("a") as file:
        file.write("- not captured\n")
    time.sleep(0.05)  # what was written in the moment of a look is looked at again
    return repo


def note(repo: Path, text: str) -> None:
    with (repo / "MEMORY.md").open("a") as file:
        file.write(f"- {text}\n")
    memgit(repo, "commit")


@pytest.mark.parametrize("command", [f"{command} --dry-run" for command in DRY] + list(LOOKS))
def test_nothing_is_written(workspace: Path, home: Path, command: str) -> None:
    def everything() -> dict[str, tuple[int, int, str]]:
        places = [
            path for top in (workspace.parent, home) for path in top.rglob("*") if "__pycache__" not in path.parts
        ]
        return {
            str(path): (
                path.lstat().st_mode,
                path.lstat().st_mtime_ns,
                hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "",
            )
            for path in places
        }

    before = everything()
    words = command.split()
    is_fresh = not (workspace / ".memgit.toml").exists()
    ok = NOTHING_THERE_YET.get(" ".join(words[:2]), NOTHING_THERE_YET.get(words[0], 0)) if is_fresh else 0
    memgit(workspace, *words, ok=ok)
    assert everything() == before
