"""Manifests: what a backup holds, as a text that proves it.

    memgit manifest 1
    commit 3f2a...            or "-" where the files come from the work tree
    made 1764003812           seconds since the epoch
    entries 2
    base 5891b5b5...          SHA-256 of the list that the changes below are made to
    + 100644 812 1764003800000000000 9f86... memory/2026-11-24.md
    - memory/2026-11-23.md
    end 0ba904ea...           SHA-256 of all lines above

The base is a list of entries in a file of its own, which snapshots share as long as little changes, so that a
manifest is as small as what changed. The first number of an entry is the mode as stat(2) has it, in octal. The digest
of a link is that of its text. Bytes of a path other than visible ASCII, and the percent sign, stand as %XX.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from enum import Enum

from memgit.core.values import dataclass
from memgit.errors import MemgitError

_FIRST = b"memgit manifest 1"
_FIRST_OF_BASE = b"memgit entries 1\n"
_FEW = 200  # changes that never need a new base
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


class Base:
    """A list of entries that manifests refer to."""

    __slots__ = ("digest", "entries", "text")

    def __init__(self, text: bytes, entries: Mapping[bytes, Entry]) -> None:
        self.text = text
        self.digest = digest_of(text)
        self.entries = entries


@dataclass(frozen=True, slots=True)
class Manifest:
    """All entries of a backup. entries: by path, in byte order."""

    entries: Mapping[bytes, Entry]
    commit: bytes | None  # where the files come from one commit
    made_s: int
    base: Base | None = None  # what it was read with


class DamagedManifest(MemgitError):
    """A manifest is cut short, was changed, or comes from a newer memgit."""


def manifest(entries: Iterable[Entry], commit: bytes | None, made_s: int) -> Manifest:
    """A manifest of entries in any order."""
    return Manifest({entry.path: entry for entry in sorted(entries, key=_path)}, commit, made_s)


def write(held: Manifest, base: Base | None = None) -> tuple[bytes, bytes]:
    """The text of a manifest and that of its base, which is the one given as long as few entries differ from it."""
    changed, gone = (list(held.entries), []) if base is None else _changes(base.entries, held.entries)
    if base is None or len(changed) + len(gone) > max(_FEW, len(base.entries) // 10):
        base = Base(_FIRST_OF_BASE + b"".join([_line(entry) for entry in held.entries.values()]), held.entries)
        changed, gone = [], []
    text = b"".join(
        [
            _FIRST + b"\n",
            b"commit %b\nmade %d\nentries %d\n" % (held.commit or b"-", held.made_s, len(held.entries)),
            b"base %b\n" % base.digest,
            *(b"+ " + _line(held.entries[path]) for path in changed),
            *(b"- %b\n" % quote(path) for path in gone),
        ]
    )
    return text + b"end " + digest_of(text) + b"\n", base.text


def read(text: bytes, base_text: bytes | None, where: str) -> Manifest:
    """The manifest in a text and its base. where: for the message of DamagedManifest, raised for any other text."""
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
    if base_text is None or digest_of(base_text) != lines[4].removeprefix(b"base "):
        raise DamagedManifest(f"The base of {where} is missing or was changed.")
    base = Base(base_text, _entries(base_text.split(b"\n")[1:-1]))
    entries = base.entries
    if len(lines) > 6:
        merged = {**entries, **_entries([line[2:] for line in lines[5:-1] if line.startswith(b"+ ")])}
        for line in lines[5:-1]:
            if not line.startswith(b"+ "):
                merged.pop(unquote(line[2:]), None)
        entries = dict(sorted(merged.items()))
    commit = lines[1].removeprefix(b"commit ")
    return Manifest(entries, None if commit == b"-" else commit, int(lines[2].removeprefix(b"made ")), base)


def _changes(old: Mapping[bytes, Entry], new: Mapping[bytes, Entry]) -> tuple[list[bytes], list[bytes]]:
    changed = []
    for path, entry in new.items():
        was = old.get(path)
        if was is not entry and (was is None or not entry.is_like(was)):
            changed.append(path)
    return changed, [path for path in old if path not in new]


def _line(entry: Entry) -> bytes:
    return b"%o %d %d %b %b\n" % (entry.mode, entry.size, entry.mtime_ns, entry.digest, quote(entry.path))


def _entries(lines: Iterable[bytes]) -> dict[bytes, Entry]:
    modes: dict[bytes, int] = {}  # a handful in thousands of lines
    found = {}
    for line in lines:
        mode, size, mtime_ns, digest, path = line.split(b" ")
        if b"%" in path:
            path = unquote(path)
        bits = modes.get(mode)
        if bits is None:
            bits = modes[mode] = int(mode, 8)
        found[path] = Entry(path, bits, int(size), int(mtime_ns), digest)
    return found


def completion(manifest_text: bytes) -> bytes:
    """What the marker of a complete backup holds. It is written last, after the manifest is on disk."""
    return _COMPLETE + digest_of(manifest_text) + b"\n"


def is_completed_by(manifest_text: bytes | None, marker: bytes | None) -> bool:
    """Whether the marker says that the backup with this manifest is complete."""
    return manifest_text is not None and marker == completion(manifest_text)


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
