"""Trailers of a commit message: `Key: value` lines in its last paragraph.

Source: git-interpret-trailers(1), as far as memgit's own trailers need it: the last paragraph counts
when it is not also the first and all its lines are trailers or continuations of one.
"""

from __future__ import annotations

import re

_TRAILER = re.compile(rb"([A-Za-z0-9-]+)[ \t]*:[ \t]*(.*)")


def parse(message: bytes) -> tuple[tuple[bytes, bytes], ...]:
    """(key, value) in the order they stand; empty if the last paragraph is no block of trailers."""
    paragraphs = re.split(rb"\n[ \t]*\n+", message.strip(b"\n").rstrip())
    if len(paragraphs) < 2:
        return ()
    found: list[tuple[bytes, bytes]] = []
    for line in paragraphs[-1].split(b"\n"):
        if line[:1] in (b" ", b"\t") and found:
            key, value = found[-1]
            found[-1] = (key, value + b" " + line.strip())
            continue
        match = _TRAILER.fullmatch(line.rstrip())
        if match is None:
            return ()
        found.append((match[1], match[2]))
    return tuple(found)


def has_trailer(message: bytes, key: bytes) -> bool:
    """True if the message carries this trailer; case matters not, as in git."""
    return key in message and any(name.lower() == key.lower() for name, _ in parse(message))
