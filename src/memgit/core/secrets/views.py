"""The texts a file is read as: itself, and what it turns into when wrapping and escapes are undone."""

from __future__ import annotations

import binascii
import html
import re
from bisect import bisect_right
from collections.abc import Iterator

from memgit.core.secrets.words import is_random_token

_BOMS = (
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
# Invisible in every viewer: zero-width and joining characters, soft hyphen, direction marks, byte order mark, tags.
_INVISIBLE = re.compile(
    rb"\xe2\x80[\x8b-\x8f\xaa-\xae]|\xe2\x81[\xa0-\xaf]|\xef\xbb\xbf|\xc2\xad|\xcd\x8f|\xe1\xa0\x8e|\xef\xb8[\x80-\x8f]"
    rb"|\xf3\xa0[\x80-\x87][\x80-\xbf]"
)
_ESCAPE = re.compile(rb"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|([^ux\n]))|%([0-9A-Fa-f]{2})|&(#?\w{2,8};)")
_ESCAPED = re.compile(rb"\\[nrtbf\"'/ux\\]|%[0-9A-Fa-f]{2}|&(?:#|quot;|amp;|lt;|gt;|apos;)")
# "\r" parts two lines of an escaped text without adding a line to the file's count.
_SIMPLE = {b"n": b"\r", b"r": b"\r", b"t": b"\t", b"b": b" ", b"f": b" ", b"v": b" ", b"0": b" "}
_LEVELS = 3  # a transcript of a transcript of a transcript
_SPLIT = re.compile(rb"[\"'`]?[ \t]*(?:\\+|[\"'][ \t]*[+.&]|=(?<=[A-Za-z0-9]=))[ \t]*\r?\n[ \t>#/|*-]*(?:[+.&][ \t]*)?[\"'`]?")
_BASE64_WORD = re.compile(rb"[A-Za-z0-9+/_-]{24,}={0,2}")
_PRINTABLE = bytes(range(32, 127)) + b"\t\r\n"
_MAX_DECODED = 1 << 16


class View:
    """A text to search and the line of the file that each of its lines stands for."""

    __slots__ = ("_breaks", "_numbers", "text")

    def __init__(self, text: bytes, numbers: list[int] | None = None) -> None:
        self.text = text
        self._numbers = numbers
        self._breaks: list[int] | None = None

    def __repr__(self) -> str:
        return f"View({len(self.text)} bytes)"

    def line_at(self, position: int) -> int:
        """1-based line of the file for a position in the text."""
        if self._breaks is None:
            self._breaks = [match.start() for match in re.finditer(b"\n", self.text)]
        index = bisect_right(self._breaks, position - 1) if position else 0
        if self._numbers is None:
            return index + 1
        return self._numbers[min(index, len(self._numbers) - 1)]


def plain(data: bytes) -> bytes:
    """The file as UTF-8 like text with its lines kept: wide encodings narrowed, invisible characters gone."""
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            data = data.decode(encoding, "ignore").encode("utf-8", "ignore")
            break
    else:
        if b"\0" in data:
            data = _without_nuls(data)
    if not data.isascii():
        data = _INVISIBLE.sub(b"", data)
    return data


def views(text: bytes) -> Iterator[View]:
    """`text` itself first, then its escaped lines decoded, lines joined that were split, base64 undone.

    Together they are at most a few times as long as `text`.
    """
    yield View(text)
    yield from _unescaped(text)
    joined = _joined(text)
    if joined:
        yield joined
    decoded = _from_base64(text)
    if decoded:
        yield decoded


def _without_nuls(data: bytes) -> bytes:
    """Text in UTF-16 or UTF-32 without a mark loses its NULs; in anything else they only part words."""
    if len(data) >= 4 and max(data[::2].count(0), data[1::2].count(0)) > len(data) // 5:
        return data.replace(b"\0", b"")
    return data.replace(b"\0", b" ") + b"\r" + data.replace(b"\0", b"").replace(b"\n", b"\r")


def _unescaped(text: bytes) -> Iterator[View]:
    """Lines with escapes (JSON and other strings, URLs, HTML) with these undone, again while that changes them."""
    if b"\\" not in text and b"%" not in text and b"&" not in text:
        return
    lines, numbers = [], []
    for number, line in _lines_with(_ESCAPED, text):
        lines.append(line)
        numbers.append(number)
    for _ in range(_LEVELS):
        if not lines:
            return
        lines = [_ESCAPE.sub(_unescape, line).replace(b"\n", b"\r") for line in lines]
        yield View(b"\n".join(lines), numbers)
        kept = [(line, number) for line, number in zip(lines, numbers, strict=True) if _ESCAPED.search(line)]
        lines, numbers = [line for line, _ in kept], [number for _, number in kept]


def _unescape(match: re.Match[bytes]) -> bytes:
    wide, narrow, simple, percent, entity = match.groups()
    if wide or narrow or percent:
        return chr(int(wide or narrow or percent, 16)).encode("utf-8", "replace")
    if simple is not None:
        return _SIMPLE.get(simple, simple)
    return html.unescape("&" + entity.decode("ascii", "replace")).encode("utf-8", "replace")


def _joined(text: bytes) -> View | None:
    """Neighbouring lines that a backslash or string concatenation makes one, as one."""
    if b"\\\n" not in text and b"\\\r\n" not in text and b"+" not in text and b'"\n' not in text:
        return None
    breaks = list(_SPLIT.finditer(text))
    if not breaks:
        return None
    numbering = View(text)
    lines: list[bytes] = []
    numbers: list[int] = []
    part, open_end = b"", -1
    pieces: list[bytes] = []
    for match in breaks:
        line_start = text.rfind(b"\n", 0, match.start()) + 1
        if line_start > open_end >= 0 or open_end < 0:
            if pieces:
                lines.append(b"".join(pieces) + part)
            numbers.append(numbering.line_at(match.start()))
            pieces = [text[line_start : match.start()]]
        else:
            pieces.append(text[open_end : match.start()])
        open_end = match.end()
        line_end = text.find(b"\n", open_end)
        part = text[open_end : line_end if line_end >= 0 else len(text)]
    lines.append(b"".join(pieces) + part)
    return View(b"\n".join(lines), numbers)


def _from_base64(text: bytes) -> View | None:
    """Words that are base64 of plain text, decoded."""
    lines: list[bytes] = []
    positions: list[int] = []
    for match in _BASE64_WORD.finditer(text):
        word = match[0].rstrip(b"=")
        head = _decode(word[:24])
        if head is None or head.translate(None, _PRINTABLE):
            continue
        whole = _decode(word[: _MAX_DECODED - _MAX_DECODED % 4])
        if whole is None or whole[:-3].translate(None, _PRINTABLE) or not is_random_token(word[:200], at_least=20):
            continue
        lines.append(whole.replace(b"\n", b"\r"))
        positions.append(match.start())
    if not lines:
        return None
    numbering = View(text)
    return View(b"\n".join(lines), [numbering.line_at(position) for position in positions])


def _decode(word: bytes) -> bytes | None:
    try:
        return binascii.a2b_base64(word.replace(b"-", b"+").replace(b"_", b"/") + b"=" * (-len(word) % 4))
    except binascii.Error:
        return None


def _lines_with(pattern: re.Pattern[bytes], text: bytes) -> Iterator[tuple[int, bytes]]:
    position, number, counted = 0, 1, 0
    while match := pattern.search(text, position):
        start = text.rfind(b"\n", 0, match.start()) + 1
        end = text.find(b"\n", match.end() - 1)
        end = len(text) if end < 0 else end
        number += text.count(b"\n", counted, start)
        counted = start
        yield number, text[start:end]
        position = end + 1
