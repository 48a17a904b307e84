"""The guard at work: the very bytes about to be stored are looked at; lines that were there before do not count."""

from __future__ import annotations

import re
from collections.abc import Sequence

from memgit.core import capture
from memgit.core.capture import Held, Why
from memgit.core.secrets.finding import Finding, fingerprint
from memgit.core.settings import Config
from memgit.errors import UsageError
from memgit.git.repository import Repository
from memgit.host import files
from memgit.porcelain.gather import Check
from memgit.porcelain.judge import Judge, allow_file

_FINGERPRINT = re.compile(r"[sk][0-9a-f]{20}")


def allow(repo: Repository, fingerprints: Sequence[str]) -> tuple[str, ...]:
    """Let findings with these fingerprints pass; those that are new in the list. Raises UsageError for others."""
    for name in fingerprints:
        if not _FINGERPRINT.fullmatch(name):
            raise UsageError(f"{name} is no fingerprint.", "`memgit guard scan` shows one beside each finding.")
    before = files.read(allow_file(repo)) or b""
    known = {line.partition(b"#")[0].strip() for line in before.split(b"\n")}
    new = tuple(item for item in dict.fromkeys(fingerprints) if item.encode() not in known)
    if new:
        files.replace(allow_file(repo), before + b"".join(item.encode() + b"\n" for item in new))
    return new


def checker(repo: Repository, config: Config, *, makes_key: bool) -> Check:
    """What holds a file back, for `Gather`: secrets on lines that the version before did not have.

    makes_key: as for `Judge`.
    """
    judge = Judge(repo, config, makes_key=makes_key)

    def check(path: bytes, new: bytes, old: bytes | None) -> tuple[Held, ...]:
        before = old or b""
        found = judge.of_added(before, new, path)
        if not found and config.guard.external != "none":
            found = _second(config.guard.external, before, new, path, judge)
        if not found:
            return ()
        in_name = next((finding.path for finding in found if finding.is_in_name), None)
        return (Held(in_name or capture.show(path), Why.SECRET, "", found),)

    return check


def _second(program: str, old: bytes, new: bytes, path: bytes, judge: Judge) -> tuple[Finding, ...]:
    """What another scanner finds in values that the version before did not have."""
    from memgit.host import second_opinion

    opinions = [one for one in second_opinion.ask(program, new) if not (one.value and one.value in old)]

    def look(key: bytes) -> tuple[Finding, ...]:
        named = [(one, fingerprint(one.value, guessable=True, key=key)) for one in opinions]
        return tuple(
            Finding(capture.show(path), one.line, one.end_line, f"{program}:{one.rule}", name)
            for one, name in named
            if name not in judge.passing
        )

    return judge.named(look)
