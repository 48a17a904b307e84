"""What a person said is no secret, and the key that fingerprints of guessable values need."""

from __future__ import annotations

import os

from memgit.core.settings import Config
from memgit.git.repository import Repository
from memgit.host import files

_KEY_BYTES = 32


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
