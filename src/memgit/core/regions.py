"""A region of ours in a text file that is not ours: put in, changed, and taken out again, to the byte.

Everything outside the markers stays as it is, whatever its encoding. A file without a newline at its end gets one in
front of the region, and the opening marker remembers that, so that it can go again.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_NOTE = b"`memgit uninstall` takes this out"
_BARE = b", and the newline before it"
_REGION = re.compile(
    rb"^# >>> memgit: [^\r\n]*?(?P<bare>" + re.escape(_BARE) + rb")?\r?\n(?P<inside>.*?)^# <<< memgit\r?(?:\n|\Z)",
    re.MULTILINE | re.DOTALL,
)


def put(text: bytes, lines: Sequence[bytes]) -> bytes:
    """The text with a region that holds exactly `lines`: in place of the old region, else at the end."""
    newline = b"\r\n" if text.partition(b"\n")[0].endswith(b"\r") else b"\n"
    found = _REGION.search(text)
    before = text[: found.start()] if found else text
    bare = bool(found["bare"]) if found else bool(text) and not text.endswith(b"\n")
    if not found and bare:
        before += newline
    head = b"# >>> memgit: " + _NOTE + (_BARE if bare else b"")
    region = b"".join(line + newline for line in (head, *lines, b"# <<< memgit"))
    return before + region + (text[found.end() :] if found else b"")


def take(text: bytes, ours: Sequence[bytes] | None = None) -> bytes:
    """The text without the region; the same text if there is none.

    ours: the lines that are ours to take; others that somebody added between the markers stay. None: all of them.
    """
    found = _REGION.search(text)
    if found is None:
        return text
    kept = b""
    if ours is not None:
        kept = b"".join(line for line in found["inside"].splitlines(keepends=True) if line.rstrip(b"\r\n") not in ours)
    before, after = text[: found.start()], text[found.end() :]
    if found["bare"] and not kept and not after:
        before = before.removesuffix(b"\n").removesuffix(b"\r")
    return before + kept + after


def inside(text: bytes) -> tuple[bytes, ...] | None:
    """The lines of the region; None if there is no region."""
    found = _REGION.search(text)
    return tuple(found["inside"].splitlines()) if found else None
