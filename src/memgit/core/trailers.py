"""The trailers of a commit message: `Key: value` lines that make up its last paragraph.

Source: git-interpret-trailers(1), and trailer.c for what counts as a trailer paragraph, with git's default
configuration (separator ":", comment character "#") and `--no-divider`, as git log reads a commit's trailers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

_SPACE = b" \t\n\v\f\r"
_KEY = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-")
_GITS_OWN = (b"Signed-off-by: ", b"(cherry picked from commit ")


Trailer = tuple[bytes, bytes]  # key: letters, digits and hyphens; value: one line, without spaces around it


def parse(message: bytes) -> tuple[Trailer, ...]:
    """The trailers in message order, a value that goes on over several lines unfolded into one; may be empty."""
    found: list[Trailer] = []
    for line in _unfolded(_block(message.split(b"\n"))):
        end = _separator(line)
        if end > 0:
            found.append((line[:end].rstrip(_SPACE), line[end + 1 :].strip(_SPACE)))
    return tuple(found)


def value_of(message: bytes, key: bytes) -> bytes | None:
    """The value of the last trailer `key`, in any case; None if there is none."""
    wanted = key.lower()
    if wanted not in message.lower():
        return None
    return next((value for name, value in reversed(parse(message)) if name.lower() == wanted), None)


def has_trailer(message: bytes, key: bytes) -> bool:
    """Whether the message carries the trailer `key`, in any case."""
    return value_of(message, key) is not None


def append(message: bytes, trailers: Iterable[Trailer]) -> bytes:
    """`message` with the trailers added to its last paragraph, or as a new paragraph if that is not one of trailers.

    The result ends in one newline; blank lines at the end are dropped, all before is as it was. Raises ValueError if
    a trailer could not be read back.
    """
    added = b"".join(_written(trailer) for trailer in trailers)
    if not added:
        return message
    lines = message.split(b"\n")
    while lines and not lines[-1].strip(_SPACE):
        lines.pop()
    return b"\n".join([*lines, added] if _block(lines) else [*lines, b"", added])


def _written(trailer: Trailer) -> bytes:
    key, value = trailer
    if not key or not _KEY.issuperset(key) or b"\n" in value or value != value.strip(_SPACE):
        raise ValueError(f"{key!r}: {value!r} can't be written as a trailer")
    return key + b": " + value + b"\n"


def _block(lines: list[bytes]) -> list[bytes]:
    """The lines of the last paragraph if it is one of trailers, else none.

    It is one if all its lines are trailers, or a quarter are and one of them is of git's own making. The first
    paragraph is the title, whatever it looks like. Comment lines count for nothing.
    """
    title_end = next((index for index, line in enumerate(lines) if not line.strip(_SPACE)), len(lines))
    end = len(lines)
    while end and (not lines[end - 1].strip(_SPACE) or lines[end - 1].startswith(b"#")):
        end -= 1
    trailers = others = continuations = 0
    by_git = False
    for index in range(end - 1, title_end - 1, -1):
        line = lines[index]
        if not line.strip(_SPACE):
            others += continuations
            is_block = trailers and (not others or (by_git and trailers * 3 >= others))
            return lines[index + 1 : end] if is_block else []
        if line.startswith(_GITS_OWN):
            trailers += 1
            continuations = 0
            by_git = True
        elif line[:1] in _SPACE:
            continuations += 1
        elif _separator(line) > 0:
            trailers += 1
            continuations = 0
        else:
            others += continuations + (not line.startswith(b"#"))
            continuations = 0
    return []


def _unfolded(block: list[bytes]) -> Iterator[bytes]:
    """The lines of a block, each joined by a space with the indented lines that continue it."""
    current = b""
    for line in block:
        if line[:1] in _SPACE and _separator(current) > 0:
            current += b" " + line.lstrip(_SPACE)
        else:
            yield current
            current = line
    yield current


def _separator(line: bytes) -> int:
    """Where the colon after a key stands; -1 if the line does not start with a key."""
    end = line.find(b":")
    key = line[:end].rstrip(b" \t") if end > 0 else b""
    return end if key and _KEY.issuperset(key) else -1
