"""A workspace with a work tree for the tests of capture, and memgit run inside this process."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from memgit.cli import app
from support.repo import Oid, Repo, run


@dataclass(frozen=True)
class Answer:
    """What a command printed and how it ended."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The output, read as JSON."""
        value: dict[str, Any] = json.loads(self.out)
        return value


class Workspace(Repo):
    """A repository with files in its work tree. Files are dated back, so that they count as finished."""

    def __init__(self, path: Path, files: Mapping[str, str | bytes] | None = None) -> None:
        super().__init__(path)
        if files is not None:
            for name, content in files.items():
                self.write(name, content)
            self.git("add", "-A")
            self.git("commit", "-qm", "start")

    def write(self, name: str | bytes, content: str | bytes, *, executable: bool = False) -> Path:
        """Put a file there that was last changed some time ago, each in a second of its own: git looks no closer."""
        place = self.path / os.fsdecode(name)
        place.parent.mkdir(parents=True, exist_ok=True)
        if place.is_symlink():
            place.unlink()
        place.write_bytes(content.encode() if isinstance(content, str) else content)
        if executable:
            place.chmod(0o755)
        self._written = getattr(self, "_written", 0) + 1
        os.utime(place, (1_700_000_000 + self._written,) * 2)
        return place

    def run(self, *args: str, ok: int | None = 0, env: Mapping[str, str] | None = None) -> Answer:
        """A memgit command in this process; `ok`: the exit status it must have, None for any."""
        out, err = io.StringIO(), io.StringIO()
        with mock.patch.dict(os.environ, env or {}), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = app.run(["-C", str(self.path), *args])
        answer = Answer(status, out.getvalue(), err.getvalue())
        assert ok is None or status == ok, f"exit {status} instead of {ok}\n{answer.out}{answer.err}"
        return answer

    def capture(self, *args: str, ok: int | None = 0, env: Mapping[str, str] | None = None) -> dict[str, Any]:
        """`memgit commit --json`; its report."""
        return self.run("--json", "commit", *args, ok=ok, env=env).json

    def content(self, revision: str, name: str) -> bytes:
        """A file of a commit."""
        return self.git("cat-file", "blob", f"{revision}:{name}")

    def status(self) -> list[str]:
        """`git status` as programs read it, without the line for the branch."""
        out = self.git("status", "--porcelain=v1", "-z", "--untracked-files=all", "--no-renames")
        return sorted(line.decode("utf-8", "surrogateescape") for line in out.split(b"\0") if line)

    def staged(self) -> list[str]:
        """What the next commit of the user would change."""
        return sorted(self.git("diff", "--cached", "--name-status", "--no-renames").decode().splitlines())

    def ref(self, name: str) -> Oid | None:
        """Where a ref points, None if there is none."""
        done = subprocess.run(
            ("git", "-C", str(self.path), "rev-parse", "-q", "--verify", name), capture_output=True, check=False
        )
        return done.stdout.strip() or None

    def fsck(self) -> None:
        """The repository is sound."""
        run("git", "-C", str(self.path), "fsck", "--full", "--strict", "--no-dangling", "--no-progress")
