"""What git's hooks start: `memgit-hook guard | guard-push | message FILE | watch | post [HOOK [ARGUMENTS]]`.

The guard fails closed: what it could not look at is not committed or pushed. Everything else fails open, with a line
on standard error, and takes no longer than two seconds. For the guard these are seconds of work: on a machine that is
busy with other things it may wait longer, since to stop it is to stop the commit. Neither typer nor pygit2 is imported.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable

from memgit import running
from memgit.errors import MemgitError
from memgit.porcelain import hooked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from memgit.git.repository import Repository

_LIMIT_S = 2.0
_GUARD_WAITS_S = 30.0
_USAGE = "usage: memgit-hook guard | guard-push | message FILE | watch | post [HOOK [ARGUMENTS]]"


class _OutOfTime(Exception):
    """The time a hook may take is over."""


def main(argv: list[str] | None = None) -> None:
    """Entry point of `memgit-hook`."""
    sys.exit(run(sys.argv[1:] if argv is None else argv))


def run(argv: list[str]) -> int:
    """Run one hook; its exit status."""
    commands: dict[str, Callable[[list[str]], int]] = {
        "guard": _guard,
        "guard-push": _guard_push,
        "message": _message,
        "watch": _watch,
        "post": _post,
    }
    if not argv or argv[0] not in commands:
        print(_USAGE, file=sys.stderr)
        return 2
    is_guard = argv[0].startswith("guard")
    for name in (signal.SIGALRM, signal.SIGPROF):
        signal.signal(name, _stop)
    signal.setitimer(signal.ITIMER_REAL, _GUARD_WAITS_S if is_guard else _LIMIT_S)
    signal.setitimer(signal.ITIMER_PROF, _LIMIT_S)
    try:
        return commands[argv[0]](argv[1:])
    except MemgitError as error:
        _say(f"memgit: {error.message}")
        for line in (error.hint or "").splitlines():
            _say(f"  {line}")
    except _OutOfTime:
        _say(f"memgit: {argv[0]} took too long and was stopped.")
    except Exception as fault:  # a bug of ours must neither let a secret pass nor stop anything else
        _say(f"memgit: {argv[0]} failed: {type(fault).__name__}")
    if is_guard:
        _say("  The guard could not look, so nothing goes on; --no-verify goes on without it.")
    return int(is_guard)


def _guard(_: list[str]) -> int:
    repo = hooked.open_repository(os.environ)
    spaces = hooked.workspaces(repo, os.environ)
    _watched(repo)
    findings = hooked.staged(repo, spaces, os.environ.get("GIT_INDEX_FILE"))
    if findings:
        return _refuse(hooked.refused(findings, "committed"))
    said = _open("the merge driver is not registered", lambda: hooked.register(repo, spaces))
    if isinstance(said, str):
        _say(said)
    return 0


def _guard_push(_: list[str]) -> int:
    repo = hooked.open_repository(os.environ)
    _watched(repo)
    lines = [] if sys.stdin is None or sys.stdin.isatty() else sys.stdin.read().splitlines()
    findings = hooked.pushed(repo, hooked.workspaces(repo, os.environ), lines or _from_pre_commit())
    return _refuse(hooked.refused(findings, "pushed")) if findings else 0


def _from_pre_commit() -> list[str]:
    """What pre-commit and prek tell of a push, in git's form; they consume standard input themselves."""
    new, old = os.environ.get("PRE_COMMIT_TO_REF"), os.environ.get("PRE_COMMIT_FROM_REF", "0" * 40)
    return [f"local {new} remote {old}"] if new else []


def _message(arguments: list[str]) -> int:
    repo = hooked.open_repository(os.environ)
    _watched(repo)
    if arguments:
        hooked.message(repo, arguments[0], os.environ)
    return 0


def _watch(_: list[str]) -> int:
    _watched(hooked.open_repository(os.environ))
    return 0


def _post(arguments: list[str]) -> int:
    # pre-commit does not say which hook it runs; only a checkout may happen while a commit is still being made.
    is_checkout = "PRE_COMMIT_CHECKOUT_TYPE" in os.environ or arguments[:1] == ["post-checkout"]
    above = running.ancestors(os.getppid())  # of a checkout only the shim and its git are done, not who called it
    over = frozenset(above[:2] if is_checkout else above)
    repo = hooked.open_repository(os.environ)
    spaces = hooked.workspaces(repo, os.environ)
    now_s = int(time.time())

    def after() -> tuple[str, ...]:
        return hooked.after(repo, spaces, os.environ, now_s, over)

    # While the tree is stashed it is not what anybody wrote, so what waited goes on waiting.
    for sentence in (*(() if _watched(repo, after) else after()), *hooked.due(repo, spaces, now_s)):
        _say(sentence)
    said = hooked.register(repo, spaces)
    if said is not None:
        _say(said)
    return 0


def _watched(repo: Repository, then: Callable[[], object] | None = None) -> bool:
    """Whether a manager has the tree stashed; if so, what is written to memory meanwhile is kept from now on."""
    return bool(_open("the stash is not watched", lambda: hooked.watch(repo, os.environ, os.getppid(), then)))


def _open(consequence: str, action: Callable[[], object]) -> object:
    """Run what must not stop the guard."""
    try:
        return action()
    except MemgitError as error:
        _say(f"memgit: {consequence}: {error.message}")
    except OSError as error:
        _say(f"memgit: {consequence}: {error.strerror}.")
    return None


def _refuse(error: MemgitError) -> int:
    _say(f"memgit: {error.message}")
    for line in (error.hint or "").splitlines():
        _say(f"  {line}")
    return 1


def _say(text: str) -> None:
    print(text.encode("utf-8", "backslashreplace").decode(), file=sys.stderr)


def _stop(*_: object) -> None:
    raise _OutOfTime
