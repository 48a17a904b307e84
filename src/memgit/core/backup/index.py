"""What memgit remembers of files it has read: their digest, for as long as their identity stays the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from memgit.core.backup.manifest import digest_of, quote, unquote

_FIRST = b"memgit index 1 "


class Known:
    """A file that was read: what it was then, and its digest. `line` is how the index says so."""

    __slots__ = ("digest", "identity", "line")

    def __init__(self, identity: bytes, digest: bytes, line: bytes) -> None:
        self.identity = identity
        self.digest = digest
        self.line = line


def known(path: bytes, identity: bytes, digest: bytes) -> Known:
    """What to remember of a file. identity: without blanks."""
    return Known(identity, digest, b"%b %b %b" % (identity, digest, quote(path)))


def write(files: Iterable[Known], rules: bytes) -> bytes:
    """The text of an index. rules: stands for the guard's rules that let these files pass."""
    body = b"\n".join([_FIRST + rules, *[file.line for file in files]]) + b"\n"
    return body + digest_of(body) + b"\n"


def read(text: bytes | None, rules: bytes) -> Mapping[bytes, Known]:
    """What is known by path. Empty for what was damaged or written under other rules: all is read anew then."""
    if text is None or not text.startswith(_FIRST + rules + b"\n"):
        return {}
    body, last = text[:-65], text[-65:-1]
    if digest_of(body) != last:
        return {}
    files = {}
    for line in body.split(b"\n")[1:-1]:
        identity, digest, path = line.split(b" ")
        files[path if b"%" not in path else unquote(path)] = Known(identity, digest, line)
    return files
