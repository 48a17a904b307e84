"""Secrets that only their place in a list or table gives away: columns headed "password", recovery phrases."""

from __future__ import annotations

import re
from collections.abc import Iterator

from memgit.core.secrets.assignments import RULES, fits
from memgit.core.secrets.labels import HARMLESS_PREFIX, LABEL, SEED_LABEL, Kind, kind_of
from memgit.core.secrets.shapes import Hit
from memgit.core.secrets.words import is_reference

_CELL_PADDING = b" \t\"'`*_\r"
_HEADER_CELL = 40
_NO_HEADING = re.compile(rb"\d|\w[./]\w")  # a heading names a column, a cell holds a path or a number
_DELIMITERS = re.compile(rb"[ \t]*\|?[ \t]*:?-+:?[ \t]*\|[ \t:|-]*\r?(?:\n|$)")
_NAME = re.compile(rb"[\"' ]{0,3}[\w./ -]{1,40}[\"' \r]{0,3}")
_WORD = re.compile(rb"[A-Za-z]+")
_BETWEEN_WORDS = re.compile(rb"[\s,;|\"'`*>]{0,8}(?:\d{1,2}[.):]?[\s\"'`*|]{0,4})?")
# Not one of these is in the BIP 39 list, and few sentences do without them.
_NOT_SEED_WORDS = frozenset(
    b"the and for with from was are not but has had our his her its were been your they them then than these those"
    b" would could should does did being because while here some such each other only very also just same".split()
)
_PHRASE_WORDS = 12
_PHRASE_LEAD = 160  # how far after its label a phrase may begin
_PHRASE_REACH = 1200


def table_hits(text: bytes, lower: bytes, headers: list[tuple[int, int]]) -> Iterator[Hit]:
    """Cells beneath a header cell that is a label; cells are parted by `|`, tab or comma.

    headers: start and end of each line with a label, in order. A heading further down a table, which its row of
    delimiters shows, adds its column to those watched and starts no second walk, so each row is read once.
    """
    walked = 0
    ends = dict(headers)
    for start, end in headers:
        bar = _separator(text, start, end)
        if start < walked or bar is None:
            continue
        columns = _labelled_columns(lower[start:end], bar)
        row_start = end + 1
        while columns and row_start < len(text):
            row_end = text.find(b"\n", row_start)
            row_end = len(text) if row_end < 0 else row_end
            row = text[row_start:row_end]
            if bar not in row or (bar != b"|" and row.count(bar) != text.count(bar, start, end)):
                break
            if row_start in ends and bar == b"|" and _DELIMITERS.match(text, row_end + 1):
                columns |= _labelled_columns(row.lower(), bar)
            at = row_start
            for number, cell in enumerate(row.split(bar)):
                value = cell.strip(_CELL_PADDING)
                if number in columns and _is_cell_secret(value, columns[number]):
                    begin = at + cell.find(value)
                    yield Hit(RULES[columns[number]], begin, begin + len(value), value, guessable=True)
                at += len(cell) + 1
            row_start = row_end + 1
        walked = row_start


def _labelled_columns(header: bytes, bar: bytes) -> dict[int, Kind]:
    columns = {}
    for number, cell in enumerate(header.split(bar)):
        name = cell.strip(_CELL_PADDING)
        label = LABEL.search(name) if len(name) <= _HEADER_CELL and not _NO_HEADING.search(name) else None
        if not label or HARMLESS_PREFIX.search(name, 0, label.start()):
            continue
        if kind_of(label) in (Kind.PASSWORD, Kind.TOKEN):
            columns[number] = kind_of(label)
    return columns


def seed_phrases(text: bytes, lower: bytes, start: int, end: int) -> Iterator[Hit]:
    """Twelve plain short words in a row soon after "seed phrase", "mnemonic" and the like."""
    label = SEED_LABEL.search(lower, start, end)
    if not label:
        return
    run: list[bytes] = []
    last = label.end()
    for match in _WORD.finditer(text, label.end(), min(len(text), label.end() + _PHRASE_REACH)):
        word = match[0]
        follows = _BETWEEN_WORDS.fullmatch(text, last, match.start()) is not None
        is_seed_word = word.islower() and 3 <= len(word) <= 8 and word not in _NOT_SEED_WORDS
        if len(run) >= _PHRASE_WORDS and not (follows and is_seed_word):
            break
        if not is_seed_word or not follows:
            run.clear()
            if match.start() > label.end() + _PHRASE_LEAD:
                break
        if is_seed_word:
            run.append(word)
        last = match.end()
    if len(run) >= _PHRASE_WORDS:
        yield Hit("seed-phrase", label.start(), last, b" ".join(run[:24]), guessable=True)


def _separator(text: bytes, start: int, end: int) -> bytes | None:
    if end - start > 2000:
        return None
    header = text[start:end]
    for bar in (b"|", b"\t", b","):
        if header.count(bar) >= 2 or (bar != b"," and bar in header):
            # A line of code or prose may hold commas, too; the cells of a heading are names.
            return bar if bar == b"|" or all(_NAME.fullmatch(cell) for cell in header.split(bar)) else None
    return None


def _is_cell_secret(value: bytes, kind: Kind) -> bool:
    return fits(value, kind, apart=True) and not is_reference(value)
