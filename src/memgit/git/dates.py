"""Dates as people write them, read as git reads them."""

from __future__ import annotations

import re

from memgit.git.command import Git

_WORDS = re.compile(
    r"\b(now|today|yesterday|noon|midnight|tea|never|ago|last|second|minute|hour|day|week|month|year|am|pm"
    r"|mon|tue|wed|thu|fri|sat|sun|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)",
    re.IGNORECASE,
)


def seconds(git: Git, text: str, now_s: int) -> int | None:
    """Seconds since the epoch of `2026-02-04 10:30`, `yesterday noon`, `2 hours ago` and the like; None for no date.

    git itself takes anything at all for a date and falls back to the present moment, so what holds neither a
    digit nor a word that git knows is refused here.
    """
    if not re.search(r"\d", text) and not _WORDS.search(text):
        return None
    out = git.text("rev-parse", f"--since={text}", ok=(0, 128))
    found = out.removeprefix("--max-age=")
    if not found.isdigit():
        return None
    value = int(found)
    is_now = abs(value - now_s) <= 2 and not re.search(r"\b(now|second)", text, re.IGNORECASE)
    return None if is_now and not re.search(r"\d{4}|:", text) else value
