"""The `memgit` command: read the command line, run the command, turn errors into exit statuses."""

from __future__ import annotations

import gc
import os
import signal
import sys
from importlib import import_module

from memgit import errors
from memgit.cli.commands import COMMANDS, GROUPS
from memgit.cli.params import Command, NotPlain, Values, parse
from memgit.core.version import VERSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

# Most special first. README lists the same numbers.
EXIT_STATUS: tuple[tuple[type[errors.MemgitError], int], ...] = (
    (errors.UsageError, 2),
    (errors.ConfigError, 2),
    (errors.UntrustedConfig, 8),
    (errors.GuardHeld, 4),
    (errors.Conflict, 5),
    (errors.Busy, 6),
    (errors.NetworkError, 7),
    (errors.UnsupportedRepository, 9),
    (errors.MemgitError, 1),
)
INTERRUPTED = 130
UNREAD = 141  # as a shell says it of a program that dies of a closed pipe, git among them
ITSELF = (sys.executable, "-c", "from memgit.cli.app import main; main()")  # starts a memgit like this one


def main() -> None:
    """Entry point of `memgit` and `git memgit`."""
    gc.disable()  # a process of seconds with no reference cycles to speak of
    for stop in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(stop, _interrupt)
    try:
        status = run(sys.argv[1:])
        sys.stdout.flush()
        sys.stderr.flush()
    except BrokenPipeError:
        status = UNREAD  # the reader has gone away; never 0, for a finding may not have been read either
    except OSError as error:
        status = _fail(f"The output can't be written: {error.strerror or error}.", None, 1)
    os._exit(status)  # all is done and flushed; taking the interpreter down first would cost up to 8 ms


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def run(argv: list[str]) -> int:
    """Run one command line; the exit status."""
    if argv == ["--version"]:
        print(f"memgit {VERSION}")
        return 0
    try:
        command, values = parse(argv, COMMANDS)
    except NotPlain:
        from memgit.cli.typed import build

        build(COMMANDS, GROUPS, call, VERSION)(argv, prog_name="memgit")
        return 0
    return call(command, values)


def call(command: Command, values: Values) -> int:
    """Run one command with its values; the exit status."""
    module, _, function = command.target.partition(":")
    try:
        status: int = getattr(import_module(module), function)(values)
        sys.stdout.flush()
        return status
    except errors.MemgitError as error:
        return _fail(error.message, error.hint, status_of(error))
    except BrokenPipeError:
        raise  # for main
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        return _fail(f"{place}{error.strerror or error}.", None, 1)
    except KeyboardInterrupt:
        return _fail("Interrupted; nothing is left half done.", None, INTERRUPTED)


def status_of(error: errors.MemgitError) -> int:
    """The exit status of an error."""
    return next(status for kind, status in EXIT_STATUS if isinstance(error, kind))


def _fail(message: str, hint: str | None, status: int) -> int:
    print(f"memgit: {message}", file=sys.stderr)
    if hint:
        for line in hint.splitlines():
            print(f"  {line}", file=sys.stderr)
    return status
