"""Whether somebody is about to move the HEAD or the index of a work tree."""

from __future__ import annotations

import os
import time

from memgit import running
from memgit.core.values import dataclass

_MOVES = frozenset(
    b"commit switch checkout merge rebase pull reset stash cherry-pick revert am bisect restore read-tree".split()
)
_TAKES_VALUE = (b"-C", b"-c", b"--git-dir", b"--work-tree", b"--namespace", b"--exec-path", b"--super-prefix")
_MESSAGE_AGE_S = 600


@dataclass(frozen=True, slots=True)
class AtWork:
    """Somebody's git command."""

    pid: int  # 0 where the system does not tell
    command: str

    def __str__(self) -> str:
        return f"{self.command} (process {self.pid})" if self.pid else self.command


def committing(work_tree: str, git_dir: str, over: frozenset[int] = frozenset()) -> AtWork | None:
    """A git that is about to move HEAD or the index of this work tree, and would fail or mix things up if we did.

    Such as a `git commit` in a hook or with an editor open, or a `git switch` that has written the index, not HEAD yet.
    over: processes known to have made their commit already, since their last hook runs.
    Where the system does not list processes: a commit message begun after the last commit, not older than ten minutes.
    """
    if not running.is_told():
        return None if over else _by_message(git_dir)
    top = (os.path.realpath(work_tree),)
    for process in running.processes():
        words = process.words() if process.pid not in over else []
        is_git = bool(words) and os.path.basename(words[0]) == b"git"
        if is_git and (verb := _subcommand(words)) in _MOVES and process.is_in(top):
            return AtWork(process.pid, f"git {verb.decode()}")
    return None


def _by_message(git_dir: str) -> AtWork | None:
    try:
        begun_s = os.stat(os.path.join(git_dir, "COMMIT_EDITMSG")).st_mtime
        moved_s = os.stat(os.path.join(git_dir, "logs", "HEAD")).st_mtime
    except OSError:
        return None
    return AtWork(0, "git commit") if begun_s > moved_s and time.time() - begun_s < _MESSAGE_AGE_S else None


def _subcommand(words: list[bytes]) -> bytes:
    at = 1
    while at < len(words) and words[at].startswith(b"-"):
        at += 2 if words[at] in _TAKES_VALUE else 1
    return words[at] if at < len(words) else b""
