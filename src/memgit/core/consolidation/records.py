"""The output of `git rev-list --header --encoding=none`, cut into commits.

One regular expression reads a whole chunk at C speed; a commit it can't match (an author line
without a date, say) sends only its chunk through the slow reader, so speed never costs correctness.

git prints the message indented by four columns and trims blanks at line ends, so the message of a
record is for recognising a commit; `restore` gives the exact object back where nothing was trimmed,
which its own id proves.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from memgit.core.objects import Oid, hash_object

# (header, id, tree, parent lines, author time, author zone, shown message)
Record = tuple[bytes, Oid, Oid, bytes, bytes, bytes, bytes]

_RECORD = re.compile(
    rb"([0-9a-f]{40})\n"
    rb"(tree ([0-9a-f]{40})\n"
    rb"((?:parent [0-9a-f]{40}\n)*)"
    rb"author [^\n]*?> (-?\d+) ([-+]\d+)\n"
    rb"(?:[^\n\0]+\n)*)"
    rb"\n?([^\0]*)\0"
)
_AUTHOR_DATE = re.compile(rb"^author .*> (-?\d+) ([-+]\d+)$", re.MULTILINE)
_PARENT_WIDTH = len(b"parent \n") + 40


def read(chunks: Iterable[bytes]) -> Iterator[list[tuple[bytes, ...]]]:
    """Lists of matches `(id, header, tree, parent lines, time, zone, message)`, in git's order."""
    rest = b""
    for chunk in chunks:
        data = rest + chunk
        end = data.rfind(b"\0") + 1
        rest = data[end:]
        found = _RECORD.findall(data, 0, end)
        if len(found) != data.count(b"\0", 0, end):
            found = [_slow(record) for record in data[:end].split(b"\0")[:-1]]
        yield found
    if rest:
        raise ValueError("the history ends in the middle of a commit")


def _slow(record: bytes) -> tuple[bytes, ...]:
    oid, _, rest = record.partition(b"\n")
    header, blank, message = rest.partition(b"\n\n")
    header += b"\n" if blank else b""
    lines = header.split(b"\n")
    parents = b"".join(line + b"\n" for line in lines if line.startswith(b"parent "))
    date = _AUTHOR_DATE.search(header)
    time, zone = (date[1], date[2]) if date else (b"0", b"+0000")  # as git reads a commit without a date
    return oid, header, lines[0][5:45], parents, time, zone, message


def parents_of(parent_lines: bytes) -> tuple[Oid, ...]:
    """The ids in a run of `parent <id>` lines."""
    return tuple(parent_lines[i + 7 : i + 47] for i in range(0, len(parent_lines), _PARENT_WIDTH))


def restore(oid: Oid, header: bytes, message: bytes) -> bytes | None:
    """The raw commit behind a record, or None where git's printing has lost a byte of it."""
    body = message.replace(b"\n    ", b"\n")
    raw = header + b"\n" + body[4:] if body.startswith(b"    ") else header + b"\n" + body
    for candidate in (raw, raw[:-1]):
        if hash_object(b"commit", candidate) == oid:
            return candidate
    return None
