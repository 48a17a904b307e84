"""Keep what is written to memory while a hook manager has the tree stashed.

With unstaged changes about, pre-commit and prek save them as a patch, check the whole tree out, run their hooks and
apply the patch again. When it does not apply, because an agent wrote to the same place meanwhile, they check the tree
out once more: the agent's write is then in neither the file nor the patch.

    hook (inside the stash)   open every memory file, fork a keeper, let the hooks go on
    keeper                    hold the open files: a checkout replaces a file, but not what is open; open whatever
                              takes a file's place; write down what changed
    manager ends              base = the stashed version, ours = the restored file, theirs = what was written: merge

The keeper lives as long as the manager's process. Should it die, what it wrote down is merged by the next memgit.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import resource
import shutil
import time
from collections.abc import Mapping, Sequence

from memgit import running
from memgit.core import lost_write
from memgit.core.memory import Patterns
from memgit.core.values import dataclass, field
from memgit.errors import MemgitError
from memgit.git.command import Git
from memgit.git.repository import Repository
from memgit.host import files

_TICK_S = 0.003
_FRESH_NS = 30_000_000  # a directory that changed this recently is looked into again: its clock is coarse
_NOTE_EVERY_S = 0.1
_WAIT_S = 2.0
_SPARE_DESCRIPTORS = 64
_PATCHES = (
    ("PRE_COMMIT_HOME", "pre-commit", "", re.compile(r"patch\d+-(\d+)")),
    ("PREK_HOME", "prek", "patches", re.compile(r"\d+-(\d+)\.patch")),
)


@dataclass(slots=True)
class _Held:
    """A memory file, with every version of it that stood at its place."""

    path: str  # below the top of the work tree
    oid: str  # of the stashed version
    descriptors: list[int] = field(default_factory=list)
    inodes: list[tuple[int, int]] = field(default_factory=list)
    noted: tuple[int, int, int] | None = None  # which version, its size and time, as last looked at

    def look(self, top: str) -> None:
        """Open what stands at the place, if it is not open yet."""
        try:
            status = os.stat(os.path.join(top, self.path), follow_symlinks=False)
            if (status.st_dev, status.st_ino) in self.inodes[-1:]:
                return
            descriptor = os.open(
                os.path.join(top, self.path), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            )
        except OSError:
            return
        status = os.fstat(descriptor)
        self.descriptors.append(descriptor)
        self.inodes.append((status.st_dev, status.st_ino))

    def note(self) -> bool:
        """Whether the newest version has changed since the last call."""
        if not self.descriptors:
            return False
        status = os.fstat(self.descriptors[-1])
        before, self.noted = self.noted, (len(self.descriptors), status.st_size, status.st_mtime_ns)
        return before not in (None, self.noted)

    def versions(self) -> list[bytes]:
        """All versions as they are now, oldest first."""
        return [_content(descriptor) for descriptor in self.descriptors]


def manager(environ: Mapping[str, str], parent: int) -> int | None:
    """The process that has stashed the tree and runs us as a hook: pre-commit's or prek's; None if nothing is stashed.

    Both name the patch after their process (FACTS, "pre-commit's stash window").
    """
    if not environ.get("PRE_COMMIT"):
        return None
    home = environ.get("HOME", "")
    cache = environ.get("XDG_CACHE_HOME") or os.path.join(home, ".cache")
    above = set(running.ancestors(parent))
    for variable, name, below, pattern in _PATCHES:
        directory = os.path.join(environ.get(variable) or os.path.join(cache, name), below)
        try:
            names = os.listdir(directory)
        except OSError:
            continue
        for found in (pattern.fullmatch(entry) for entry in names):
            if found and int(found[1]) in above:
                return int(found[1])
    return None


def keep(repo: Repository, memory: Sequence[Patterns], index_file: str | None, process: int) -> bool:
    """Hold the tracked memory files until `process` has ended, then merge what would be lost. Returns at once.

    index_file: the index whose content is in the work tree now. False if there is nothing to hold.
    """
    if repo.work_tree is None:
        return False
    held = _tracked(repo, memory, index_file)
    for one in held:
        one.look(repo.work_tree)
        one.note()
    held = [one for one in held if one.descriptors]
    if not held:
        return False
    place = os.path.join(repo.private_dir, "windows", f"{process}-{time.monotonic_ns()}")
    os.makedirs(place, mode=0o700)
    lock = os.open(os.path.join(place, "lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    record = {
        "schema": 1,
        "tree": repo.work_tree,
        "git_dir": repo.git_dir,
        "files": [[one.path, one.oid] for one in held],
    }
    files.replace(os.path.join(place, "files.json"), json.dumps(record).encode())
    if os.fork() == 0:
        _be_keeper(repo, place, held, process)
    os.close(lock)
    for one in held:
        for descriptor in one.descriptors:
            os.close(descriptor)
    return True


def settle(repo: Repository) -> tuple[str, ...]:
    """Wait for keepers that are about to end, merge what dead ones wrote down; the paths merged here."""
    directory = os.path.join(repo.private_dir, "windows")
    try:
        names = sorted(os.listdir(directory))
    except FileNotFoundError:
        return ()
    merged: list[str] = []
    for name in names:
        place = os.path.join(directory, name)
        if not _is_alive(int(name.partition("-")[0])) and _wait_for_lock(place):
            merged += _merge_written(place)
    _remove_if_empty(directory)
    return tuple(merged)


def unsettled(repo: Repository) -> int:
    """How many stash windows memgit still has something of, that no process is in."""
    directory = os.path.join(repo.private_dir, "windows")
    if not os.path.isdir(directory):
        return 0
    return sum(not _is_alive(int(name.partition("-")[0])) for name in os.listdir(directory))


# -- the keeper ------------------------------------------------------------------------------------


def _be_keeper(repo: Repository, place: str, held: list[_Held], process: int) -> None:
    """Never returns."""
    try:
        os.setsid()
        nowhere = os.open(os.devnull, os.O_RDWR)
        for standard in (0, 1, 2):
            os.dup2(nowhere, standard)  # the manager waits until nobody holds its pipes
        _watch(repo, place, held, process)
        _write_down(place, held)
        _merge_written(place, {one.path: one.versions() for one in held})
        _remove_if_empty(os.path.dirname(place))
    finally:
        os._exit(0)


def _watch(repo: Repository, place: str, held: list[_Held], process: int) -> None:
    assert repo.work_tree is not None
    top = repo.work_tree
    by_directory: dict[str, list[_Held]] = {}
    for one in held:
        by_directory.setdefault(os.path.join(top, os.path.dirname(one.path)), []).append(one)
    changed = dict.fromkeys(by_directory, 0)
    next_note = 0.0
    while _is_alive(process):
        for directory, members in by_directory.items():
            try:
                time_ns = os.stat(directory).st_mtime_ns
            except OSError:
                continue
            if time_ns != changed[directory] or time.time_ns() - time_ns < _FRESH_NS:
                changed[directory] = time_ns
                for one in members:
                    one.look(top)
        if time.monotonic() >= next_note:
            _write_down(place, held)
            next_note = time.monotonic() + _NOTE_EVERY_S
        time.sleep(_TICK_S)


def _write_down(place: str, held: list[_Held]) -> None:
    """Keep on disk, too, the newest version of each file that has changed since it was last looked at."""
    for index, one in enumerate(held):
        if one.note():
            files.replace(os.path.join(place, str(index)), _content(one.descriptors[-1]))


# -- afterwards ------------------------------------------------------------------------------------


def _merge_written(place: str, seen: Mapping[str, list[bytes]] | None = None) -> list[str]:
    """Merge what a window's keeper knows into its work tree, then forget the window; the paths changed."""
    content = files.read(os.path.join(place, "files.json"))
    record = json.loads(content) if content is not None else None
    merged = []
    if record is not None and os.path.isdir(record["tree"]):
        tree = record["tree"]
        git = Git(tree, record["git_dir"])  # a window of another work tree is merged there
        for index, (path, oid) in enumerate(record["files"]):
            noted = files.read(os.path.join(place, str(index)))
            versions = seen[path] if seen is not None else [] if noted is None else [noted]
            if versions and _merge_file(git, tree, path, oid, versions):
                merged.append(path)
    shutil.rmtree(place, ignore_errors=True)
    return merged


def _merge_file(git: Git, tree: str, path: str, oid: str, versions: list[bytes]) -> bool:
    place = os.path.join(tree, path)
    restored = None if os.path.islink(place) else files.read(place)
    if restored is None or all(version == restored for version in versions):
        return False
    base = git.run("cat-file", "--filters", f"--path={path}", oid).stdout
    written = lost_write.last_written(base, restored, versions)
    if written is None:
        return False
    for _ in range(5):
        joined = lost_write.joined(base, restored, written, os.fsencode(path))
        if joined is None:
            return False
        if _replace(place, restored, joined):
            return True
        restored = files.read(place)  # somebody writes right now: merge with that
        if restored is None:
            return False
    raise MemgitError(f"{path} changes all the time.")


def _replace(place: str, expected: bytes, content: bytes) -> bool:
    """Write, unless the file is no longer as expected. What only grows is appended to, so a writer loses nothing."""
    if content.startswith(expected):
        descriptor = os.open(place, os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC)
        with os.fdopen(descriptor, "ab") as file:
            if os.fstat(file.fileno()).st_size != len(expected):
                return False
            file.write(content[len(expected) :])
            return True
    if files.read(place) != expected:
        return False
    files.rewrite(place, content, 0o644)
    return True


def _tracked(repo: Repository, memory: Sequence[Patterns], index_file: str | None) -> list[_Held]:
    env = {"GIT_INDEX_FILE": os.path.abspath(index_file)} if index_file else None
    out = Git(repo.work_tree, repo.git_dir).run("ls-files", "--stage", "-z", env=env).stdout
    found = []
    for entry in out.split(b"\0")[:-1]:
        head, _, path = entry.partition(b"\t")
        mode, oid, stage = head.split()
        if mode.startswith(b"100") and stage == b"0" and any(patterns.matches(path) for patterns in memory):
            found.append(_Held(os.fsdecode(path), oid.decode()))
    room = _descriptors() - _SPARE_DESCRIPTORS
    if len(found) > room // 2 and repo.work_tree is not None:  # those that an agent is most likely to write to
        found.sort(key=lambda one: _time_ns(os.path.join(repo.work_tree or "", one.path)), reverse=True)
        del found[room // 2 :]
    return found


def _descriptors() -> int:
    """How many files this process may have open, after asking for as many as it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 65536 if hard == resource.RLIM_INFINITY else min(hard, 65536)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return max(soft, wanted)


def _time_ns(path: str) -> int:
    try:
        return os.stat(path, follow_symlinks=False).st_mtime_ns
    except OSError:
        return 0


def _content(descriptor: int) -> bytes:
    pieces, at = [], 0
    while piece := os.pread(descriptor, 1 << 20, at):
        pieces.append(piece)
        at += len(piece)
    return b"".join(pieces)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _wait_for_lock(place: str) -> bool:
    """Whether the window's keeper is gone, within the time a hook may take."""
    try:
        descriptor = os.open(os.path.join(place, "lock"), os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return os.path.isdir(place)
    try:
        deadline = time.monotonic() + _WAIT_S
        while time.monotonic() < deadline:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return os.path.isdir(place)
            except BlockingIOError:
                time.sleep(_TICK_S)
        return False
    finally:
        os.close(descriptor)


def _remove_if_empty(directory: str) -> None:
    try:
        os.rmdir(directory)
    except OSError:  # another window, or gone already
        return
