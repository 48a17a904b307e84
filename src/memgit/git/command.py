"""The one way to the git program: fixed environment, no prompts, no locks for reading, durable writes.

Hooks start us with GIT_DIR, GIT_INDEX_FILE and others set, which would bend every further call, so
only the variables on the list pass.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping

from memgit import process
from memgit.process import Conversation, Result

_KEPT = frozenset(
    {
        "GIT_CONFIG_NOSYSTEM",
        "GIT_CONFIG_SYSTEM",
        "GIT_CONFIG_GLOBAL",
        "GIT_CEILING_DIRECTORIES",
        "GIT_DISCOVERY_ACROSS_FILESYSTEM",
        "GIT_EXEC_PATH",
        "GIT_SSH",
        "GIT_SSH_COMMAND",
        "GIT_SSL_CAINFO",
        "GIT_SSL_NO_VERIFY",
        "GIT_PROXY_COMMAND",
        "GIT_TRACE",
        "GIT_TRACE2",
        "GIT_TRACE2_EVENT",
    }
)
_FIXED = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_GRAFT_FILE": os.devnull,
    "GIT_PAGER": "cat",
    "GIT_EDITOR": "false",
    "GIT_ADVICE": "0",
    "GIT_LITERAL_PATHSPECS": "1",
    "LC_ALL": "C",
    "LANGUAGE": "C",
}
# Programs that a repository's own configuration could name are switched off for every call.
_SAFE = (
    "-c",
    "core.fsmonitor=false",
    "-c",
    "core.hooksPath=" + os.devnull,
    "-c",
    "gc.auto=0",
    "-c",
    "maintenance.auto=false",
)
# Everything we write is on disk before a ref points at it. One file a batch, one flush.
DURABLE = ("-c", "core.fsync=all", "-c", "core.fsyncMethod=fsync")

DEFAULT_TIMEOUT_S = 600.0


_APART: dict[str, str] = {}  # work trees without a `.git`, and where their repository lies


def keep_apart(work_tree: str, git_dir: str) -> None:
    """From now on git, run at the top of this work tree, finds its repository there. Both absolute, links resolved."""
    _APART[work_tree] = git_dir


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of every git call."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_") or name in _KEPT}
    env.update(_FIXED)
    if extra:
        env.update(extra)
    return env


class Git:
    """git, run in one directory.

    directory: where it runs, or None for here. git_dir: given only where discovery must not happen.
    keep_fds: inherited by every child, so that our lock outlives us as long as a child lives.
    """

    def __init__(
        self, directory: str | None = None, git_dir: str | None = None, keep_fds: tuple[int, ...] = ()
    ) -> None:
        self.directory = directory
        self.git_dir = git_dir
        self.keep_fds = keep_fds
        apart = _APART.get(directory or "")
        if apart is not None and git_dir in (None, apart):
            self._where: tuple[str, ...] = (f"--git-dir={apart}", f"--work-tree={directory}")
        else:
            self._where = (f"--git-dir={git_dir}",) if git_dir is not None else ()

    def argv(self, *args: str) -> tuple[str, ...]:
        """The complete argument list of a call."""
        return ("git", *self._where, *_SAFE, *args)

    def run(
        self,
        *args: str,
        stdin: bytes | None = None,
        env: Mapping[str, str] | None = None,
        ok: tuple[int, ...] | None = (0,),
        timeout_s: float = DEFAULT_TIMEOUT_S,
    ) -> Result:
        """Run git to its end; see process.run for what it raises."""
        return process.run(
            self.argv(*args),
            cwd=self.directory,
            env=environment(env),
            stdin=stdin,
            ok=ok,
            timeout_s=timeout_s,
            keep_fds=self.keep_fds,
        )

    def text(self, *args: str, ok: tuple[int, ...] | None = (0,)) -> str:
        """Standard output without its last newline; undecodable bytes become surrogates."""
        return self.run(*args, ok=ok).stdout.decode("utf-8", "surrogateescape").removesuffix("\n")

    def stream(self, *args: str, stdin: Iterable[bytes] = ()) -> Iterator[bytes]:
        """Standard output in chunks; see process.stream.

        Source of GIT_FLUSH: git(1); without it rev-list writes every commit by itself.
        """
        return process.stream(self.argv(*args), cwd=self.directory, env=environment({"GIT_FLUSH": "0"}), stdin=stdin)

    def talk(self, *args: str, env: Mapping[str, str] | None = None) -> Conversation:
        """A git process to exchange bytes with."""
        return Conversation(self.argv(*args), cwd=self.directory, env=environment(env), keep_fds=self.keep_fds)
