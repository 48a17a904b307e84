"""Every error memgit raises on purpose.

    MemgitError                    something went wrong; exit 1
    ├── UsageError                 wrong arguments or a ref that is no branch; exit 2
    ├── ConfigError                a configuration file is broken; names file and key; exit 2
    ├── UntrustedConfig            a travelling file tried to name programs or places; exit 8
    ├── GuardHeld                  the guard held something back; exit 4
    ├── Conflict                   a conflict needs a person; exit 5
    ├── Busy                       another memgit or git operation is running; exit 6
    │   ├── RefMoved               a ref is no longer where it was read
    │   └── RangeMoved             what bounds the commits to replace has changed
    ├── NetworkError               the remote did not answer; memgit will try again; exit 7
    ├── UnsupportedRepository      memgit can't work here at all; exit 9
    ├── MissingObject              the repository lacks an object, or it is damaged; also a KeyError
    └── CommandFailed              a program memgit started failed

The exit status of each stands in one table, in `memgit.cli.app`.
"""

from __future__ import annotations


class MemgitError(Exception):
    """What happened, to which path or ref; `hint` says what to do next."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(MemgitError):
    """The command was asked for something that can't be done as asked."""


class ConfigError(MemgitError):
    """A configuration file is broken; the message names the file and the key."""


class UntrustedConfig(MemgitError):
    """A file that travels with the repository asked for more than it may."""


class GuardHeld(MemgitError):
    """The guard found something that must not be committed."""


class Conflict(MemgitError):
    """Two changes can't be joined without a person."""


class Busy(MemgitError):
    """Another memgit, or a git operation in progress, is in the way; nothing was changed."""


class RefMoved(Busy):
    """A ref no longer points where it did when it was read."""

    def __init__(self, ref: str, expected: str, found: str) -> None:
        super().__init__(
            f"{ref} moved from {expected[:12]} to {found[:12]} during the run.",
            "Nothing was changed; run the command again.",
        )
        self.ref = ref
        self.expected = expected
        self.found = found


class RangeMoved(Busy):
    """Refs that say which commits may be replaced changed during the run."""

    def __init__(self) -> None:
        super().__init__(
            "Branches, tags or remotes changed during the run.", "Nothing was changed; run the command again."
        )


class NetworkError(MemgitError):
    """A remote did not answer or broke off."""


class UnsupportedRepository(MemgitError):
    """The repository uses a format that memgit can't read safely."""


class MissingObject(MemgitError, KeyError):
    """An object is asked for that the repository does not have, or can't read."""

    def __init__(self, oid: bytes) -> None:
        name = oid.decode("utf-8", "replace")
        super().__init__(f"The object {name} is missing or damaged.", "`git fsck` tells what else is.")


def shown(argv: tuple[str, ...]) -> str:
    """A command as a person would name it: the program and its first words, without the options before them."""
    program, *words = argv
    while words and words[0].startswith("-"):
        words = words[2:] if words[0] in ("-c", "-C") else words[1:]
    return " ".join([program, *words[:2]])


class CommandFailed(MemgitError):
    """A program memgit started ended with an error.

    args: the argument list as started; status: its exit status; stderr: what it said, redacted.
    """

    def __init__(self, argv: tuple[str, ...], status: int, stderr: str) -> None:
        said = stderr.strip().splitlines()
        super().__init__(f"`{shown(argv)}` failed with status {status}: {said[-1] if said else 'no message'}")
        self.argv = argv
        self.status = status
        self.stderr = stderr
