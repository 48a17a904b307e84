"""Who else is at work on this machine, as far as it lets us see. Source: proc(5)."""

from __future__ import annotations

import os
from collections.abc import Iterator

from memgit.core.values import dataclass

_PROC = "/proc"
_MOVES = frozenset(
    b"commit switch checkout merge rebase pull reset stash cherry-pick revert am bisect restore read-tree".split()
)
_TAKES_VALUE = (b"-C", b"-c", b"--git-dir", b"--work-tree", b"--namespace", b"--exec-path", b"--super-prefix")


@dataclass(frozen=True, slots=True)
class Process:
    """A running program."""

    pid: int
    name: str

    def __str__(self) -> str:
        return f"{self.name} (process {self.pid})"


def holder(path: str) -> Process | None:
    """Who has this file open; None if nobody has, or if the system does not tell."""
    try:
        wanted = os.stat(path)
    except OSError:
        return None
    for pid in _pids():
        directory = f"{_PROC}/{pid}/fd"
        try:
            descriptors = os.listdir(directory)
        except OSError:
            continue
        for descriptor in descriptors:
            try:
                found = os.stat(f"{directory}/{descriptor}")
            except OSError:
                continue
            if (found.st_dev, found.st_ino) == (wanted.st_dev, wanted.st_ino):
                return Process(pid, _name(_words(pid)))
    return None


def committing(work_tree: str, git_dir: str, over: frozenset[int] = frozenset()) -> Process | None:
    """A git that is about to move HEAD or the index of this work tree, and would fail or mix things up if we did.

    Such as a `git commit` in a hook or with an editor open, or a `git switch` that has written the index, not HEAD yet.
    over: processes known to have made their commit already, since their last hook runs.
    Where the system does not list processes: a commit message begun after the last commit, not older than ten minutes.
    """
    if not os.path.isdir(f"{_PROC}/self/fd"):
        return None if over else _by_message(git_dir)
    top = os.path.realpath(work_tree)
    for pid in _pids():
        words = _words(pid) if pid not in over else []
        if words and _name(words) == "git" and (verb := _subcommand(words)) in _MOVES:
            try:
                place = os.readlink(f"{_PROC}/{pid}/cwd")
            except OSError:
                continue
            if place == top or place.startswith(top + "/"):
                return Process(pid, f"git {verb.decode()}")
    return None


def is_alive(pid: int) -> bool:
    """Whether there is such a process, whoever it belongs to."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def directory(pid: int) -> str | None:
    """The directory a process is in; None if the system does not tell."""
    try:
        return os.readlink(f"{_PROC}/{pid}/cwd")
    except OSError:
        return None


def ancestors(pid: int) -> tuple[int, ...]:
    """The process and those above it, nearest first, as far as the system tells."""
    found = [pid]
    while pid > 1 and len(found) < 12:
        try:
            with open(f"{_PROC}/{pid}/stat", "rb") as file:
                pid = int(file.read().rpartition(b")")[2].split()[1])
        except (OSError, ValueError, IndexError):
            break
        found.append(pid)
    return tuple(found)


def _by_message(git_dir: str) -> Process | None:
    import time

    try:
        begun_s = os.stat(os.path.join(git_dir, "COMMIT_EDITMSG")).st_mtime
        moved_s = os.stat(os.path.join(git_dir, "logs", "HEAD")).st_mtime
    except OSError:
        return None
    return Process(0, "git commit") if begun_s > moved_s and time.time() - begun_s < 600 else None


def _pids() -> Iterator[int]:
    try:
        names = os.listdir(_PROC)
    except OSError:
        return
    yield from (int(name) for name in names if name.isdigit() and int(name) != os.getpid())


def _words(pid: int) -> list[bytes]:
    try:
        with open(f"{_PROC}/{pid}/cmdline", "rb", buffering=0) as file:
            return file.read(4096).split(b"\0")
    except OSError:
        return []


def _name(words: list[bytes]) -> str:
    return os.path.basename(words[0]).decode("utf-8", "replace") if words and words[0] else "a program"


def _subcommand(words: list[bytes]) -> bytes:
    at = 1
    while at < len(words) and words[at].startswith(b"-"):
        at += 2 if words[at] in _TAKES_VALUE else 1
    return words[at] if at < len(words) else b""
