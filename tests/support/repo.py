"""Repositories for tests: objects and refs written straight to disk, so that a history costs milliseconds."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

Oid = bytes
DAY_S = 86_400
MONDAY_S = 1_706_486_400  # 2024-01-29T00:00:00Z, the first moment of a week
AGENT = b"Agent <agent@example.invalid>"
PERSON = b"Person <person@example.invalid>"
AUTO = ("--auto-subject", "^auto")  # what most tests call automatic


class File(NamedTuple):
    """An entry of a tree."""

    mode: bytes
    oid: Oid


Content = bytes | str | File | None  # None: the path goes


@dataclass(frozen=True)
class Run:
    """A program that has ended."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The output, read as JSON."""
        value: dict[str, Any] = json.loads(self.out)
        return value


@dataclass(frozen=True)
class Commit:
    """A commit as it stands in the repository."""

    oid: Oid
    tree: Oid
    parents: tuple[Oid, ...]
    raw: bytes

    @property
    def message(self) -> bytes:
        """Everything behind the header."""
        return self.raw.partition(b"\n\n")[2]

    @property
    def subject(self) -> str:
        """The first line of the message."""
        return self.message.partition(b"\n")[0].decode("utf-8", "replace")

    @property
    def person(self) -> bytes:
        """All that must survive a new parent: the header from the author on, and the message."""
        return self.raw[self.raw.index(b"\nauthor ") :]


def hash_of(kind: bytes, content: bytes) -> Oid:
    """The id of an object."""
    return hashlib.sha1(b"%s %d\0%s" % (kind, len(content), content)).hexdigest().encode()


class Repo:
    """A repository made by a test. Commits get the next minute's date unless told otherwise."""

    def __init__(self, path: Path, *, bare: bool = False) -> None:
        self.path = path
        self.git_dir = path if bare else path / ".git"
        run("git", "init", "-q", "--template=", *(["--bare"] if bare else []), str(path))
        self._files: dict[Oid, dict[bytes, File]] = {}
        self.time_s = MONDAY_S + 8 * 3600

    # -- writing ---------------------------------------------------------------------------------

    def store(self, kind: bytes, content: bytes) -> Oid:
        """Write a loose object."""
        oid = hash_of(kind, content)
        name = oid.decode()
        directory = self.git_dir / "objects" / name[:2]
        directory.mkdir(exist_ok=True)
        place = directory / name[2:]
        if not place.exists():
            place.write_bytes(zlib.compress(b"%s %d\0%s" % (kind, len(content), content), 1))
        return oid

    def tree(self, files: Mapping[bytes, File]) -> Oid:
        """Write the trees of a set of files; the id of the topmost."""
        directories: dict[bytes, dict[bytes, File]] = {}
        entries: dict[bytes, File] = {}
        for path, file in files.items():
            name, slash, rest = path.partition(b"/")
            if slash:
                directories.setdefault(name, {})[rest] = file
            else:
                entries[name] = file
        for name, below in directories.items():
            assert name not in entries
            entries[name] = File(b"40000", self.tree(below))
        ordered = sorted(entries.items(), key=lambda item: item[0] + (b"/" if item[1].mode == b"40000" else b""))
        return self.store(
            b"tree", b"".join(b"%s %s\0%s" % (f.mode, name, bytes.fromhex(f.oid.decode())) for name, f in ordered)
        )

    def commit(
        self,
        message: bytes | str,
        changes: Mapping[str | bytes, Content] | None = None,
        *,
        branch: str | None = "main",
        parents: Sequence[Oid] | None = None,
        at: int | None = None,
        zone: bytes = b"+0000",
        author: bytes | None = None,
        committed_at: int | None = None,
        headers: bytes = b"",
        raw_message: bool = False,
    ) -> Oid:
        """A commit on a branch, or on `parents` alone with branch=None.

        Its files are those of the first parent with the changes made. An "auto..." subject is by the agent,
        any other by a person. raw_message: no newline is added. headers: extra lines, each with its newline.
        """
        if parents is None:
            tip = self.tip(branch) if branch else None
            parents = [tip] if tip else []
        self.time_s += 60
        at = self.time_s if at is None else at
        message = message.encode() if isinstance(message, str) else message
        author = author or (AGENT if message.startswith(b"auto") else PERSON)
        files = dict(self.files(parents[0])) if parents else {}
        for name, content in (changes or {}).items():
            path = os.fsencode(name) if isinstance(name, str) else name
            if content is None:
                del files[path]
            else:
                files[path] = self.file(content)
        raw = b"tree %s\n%sauthor %s %d %s\ncommitter %s %d %s\n%s\n%s" % (
            self.tree(files),
            b"".join(b"parent %s\n" % parent for parent in parents),
            author,
            at,
            zone,
            author,
            at if committed_at is None else committed_at,
            zone,
            headers,
            message if raw_message else message + b"\n",
        )
        oid = self.store(b"commit", raw)
        self._files[oid] = files
        if branch:
            self.point(f"refs/heads/{branch}", oid)
        return oid

    def file(self, content: bytes | str | File) -> File:
        """An entry with this content."""
        if isinstance(content, File):
            return content
        return File(b"100644", self.store(b"blob", content.encode() if isinstance(content, str) else content))

    def link(self, target: bytes) -> File:
        """A symbolic link."""
        return File(b"120000", self.store(b"blob", target))

    def point(self, ref: str, oid: Oid) -> None:
        """Let a ref point somewhere, old value regardless."""
        place = self.git_dir / ref
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(oid + b"\n")

    def checkout(self) -> None:
        """Write the work tree of the branch."""
        self.git("reset", "-q", "--hard")

    # -- reading ---------------------------------------------------------------------------------

    def git(self, *args: str, stdin: bytes | None = None, env: Mapping[str, str] | None = None) -> bytes:
        """Output of a git command that must work."""
        return run("git", "-C", str(self.path), *args, stdin=stdin, env=env)

    def tip(self, branch: str = "main") -> Oid | None:
        """Where a branch is, None if it is not born."""
        return self.refs().get(f"refs/heads/{branch}")

    def head(self, branch: str = "main") -> Oid:
        """Where a branch is."""
        tip = self.tip(branch)
        assert tip is not None
        return tip

    def refs(self) -> dict[str, Oid]:
        """Every ref, as it stands in files; packed ones through git."""
        if (self.git_dir / "packed-refs").exists() or not (self.git_dir / "refs").is_dir():
            out = self.git("for-each-ref", "--format=%(refname) %(objectname)").decode("utf-8", "surrogateescape")
            return {line.rpartition(" ")[0]: line.rpartition(" ")[2].encode() for line in out.splitlines()}
        found = {}
        for directory, _, names in os.walk(self.git_dir / "refs"):
            for name in names:
                place = Path(directory, name)
                content = place.read_bytes().strip()
                if not name.endswith(".lock") and not content.startswith(b"ref:"):
                    found[str(place.relative_to(self.git_dir))] = content
        return found

    def files(self, commit: Oid) -> dict[bytes, File]:
        """All files of a commit."""
        if commit not in self._files:
            found = {}
            for line in self.git("ls-tree", "-r", "-z", commit.decode()).split(b"\0")[:-1]:
                head, _, path = line.partition(b"\t")
                mode, _, oid = head.split()
                found[path] = File(mode, oid)
            self._files[commit] = found
        return self._files[commit]

    def history(self, ref: str = "main") -> list[Commit]:
        """Everything reachable, oldest first."""
        ids = self.git("rev-list", "--topo-order", "--reverse", ref, "--").split()
        return self.read_commits(ids)

    def read_commits(self, ids: Iterable[Oid]) -> list[Commit]:
        """Commits by id."""
        wanted = list(ids)
        out = self.git("cat-file", "--batch", stdin=b"".join(oid + b"\n" for oid in wanted))
        found, at = [], 0
        for oid in wanted:
            end = out.index(b"\n", at)
            size = int(out[at:end].split()[2])
            raw = out[end + 1 : end + 1 + size]
            at = end + 2 + size
            head = raw.partition(b"\n\n")[0].split(b"\n")
            parents = tuple(line[7:] for line in head if line.startswith(b"parent "))
            found.append(Commit(oid, head[0][5:], parents, raw))
        return found

    def subjects(self, ref: str = "main") -> list[str]:
        """Subjects of everything reachable, oldest first."""
        return [commit.subject for commit in self.history(ref)]

    def operations(self) -> int:
        """How many entries the operation log has."""
        if "refs/memgit/ops" not in self.refs():
            return 0
        return int(self.git("rev-list", "--count", "--first-parent", "--author=memgit@localhost", "refs/memgit/ops"))

    # -- memgit ----------------------------------------------------------------------------------

    def memgit(self, *args: str, ok: int = 0, env: Mapping[str, str] | None = None) -> Run:
        """Run the installed command in the repository; its exit status must be `ok`."""
        return memgit(self.path, *args, ok=ok, env=env)

    def consolidate(self, *args: str, ok: int = 0, env: Mapping[str, str] | None = None) -> Run:
        """Consolidate with the tests' rule for what is automatic."""
        return self.memgit("consolidate", *AUTO, *args, ok=ok, env=env)


def memgit(
    directory: Path, *args: str, ok: int = 0, env: Mapping[str, str] | None = None, within: Sequence[str] = ()
) -> Run:
    """Run the installed command with -C; its exit status must be `ok`. within: what starts it, if not we."""
    child = subprocess.run(
        [*within, memgit_program(), "-C", str(directory), *args],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env={**os.environ, **(env or {})},
        timeout=120,
    )
    out, err = (raw.decode("utf-8", "surrogateescape") for raw in (child.stdout, child.stderr))
    assert "Traceback" not in err, err
    assert child.returncode == ok, f"exit {child.returncode} instead of {ok}\n{out}{err}"
    return Run(child.returncode, out, err)


def memgit_program() -> str:
    """The command as it was installed beside this Python."""
    return str(Path(sys.executable).with_name("memgit"))


def run(*argv: str, stdin: bytes | None = None, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> bytes:
    """Output of a program that must work."""
    child = subprocess.run(
        argv,
        input=stdin if stdin is not None else b"",
        capture_output=True,
        env={**os.environ, **(env or {})},
        cwd=cwd,
        timeout=120,
    )
    assert child.returncode == 0, f"{argv}: {child.stderr.decode('utf-8', 'replace')}"
    return child.stdout
