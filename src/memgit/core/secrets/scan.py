"""Find secrets in the bytes of one file. Pure: nothing is read, written or remembered.

A file is read as several texts (`views`), each is searched by the rules (`search`), and what they see becomes findings
that hold no value. Nothing in the text, the name or a repository's settings can switch a rule off; only fingerprints
that the caller allows do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from memgit.core.secrets.finding import NAME_LINE, Finding, fingerprint
from memgit.core.secrets.search import hits
from memgit.core.secrets.shapes import Hit
from memgit.core.secrets.views import View, plain, views

MAX_FINDINGS = 1000  # one file is held by its first; this bounds the report about a hostile one

_COMPARED_PER_LINE = 16


def scan(data: bytes, path: bytes, allowed: frozenset[str] = frozenset(), *, key: bytes = b"") -> tuple[Finding, ...]:
    """Every secret in one file's bytes and in its name, in order of lines; none of those in `allowed`.

    path: as git spells it, relative, any bytes; shown with each finding, with secrets in it masked.
    allowed: fingerprints of values a person has looked at.
    key: random bytes of this machine. Guessable values (passwords) get a fingerprint only with it, see `fingerprint`.

    Promises: never raises, whatever the bytes; time grows linearly with them; at most MAX_FINDINGS come back; no
    finding holds any part of a value.
    """
    in_name = _distinct(_placed(View(path)))
    shown = _masked(path, [hit for hit, _, _ in in_name])
    found = [(hit, NAME_LINE, NAME_LINE) for hit, _, _ in in_name]
    text = plain(data)
    found += _distinct(hit for view in views(text) for hit in _placed(view))
    findings: dict[tuple[int, str], Finding] = {}
    for hit, line, end_line in found:
        name = fingerprint(hit.value, guessable=hit.guessable, key=key)
        if not name or name not in allowed:
            one = Finding(shown, line, end_line, hit.rule, name)
            findings.setdefault((line, name or hit.rule), one)
        if len(findings) >= MAX_FINDINGS:
            break
    return tuple(sorted(findings.values()))


def scan_added(
    old: bytes, new: bytes, path: bytes, allowed: frozenset[str] = frozenset(), *, key: bytes = b""
) -> tuple[Finding, ...]:
    """The findings of `new` that touch a line which `old` does not have; the whole of `new` is the context.

    A line counts as added as often as it is there more often than before, so moved lines are not. A finding over
    several lines (a key block, a label and the value below it) counts when any of them is added.
    """
    findings = scan(new, path, allowed, key=key)
    if not findings or not old:
        return findings
    added = _added_lines(plain(old), plain(new))
    return tuple(f for f in findings if f.is_in_name or any(n in added for n in range(f.line, f.end_line + 1)))


def _added_lines(old: bytes, new: bytes) -> frozenset[int]:
    before = Counter(old.split(b"\n"))
    added = []
    for number, line in enumerate(new.split(b"\n"), 1):
        if before[line] > 0:
            before[line] -= 1
        else:
            added.append(number)
    return frozenset(added)


def _placed(view: View) -> Iterator[tuple[Hit, int, int]]:
    for hit in hits(view):
        yield hit, view.line_at(hit.start), view.line_at(max(hit.start, hit.end - 1))


def _distinct(placed: Iterable[tuple[Hit, int, int]]) -> list[tuple[Hit, int, int]]:
    """Drop a hit whose value overlaps that of an earlier, more certain one in the same lines."""
    kept: list[tuple[Hit, int, int]] = []
    values: set[tuple[int, bytes]] = set()
    first: dict[int, list[bytes]] = {}  # a few per line: enough for text, and bounds a hostile line
    for hit, line, end_line in placed:
        near = first.setdefault(line, [])
        if (line, hit.value) in values or any(hit.value in other or other in hit.value for other in near):
            continue
        for number in {line, end_line}:
            values.add((number, hit.value))
            known = first.setdefault(number, [])
            if len(known) < _COMPARED_PER_LINE:
                known.append(hit.value)
        kept.append((hit, line, end_line))
    return kept


def _masked(path: bytes, found: list[Hit]) -> str:
    """The path for people: each secret in it replaced by its rule, bytes that are no text escaped."""
    for hit in sorted(found, key=lambda hit: hit.start, reverse=True):
        path = path[: hit.start] + b"<" + hit.rule.encode() + b">" + path[hit.end :]
    return path.decode("utf-8", "backslashreplace")
