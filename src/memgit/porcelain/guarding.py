"""The guard at work: the very bytes about to be stored are looked at; lines that were there before do not count."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

from memgit.core import capture
from memgit.core.capture import Held, Why
from memgit.core.settings import Config
from memgit.errors import UsageError
from memgit.git.repository import Repository
from memgit.host import files
from memgit.porcelain import refused
from memgit.porcelain.gather import Check

_KEY_BYTES = 32
_FINGERPRINT = re.compile(r"[sk][0-9a-f]{20}")


def key_of(repo: Repository) -> bytes:
    """The random key under which guessable values get their fingerprints; made when it is first needed."""
    path = os.path.join(repo.private_dir, "guard.key")
    key = files.read(path)
    if not key:
        key = os.urandom(_KEY_BYTES)
        files.replace(path, key)
    return key


def allowed(repo: Repository | None, config: Config) -> frozenset[str]:
    """Fingerprints of findings that are no secrets: from the settings, and from `memgit guard allow` in this clone."""
    listed = (files.read(allow_file(repo)) or b"").decode("ascii", "ignore").split("\n") if repo is not None else []
    return frozenset(config.guard.allow) | {line.partition("#")[0].strip() for line in listed} - {""}


def allow_file(repo: Repository) -> str:
    """Where `memgit guard allow` writes: in the git directory, so that nothing that travels can loosen the guard."""
    return os.path.join(repo.private_dir, "guard.allow")


def allow(repo: Repository, fingerprints: Sequence[str]) -> tuple[str, ...]:
    """Let findings with these fingerprints pass; those that are new in the list. Raises UsageError for others."""
    for fingerprint in fingerprints:
        if not _FINGERPRINT.fullmatch(fingerprint):
            raise UsageError(f"{fingerprint} is no fingerprint.", "`memgit guard scan` shows one beside each finding.")
    before = files.read(allow_file(repo)) or b""
    known = {line.partition(b"#")[0].strip() for line in before.split(b"\n")}
    new = tuple(item for item in dict.fromkeys(fingerprints) if item.encode() not in known)
    if new:
        files.replace(allow_file(repo), before + b"".join(item.encode() + b"\n" for item in new))
    return new


def checker(repo: Repository, allowed: frozenset[str]) -> Check:
    """What holds a file back, for `Gather`: secrets on lines that the version before did not have."""
    keys: list[bytes] = []
    held = refused.load(repo)

    def check(path: bytes, new: bytes, old: bytes | None) -> tuple[Held, ...]:
        from memgit.core.secrets.scan import scan_added  # compiles many expressions; not needed where nothing changed

        if not keys:
            keys.append(key_of(repo))
        found = scan_added(old or b"", new, path, allowed, key=keys[0])
        if not found and refused.holds(held, path, new, keys[0]):
            return (Held(capture.show(path), Why.SECRET, "the remote found it, and refused the file"),)
        if not found:
            return ()
        in_name = next((finding.path for finding in found if finding.is_in_name), None)
        return (Held(in_name or capture.show(path), Why.SECRET, "", found),)

    return check
