"""What this clone takes for a secret: the rules, without what a person said is none."""

from __future__ import annotations

import os
from collections.abc import Callable

from memgit.core.settings import Config
from memgit.git.repository import Repository
from memgit.host import files

TYPE_CHECKING = False
if TYPE_CHECKING:  # the rules compile many expressions; not needed where there is nothing to judge
    from memgit.core.secrets.finding import Finding

_KEY_BYTES = 32


class Judge:
    """The rules as one clone applies them, and the names by which it lets findings pass.

    A guessable value is named under a key that only this clone has. It is made when the first such value needs a
    name, so a look that finds none writes nothing.
    """

    def __init__(self, repo: Repository | None, config: Config, *, makes_key: bool = True) -> None:
        """repo: None outside of any. makes_key: False for what must not write; values then may stay without a name."""
        self.passing = allowed(repo, config)
        self._repo = repo
        self._key = known_key(repo) if repo is not None else b""
        self._makes_key = makes_key and repo is not None

    def of_file(self, content: bytes, path: bytes) -> tuple[Finding, ...]:
        """The secrets in a whole file."""
        from memgit.core.secrets.scan import scan

        return self.named(lambda key: scan(content, path, self.passing, key=key))

    def of_added(self, old: bytes, new: bytes, path: bytes) -> tuple[Finding, ...]:
        """The secrets on lines that the version before does not have."""
        from memgit.core.secrets.scan import scan_added

        return self.named(lambda key: scan_added(old, new, path, self.passing, key=key))

    def named(self, look: Callable[[bytes], tuple[Finding, ...]]) -> tuple[Finding, ...]:
        """What `look` finds under the clone's key."""
        found = look(self._key)
        if self._makes_key and not all(finding.fingerprint for finding in found):
            assert self._repo is not None
            self._key = key_of(self._repo)
            found = look(self._key)
        return found


def known_key(repo: Repository) -> bytes:
    """The random key under which guessable values get their fingerprints; empty if there is none yet."""
    return files.read(_key_file(repo)) or b""


def key_of(repo: Repository) -> bytes:
    """The same key; made if there is none."""
    if not known_key(repo):
        files.replace(_key_file(repo), os.urandom(_KEY_BYTES))
    return known_key(repo)


def allowed(repo: Repository | None, config: Config) -> frozenset[str]:
    """Fingerprints of findings that are no secrets: from the settings, and from `memgit guard allow` in this clone."""
    listed = (files.read(allow_file(repo)) or b"").decode("ascii", "ignore").split("\n") if repo is not None else []
    return frozenset(config.guard.allow) | {line.partition("#")[0].strip() for line in listed} - {""}


def allow_file(repo: Repository) -> str:
    """Where `memgit guard allow` writes: in the git directory, so that nothing that travels can loosen the guard."""
    return os.path.join(repo.private_dir, "guard.allow")


def _key_file(repo: Repository) -> str:
    return os.path.join(repo.private_dir, "guard.key")
