"""The texts a file is read as: itself, and what it turns into when wrapping and escapes are undone."""

from __future__ import annotations

import binascii
import html
import re
from bisect import bisect_right
from collections.abc import Iterator
from functools import lru_cache

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
_SHORTEST_TOKEN = 16
_TOKEN_BYTES = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&+-./:=?@^_~")
_TO_WORDS = bytes(c if c in _TOKEN_BYTES else 32 for c in range(256))
_PLAIN = b"abcdefghijklmnopqrstuvwxyz./:-_"  # a path or an address has little else
_LEAST_MIX = 2
_LEVELS = 3  # a transcript of a transcript of a transcript
# A line end that a language or a mail reader takes away: backslash, string concatenation, quoted-printable.
_SPLIT_TAIL = b"=\n"
_TO_TAILS = bytes.maketrans(b"\\+\"'", b"====")
_SPLIT = re.compile(
    rb"(?:[\"'`]?[ \t]{0,8}\\{1,4}|[\"'][ \t]{0,8}\+|(?<=[A-Za-z0-9])=)\n[ \t>#/|*-]{0,80}(?:\+[ \t]{0,8})?[\"'`]?"
    rb"|([\"'])\n[ \t]{0,80}(?:\+[ \t]{0,8})?\1"
)
_SPLIT_BACK = 12
# Every fourth character of encoded ASCII comes from the first half of the alphabet, which rules most words out early.
_BASE64_WORD = re.compile(rb"(?<![A-Za-z0-9+/_-])(?:[A-Za-f][A-Za-z0-9+/_-]{3}){6,}[A-Za-z0-9+/_-]{0,3}={0,2}")
_ASCII = bytes(range(128))
_PRINTABLE = bytes(range(32, 127)) + b"\t\r\n"
_MAX_DECODED = 1 << 16


def beyond_ascii(text: bytes) -> bytes:
    """The bytes of `text` that ASCII does not have: a quick look at little before a slow one at all."""
    return text.translate(None, _ASCII)


class View:
    """A text to search and the line of the file that each of its lines stands for."""

    __slots__ = ("_breaks", "_long_words", "_numbers", "text")

    def __init__(self, text: bytes, numbers: list[int] | None = None) -> None:
        self.text = text
        self._numbers = numbers
        self._breaks: list[int] | None = None
        self._long_words: bytes | None = None

    def __repr__(self) -> str:
        return f"View({len(self.text)} bytes)"

    def long_words(self) -> bytes:
        """The words that could hold a token: long, and with capitals or digits; a few per cent of prose."""
        if self._long_words is None:
            runs = b" ".join([run for run in self.text.split() if len(run) >= _SHORTEST_TOKEN])
            words = {word for word in runs.translate(_TO_WORDS).split() if len(word) >= _SHORTEST_TOKEN}
            self._long_words = b"\n".join([w for w in words if len(w.translate(None, _PLAIN)) >= _LEAST_MIX])
        return self._long_words

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
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n")
    if _INVISIBLE.search(beyond_ascii(data)):
        data = _INVISIBLE.sub(b"", data)
    return data


def views(text: bytes) -> Iterator[View]:
    """`text` itself first, then its escaped lines decoded, lines joined that were split, base64 undone.

    Together they are at most a few times as long as `text`.
    """
    main = View(text)
    yield main
    yield from _unescaped(text)
    joined = _joined(text)
    if joined:
        yield joined
    decoded = _from_base64(text, main.long_words())
    if decoded:
        yield decoded


def _without_nuls(data: bytes) -> bytes:
    """Text in UTF-16 or UTF-32 without a mark loses its NULs; in anything else they only part words."""
    if len(data) >= 4 and max(data[::2].count(0), data[1::2].count(0)) > len(data) // 5:
        return data.replace(b"\0", b"")
    return data.replace(b"\0", b" ") + b"\r" + data.replace(b"\0", b"").replace(b"\n", b"\r")


def _unescaped(text: bytes) -> Iterator[View]:
    """Lines with escapes (JSON and other strings, URLs, HTML) with these undone, again while that changes them."""
    lines = list(_escaped_lines(text))
    for _ in range(_LEVELS):
        if not lines:
            return
        lines = [(number, _ESCAPE.sub(_unescape, line).replace(b"\n", b"\r")) for number, line in lines]
        yield _view_of(lines)
        lines = [(number, line) for number, line in lines if _ESCAPED.search(line)]


def _view_of(lines: list[tuple[int, bytes]]) -> View:
    texts: list[bytes] = []
    numbers: list[int] = []
    for number, line in lines:
        if numbers and number != numbers[-1] + 1:
            texts += [b""] * 4
            numbers += [number] * 4
        texts.append(line)
        numbers.append(number)
    return View(b"\n".join(texts), numbers)


def _unescape(match: re.Match[bytes]) -> bytes:
    return _meaning(match[0])


@lru_cache(maxsize=4096)
def _meaning(escape: bytes) -> bytes:
    """What one escape stands for."""
    match = _ESCAPE.fullmatch(escape)
    assert match is not None
    wide, narrow, simple, percent, entity = match.groups()
    if wide or narrow or percent:
        return chr(int(wide or narrow or percent, 16)).encode("utf-8", "replace")
    if simple is not None:
        return _SIMPLE.get(simple, simple)
    return html.unescape("&" + entity.decode("ascii", "replace")).encode("utf-8", "replace")


def _joined(text: bytes) -> View | None:
    """Neighbouring lines that are one to their reader, as one."""
    numbering = View(text)
    lines: list[tuple[int, bytes]] = []
    pieces: list[bytes] = []
    number, position = 0, 0  # of the chain of lines being joined; `position` is where its next piece starts
    for at in _split_line_ends(text):
        match = _SPLIT.search(text, max(position, at - _SPLIT_BACK), min(len(text), at + 100))
        if not match or match.start() > at:
            continue
        line_start = text.rfind(b"\n", 0, match.start()) + 1
        if pieces and line_start > position:
            lines.append((number, b"".join(pieces) + _to_line_end(text, position)))
            pieces = []
        if not pieces:
            number, position = numbering.line_at(match.start()), line_start
        pieces.append(text[position : match.start()])
        position = match.end()
    if not pieces:
        return None
    lines.append((number, b"".join(pieces) + _to_line_end(text, position)))
    return View((b"\n" * 5).join(line for _, line in lines), [n for n, _ in lines for _ in range(5)])


def _split_line_ends(text: bytes) -> Iterator[int]:
    """Where a line ends in a sign that may join it to the next."""
    tails = text.translate(_TO_TAILS)
    at = tails.find(_SPLIT_TAIL)
    while at >= 0:
        yield at + 1
        at = tails.find(_SPLIT_TAIL, at + 2)


def _to_line_end(text: bytes, start: int) -> bytes:
    end = text.find(b"\n", start)
    return text[start : end if end >= 0 else len(text)]


def _from_base64(text: bytes, long_words: bytes) -> View | None:
    """Words that are base64 of plain text, decoded."""
    lines: list[bytes] = []
    positions: list[int] = []
    if not any(_is_text(match[0]) for match in _BASE64_WORD.finditer(long_words)):
        return None
    for match in _BASE64_WORD.finditer(text):
        word = match[0].rstrip(b"=")
        if not _is_text(word):
            continue
        whole = _decode(word[: _MAX_DECODED - _MAX_DECODED % 4])
        if whole is None or whole[:-3].translate(None, _PRINTABLE):
            continue
        lines.append(whole.replace(b"\n", b"\r"))
        positions.append(match.start())
    if not lines:
        return None
    numbering = View(text)
    return View((b"\n" * 5).join(lines), [numbering.line_at(position) for position in positions for _ in range(5)])


def _is_text(word: bytes) -> bool:
    head = _decode(word[:24])
    return head is not None and not head.translate(None, _PRINTABLE)


def _decode(word: bytes) -> bytes | None:
    try:
        return binascii.a2b_base64(word.replace(b"-", b"+").replace(b"_", b"/") + b"=" * (-len(word) % 4))
    except binascii.Error:
        return None


def _escaped_lines(text: bytes) -> Iterator[tuple[int, bytes]]:
    starts = {text.rfind(b"\n", 0, at) + 1 for mark in (b"\\", b"%", b"&") for at in _one_per_line(text, mark)}
    number, counted = 1, 0
    for start in sorted(starts):
        number += text.count(b"\n", counted, start)
        counted = start
        line = _to_line_end(text, start)
        if _ESCAPED.search(line):
            yield number, line


def _one_per_line(text: bytes, mark: bytes) -> Iterator[int]:
    position = text.find(mark)
    while position >= 0:
        yield position
        end = text.find(b"\n", position)
        position = text.find(mark, end) if end >= 0 else -1
