"""Manifests: what a backup holds, as a text that proves it.

    memgit manifest 1
    commit 3f2a...            or "-" where the files come from the work tree
    made 1764003812           seconds since the epoch
    entries 2
    100644 812 1764003800000000000 9f86... memory/2026-11-24.md
    120777 9 1764003800000000000 60303ae2... link
    end 5891b5b5...           SHA-256 of all lines above

The first number is the mode as stat(2) has it, in octal. The digest of a link is that of the text it points at. Bytes
of a path other than visible ASCII, and the percent sign, stand as %XX.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from memgit.errors import MemgitError

_FIRST = b"memgit manifest 1"
_COMPLETE = b"memgit complete 1\nmanifest "
_PLAIN = re.compile(rb"[!-$&-~]+")
_ODD = re.compile(rb"[^!-$&-~]")
_QUOTED = re.compile(rb"%([0-9A-F]{2})")
_LINK = 0o120000
_KIND = 0o170000


class Entry:
    """A file or a link. A plain class: thousands are made in every run."""

    __slots__ = ("digest", "mode", "mtime_ns", "path", "size")

    def __init__(self, path: bytes, mode: int, size: int, mtime_ns: int, digest: bytes) -> None:
        self.path = path  # relative, "/" between names
        self.mode = mode  # kind and permissions
        self.size = size
        self.mtime_ns = mtime_ns
        self.digest = digest  # SHA-256, 64 hex digits

    @property
    def is_link(self) -> bool:
        """Whether it is a symbolic link."""
        return self.mode & _KIND == _LINK

    def is_like(self, other: Entry) -> bool:
        """Whether a copy of one stands for the other: all but the path are equal."""
        return (
            self.digest == other.digest
            and self.mtime_ns == other.mtime_ns
            and self.mode == other.mode
            and self.size == other.size
        )

    def __repr__(self) -> str:
        return f"Entry({self.path!r}, {self.mode:o}, {self.size}, {self.mtime_ns}, {self.digest[:8]!r})"


@dataclass(frozen=True, slots=True)
class Manifest:
    """All entries of a backup. entries: by path, in byte order."""

    entries: Mapping[bytes, Entry]
    commit: bytes | None  # where the files come from one commit
    made_s: int


class DamagedManifest(MemgitError):
    """A manifest is cut short, was changed, or comes from a newer memgit."""


def manifest(entries: Iterable[Entry], commit: bytes | None, made_s: int) -> Manifest:
    """A manifest of entries in any order."""
    return Manifest({entry.path: entry for entry in sorted(entries, key=_path)}, commit, made_s)


def write(held: Manifest) -> bytes:
    """The text of a manifest."""
    lines = [
        _FIRST,
        b"commit " + (held.commit or b"-"),
        b"made %d" % held.made_s,
        b"entries %d" % len(held.entries),
    ]
    lines += [
        b"%o %d %d %b %b" % (entry.mode, entry.size, entry.mtime_ns, entry.digest, quote(path))
        for path, entry in held.entries.items()
    ]
    text = b"\n".join(lines) + b"\n"
    return text + b"end " + digest_of(text) + b"\n"


def read(text: bytes, where: str) -> Manifest:
    """The manifest in a text. where: for the message of DamagedManifest, which it raises for any other text."""
    body, _, last = text.rpartition(b"end ")
    lines = body.split(b"\n")
    if lines[0] != _FIRST:
        newer = lines[0].startswith(b"memgit manifest ")
        raise DamagedManifest(
            f"{where} is {'written by a newer memgit' if newer else 'no manifest'}.",
            "Update memgit." if newer else None,
        )
    if not last.endswith(b"\n") or last[:-1] != digest_of(body):
        raise DamagedManifest(f"{where} was changed or cut short.")
    entries = {}
    for line in lines[4:-1]:
        mode, size, mtime_ns, digest, quoted = line.split(b" ")
        path = quoted if b"%" not in quoted else unquote(quoted)
        entries[path] = Entry(path, int(mode, 8), int(size), int(mtime_ns), digest)
    commit = lines[1].removeprefix(b"commit ")
    return Manifest(entries, None if commit == b"-" else commit, int(lines[2].removeprefix(b"made ")))


def completion(manifest_text: bytes) -> bytes:
    """What the marker of a complete backup holds. It is written last, after the manifest is on disk."""
    return _COMPLETE + digest_of(manifest_text) + b"\n"


def is_completed_by(manifest_text: bytes, marker: bytes | None) -> bool:
    """Whether the marker says that the backup with this manifest is complete."""
    return marker == completion(manifest_text)


def digest_of(content: bytes) -> bytes:
    """SHA-256 as 64 hex digits."""
    return hashlib.sha256(content).hexdigest().encode()


def quote(path: bytes) -> bytes:
    """A path as a manifest has it: visible ASCII only."""
    return path if _PLAIN.fullmatch(path) else _ODD.sub(lambda match: b"%%%02X" % match[0][0], path)


def unquote(path: bytes) -> bytes:
    """The path that `quote` was given."""
    return _QUOTED.sub(lambda match: bytes((int(match[1], 16),)), path)


class Difference(Enum):
    """How what is there differs from what should be."""

    MISSING = "is missing"
    EXTRA = "does not belong there"
    CONTENT = "has other content"
    KIND = "is of another kind"
    MODE = "has another mode"
    TIME = "has another time"


def compare(expected: Mapping[bytes, Entry], found: Mapping[bytes, Entry]) -> tuple[tuple[bytes, Difference], ...]:
    """Every path that differs with its first difference, by path. An empty digest in `found` was not looked at."""
    different = []
    for path in sorted({*expected, *found}):
        want, have = expected.get(path), found.get(path)
        if have is None:
            different.append((path, Difference.MISSING))
        elif want is None:
            different.append((path, Difference.EXTRA))
        elif want.mode & _KIND != have.mode & _KIND:
            different.append((path, Difference.KIND))
        elif want.size != have.size or (have.digest and want.digest != have.digest):
            different.append((path, Difference.CONTENT))
        elif want.mode != have.mode and not want.is_link:
            different.append((path, Difference.MODE))
        elif want.mtime_ns != have.mtime_ns and not want.is_link:
            different.append((path, Difference.TIME))
    return tuple(different)


def _path(entry: Entry) -> bytes:
    return entry.path
