"""Workspaces with backup targets, for tests."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from support.repo import Run, memgit, run
from support.shared import needs


class Vault:
    """A workspace, and a directory `target` beside it that is its backup target."""

    def __init__(self, place: Path, *, extra: str = "", name: str = "disk", where: str | None = None) -> None:
        self.place = place
        self.path = place / "workspace"
        self.target = place / "target"
        run("git", "init", "-q", str(self.path))
        (self.path / ".git" / "memgit").mkdir(exist_ok=True)
        self.configure(f'[[target]]\nname = "{name}"\n{where or self.at(self.target)}\n{extra}')

    @staticmethod
    def at(path: Path) -> str:
        """The setting that names a directory as target."""
        return f'path = "{path}"'

    def configure(self, text: str) -> None:
        """Write the local configuration."""
        (self.path / ".git" / "memgit" / "config.toml").write_text(text)

    def write(self, path: str, content: str | bytes) -> Path:
        """Write a memory file."""
        place = self.path / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content.encode() if isinstance(content, str) else content)
        return place

    def fill(self, count: int = 6) -> None:
        """MEMORY.md and some daily files, one of them with other permissions, and a link."""
        self.write("MEMORY.md", "# Memory\n- a fact\n")
        for day in range(1, count + 1):
            self.write(f"memory/2026-02-{day:02}.md", f"- note of day {day}\n" * day)
        (self.path / "memory" / "2026-02-01.md").chmod(0o600)
        (self.path / "memory" / "today").symlink_to("2026-02-02.md")
        self.write("app.py", "not memory\n")

    def memgit(self, *args: str, ok: int = 0, env: Mapping[str, str] | None = None) -> Run:
        """Run the installed memgit in the workspace."""
        return memgit(self.path, *args, ok=ok, env=env)

    def backup(self, *args: str, ok: int = 0) -> dict[str, object]:
        """`memgit backup run`; the report of the first target."""
        done = self.memgit("backup", "run", "--json", *args, ok=ok)
        return dict(done.json["runs"][0]) if ok == 0 else {}

    def commit(self, message: str = "state") -> None:
        """Commit everything."""
        run("git", "-C", str(self.path), "add", "-A")
        run("git", "-C", str(self.path), "commit", "-qm", message)

    def snapshots(self) -> list[Path]:
        """The complete snapshots, oldest first."""
        return sorted(path for path in self.target.glob("2*-*") if not path.name.endswith(".partial"))

    def memory(self) -> dict[str, object]:
        """What the workspace holds as memory."""
        return {
            path: held for path, held in tree(self.path).items() if path == "MEMORY.md" or path.startswith("memory/")
        }


def tree(top: Path, *, times: bool = True) -> dict[str, object]:
    """All files and links below a directory, but not those of a repository: mode, time, content."""
    found: dict[str, object] = {}
    for directory, names, files in os.walk(os.fsencode(top)):
        if b".git" in names:
            names.remove(b".git")
        for name in [*files, *(name for name in names if os.path.islink(os.path.join(directory, name)))]:
            path = os.path.join(directory, name)
            status = os.lstat(path)
            shown = os.fsdecode(os.path.relpath(path, os.fsencode(top)))
            if stat.S_ISLNK(status.st_mode):
                found[shown] = os.readlink(path)
            else:
                with open(path, "rb") as file:
                    found[shown] = (oct(status.st_mode), status.st_mtime_ns if times else 0, file.read())
    return found


def humble() -> tuple[str, ...]:
    """What starts a program that permissions hold for, also where the tests run as root."""
    if os.geteuid() != 0:
        return ()
    needs("setpriv")
    return ("setpriv", "--bounding-set=-dac_override,-dac_read_search")
