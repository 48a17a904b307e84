"""Another scanner's view of the same bytes, where the user has switched one on."""

from __future__ import annotations

import json
import os
import shutil
from typing import NamedTuple

from memgit import process
from memgit.errors import CommandFailed, MemgitError

_TIMEOUT_S = 60.0


class Opinion(NamedTuple):
    """What another scanner takes for a secret. It leaves this machine's memory only as a fingerprint."""

    rule: str
    line: int
    end_line: int
    value: bytes


def ask(program: str, content: bytes) -> tuple[Opinion, ...]:
    """What `program` finds. Raises MemgitError if it is missing or fails.

    It runs outside of the workspace and without its variables, so that nothing there can tell it to look away.
    Source: `gitleaks stdin --help`; betterleaks takes the same options.
    """
    place = shutil.which(program)
    if place is None:
        raise MemgitError(f"{program} is not installed.", f"Install it, or set guard.external to none: {program}.")
    env = {name: value for name, value in os.environ.items() if not name.startswith(("GIT", "BETTERLEAKS"))}
    argv = (place, "stdin", "--no-banner", "--log-level=error", "--exit-code=0", "--report-format=json")
    try:
        out = process.run((*argv, "--report-path=-"), cwd="/", env=env, stdin=content, timeout_s=_TIMEOUT_S).stdout
        return tuple(_opinion(row) for row in json.loads(out or b"[]") or [])
    except (CommandFailed, ValueError, KeyError, TypeError, AttributeError):
        # Its own words are not repeated: they may hold what it found.
        raise MemgitError(
            f"{program} did not answer as expected.", "Set guard.external to none, or update it."
        ) from None


def _opinion(row: dict[str, object]) -> Opinion:
    first = int(str(row["StartLine"]))
    last = int(str(row.get("EndLine", first)))
    # Newer versions count the lines of a stream from 0, older ones from 1.
    return Opinion(str(row["RuleID"]), max(first, 1), max(first, last, 1), str(row["Secret"]).encode())
