"""The patches in which pre-commit and prek keep unstaged changes: whose they are, and what was never brought back.

Both write one before they check the tree out for their hooks, named after their process, and leave it there when all
went well, too. Where the manager was killed in between, it holds the only copy of somebody's work.
"""

from __future__ import annotations

import json
import os
import re
import shlex
from collections import Counter
from collections.abc import Callable, Iterator, Mapping

from memgit import running
from memgit.core import patch_text
from memgit.core.patch_text import PatchedFile
from memgit.core.values import dataclass, fields
from memgit.git.command import Git
from memgit.git.repository import Repository
from memgit.host import files
from memgit.porcelain import rejoin

_PLACES = (
    ("pre-commit", "PRE_COMMIT_HOME", "", re.compile(r"patch\d+-(\d+)")),
    ("prek", "PREK_HOME", "patches", re.compile(r"\d+-(\d+)\.patch")),
)
_CHECKOUT_S = 60  # within which a manager that has written its patch has checked the tree out


@dataclass(frozen=True, slots=True)
class Patch:
    """A patch of a hook manager."""

    path: str
    manager: str
    process: int


@dataclass(frozen=True, slots=True)
class Lost:
    """Changes to memory that are in a patch and not in the files of their work tree."""

    tree: str
    patch: str
    manager: str
    paths: tuple[str, ...]

    @property
    def evidence(self) -> str:
        """What happened, as a sentence."""
        return (
            f"{self.manager} was killed while it had the tree stashed: unstaged changes to {', '.join(self.paths)}"
            f" are only in {self.patch}."
        )

    @property
    def fix(self) -> str:
        """What to do, as a sentence."""
        tree, patch = shlex.quote(self.tree), shlex.quote(self.patch)
        return (
            f"Bring them back: memgit doctor --fix; all of the patch, if it still fits: git -C {tree} apply {patch}."
            f" If nobody misses them: rm {patch}."
        )


def patches(environ: Mapping[str, str]) -> Iterator[Patch]:
    """All that lie on this machine."""
    cache = environ.get("XDG_CACHE_HOME") or os.path.join(environ.get("HOME", ""), ".cache")
    for manager, variable, below, pattern in _PLACES:
        directory = os.path.join(environ.get(variable) or os.path.join(cache, manager), below)
        try:
            names = os.listdir(directory)
        except OSError:
            continue
        for name in sorted(names):
            if found := pattern.fullmatch(name):
                yield Patch(os.path.join(directory, name), manager, int(found[1]))


def is_on(tree: str, environ: Mapping[str, str]) -> bool:
    """Whether some manager has this work tree stashed right now, as far as can be told."""
    top = os.path.realpath(tree)
    for patch in patches(environ):
        manager = running.Process(patch.process)
        if manager.is_alive() and (not manager.directory() or manager.is_in((top,))):
            return True
    return False


def note(private_dir: str, git: Git, lost: Lost) -> None:
    """Write down that a manager has ended and which files it had stashed, if any of them is not back."""
    if _still(git, lost).paths:
        directory = os.path.join(private_dir, "stashed")
        os.makedirs(directory, mode=0o700, exist_ok=True)
        record = {"schema": 1} | {one.name: getattr(lost, one.name) for one in fields(lost)}
        files.replace(os.path.join(directory, os.path.basename(lost.patch)), json.dumps(record).encode())


def noted(repo: Repository) -> tuple[Lost, ...]:
    """What was written down and still is not back; the rest is forgotten."""
    directory = os.path.join(repo.private_dir, "stashed")
    if not os.path.isdir(directory):
        return ()
    found = []
    for name in sorted(os.listdir(directory)):
        place = os.path.join(directory, name)
        record = json.loads(files.read(place) or b"{}")
        lost = Lost(record["tree"], record["patch"], record["manager"], tuple(record["paths"]))
        lost = _still(Git(lost.tree), lost) if os.path.isdir(lost.tree) else lost
        if os.path.isfile(lost.patch) and lost.paths:
            found.append(lost)
        else:
            files.remove(place)
    if not found:
        os.rmdir(directory)
    return tuple(found)


def lost(repo: Repository, is_memory: Callable[[bytes], bool], environ: Mapping[str, str]) -> tuple[Lost, ...]:
    """Patches with memory of this work tree that is nowhere else: those noted, and others where it is plain to see.

    It is where a file has been as the manager checked it out ever since. A patch does not say where it was made, and
    one of another clone, where all went well, must not be taken for it.
    """
    if repo.work_tree is None:
        return ()
    found = {one.patch: one for one in noted(repo)}
    for patch in patches(environ):
        if patch.path in found or running.Process(patch.process).is_alive():
            continue
        paths = tuple(
            os.fsdecode(one.path)
            for one in _files(patch.path)
            if is_memory(one.path) and _is_as_stashed(repo.git, repo.work_tree, patch.path, one)
        )
        if paths:
            found[patch.path] = Lost(repo.work_tree, patch.path, patch.manager, paths)
    return tuple(found.values())


def bring_back(found: Lost) -> tuple[str, ...]:
    """Merge what the patch made of its files into what they are now; the paths where something was missing."""
    git = Git(found.tree)
    done = []
    for one in _files(found.patch):
        path = os.fsdecode(one.path)
        if path in found.paths and _is_missing(git, found.tree, one):
            old = git.run("cat-file", "blob", one.old.decode()).stdout
            new = one.apply(old)
            # Where a filter or line ends make the file differ from what git keeps, only git can apply it.
            as_file = git.run("cat-file", "--filters", f"--path={path}", one.old.decode()).stdout
            if new is not None and old == as_file and rejoin.join(found.tree, path, old, [new]):
                done.append(path)
    return tuple(done)


def _still(git: Git, lost: Lost) -> Lost:
    """The same with those of its paths that are not back."""
    missing = {os.fsdecode(one.path) for one in _files(lost.patch) if _is_missing(git, lost.tree, one)}
    return Lost(lost.tree, lost.patch, lost.manager, tuple(path for path in lost.paths if path in missing))


def _files(patch: str) -> tuple[PatchedFile, ...]:
    try:
        return patch_text.read(files.read(patch) or b"")
    except OSError:
        return ()


def _is_missing(git: Git, tree: str, one: PatchedFile) -> bool:
    """Whether the file is as it was stashed, or lacks a line that the patch adds. What is in git is not missing."""
    if _is_blob(git, one.new):
        return False
    content = files.read(os.path.join(tree, os.fsdecode(one.path)))
    if content is None or _id(git, one.path).startswith(one.old):
        return content is not None
    old = git.run("cat-file", "blob", one.old.decode(), ok=None).stdout
    wanted, present = _lines(one.apply(old) or b""), _lines(content)
    return any(present[line.rstrip(b"\r\n")] < wanted[line.rstrip(b"\r\n")] for line in one.added)


def _lines(content: bytes) -> Counter[bytes]:
    return Counter(line.rstrip(b"\r") for line in content.split(b"\n"))


def _is_as_stashed(git: Git, tree: str, patch: str, one: PatchedFile) -> bool:
    """Whether the file was checked out when the patch had just been written, and nobody has written to it since."""
    try:
        checked_out_s = os.lstat(os.path.join(os.fsencode(tree), one.path)).st_mtime
        written_s = os.stat(patch).st_mtime
    except OSError:
        return False
    if not written_s <= checked_out_s <= written_s + _CHECKOUT_S:
        return False
    return _is_blob(git, one.old) and not _is_blob(git, one.new) and _id(git, one.path).startswith(one.old)


def _is_blob(git: Git, oid: bytes) -> bool:
    return git.run("cat-file", "-e", f"{oid.decode()}^{{blob}}", ok=None).status == 0


def _id(git: Git, path: bytes) -> bytes:
    """The id that the file would have in git."""
    return git.run("hash-object", "--", os.fsdecode(path), ok=None).stdout.strip()
