"""Backups on whatever rclone reaches: object stores, FTP, drives in the cloud.

Such places keep no permissions and no hard links: the manifest has the permissions, and unchanged files are copied
on the other side where it can do that.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable

from memgit import process
from memgit.errors import NetworkError
from memgit.host.place import (
    BASE,
    COMPLETE,
    FILES,
    MANIFEST,
    MARKER,
    Advance,
    Generation,
    Sender,
    TargetError,
    is_free,
    is_generation,
)  # fmt: skip

_HOURS_S = 6 * 3600.0
# Source: rclone documentation, "Exit code".
_NOT_FOUND = (3, 4)
_RETRY = (5, 8)


class RclonePlace(Sender):
    """A directory of an rclone remote, `remote:path`."""

    def __init__(self, root: str, bwlimit: int | None = None) -> None:
        if shutil.which("rclone") is None:
            raise TargetError(
                f"rclone is not installed, and {root} can't be reached without it.", "Install it: apt install rclone."
            )
        self.where = root
        self._root = root
        self._limit = () if bwlimit is None else (f"--bwlimit={max(1, bwlimit // 1024)}k",)

    def read(self, name: str) -> bytes | None:
        with tempfile.TemporaryDirectory(prefix="memgit-") as place:
            copy = os.path.join(place, "file")
            done = self._run("copyto", "--", self._at(name), copy, may_be_missing=True)
            if done is None or not os.path.isfile(copy):
                return None
            with open(copy, "rb") as file:
                return file.read()

    def claim(self, marker: bytes) -> None:
        done = self._run("lsf", "--", self._root, may_be_missing=True)
        if done is not None and not is_free(done.stdout.decode("utf-8", "replace").splitlines()):
            raise TargetError(
                f"{self.where} is not empty and holds no backups of memgit.", "Name an empty or a new directory."
            )
        self._put(marker, MARKER)

    def generations(self) -> tuple[Generation, ...]:
        done = self._run("lsf", "--dirs-only", "--", self._root, may_be_missing=True)
        if done is None:
            return ()
        listed = (line.rstrip("/") for line in done.stdout.decode("utf-8", "replace").splitlines())
        names = sorted(filter(is_generation, listed))
        return tuple(Generation(name, self.read(f"{name}/{COMPLETE}")) for name in names)

    def remove(self, generations: Iterable[str]) -> None:
        for name in generations:
            self._run("deletefile", "--", self._at(f"{name}/{COMPLETE}"), may_be_missing=True)
            self._run("purge", "--", self._at(name), may_be_missing=True)

    def fetch(self, generation: str, paths: Iterable[bytes] | None, into: str, advance: Advance) -> None:
        only: tuple[str, ...] = ()
        with tempfile.TemporaryDirectory(prefix="memgit-") as place:
            if paths is not None:
                listed = os.path.join(place, "paths")
                with open(listed, "wb") as file:
                    file.writelines(line + b"\n" for path in paths for line in (path, path + b".rclonelink"))
                only = (f"--files-from-raw={listed}",)
            self._run("copy", *only, "--", self._at(f"{generation}/{FILES}"), into, may_be_missing=True)
        advance(1)

    def send(self, stage: str, generation: str, previous: str | None, advance: Advance) -> None:
        self._run("deletefile", "--", self._at(f"{generation}/{COMPLETE}"), may_be_missing=True)
        # By content where the other side knows hashes: many keep no times, and a size alone says little.
        files = ("--checksum", "--", os.path.join(stage, FILES), self._at(f"{generation}/{FILES}"))
        shared = ("--copy-dest", self._at(f"{previous}/{FILES}")) if previous is not None else ()
        try:
            self._run("sync", *shared, *files)
        except TargetError as error:
            if not shared or "server side copy" not in (error.hint or ""):
                raise
            self._run("sync", *files)
        for name in (BASE, MANIFEST, COMPLETE):
            self._run("copyto", "--", os.path.join(stage, name), self._at(f"{generation}/{name}"))
        advance(1)

    def _put(self, content: bytes, name: str) -> None:
        with tempfile.NamedTemporaryFile(prefix="memgit-") as file:
            file.write(content)
            file.flush()
            self._run("copyto", "--", file.name, self._at(name))

    def _at(self, path: str) -> str:
        return self._root + path if self._root.endswith((":", "/")) else f"{self._root}/{path}"

    def _run(self, command: str, *args: str, may_be_missing: bool = False) -> process.Result | None:
        """Run rclone, which tries again by itself. None if what was asked for is not there."""
        argv = ("rclone", command, "--links", "--retries=3", *self._limit, *args)
        done = process.run(argv, ok=None, timeout_s=_HOURS_S)
        if done.status == 0:
            return done
        if may_be_missing and (done.status in _NOT_FOUND or b"doesn't exist" in done.stderr):
            return None
        said = [line for line in done.stderr.decode("utf-8", "replace").splitlines() if line.strip()]
        text = f"{self.where}: rclone {command} failed (status {done.status})."
        hint = "\n".join(said[-2:]) or None
        raise NetworkError(text, hint) if done.status in _RETRY else TargetError(text, hint)
