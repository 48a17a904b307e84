"""What memgit remembers of files it has read: their digest, for as long as their identity stays the same.

    memgit index 2 5f70...    stands for the rules that let these files pass
    (paths)  (identities)  (digests)    a line for each file, in three columns one below the other
    0ba904ea...               SHA-256 of all lines above

Columns are taken apart and put together without looking at each line: an index of thousands of files is read in every
run. A path is quoted as in a manifest; an identity has no line breaks.
"""

from __future__ import annotations

from collections.abc import Mapping

from memgit.core.backup.manifest import digest_of, quote, unquote

_FIRST = b"memgit index 2 "
_COLUMNS = 3

Known = tuple[bytes, bytes]  # the identity a file had when it was read, and its digest


def write(files: Mapping[bytes, Known], rules: bytes) -> bytes:
    """The text of an index. rules: stands for the guard's rules that let these files pass."""
    lines = [_FIRST + rules, *map(quote, files)]
    lines += [identity for identity, _ in files.values()]
    lines += [digest for _, digest in files.values()]
    body = b"\n".join(lines) + b"\n"
    return body + digest_of(body) + b"\n"


def read(text: bytes | None, rules: bytes) -> Mapping[bytes, Known]:
    """What is known by path. Empty for what was damaged or written under other rules: all is read anew then."""
    if text is None or not text.startswith(_FIRST + rules + b"\n"):
        return {}
    body, last = text[:-65], text[-65:-1]
    if digest_of(body) != last:
        return {}
    lines = body.split(b"\n")[1:-1]
    count = len(lines) // _COLUMNS
    paths = lines[:count]
    if b"%" in body:
        paths = [unquote(path) for path in paths]
    return dict(zip(paths, zip(lines[count : 2 * count], lines[2 * count :], strict=True), strict=True))
