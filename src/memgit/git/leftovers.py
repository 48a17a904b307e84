"""What a killed ref transaction leaves behind, and taking away exactly that.

git never removes the lock file of a process that was killed, and refuses every later command that
needs it. A lock is taken away only with proof that it is ours: the journal says that we were about to
move this ref, our lock says that we and everything we started are gone, its content is what we would
have written, it is no older than the journal, and no process has it open.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable

from memgit import running
from memgit.git.refs import RefUpdate

_SETTLES_S = 0.1
_YOUNG_S = 600


def clear_locks(
    common_dir: str, checkouts: Iterable[str], updates: Iterable[RefUpdate], since_s: float
) -> tuple[str, ...]:
    """Remove the locks that a transaction over `updates` left; returns their paths.

    checkouts: the git directories of all work trees, whose HEAD git locks along with their branch.
    since_s: when the journal was written, seconds since the epoch.
    """
    wanted = {os.path.join(common_dir, update.ref + ".lock"): update.new + b"\n" for update in updates}
    foreign = [path for path, mine in wanted.items() if os.path.exists(path) and not _is_ours(path, mine, since_s)]
    if not foreign:  # else HEAD's lock, which is always empty, belongs with that one
        wanted |= {os.path.join(directory, "HEAD.lock"): b"" for directory in checkouts}
    found = {path: os.stat(path) for path, content in wanted.items() if _is_ours(path, content, since_s)}
    if any(not status.st_size for status in found.values()):
        time.sleep(_SETTLES_S)
    removed = []
    for path, status in found.items():
        if _is_still(path, status):
            os.unlink(path)
            removed.append(path)
    return tuple(removed)


def clear_files(paths: Iterable[str], since_s: float) -> tuple[str, ...]:
    """Remove lock files that a dead git of ours left, whatever they hold; returns their paths.

    The journal named them, so git was about to make them; none is older than it, open anywhere or still changing.
    """
    found = {}
    for path in paths:
        try:
            status = os.stat(path)
        except FileNotFoundError:
            continue
        if status.st_mtime >= since_s - 1 and not is_open_anywhere(status):
            found[path] = status
    if found:
        time.sleep(_SETTLES_S)
    removed = []
    for path, status in found.items():
        if _is_still(path, status):
            os.unlink(path)
            removed.append(path)
    return tuple(removed)


def clear_lock(path: str, contents: Iterable[bytes], since_s: float) -> bool:
    """Remove one lock file that we left, holding the beginning of one of `contents`; whether it was ours."""
    ours = any(_is_ours(path, content, since_s) for content in contents)
    if ours:
        os.unlink(path)
    return ours


def release_packs(common_dir: str, token: str) -> None:
    """Let `git gc` have the packs again that were held under this token."""
    directory = os.path.join(common_dir, "objects", "pack")
    for name in os.listdir(directory):
        if not name.endswith(".keep"):
            continue
        path = os.path.join(directory, name)
        try:
            with open(path, "rb") as file:
                is_ours = file.read(200).strip() == token.encode()
            if is_ours:
                os.unlink(path)
        except FileNotFoundError:
            continue


def _is_still(path: str, before: os.stat_result) -> bool:
    """True if it is the same untouched file: a git at work moves on within milliseconds."""
    try:
        now = os.stat(path)
    except FileNotFoundError:
        return False
    return (now.st_ino, now.st_mtime_ns, now.st_size) == (before.st_ino, before.st_mtime_ns, before.st_size)


def _is_ours(path: str, content: bytes, since_s: float) -> bool:
    try:
        status = os.stat(path)
        with open(path, "rb") as file:
            found = file.read(1 << 20)
    except FileNotFoundError:
        return False
    # One second of grace: file systems keep coarser time than the clock.
    return content.startswith(found) and status.st_mtime >= since_s - 1 and not is_open_anywhere(status)


def is_open_anywhere(wanted: os.stat_result) -> bool:
    """True if some process has this very file open, or if that can't be told and the file is young."""
    if not running.is_told():
        return time.time() - wanted.st_mtime < _YOUNG_S
    return running.holder(wanted) is not None
