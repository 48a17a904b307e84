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
from memgit.porcelain import allowed
from memgit.porcelain.gather import Check

_FINGERPRINT = re.compile(r"[sk][0-9a-f]{20}")


def allow(repo: Repository, fingerprints: Sequence[str]) -> tuple[str, ...]:
    """Let findings with these fingerprints pass; those that are new in the list. Raises UsageError for others."""
    for name in fingerprints:
        if not _FINGERPRINT.fullmatch(name):
            raise UsageError(f"{name} is no fingerprint.", "`memgit guard scan` shows one beside each finding.")
    before = files.read(allowed.allow_file(repo)) or b""
    known = {line.partition(b"#")[0].strip() for line in before.split(b"\n")}
    new = tuple(item for item in dict.fromkeys(fingerprints) if item.encode() not in known)
    if new:
        files.replace(allowed.allow_file(repo), before + b"".join(item.encode() + b"\n" for item in new))
    return new


def checker(repo: Repository, config: Config) -> Check:
    """What holds a file back, for `Gather`: secrets on lines that the version before did not have."""
    passing = allowed.allowed(repo, config)
    keys: list[bytes] = []

    def check(path: bytes, new: bytes, old: bytes | None) -> tuple[Held, ...]:
        from memgit.core.secrets.scan import scan_added  # compiles many expressions; not needed where nothing changed

        if not keys:
            keys.append(allowed.key_of(repo))
        found = scan_added(old or b"", new, path, passing, key=keys[0])
        if not found and config.guard.external != "none":
            found = _second(config.guard.external, old or b"", new, path, passing, keys[0])
        if not found:
            return ()
        in_name = next((finding.path for finding in found if finding.is_in_name), None)
        return (Held(in_name or capture.show(path), Why.SECRET, "", found),)

    return check


def _second(
    program: str, old: bytes, new: bytes, path: bytes, passing: frozenset[str], key: bytes
) -> tuple[Finding, ...]:
    """What another scanner finds in values that the version before did not have."""
    from memgit.host import second_opinion

    found = []
    for opinion in second_opinion.ask(program, new):
        if opinion.value and opinion.value in old:
            continue
        name = fingerprint(opinion.value, guessable=True, key=key)
        if name not in passing:
            rule = f"{program}:{opinion.rule}"
            found.append(Finding(capture.show(path), opinion.line, opinion.end_line, rule, name))
    return tuple(found)
