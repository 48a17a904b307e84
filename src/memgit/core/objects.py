"""Git objects as bytes: names for ids and refs, and editing a commit without losing a byte of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

Oid = bytes  # 40 lowercase hex digits, as git prints them
RefName = str  # always full, such as refs/heads/main; undecodable bytes as surrogates
ReadMany = Callable[[Iterable[Oid]], Iterator[bytes]]  # raw contents in order; KeyError if one is missing

EMPTY_TREE: Oid = b"4b825dc642cb6eb9a060e54bf8d69288fbee4904"
ZERO: Oid = b"0" * 40

_SIGNATURE_HEADERS = (b"gpgsig ", b"gpgsig-sha256 ")


def hash_object(kind: bytes, content: bytes) -> Oid:
    """The id git gives an object of this kind ("commit", "tree", "blob") in a SHA-1 repository."""
    name: str = (_sha1 or _load_sha1())(b"%s %d\0%s" % (kind, len(content), content)).hexdigest()
    return name.encode()


_sha1: Callable[[bytes], Any] | None = None


def _load_sha1() -> Callable[[bytes], Any]:
    """Loading it costs 5 ms, and a run that finds nothing changed hashes nothing."""
    global _sha1
    from functools import partial
    from hashlib import sha1

    _sha1 = partial(sha1, usedforsecurity=False)
    return _sha1


def tree_of(raw: bytes) -> Oid:
    """The tree of a commit, which git writes first: `tree `, 40 digits, a newline."""
    return raw[5:45]


def split_commit(raw: bytes) -> tuple[list[bytes], bytes]:
    """Header fields (continuation lines folded in, each without its last newline) and the message.

    The two halves are exactly what stands in the object: joining the fields with newlines, an empty
    line and the message gives `raw` again.
    """
    head, _, message = raw.partition(b"\n\n")
    fields: list[bytes] = []
    for line in head.split(b"\n"):
        if line.startswith(b" ") and fields:
            fields[-1] += b"\n" + line
        else:
            fields.append(line)
    return fields, message


def is_signed(raw: bytes) -> bool:
    """True if the commit carries a signature of its own."""
    head = raw.partition(b"\n\n")[0]
    return any(b"\n" + name in head for name in _SIGNATURE_HEADERS)


def rewrite_commit(raw: bytes, tree: Oid, parents: Iterable[Oid]) -> bytes:
    """The same commit on other parents with another tree, its signature taken off.

    Author, committer, both dates, encoding, unknown headers and the message stay byte for byte.
    Source of the header order (tree, parents, author, committer, rest): git's commit.c.
    """
    start = raw.index(b"\nauthor ") + 1
    lines = b"tree %s\n%s" % (tree, b"".join([b"parent %s\n" % parent for parent in parents]))
    end = raw.find(b"\n\n", start)
    if raw.find(b"\ngpgsig", start, end if end >= 0 else len(raw)) < 0:
        return lines + raw[start:]
    head, separator, message = raw[start:].partition(b"\n\n")
    kept = [field for field in split_commit(head)[0] if not field.startswith(_SIGNATURE_HEADERS)]
    return lines + b"\n".join(kept) + separator + message
