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

# 0 id, 1 header up to the committer, 2 parent lines, 3 last parent, 4 author time, 5 author zone, 6 the rest as shown;
# a bare tuple, as the regular expression gives it, because there are a million of them
Record = tuple[bytes, ...]

_RECORD = re.compile(
    rb"(?<![^\0])"  # nowhere but where a record begins: a header may hold anything
    rb"(?s:(.{40})\n"
    rb"(tree .{40}\n"
    rb"((?:parent (.{40})\n)*)"
    rb"author [^>]*> (-?\d+) ([-+]\d+)\n"
    rb"committer [^>]*> [^\n]*\n))"
    rb"([^\0]*)\0"
)
_AUTHOR_DATE = re.compile(rb"^author .*> (-?\d+) ([-+]\d+)$", re.MULTILINE)
_PARENT_WIDTH = len(b"parent \n") + 40


def read(chunks: Iterable[bytes]) -> Iterator[list[Record]]:
    """The records in lists, in git's order."""
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


def _slow(shown: bytes) -> Record:
    oid, _, rest = shown.partition(b"\n")
    header, blank, message = rest.partition(b"\n\n")
    header += b"\n" if blank else b""
    parents = [line + b"\n" for line in header.split(b"\n") if line.startswith(b"parent ")]
    date = _AUTHOR_DATE.search(header)
    time, zone = (date[1], date[2]) if date else (b"0", b"+0000")  # as git reads a commit without a date
    return oid, header, b"".join(parents), parents[-1][7:47] if parents else b"", time, zone, blank[1:] + message


def has_more_headers(record: Record) -> bool:
    """Whether anything stands between committer and message, such as a signature."""
    return not record[6].startswith(b"\n")


def header_of(record: Record) -> bytes:
    """All header lines, raw."""
    return _divide(record)[0]


def message_of(record: Record) -> bytes:
    """The message as git shows it."""
    return _divide(record)[1]


def tree_of(record: Record) -> Oid:
    """The commit's tree."""
    return record[1][5:45]


def _divide(record: Record) -> tuple[bytes, bytes]:
    header, shown = record[1], record[6]
    if shown.startswith(b"\n"):
        return header, shown[1:]
    more, blank, message = shown.partition(b"\n\n")  # an encoding, a signature
    return header + more + blank[1:], message


def parents_of(parent_lines: bytes) -> tuple[Oid, ...]:
    """The ids in a run of `parent <id>` lines."""
    if len(parent_lines) == _PARENT_WIDTH:
        return (parent_lines[7:47],)
    return tuple(parent_lines[i + 7 : i + 47] for i in range(0, len(parent_lines), _PARENT_WIDTH))


def restore(record: Record) -> bytes | None:
    """The raw commit behind a record, or None where git's printing has lost a byte of it."""
    header, message = _divide(record)
    body = message.replace(b"\n    ", b"\n")
    raw = header + b"\n" + body[4:] if body.startswith(b"    ") else header + b"\n" + body
    for candidate in (raw, raw[:-1]):
        if hash_object(b"commit", candidate) == record[0]:
            return candidate
    return None
