"""What a capture takes, what it holds back, and how it is told: values and rules, nothing that touches a disk."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import Enum

from memgit.core.memory import PatternList, Patterns
from memgit.core.objects import Oid
from memgit.core.secrets.finding import Finding
from memgit.core.values import dataclass

AUTO = b"Memgit-Auto"
AGENT = b"Memgit-Agent"
SESSION = b"Memgit-Session"
_FILES_LISTED = 20


class Why(Enum):
    """Why a file was held back."""

    SECRET = "holds what looks like a secret"
    MARKERS = "holds conflict markers"
    UNPARSABLE = "no longer parses, as it did before"
    TOO_LARGE = "is larger than a capture takes"
    BINARY = "is binary and no pattern names it"
    DELETED = "is gone together with many others"
    ENCODED = "can't be stored as its attributes demand"


@dataclass(frozen=True, slots=True)
class Held:
    """One path that stays uncommitted until a person looked at it. Never holds any part of a value."""

    path: str  # for showing; secrets in it are masked
    why: Why
    note: str = ""  # what exactly, in words
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Side:
    """A file as a tree has it."""

    mode: bytes
    oid: Oid


@dataclass(frozen=True, slots=True)
class Change:
    """One path that a capture changes. `content` is what will be stored, None for a removal."""

    path: bytes
    old: Side | None
    new: Side | None
    content: bytes | None
    raw: bytes | None  # as it lies in the work tree, where filters make a difference


@dataclass(frozen=True, slots=True)
class Counted:
    """A change in numbers of lines; None where they were not counted."""

    path: bytes
    verb: str  # "new", "deleted", "changed"
    added: int | None
    deleted: int | None


@dataclass(frozen=True, slots=True)
class Limits:
    """What a capture takes at most, in bytes."""

    file: int
    commit: int


def is_mass_deletion(before: Iterable[bytes], gone: Sequence[bytes], prefix: bytes) -> str | None:
    """Why these removals need a person, or None.

    before: the paths that were there. gone: those of them that are missing, or empty though they were not.
    prefix: the workspace, empty or ending in a slash. A whole top directory, or more than half of all files.
    """
    if not gone:
        return None
    was: dict[bytes, int] = {}
    count = 0
    for path in before:
        count += 1
        was[_top(path, prefix)] = was.get(_top(path, prefix), 0) + 1
    if len(gone) * 2 > count:
        return f"{len(gone)} of {count} memory files are gone or empty"
    left = dict(was)
    for path in gone:
        left[_top(path, prefix)] -= 1
    empty = sorted(top for top, rest in left.items() if top and not rest and was[top] > 1)
    if empty:
        return f"everything in {empty[0].decode('utf-8', 'backslashreplace')}/ is gone or empty"
    return None


def _top(path: bytes, prefix: bytes) -> bytes:
    """The top directory of a memory file in its workspace, b"" for a file at the top."""
    directory, slash, _ = path[len(prefix) :].partition(b"/")
    return prefix + directory if slash else b""


def is_named(path: bytes, patterns: Patterns, asked: Iterable[bytes]) -> bool:
    """Whether somebody wanted this very file, or this very kind of file: binaries are taken only then."""
    if path in set(asked):
        return True
    lines = [line for line in patterns.include.lines if line.rstrip("/").rpartition("/")[2].strip("*?[]!")]
    return PatternList(lines).selects(path[len(patterns.prefix) :])


def message(files: Sequence[Counted], said: str | None, trailers: Iterable[tuple[bytes, str | None]]) -> bytes:
    """The whole commit message. said: what the caller wants it to begin with instead of `auto: ...`."""
    lines = ""
    if any(file.added is not None for file in files):
        lines = f" (+{sum(file.added or 0 for file in files)} -{sum(file.deleted or 0 for file in files)})"
    what = show(files[0].path) if len(files) == 1 else f"{len(files)} files"
    if said is not None and said.strip():
        head = said.strip("\n").encode("utf-8", "surrogateescape").replace(b"\0", b"")
    else:
        head = f"auto: {what}{lines}".encode()
    parts = [head]
    if len(files) > 1:
        body = [_row(file) for file in files[:_FILES_LISTED]]
        if len(files) > _FILES_LISTED:
            body.append(f"and {len(files) - _FILES_LISTED} more")
        parts.append("\n".join(body).encode())
    told = [b"%s: %s" % (key, value) for key, text in trailers if text and (value := one_line(text))]
    parts.append(b"\n".join(told))
    return b"\n\n".join(parts) + b"\n"


def _row(file: Counted) -> str:
    verb = "" if file.verb == "changed" else f"{file.verb} "
    counts = "" if file.added is None else f"+{file.added} -{file.deleted}"
    return f"{show(file.path)}: {(verb + counts).strip() or file.verb}"


def one_line(text: str) -> bytes:
    """A value for a trailer: one line, nothing that a terminal would obey."""
    plain = "".join(char if char.isprintable() else " " for char in text)
    return " ".join(plain.split()).encode("utf-8", "replace")[:200].strip()


def show(path: bytes) -> str:
    """A path in one line of plain text: bytes that are none are shown as git quotes them."""
    text = path.decode("utf-8", "surrogateescape")
    return "".join(
        char
        if char.isprintable()
        else f"\\{ord(char) - 0xDC00:03o}"
        if "\udc80" <= char <= "\udcff"
        else "".join(f"\\{byte:03o}" for byte in char.encode())
        for char in text
    )
