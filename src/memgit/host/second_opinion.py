"""Another scanner's view of the same bytes, where the user has switched one on."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from typing import Any, NamedTuple

from memgit import process
from memgit.errors import CommandFailed, MemgitError

_TIMEOUT_S = 60.0
_COMMON = ("stdin", "--no-banner", "--log-level=error", "--exit-code=0")


class Opinion(NamedTuple):
    """What another scanner takes for a secret. It leaves this machine's memory only as a fingerprint."""

    rule: str
    line: int
    end_line: int
    value: bytes


class _Dialect(NamedTuple):
    """How a scanner is asked for everything it sees, whatever a remark in the text allows, and how it answers."""

    options: tuple[str, ...]
    read: Callable[[Any], list[Opinion]]


def ask(program: str, content: bytes) -> tuple[Opinion, ...]:
    """What `program` finds. Raises MemgitError if it is missing or fails.

    It runs outside of the workspace and without its variables, so that nothing there can tell it to look away.
    """
    place = shutil.which(program)
    if place is None:
        raise MemgitError(f"{program} is not installed.", f"Install it, or set guard.external to none: {program}.")
    env = {name: value for name, value in os.environ.items() if not name.startswith(("GIT", "BETTERLEAKS"))}
    for dialect in _DIALECTS[program]:
        argv = (place, *_COMMON, *dialect.options)
        try:
            out = process.run(argv, cwd="/", env=env, stdin=content, timeout_s=_TIMEOUT_S).stdout
            return tuple(dialect.read(json.loads(out or b"null")))
        except (CommandFailed, ValueError, KeyError, TypeError, AttributeError):
            continue  # an older one, which knows other options
    # Its own words are not repeated: they may hold what it found.
    raise MemgitError(f"{program} did not answer as expected.", "Set guard.external to none, or update it.")


def _of_gitleaks(answer: list[dict[str, Any]] | None) -> list[Opinion]:
    return [
        _opinion(row["RuleID"], row["StartLine"], row.get("EndLine", row["StartLine"]), row["Secret"])
        for row in answer or []
    ]


def _of_betterleaks(answer: dict[str, Any]) -> list[Opinion]:
    found = []
    for row in answer["findings"] or []:
        place = row["location"]
        found.append(_opinion(row["rule_id"], place["start_line"], place["end_line"], row["match"]["value"]))
    return found


def _opinion(rule: object, first: object, last: object, value: object) -> Opinion:
    # Some versions count the lines of a stream from 0.
    start = max(int(str(first)), 1)
    return Opinion(str(rule), start, max(int(str(last)), start), str(value).encode())


# Source: `gitleaks stdin --help` of 8.30, `betterleaks stdin --help` of 2.0; betterleaks 1 takes gitleaks' options.
_GITLEAKS = _Dialect(("--ignore-gitleaks-allow", "--report-format=json", "--report-path=-"), _of_gitleaks)
_BETTERLEAKS = _Dialect(("--no-allow-signatures", "--output=-"), _of_betterleaks)
_DIALECTS = {"gitleaks": (_GITLEAKS,), "betterleaks": (_BETTERLEAKS, _GITLEAKS)}
