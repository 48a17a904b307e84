"""Keep what is written to memory while a hook manager has the tree stashed.

With unstaged changes about, pre-commit and prek save them as a patch, check the whole tree out, run their hooks and
apply the patch again. When it does not apply, because an agent wrote to the same place meanwhile, they check the tree
out once more: the agent's write is then in neither the file nor the patch.

    hook (inside the stash)   open every memory file, fork a keeper, let the hooks go on
    keeper                    hold the open files: a checkout replaces a file, but not what is open; open whatever
                              takes a file's place; write down what changed
    manager ends              base = the stashed version, ours = the restored file, theirs = what was written: merge

A commit is several such windows in a row, one for each stage that has hooks. A keeper writes in none of them: the next
manager's patch would not fit any more. It waits, and looks whether what it wrote was in time for the next patch.

The keeper lives as long as the manager's process. Should it die, what it wrote down is merged by the next memgit.
"""

from __future__ import annotations

import fcntl
import json
import os
import select
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from memgit import running
from memgit.core.memory import Patterns
from memgit.core.values import dataclass
from memgit.git.command import Git
from memgit.git.repository import Repository
from memgit.host import files
from memgit.host.watch import NoWatch, Watcher
from memgit.porcelain import rejoin, stashed
from memgit.porcelain.stashed import Lost, Patch
from memgit.porcelain.versions import HeldOpen, content_of, tracked

_TICK_S = 0.003
_LOOK_S = 0.01  # between looks whether there is another stash
_FRESH_NS = 30_000_000  # a directory that changed this recently is looked into again: its clock is coarse
_NOTE_EVERY_S = 0.1
_WAIT_S = 2.0
_LINGER_S = 0.5  # git starts the next hook, and so perhaps the next stash, at once
_PATIENCE_S = 300.0  # with another stash

_Versions = Callable[[int, str], list[bytes]]  # of a file, by its number and path, oldest first
_Read = Callable[[str], bytes | None]


def patch(environ: Mapping[str, str], parent: int) -> Patch | None:
    """The patch of the manager that has stashed the tree and runs us as a hook; None if nothing is stashed.

    Both name the patch after their process.
    """
    if not environ.get("PRE_COMMIT"):
        return None
    above = set(running.ancestors(parent))
    return next((patch for patch in stashed.patches(environ) if patch.process in above), None)


def keep(
    repo: Repository,
    memory: Sequence[Patterns],
    environ: Mapping[str, str],
    patch: Patch,
    then: Callable[[], object] | None = None,
) -> None:
    """Hold the tracked memory files until the manager has ended, then merge what would be lost. Returns at once.

    environ: git's, which says whose index is in the work tree now. then: what had to wait for the tree to be back.
    """
    if repo.work_tree is None:
        return
    held = tracked(repo, memory, environ.get("GIT_INDEX_FILE"))
    for one in held:
        one.look(repo.work_tree)
        one.note()
    held = [one for one in held if one.descriptors]
    if not held and then is None:
        return
    place = os.path.join(repo.private_dir, "windows", f"{patch.process}-{time.monotonic_ns()}")
    os.makedirs(place, mode=0o700)
    lock = os.open(os.path.join(place, "lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    record = {
        "schema": 1,
        "tree": repo.work_tree,
        "git_dir": repo.git_dir,
        "patch": [patch.path, patch.manager],
        "files": [[one.path, one.oid] for one in held],
    }
    files.replace(os.path.join(place, "files.json"), json.dumps(record).encode())
    alarm = _alarm(repo.work_tree, held)  # set before any other hook can run
    if os.fork() == 0:
        _be_keeper(_Window(repo.work_tree, place, lock, held, environ, alarm), patch.process, then)
    os.close(lock)
    if alarm is not None:
        alarm.close()
    for one in held:
        for descriptor in one.descriptors:
            os.close(descriptor)


def settle(repo: Repository, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Wait for keepers that are about to end, merge what dead ones wrote down; the paths merged here.

    Nothing is done while a manager has the tree stashed.
    """
    if repo.work_tree is not None and stashed.is_on(repo.work_tree, environ):
        return ()
    directory = os.path.join(repo.private_dir, "windows")
    try:
        names = sorted(os.listdir(directory))
    except FileNotFoundError:
        return ()
    merged: list[str] = []
    for name in names:
        place = os.path.join(directory, name)
        if not running.Process(int(name.partition("-")[0])).is_alive() and _wait_for_lock(place):
            merged += _close(place, partial(_noted, place))
    _remove_if_empty(directory)
    return tuple(merged)


def unsettled(repo: Repository) -> int:
    """How many stash windows memgit still has something of, that no process is in."""
    directory = os.path.join(repo.private_dir, "windows")
    if not os.path.isdir(directory):
        return 0
    return sum(not running.Process(int(name.partition("-")[0])).is_alive() for name in os.listdir(directory))


# -- the keeper ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Window:
    """What a keeper keeps.

    place: its files; lock: held for as long as these are its own; alarm: rings when what it keeps changes.
    """

    tree: str
    place: str
    lock: int
    held: list[HeldOpen]
    environ: Mapping[str, str]
    alarm: Watcher | None

    def is_stashed(self) -> bool:
        """Whether some manager has the tree stashed."""
        return stashed.is_on(self.tree, self.environ)

    def read(self, place: str) -> bytes | None:
        """A file, when no manager has the tree stashed. Read first and asked then: a manager starts with its patch."""
        deadline = time.monotonic() + _PATIENCE_S
        while True:
            content = files.read(place)
            if not self.is_stashed() or time.monotonic() >= deadline:
                return content
            time.sleep(_LOOK_S)


def _be_keeper(window: _Window, process: int, then: Callable[[], object] | None) -> None:
    """Never returns."""
    try:
        os.setsid()
        nowhere = os.open(os.devnull, os.O_RDWR)
        for standard in (0, 1, 2):
            os.dup2(nowhere, standard)  # the manager waits until nobody holds its pipes
        _watch(window, process)
        _write_down(window.place, window.held)
        record = _record(window.place)
        seen = {one.path: one.versions() for one in window.held}

        def versions(_: int, path: str) -> list[bytes]:
            return seen[path]

        merged = _close(window.place, versions, window.read)
        _remove_if_empty(os.path.dirname(window.place))
        os.close(window.lock)
        end = time.monotonic() + _LINGER_S
        while merged and time.monotonic() < end:
            if window.is_stashed():  # perhaps its patch was made before we wrote
                _merge(record, versions, window.read)
                end = time.monotonic() + _LINGER_S
            time.sleep(_LOOK_S)
        if then is not None:
            then()
    finally:
        os._exit(0)


def _watch(window: _Window, process: int) -> None:
    """Until the manager has ended: open each version that appears, and write the newest down now and then."""
    manager = _handle(process)
    rests = (
        _until_clock(window) if window.alarm is None or manager is None else _until_alarm(window, window.alarm, manager)
    )
    next_note = 0.0
    for suspects in rests:
        for one in suspects:
            one.look(window.tree)
        if time.monotonic() >= next_note:
            _write_down(window.place, window.held)
            next_note = time.monotonic() + _NOTE_EVERY_S
        if not running.Process(process).is_alive():
            return


def _until_alarm(window: _Window, alarm: Watcher, manager: int) -> Iterator[list[HeldOpen]]:
    """All files, as soon as one of them changes or there may be something to write down."""
    while True:
        heard = select.select((alarm.fd, manager), (), (), _NOTE_EVERY_S)[0]
        if manager in heard:
            return
        for _ in alarm.hints():
            pass
        yield window.held


def _until_clock(window: _Window) -> Iterator[list[HeldOpen]]:
    """Every few milliseconds the files of directories that have changed."""
    by_directory: dict[str, list[HeldOpen]] = {}
    for one in window.held:
        by_directory.setdefault(os.path.join(window.tree, os.path.dirname(one.path)), []).append(one)
    changed = dict.fromkeys(by_directory, 0)
    while True:
        suspects: list[HeldOpen] = []
        for directory, members in by_directory.items():
            try:
                time_ns = os.stat(directory).st_mtime_ns
            except OSError:
                continue
            if time_ns != changed[directory] or time.time_ns() - time_ns < _FRESH_NS:
                changed[directory] = time_ns
                suspects += members
        yield suspects
        time.sleep(_TICK_S)


def _alarm(top: str, held: Sequence[HeldOpen]) -> Watcher | None:
    """Rings as soon as a directory of these files changes: who sleeps until then is on the machine first when it does.

    None where the system has no such thing; then the keeper looks again every few milliseconds.
    """
    try:
        alarm = Watcher()
    except NoWatch:
        return None
    try:
        alarm.watch(os.fsencode(top), iter({os.fsencode(os.path.dirname(one.path)) for one in held}))
    except NoWatch:
        alarm.close()
        return None
    return alarm


def _handle(process: int) -> int | None:
    """A descriptor that can be read once the process has ended; None where there is none."""
    if not hasattr(os, "pidfd_open"):
        return None
    try:
        return os.pidfd_open(process)
    except OSError:
        return None


def _write_down(place: str, held: list[HeldOpen]) -> None:
    """Keep on disk, too, the newest version of each file that has changed since it was last looked at."""
    for index, one in enumerate(held):
        if one.note():
            files.replace(os.path.join(place, str(index)), content_of(one.descriptors[-1]))


# -- afterwards ------------------------------------------------------------------------------------


def _record(place: str) -> dict[str, Any]:
    """What a window is about; nothing where its hook was killed before it could say."""
    record: dict[str, Any] = json.loads(files.read(os.path.join(place, "files.json")) or b"{}")
    return record


def _noted(place: str, index: int, _: str) -> list[bytes]:
    """The newest version of a file that its keeper wrote down."""
    content = files.read(os.path.join(place, str(index)))
    return [] if content is None else [content]


def _close(place: str, versions: _Versions, read: _Read = files.read) -> list[str]:
    """Merge what is known of a window into its work tree, then forget the window; the paths changed."""
    record = _record(place)
    merged = _merge(record, versions, read)
    if merged is not None and "patch" in record:
        tree, (patch, manager) = record["tree"], record["patch"]
        lost = Lost(tree, patch, manager, tuple(path for path, _ in record["files"]))
        stashed.note(os.path.dirname(os.path.dirname(place)), Git(tree, record["git_dir"]), lost)
    shutil.rmtree(place, ignore_errors=True)
    return merged or []


def _merge(record: Mapping[str, Any], versions: _Versions, read: _Read) -> list[str] | None:
    """The paths changed; None if there is no work tree any more."""
    tree = record.get("tree", "")
    if not os.path.isdir(tree):
        return None
    git = Git(tree, record["git_dir"])  # a window of another work tree is merged there
    merged = []
    for index, (path, oid) in enumerate(record["files"]):
        if known := versions(index, path):
            base = git.run("cat-file", "--filters", f"--path={path}", oid).stdout
            if rejoin.join(tree, path, base, known, read):
                merged.append(path)
    return merged


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
