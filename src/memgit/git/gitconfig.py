"""git's configuration: values with the place each comes from, and one edit of a file under git's own lock."""

from __future__ import annotations

import os
from collections.abc import Callable

from memgit.core.values import dataclass
from memgit.errors import Busy
from memgit.git.command import Git


@dataclass(frozen=True, slots=True)
class Value:
    """One value. scope: system, global, local, worktree; origin: as git names it, `file:.git/config`."""

    scope: str
    origin: str
    key: str  # lower case, but for the part between the dots
    value: str


def read(git: Git) -> tuple[Value, ...]:
    """Every value of every file, weakest first; nothing of what memgit itself passes on its command lines."""
    out = git.run("config", "--list", "--show-scope", "--show-origin", "-z").stdout.decode("utf-8", "surrogateescape")
    words = out.split("\0")[:-1]
    values = []
    for scope, origin, item in zip(words[0::3], words[1::3], words[2::3], strict=True):
        key, _, value = item.partition("\n")
        if scope != "command":
            values.append(Value(scope, origin, key, value))
    return tuple(values)


def last(values: tuple[Value, ...], key: str) -> str | None:
    """The value in force."""
    return next((value.value for value in reversed(values) if value.key == key), None)


def edit(path: str, change: Callable[[bytes], bytes | None]) -> None:
    """Replace a configuration file by what `change` makes of it; None leaves it as it is.

    Holds `<path>.lock` as git does, so nobody else's change is lost. Raises Busy if somebody else holds it.
    """
    lock = path + ".lock"
    try:
        descriptor = os.open(lock, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    except FileExistsError:
        raise Busy(f"Another program holds {lock}.", "Wait for it to end, then run the command again.") from None
    try:
        with os.fdopen(descriptor, "wb") as file:
            with open(path, "rb") as old:
                content = old.read()
                mode = os.fstat(old.fileno()).st_mode & 0o7777
            changed = change(content)
            if changed is None or changed == content:
                os.unlink(lock)
                return
            file.write(changed)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        os.replace(lock, path)
    except BaseException:
        if os.path.exists(lock):
            os.unlink(lock)
        raise
