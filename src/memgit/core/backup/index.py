"""What memgit remembers of files it has read: their digest, for as long as their identity stays the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from memgit.core.backup.manifest import digest_of, quote, unquote

_FIRST = b"memgit index 1 "


def write(known: Iterable[tuple[bytes, bytes, bytes]], rules: bytes) -> bytes:
    """A text of (path, identity, digest). rules: stands for the guard's rules that let these files pass."""
    lines = [_FIRST + rules]
    lines += [b"%b %b %b" % (identity, digest, quote(path)) for path, identity, digest in known]
    body = b"\n".join(lines) + b"\n"
    return body + digest_of(body) + b"\n"


def read(text: bytes | None, rules: bytes) -> Mapping[bytes, tuple[bytes, bytes]]:
    """(identity, digest) by path. Empty for what was damaged or written under other rules: all is read anew then."""
    if text is None or not text.startswith(_FIRST + rules + b"\n"):
        return {}
    body, last = text[:-65], text[-65:-1]
    if digest_of(body) != last:
        return {}
    known = {}
    for line in body.split(b"\n")[1:-1]:
        identity, digest, path = line.split(b" ")
        known[path if b"%" not in path else unquote(path)] = (identity, digest)
    return known
