"""Which kind of file a path is, where the configuration does not say."""

from __future__ import annotations

_DAILY = bytes.maketrans(b"0123456789", b"0" * 10)
_LOG_WORDS = (b"log", b"journal", b"diary", b"worklog", b"history", b"timeline", b"heartbeat", b"daily")


def kind_of(path: bytes, lines: list[bytes]) -> str:
    """log, document, jsonl or json, by name first and by content for names that say nothing."""
    name = path.rsplit(b"/", 1)[-1].lower()
    stem, _, extension = name.rpartition(b".")
    if extension in (b"jsonl", b"ndjson"):
        return "jsonl"
    if extension in (b"json", b"canvas"):
        return "json"
    if extension == b"log" or b"0000-00-00" in name.translate(_DAILY) or stem in _LOG_WORDS:
        return "log"
    if b"/memory/" in b"/" + path.lower():
        return "log"
    if extension not in (b"md", b"markdown", b"txt") and lines and all(line[:1] == b"{" for line in lines if line):
        return "jsonl"
    return "document"
