"""The guard at work: the very bytes about to be stored are looked at; lines that were there before do not count."""

from __future__ import annotations

import re
from collections.abc import Sequence

from memgit.core import capture
from memgit.core.capture import Held, Why
from memgit.errors import UsageError
from memgit.git.repository import Repository
from memgit.host import files
from memgit.porcelain import allowed, refused
from memgit.porcelain.gather import Check

_FINGERPRINT = re.compile(r"[sk][0-9a-f]{20}")


def allow(repo: Repository, fingerprints: Sequence[str]) -> tuple[str, ...]:
    """Let findings with these fingerprints pass; those that are new in the list. Raises UsageError for others."""
    for fingerprint in fingerprints:
        if not _FINGERPRINT.fullmatch(fingerprint):
            raise UsageError(f"{fingerprint} is no fingerprint.", "`memgit guard scan` shows one beside each finding.")
    before = files.read(allowed.allow_file(repo)) or b""
    known = {line.partition(b"#")[0].strip() for line in before.split(b"\n")}
    new = tuple(item for item in dict.fromkeys(fingerprints) if item.encode() not in known)
    if new:
        files.replace(allowed.allow_file(repo), before + b"".join(item.encode() + b"\n" for item in new))
    return new


def checker(repo: Repository, passing: frozenset[str]) -> Check:
    """What holds a file back, for `Gather`: secrets on lines that the version before did not have."""
    keys: list[bytes] = []
    held = refused.load(repo)

    def check(path: bytes, new: bytes, old: bytes | None) -> tuple[Held, ...]:
        from memgit.core.secrets.scan import scan_added  # compiles many expressions; not needed where nothing changed

        if not keys:
            keys.append(allowed.key_of(repo))
        found = scan_added(old or b"", new, path, passing, key=keys[0])
        if not found and refused.holds(held, path, new, keys[0]):
            return (Held(capture.show(path), Why.SECRET, "the remote found it, and refused the file"),)
        if not found:
            return ()
        in_name = next((finding.path for finding in found if finding.is_in_name), None)
        return (Held(in_name or capture.show(path), Why.SECRET, "", found),)

    return check
