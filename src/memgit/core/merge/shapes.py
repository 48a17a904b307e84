"""What kind of line this is: heading, list item, table row, fence, rule, labelled value.

Scanners on bytes rather than regular expressions: importing `re` alone would double the start-up time
of the driver, which git starts once per conflicting file.
"""

from __future__ import annotations

_BULLETS = (b"- ", b"* ", b"+ ", b"-\t", b"*\t", b"+\t")
_FENCES = (b"```", b"~~~")
_DIGITS = b"0123456789"
_LONGEST_LABEL = 48


def indent(line: bytes) -> int:
    """Leading columns; a tab counts as four."""
    body = line.lstrip(b" \t")
    lead = line[: len(line) - len(body)]
    return len(lead) + 3 * lead.count(b"\t")


def heading_level(line: bytes) -> int:
    """1-6 for an ATX heading, else 0."""
    if not line.startswith(b"#"):
        return 0
    level = len(line) - len(line.lstrip(b"#"))
    return level if level <= 6 and (line[level : level + 1] in (b" ", b"\t", b"")) else 0


def bullet(line: bytes) -> bytes:
    """The list marker with its indentation and space (`  - `, `3. `), or nothing."""
    body = line.lstrip(b" \t")
    lead = len(line) - len(body)
    if body.startswith(_BULLETS):
        return line[: lead + 2]
    if body in (b"-", b"*", b"+"):
        return line[: lead + 1]
    rest = body.lstrip(_DIGITS)
    number = len(body) - len(rest)
    if 0 < number <= 9 and rest[:1] in (b".", b")") and rest[1:2] in (b" ", b"\t"):
        return line[: lead + number + 2]
    return b""


def checkbox(line: bytes) -> tuple[bytes, bytes, bytes] | None:
    """(everything before the state, the state, everything after it) of a `- [x] ` item."""
    mark = bullet(line)
    rest = line[len(mark) :]
    if mark and len(rest) >= 3 and rest[:1] == b"[" and rest[2:3] == b"]" and rest[1:2] in b" xX-/~>!?":
        return mark + b"[", rest[1:2], rest[2:]
    return None


def is_row(line: bytes) -> bool:
    """A table row that begins with a bar."""
    return line.lstrip(b" \t").startswith(b"|")


def is_delimiter_row(line: bytes) -> bool:
    """`|---|:--:|`, the row under a table's header."""
    return is_row(line) and b"-" in line and not line.strip(b" \t|:-")


def is_rule(line: bytes) -> bool:
    """A thematic break: three or more of one of `-*_=`."""
    body = line.strip().replace(b" ", b"")
    return len(body) >= 3 and body[:1] in (b"-", b"*", b"_", b"=") and not body.strip(body[:1])


def is_record(line: bytes) -> bool:
    """Looks like one JSON record on its own line."""
    return line.startswith(b"{") and line.endswith(b"}")


def is_plain(line: bytes) -> bool:
    """A line of running text: not blank, and no heading, item, row, record, rule, fence or labelled value."""
    return bool(line.strip()) and not (
        heading_level(line)
        or bullet(line)
        or is_row(line)
        or is_record(line)
        or is_rule(line)
        or line.lstrip().startswith(_FENCES)
        or label(line)
    )


def label(line: bytes) -> bytes:
    """`status` of `- **Status:** green`, or nothing; lower case, without markup."""
    body = line[len(bullet(line)) :].lstrip()
    if body.startswith((b"|", b"#", b"<", b"{", b"[", b'"http', b"http")):
        return b""
    at = body.find(b":", 0, _LONGEST_LABEL)
    if at <= 0:
        return b""
    after = body[at + 1 : at + 2]
    if after not in (b"", b" ", b"\t", b"*", b"_"):
        return b""
    name = body[:at].strip(b'*_`" ').lower()
    return name if name and name.count(b" ") <= 4 else b""


def fenced(lines: list[bytes]) -> list[bool]:
    """For each line, whether it belongs to a fenced block (its fence lines included)."""
    out = []
    inside = b""
    for line in lines:
        body = line.lstrip(b" \t")
        if inside:
            out.append(True)
            if body.startswith(inside) and not body.strip(inside[:1] + b" \t\r"):
                inside = b""
        elif body.startswith(_FENCES):
            inside = body[: len(body) - len(body.lstrip(body[:1]))]
            out.append(True)
        else:
            out.append(False)
    return out


def has_open_fence(lines: list[bytes]) -> bool:
    """True if a fenced block begins in these lines and does not end in them."""
    flags = fenced(lines)
    if not flags or not flags[-1]:
        return False
    # The last line is in a block; it is open unless one more line would stand outside.
    return fenced([*lines, b"x"])[-1]
