"""Repositories that merge with the driver, and the shared real cases."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import memgit
from memgit.core.driver_line import driver_line
from memgit.core.merge import api
from support.shared import shared

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = Path(next(iter(memgit.__path__))).resolve()


def merge(
    base: bytes,
    ours: bytes,
    theirs: bytes,
    path: str = "",
    policy: api.MergePolicy | None = None,
    markers: api.Markers | None = None,
) -> api.MergeResult:
    """The merge, for which a fault in its own rules fails the test instead of being bridged."""
    result = api.merge(base, ours, theirs, path, policy, markers)
    assert not result.fault
    return result


class Clone:
    """A work tree in which `*.md`, `*.log` and `*.jsonl` merge with the driver."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def create(cls, path: Path, line: str | None = None, attributes: str | None = None) -> Clone:
        path.mkdir(parents=True)
        clone = cls(path)
        clone.git("init", "-q", "-b", "main")
        clone.register(line or driver_line(sys.executable, str(PACKAGE / "driver_start.py")))
        patterns = attributes or "*.md merge=memgit\n*.log merge=memgit\n*.jsonl merge=memgit\n"
        (path / ".git" / "info").mkdir(exist_ok=True)
        (path / ".git" / "info" / "attributes").write_text(patterns)
        return clone

    def register(self, line: str) -> None:
        self.git("config", "merge.memgit.driver", line)

    def git(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        result = subprocess.run(
            ["git", *arguments], cwd=self.path, capture_output=True, text=True, stdin=subprocess.DEVNULL
        )
        if check and result.returncode:
            raise AssertionError(f"git {arguments}: {result.returncode}\n{result.stdout}{result.stderr}")
        return result

    def write(self, name: str, content: str) -> None:
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode())

    def read(self, name: str) -> str:
        return (self.path / name).read_bytes().decode()

    def commit(self, name: str, content: str, message: str = "edit") -> str:
        self.write(name, content)
        self.git("add", name)
        self.git("commit", "-q", "-m", message)
        return self.git("rev-parse", "HEAD").stdout.strip()

    def diverge(self, name: str, base: str, ours: str, theirs: str) -> None:
        """Leave the work tree on main with `ours`, and `theirs` on the branch `other`."""
        self.commit(name, base, "base")
        self.git("checkout", "-q", "-b", "other")
        self.commit(name, theirs, "theirs")
        self.git("checkout", "-q", "main")
        self.commit(name, ours, "ours")


def read_cases(name: str, every: int = 1, start: int = 0) -> Iterator[tuple[str, str, bytes, bytes, bytes]]:
    """(id, path, base, ours, theirs) of every n-th case."""
    with gzip.open(shared("merge", "cases", f"{name}.jsonl.gz"), "rt", encoding="utf-8") as lines:
        for number, line in enumerate(lines):
            if number % every == start % every:
                case = json.loads(line)
                texts = ((case[key] or "").encode("utf-8", "surrogateescape") for key in ("base", "ours", "theirs"))
                base, ours, theirs = texts
                yield case["id"], case["path"], base, ours, theirs
