"""What the guard reports: where a secret stands and a fingerprint to allow it by; never the secret itself."""

from __future__ import annotations

import hashlib

from memgit.core.values import dataclass

NAME_LINE = 0  # `Finding.line` of a secret that stands in the file's name
_DIGEST_BYTES = 10


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One secret at one place.

    The value is not stored, not even in parts, so no repr, log or traceback can show it.
    """

    path: str  # for showing; a secret inside the name is masked, so it may differ from the name on disk
    line: int  # 1-based; NAME_LINE (0) when the name itself holds the secret
    end_line: int  # last line the evidence covers: a key block's end, the value below its label
    rule: str  # stable id such as "github-token"
    fingerprint: str  # see fingerprint(); empty when a guessable value was scanned without a key

    @property
    def is_in_name(self) -> bool:
        return self.line == NAME_LINE


def fingerprint(value: bytes, *, guessable: bool, key: bytes) -> str:
    """A short name for a value, equal for equal values, for the list of allowed findings.

    A provider's token carries 90 random bits and more: nobody finds it from a digest by trying, so it gets a plain
    one, which is the same in every clone. A password does not: whoever sees an unkeyed digest of it tries a word
    list, and a slow hash only makes that a matter of hours. So a guessable value is digested under `key`, random
    bytes that stay on this machine (never in a tracked file). Without a key it gets no fingerprint at all, which
    errs towards holding the file: what has no name cannot be allowed.

    The rule is left out on purpose, so a value stays allowed when a better rule recognises it later.
    """
    if not guessable:
        return "s" + hashlib.blake2b(value, digest_size=_DIGEST_BYTES, person=b"memgit-strong").hexdigest()
    if not key:
        return ""
    # blake2 takes keys up to 64 bytes; hashing first lets the caller keep any length.
    mac_key = hashlib.blake2b(key, digest_size=32, person=b"memgit-key").digest()
    return "k" + hashlib.blake2b(value, digest_size=_DIGEST_BYTES, key=mac_key, person=b"memgit-weak").hexdigest()
