"""Secrets without a form of their own: what tells them is the label beside them.

One label at a time, in its line: what may stand between label and value, then whether the value looks like what the
label announces. The looser the tie between the two, the more random the value has to look.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from memgit.core.secrets.labels import HARMLESS_PREFIX, HARMLESS_SUFFIX, Kind, kind_of, labels_in
from memgit.core.secrets.shapes import Hit
from memgit.core.secrets.words import (
    class_changes,
    is_address,
    is_counted,
    is_filler,
    is_hex,
    is_identifier,
    is_noise,
    is_number,
    is_password,
    is_placeholder,
    is_random_token,
    is_reference,
    is_text,
    is_uuid,
    is_word,
)

RULES = {
    Kind.PASSWORD: "password-beside-label",
    Kind.BARE: "password-beside-label",
    Kind.TOKEN: "token-beside-label",
    Kind.LOOSE: "token-beside-label",
    Kind.PAIR: "login-beside-label",
    Kind.PIN: "pin-beside-label",
}

_DIRECT_ONLY = (Kind.LOOSE, Kind.PIN, Kind.BARE)
_NAME_REST = re.compile(rb"[A-Za-z0-9_-]{0,40}")
_SIGN = rb"(?::?=>?|:(?!//)|\||->|\xe2\x86\x92|\xef\xbc\x9a|>|(?:is|are|was|equals|lautet|ist|es|est)\b:?)"
_FILL = rb"(?:(?:now|still|currently|just|set to|this|the following|called)\b:?[ \t]{1,3})?"
_CLOSE = rb"[\"'`*_\\\])}~]{0,8}"
_OPEN = rb"[*_(\[{|~<\\]{0,4}"
_DIRECT = re.compile(_CLOSE + rb"[ \t]{0,40}" + _SIGN + rb"[*_]{0,3}[ \t]{0,40}" + _FILL)
_APART = re.compile(
    rb"[^\n:=|<>{};]{1,60}?(?:[ \t](?:is|are|was|to|equals|as|ist)\b:?|:(?!//)|[=|]|->|\xe2\x86\x92|>)[ \t]{0,20}"
    + _FILL
)
# What is said of another thing: the next field but the value of a name, the next argument, where a link leads.
_NEXT_FIELD = re.compile(
    rb"\"(?:[ \t]{0,4}(?:[\]}]|,(?![ \t]{0,4}\\?\"(?:value|val|default|data|content)\b))|[ \t]{1,4}-)|\]\("
)
_NAMES_AN_ID = re.compile(
    rb"(?:\b|_)(?:id|ID)[\"'`]?[ \t]{0,2}[:=][ \t]{0,20}$|[a-z]I[dD][\"'`]?[ \t]{0,2}[:=][ \t]{0,20}$"
)
_NO_ASCII = re.compile(rb"[\x80-\xff]")
_ASSIGNED = re.compile(rb"[A-Za-z_][\w.-]{1,60}=(?=[^=])")
_NEXT_TO = re.compile(_CLOSE + rb"[ \t]{1,4}(?:(?:of|with|as|to)[ \t]{1,3})?")
_VALUE = re.compile(
    _OPEN
    + rb"\\{0,3}(?:\"([^\"\n]{4,256})\"|'([^'\n]{4,256})'|`{1,3}([^`\n]{4,256})`|[\"'`*(\[]{0,4}([^\s\"'`<>|]{4,256}))"
)
_FIRST_IDEOGRAPHIC = 0xE2  # first byte in UTF-8 of CJK and its signs: a sentence goes on, nobody's password begins
_LOOSE_TAIL = b".,;:)]}*_\\~"
_DASHES = re.compile(rb"^(?:\xe2\x80[\x90-\xa6]|\xc2[\xa0-\xbb])+|(?:\xe2\x80[\x90-\xa6]|\xc2[\xa0-\xbb])+$")
_LINE_END = re.compile(rb"[ \t]*(?:[|>][+-]?)?[ \t*_\"'`]*\r?$")
_ALONE = re.compile(rb"[ \t>#*+-]*[\"'`*]{0,3}([^\s\"'`<>|*]{6,400})[\"'`*]{0,3}[ \t]*\r?$")
_PAIR = re.compile(
    rb"[\"'`*]{0,3}[\w.@+-]{2,60}[\"'`*]{0,3}[ \t]{0,3}(?:/|:|,|\band\b)[ \t]{0,3}[\"'`*]{0,3}([^\s\"'`|<>]{6,200})"
)
_PIN = re.compile(rb"[\"'`*]{0,3}#?(\d{4,8})(?![\w.:/-])")
_BEFORE = re.compile(
    rb"(?:^|[\s\"'`*(])([^\s\"'`*|()]{8,120})[\"'`*]{0,3}[ \t]+(?:is|was|as)[ \t]+"
    rb"(?:(?:the|my|our|your|a|their|its)[ \t]+)?(?:[\w-]{1,20}[ \t]+){0,3}$"
)


def hits_in_line(text: bytes, lower: bytes, start: int, end: int) -> Iterator[Hit]:
    """Values beside labels in `text[start:end]`, one line without its newline; may look at the three lines below."""
    seen = start
    for label in labels_in(lower, start, end):
        if label.start() < seen:
            continue  # inside the last value
        kind = kind_of(label)
        rest = _NAME_REST.match(text, label.end(), end)
        name_end = rest.end() if rest else label.end()
        if name_end > label.end() and HARMLESS_SUFFIX.match(lower, label.end(), name_end):
            continue
        before = max(start, label.start() - 24)
        if kind in (Kind.TOKEN, Kind.LOOSE) and HARMLESS_PREFIX.search(lower, before, label.start()):
            continue
        hit = _value_after(text, kind, name_end, end) or _value_before(text, kind, start, label.start())
        if hit:
            seen = hit.end
            yield hit


def _value_after(text: bytes, kind: Kind, at: int, end: int) -> Hit | None:
    sign = _DIRECT.match(text, at, end)
    if sign and not (kind is Kind.BARE and b"|" in sign[0]):
        if _LINE_END.match(text, sign.end(), end) or _LINE_END.match(text, sign.end() - 1, end):
            return _value_below(text, kind, end)
        hit = _judge(text, kind, sign.end(), end, apart=False)
        if hit or b":" in sign[0] or b"=" in sign[0]:
            return hit
    elif kind not in _DIRECT_ONLY:
        near = _NEXT_TO.match(text, at, end)
        if near:
            hit = _judge(text, kind, near.end(), end, apart=True)
            if hit:
                return hit
    if kind in _DIRECT_ONLY:
        return None
    position = at
    for _ in range(2):  # "the key (see: ticket) is X" has two signs
        gap = _APART.match(text, position, end)
        if not gap or _NEXT_FIELD.search(gap[0]) or _NAMES_AN_ID.search(gap[0]):
            return None
        if _LINE_END.match(text, gap.end(), end):
            return _value_below(text, kind, end)
        hit = _judge(text, kind, gap.end(), end, apart=True)
        if hit:
            return hit
        position = gap.end()
    return None


def _value_before(text: bytes, kind: Kind, start: int, at: int) -> Hit | None:
    """`X is the password`."""
    before = _BEFORE.search(text, max(start, at - 160), at)
    if before and kind in (Kind.PASSWORD, Kind.TOKEN) and fits(before[1], kind, apart=True):
        return Hit(RULES[kind], before.start(1), before.end(1), before[1], guessable=True)
    return None


def _value_below(text: bytes, kind: Kind, end: int) -> Hit | None:
    """A label that ends its line, and the value alone on one of the next lines, perhaps in a fence."""
    start = end + 1
    for _ in range(3):
        if start >= len(text):
            return None
        stop = text.find(b"\n", start)
        stop = len(text) if stop < 0 else stop
        line = text[start : min(stop, start + 8)].strip()
        if line and not line.startswith((b"```", b"~~~")):
            alone = _ALONE.match(text, start, stop)
            if alone and fits(alone[1], kind, apart=True):
                return Hit(RULES[kind], end, alone.end(1), alone[1], guessable=True)
            return None
        start = stop + 1
    return None


def _judge(text: bytes, kind: Kind, at: int, end: int, *, apart: bool) -> Hit | None:
    if kind is Kind.PIN:
        pin = _PIN.match(text, at, end)
        if pin and not is_filler(pin[1] * 2) and len(set(pin[1])) > 1 and not pin[1].startswith((b"19", b"20")):
            return Hit(RULES[kind], pin.start(1), pin.end(1), pin[1], guessable=True)
        return None
    if kind is Kind.PAIR:
        pair = _PAIR.match(text, at, end)
        if pair and fits(pair[1].rstrip(_LOOSE_TAIL), Kind.PASSWORD, apart=True):
            value = pair[1].rstrip(_LOOSE_TAIL)
            return Hit(RULES[kind], pair.start(1), pair.start(1) + len(value), value, guessable=True)
        return None
    found = _VALUE.match(text, at, end)
    if not found:
        return None
    group = found.lastindex or 4
    value = found[group]
    if value.endswith((b"...", b"\xe2\x80\xa6")):
        return None
    if group == 4:
        value = value.split(b"\\n", 1)[0].rstrip(_LOOSE_TAIL)
        for stop in (b"&", b";", b"\\r", b"\\t"):
            head = value.split(stop, 1)[0]
            if len(head) >= 8:
                value = head
        if kind is not Kind.PASSWORD:
            value = value.split(b",", 1)[0].split(b"](", 1)[0]
    value = _DASHES.sub(b"", value.rstrip(b"\\"))
    if group == 4 and kind is not Kind.PASSWORD and len(head := _NO_ASCII.split(value, 1)[0]) >= 8:
        value = head.rstrip(_LOOSE_TAIL)
    if fits(value, kind, apart=apart) or (group != 4 and kind is Kind.PASSWORD and is_passphrase(value)):
        return Hit(RULES[kind], found.start(group), found.start(group) + len(value), value, guessable=True)
    return None


def fits(value: bytes, kind: Kind, *, apart: bool) -> bool:
    """Does the value look like what a label of this kind announces? `apart`: label and value are only loosely tied."""
    if len(value) < 5 or b" " in value or is_noise(value):
        return False
    if kind is Kind.PASSWORD:
        if value[0] >= _FIRST_IDEOGRAPHIC or b"](" in value or is_word(value):
            return False
        return is_strong_password(value) if apart else is_password(value)
    if not value.isascii():
        return False  # a machine draws from ASCII, and "pass" before other letters is a verb
    if kind is Kind.BARE:
        return is_password(value)
    if b"://" in value or is_reference(value) or is_placeholder(value) or is_number(value) or is_filler(value):
        return False
    if is_address(value) or is_text(value):
        return False
    if _ASSIGNED.match(value):
        return fits(value.partition(b"=")[2], kind, apart=apart)
    if kind is Kind.LOOSE:
        plain = is_hex(value) or is_uuid(value) or is_identifier(value) or is_counted(value)
        return not plain and is_random_token(value, at_least=30)
    if is_random_token(value, at_least=20 if apart or is_hex(value) else 16):
        return not is_identifier(value)
    return not apart and len(value) >= 10 and not is_hex(value) and is_strong_password(value)


def is_strong_password(value: bytes) -> bool:
    """A password that no sentence would hold as a word: letters and digits and something else, well mixed."""
    if len(value) < 8 or not is_password(value):
        return False
    digit = any(48 <= c <= 57 for c in value)
    lower = any(97 <= c <= 122 for c in value)
    upper = any(65 <= c <= 90 for c in value)
    other = any(c < 128 and not chr(c).isalnum() for c in value)
    if other and not digit:
        return class_changes(value) >= 0.4 and lower and upper
    changes = class_changes(value)
    mixed = digit and lower + upper + other >= 2 and changes >= 0.2
    return mixed or (digit and changes >= 0.35 and len(value) >= 10)


_SENTENCE = frozenset(
    b"the and for with from was are not but has had our his her its were been be is in on at to of or a an as by if it"
    b" must should can could will may your you they we required optional use used least characters letters than".split()
)


def is_passphrase(value: bytes) -> bool:
    """Several words in quotes that make no sentence: `correct horse battery staple`."""
    words = value.replace(b"-", b" ").split()
    if not 4 <= len(words) <= 12 or is_placeholder(value):
        return False
    return all(w.isalpha() and 3 <= len(w) <= 10 for w in words) and not any(w.lower() in _SENTENCE for w in words)
