"""A region of ours in a text file that is not ours: put in, changed, and taken out again, to the byte.

Everything outside the markers stays as it is, whatever its encoding. A file without a newline at its end gets one in
front of the region, and the opening marker remembers that, so that it can go again.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_NOTE = b"`memgit uninstall` takes this out"
_BARE = b", and the newline before it"


def put(
    text: bytes, lines: Sequence[bytes], name: bytes = b"memgit", *, at: int | None = None, indent: bytes = b""
) -> bytes:
    """The text with a region that holds exactly `lines`: in place of the old region, else at `at`, else at the end."""
    newline = b"\r\n" if text.partition(b"\n")[0].endswith(b"\r") else b"\n"
    found = _search(text, name)
    start, end = found.span() if found else (len(text), len(text)) if at is None else (at, at)
    before = text[:start]
    bare = bool(found["bare"]) if found else bool(before) and not before.endswith(b"\n")
    if not found and bare:
        before += newline
    head = indent + b"# >>> " + name + b": " + _NOTE + (_BARE if bare else b"")
    region = b"".join(line + newline for line in (head, *lines, indent + b"# <<< " + name))
    return before + region + text[end:]


def take(text: bytes, ours: Sequence[bytes] | None = None, name: bytes = b"memgit") -> bytes:
    """The text without the region; the same text if there is none.

    ours: the lines that are ours to take; others that somebody added between the markers stay. None: all of them.
    """
    found = _search(text, name)
    if found is None:
        return text
    kept = b""
    if ours is not None:
        kept = b"".join(line for line in found["inside"].splitlines(keepends=True) if line.rstrip(b"\r\n") not in ours)
    before, after = text[: found.start()], text[found.end() :]
    if found["bare"] and not kept and not after:
        before = before.removesuffix(found["newline"])
    return before + kept + after


def inside(text: bytes, name: bytes = b"memgit") -> tuple[bytes, ...] | None:
    """The lines of the region; None if there is no region."""
    found = _search(text, name)
    return tuple(found["inside"].splitlines()) if found else None


def _search(text: bytes, name: bytes) -> re.Match[bytes] | None:
    name = re.escape(name)
    return re.search(
        rb"^ *# >>> " + name + rb": [^\r\n]*?(?P<bare>" + re.escape(_BARE) + rb")?(?P<newline>\r?\n)(?P<inside>.*?)"
        rb"^ *# <<< " + name + rb"\r?(?:\n|\Z)",
        text,
        re.MULTILINE | re.DOTALL,
    )
