"""Times, dates and versions written in text, as values that can be compared.

A key is (kind, value); only keys of one kind compare. Known forms: ISO dates and date-times, slashed and
dotted dates, `03-07`, clock times, ctime, `March 5, 2026`, CJK dates, versions, and a date with a part of
the day behind it.
"""

from __future__ import annotations

Key = tuple[str, tuple[object, ...]]

_SHAPE = bytes.maketrans(b"0123456789", b"0" * 10)
_REACH = 64  # characters; a key stands near the start of its line
_FAR_REACH = 160  # a heading may end with it, a line of a plain log may say it later
_MONTHS = (b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec")
_DAY_PARTS = {
    **dict.fromkeys(("midnight", "early", "dawn", "凌晨"), 0),
    **dict.fromkeys(("morning", "早上", "上午"), 1),
    **dict.fromkeys(("noon", "中午"), 2),
    **dict.fromkeys(("afternoon", "下午"), 3),
    **dict.fromkeys(("evening", "傍晚"), 4),
    **dict.fromkeys(("night", "晚上"), 5),
}
_TIME_FIELDS = (b'"ts"', b'"timestamp"', b'"time"', b'"date"', b'"created_at"', b'"createdAt"', b'"updated_at"')
_CJK = ("年".encode(), "月".encode(), "日".encode())


def find_dates(line: bytes) -> list[tuple[int, int]]:
    """(start, end) of every ISO-like date, date-time or clock time in the line."""
    shape = line.translate(_SHAPE)
    spans: list[tuple[int, int]] = []
    at = 0
    while at < len(shape):
        end = _date_end(shape, at)
        if end == at:
            end = _clock_end(shape, at)
        if end > at:
            spans.append((at, end))
            at = end
        elif shape[at : at + 1] == b"0":
            at = _skip_digits(shape, at)
        else:
            at = shape.find(b"0", at)
            if at < 0:
                break
    return spans


def _skip_digits(shape: bytes, at: int) -> int:
    while shape[at : at + 1] == b"0":
        at += 1
    return at


def _date_end(shape: bytes, at: int) -> int:
    """End of `2026-03-07`, with `T10:00:00.123+08:00`, ` 10:00` or `_10-00-00` behind it if it is there."""
    part = shape[at : at + 11]
    if part[:10] not in (b"0000-00-00", b"0000/00/00", b"0000.00.00") or part[10:] == b"0":
        return at
    end = at + 10
    if shape[end : end + 1] in (b"T", b" ", b"_"):
        clock = _clock_end(shape, end + 1)
        if clock > end + 1:
            return clock
        if shape[end + 1 : end + 10] in (b"00-00-00", b"00-00-00]"):
            return end + 9
    return end


def _clock_end(shape: bytes, at: int) -> int:
    """End of `10:00`, `9:05`, `10:00:13`, with fraction and zone."""
    for head in (b"00:00", b"0:00"):
        if shape.startswith(head, at):
            end = at + len(head)
            break
    else:
        return at
    if shape.startswith(b":00", end):
        end += 3
        if shape.startswith((b".0", b",0"), end):
            end = _skip_digits(shape, end + 1)
    if shape[end : end + 1] == b"0":
        return at
    if shape.startswith(b"Z", end):
        return end + 1
    if shape.startswith((b"+00:00", b"-00:00"), end):
        return end + 6
    if shape.startswith((b"+0000", b"-0000"), end):
        return end + 5
    return end


def leading_time(line: bytes) -> Key | None:
    """The key of a line that begins with a date or time, bare or in brackets."""
    body = line.lstrip(b" \t[(*`-=#>|")
    if len(line) - len(body) > 12 or not body:
        return None
    return key_of(_first(line, _REACH), _first(body, _REACH), at_start=True)


def unit_key(line: bytes, kind: str) -> Key | None:
    """The key of a unit from the line that names it: a time near its start, or a version in a heading."""
    if line.startswith(b"{"):
        return _record_key(line)
    body = _first(line, _FAR_REACH if kind in ("text", "section") else _REACH)
    key = key_of(body, body, at_start=False)
    if key is None and kind == "section":
        return _version_key(line)
    return key


def _first(line: bytes, length: int) -> bytes:
    """The first characters of a line."""
    head = line[:length]
    return head if head.isascii() else line[: 4 * length].decode("utf-8", "ignore")[:length].encode()


def key_of(line: bytes, body: bytes, at_start: bool) -> Key | None:
    """The first date or time in `body`; `at_start` accepts it only at its very beginning."""
    shape = body.translate(_SHAPE)
    at = shape.find(b"0")
    if at >= 0:
        for start, end in find_dates(body):
            if at_start and start > 0:
                break
            return _value(body[start:end], body[end:])
        named = _ctime_key(body) or _named_key(body) or _cjk_key(body)
        if named is not None and not at_start:
            return named
        if not at_start or at == 0:
            for start in range(at, len(shape) - 4):
                if shape[start : start + 5] in (b"00-00", b"00/00") and _alone(shape, start, start + 5):
                    if at_start and start > 0:
                        break
                    return ("month-day", (int(body[start : start + 2]), int(body[start + 3 : start + 5])))
    return None


def _alone(shape: bytes, start: int, end: int) -> bool:
    joins = (b"0", b"-", b"/", b".")
    return shape[max(0, start - 1) : start] not in joins and shape[end : end + 1] not in joins


def _value(text: bytes, after: bytes) -> Key:
    digits = _numbers(text)
    if b":" in text[:3]:
        return ("clock", _with_meridiem(tuple(digits[:3]), after))
    if len(digits) > 3:
        clock: tuple[object, ...] = _with_meridiem(tuple(digits[3:6]), after)
        return ("date-time", (*digits[:3], *clock))
    part = _day_part(after)
    return ("date", tuple(digits)) if part is None else ("date-part", (*digits, part))


def _with_meridiem(clock: tuple[int, ...], after: bytes) -> tuple[int, ...]:
    word = after.lstrip()[:2].lower()
    if word == b"pm" and clock[0] < 12:
        return (clock[0] + 12, *clock[1:])
    if word == b"am" and clock[0] == 12:
        return (0, *clock[1:])
    return clock


def _numbers(text: bytes) -> list[int]:
    return [int(part) for part in bytes(c if 48 <= c <= 57 else 32 for c in text).split()]


def _day_part(after: bytes) -> int | None:
    text = after[:24].decode("utf-8", "replace").lower()
    words = text.replace("(", " ").replace("-", " ").split()
    if words[:1] == ["am"]:
        return 1
    if words[:1] == ["pm"]:
        return 3
    name = max((name for name in _DAY_PARTS if name in text), key=len, default="")
    return _DAY_PARTS.get(name)


def _month(word: bytes) -> int:
    name = word.strip(b",.").lower()
    return _MONTHS.index(name[:3]) + 1 if len(name) >= 3 and name.isalpha() and name[:3] in _MONTHS else 0


def _ctime_key(body: bytes) -> Key | None:
    """`Sat Mar  7 05:00:15 UTC 2026`; a month in another language compares only with itself."""
    words = body.split()
    for i, word in enumerate(words):
        if i >= 2 and word.translate(_SHAPE) == b"00:00:00" and words[i - 1].isdigit() and len(words[i - 1]) <= 2:
            year = next((w for w in words[i + 1 : i + 4] if w.translate(_SHAPE).startswith(b"0000")), b"")
            if year and words[i - 2].isalpha():
                month = _month(words[i - 2])
                kind = "ctime" if month else "ctime " + words[i - 2].decode("utf-8", "replace")
                return (kind, (int(year[:4]), month, int(words[i - 1]), *_numbers(word)))
    return None


def _named_key(body: bytes) -> Key | None:
    """`March 5, 2026`, `5 March 2026`, `Mar 5`."""
    words = body.replace(b",", b" ").replace(b"(", b" ").replace(b")", b" ").split()
    for i, word in enumerate(words):
        month = _month(word)
        if not month:
            continue
        before, after = words[i - 1] if i else b"", words[i + 1 : i + 3]
        if after and after[0][:2].strip(b"sthnrd").isdigit() and len(after[0]) <= 4 and not after[0].isalpha():
            day = int(after[0][:2].strip(b"sthnrd"))
            year = int(after[1][:4]) if len(after) > 1 and after[1][:4].isdigit() and len(after[1]) == 4 else 0
            if day <= 31:
                return ("date", (year, month, day)) if year else ("month-day", (month, day))
        if before.isdigit() and len(before) <= 2 and after and after[0].isdigit() and len(after[0]) == 4:
            return ("date", (int(after[0]), month, int(before)))
    return None


def _cjk_key(body: bytes) -> Key | None:
    year, month, day = (body.find(mark) for mark in _CJK)
    if not 0 <= month < day:
        return None
    parts = [_last_number(body[:at]) for at in (year, month, day) if at >= 0]
    if None in parts:
        return None
    return ("date" if year >= 0 else "month-day", tuple(parts))


def _last_number(text: bytes) -> int | None:
    digits = text[len(text.rstrip(b"0123456789")) :]
    return int(digits) if 0 < len(digits) <= 4 else None


def leading_version(line: bytes) -> Key | None:
    """The key of a line that begins with a version, bare or in brackets."""
    return _version_key(line, 1)


def _version_key(line: bytes, words: int = 3) -> Key | None:
    for word in line.lstrip(b"# ").split()[:words]:
        text = word.strip(b"[]()v`:,").split(b"]")[0]
        parts = text.split(b".")
        if len(parts) >= 2 and all(part.isdigit() for part in parts[:2]):
            return ("version", tuple(int(part) if part.isdigit() else -1 for part in parts))
    return None


def _record_key(line: bytes) -> Key | None:
    for field in _TIME_FIELDS:
        at = line.find(field)
        if at < 0:
            continue
        rest = line[at + len(field) :].lstrip(b" :")
        if rest.startswith(b'"'):
            value = rest[1 : rest.find(b'"', 1)]
            spans = find_dates(value)
            if spans and spans[0][0] == 0:
                return _value(value[: spans[0][1]], b"")
            return ("text", (value,))
        number = rest[: len(rest) - len(rest.lstrip(b"0123456789."))]
        if number.replace(b".", b"", 1).isdigit():
            return ("number", (float(number),))
    return None
