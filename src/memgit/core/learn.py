"""Learn from a history how its automatic commits are called, as `[[auto]]` rules.

Scripts write one sentence over and over and change the time in it; people don't. A subject is reduced to the sentence
behind it, and a sentence becomes a rule when it comes back often and *opens* with automation. One that only mentions
it further on ("fix auto-backup script") is a person's, however often it comes back.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from enum import Enum

from memgit.core.setting_rows import AutoRule
from memgit.core.values import dataclass

_OFTEN = 3  # times that a sentence has to come back


@dataclass(frozen=True, slots=True)
class Seen:
    """One commit with no more than one parent, as far as learning goes."""

    subject: str  # first line that is not blank, without blanks at its end
    touches_others: bool  # also changes files that are not memory


@dataclass(frozen=True, slots=True)
class Learned:
    """A rule, and what it would take."""

    rule: AutoRule
    matches: int
    mixed: int  # of these, how many also change other files
    example: str


class _Part(Enum):
    """What changes in a sentence from one time to the next."""

    DATE = "date"
    TIME = "time of day"
    PATHS = "list of paths"
    NUMBER = "number"


_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\.?"
_WEEKDAY = r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? +"
_PARTS = re.compile(
    r"(?P<DATE>(?<!\d)(?:\d{4}-\d{1,2}-\d{1,2}|\d{4}/\d{1,2}/\d{1,2}|\d{4}\.\d{1,2}\.\d{1,2}"
    r"|\d{4}年\d{1,2}月\d{1,2}|20\d{2}[01]\d[0-3]\d|\d{1,2}/\d{1,2}/\d{4}|\d{1,2}\.\d{1,2}\.\d{4})(?!\d)"
    # as `date` writes it, and people: Sat Apr  4, 4 April, April 4
    rf"|\b(?:{_WEEKDAY})?(?:{_MONTH} +\d{{1,2}}|(?<!\d)\d{{1,2}} +{_MONTH})(?![\w:]))"
    r"|(?P<TIME>(?<!\d)\d{1,2}:\d{2}(?!\d))"
    r"|(?P<PATHS>(?<!\S)[\w.-]*(?:/[\w.-]+|[\w-]\.(?:md|jsonl?|txt|ya?ml|toml|py|sh|db))(?:, ?[\w./-]+)*(?!\S))"
    r"|(?P<NUMBER>\d+)"
)
_TYPE = re.compile(r"(\w+)(?:\([^)]*\))?!?: *")
_PEOPLE_TYPES = frozenset(re.findall(r"\w+", "feat fix docs doc refactor test tests perf style build ci revert"))
_AUTOMATIC = re.compile(
    r"(?i)[\W_]*(?:auto(?:mat(?:ic|ed|ically)|nomous|save|commit|sync|backup|push|snapshot)?|bot|cron)\b"
    r"|\W*(?:记忆|記憶|工作区|工作區)?(?:自动|自動|定时|定時)"
)
_ACTS = frozenset(
    re.findall(
        r"\w+",
        "backup backups sync syncs commit commits save saves autosave snapshot snapshots checkpoint checkpoints "
        "push flush heartbeat "
        "auto automatic automated automatically autonomous autosync autocommit autobackup autopush",
    )
)
_SETTINGS = frozenset(
    re.findall(
        r"\w+",
        "memory memories workspace vault agent daily nightly hourly weekly midday periodic scheduled session state log "
        "logs notes note journal bd beads learning end of day update updates config knowledge files changes system "
        "database db context bot cron night morning evening full back up",
    )
)
_CHINESE = re.compile(r"(?:每日|定时|定時|自动|自動|备份|備份|同步|提交|保存|记忆|記憶)")
_WORD = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True, slots=True)
class _Sentence:
    """A subject as alternating literal text and parts: text, part, text, ..., text."""

    texts: tuple[str, ...]
    parts: tuple[_Part, ...]
    takes: tuple[str, ...]  # the expression of each part

    def has(self, *wanted: _Part) -> bool:
        return any(part in wanted for part in self.parts)


def learn(history: Iterable[Seen]) -> tuple[Learned, ...]:
    """Rules for the automatic commits of a history, the one with most matches first.

    Every expression is anchored at the start of the subject. `mixed` is set where at least half of what a rule matches
    also changes other files. Commits that memgit made itself need no rule; leave them out.
    """
    seen = tuple(history)
    groups: dict[str, list[Seen]] = {}
    for commit in seen:
        for expression in _expressions(_sentence(commit.subject)):
            groups.setdefault(expression, []).append(commit)
    kept: list[Learned] = []
    rest = list(seen)
    for expression in sorted(groups, key=lambda key: (-len(groups[key]), len(key), key)):
        if len(groups[expression]) < _OFTEN:
            break
        search = re.compile(expression).search
        taken = [commit for commit in rest if search(commit.subject)]
        if len(taken) < _OFTEN:
            continue  # another rule takes them already
        rest = [commit for commit in rest if not search(commit.subject)]
        mixed = sum(commit.touches_others for commit in taken)
        rule = AutoRule(expression, mixed=2 * mixed >= len(taken))
        kept.append(Learned(rule, len(taken), mixed, taken[0].subject))
    return tuple(kept)


def _sentence(subject: str) -> _Sentence:
    texts, parts, takes, at = [], [], [], 0
    for found in _PARTS.finditer(subject):
        part = _Part[found.lastgroup or "NUMBER"]
        texts.append(subject[at : found.start()])
        parts.append(part)
        takes.append(r"[^\s,]+(?:, ?[^\s,]+)*" if part is _Part.PATHS else _any_digits(found[0], part))
        at = found.end()
    texts.append(subject[at:])
    return _Sentence(tuple(texts), tuple(parts), tuple(takes))


def _any_digits(text: str, part: _Part) -> str:
    """The same with any digits, and any names of a month and a day; a year, and a date in one, keep their length."""
    keep = 4 if part is _Part.DATE else len(text) + 1
    digits = re.sub(r"\d+", lambda run: rf"\d{{{len(run[0])}}}" if len(run[0]) >= keep else r"\d+", _escape(text))
    return re.sub(r"(?<!\\)\b[A-Z][a-z]+", "[A-Z][a-z]+", re.sub(r" +", " +", digits)) if part is _Part.DATE else digits


def _expressions(sentence: _Sentence) -> tuple[str, ...]:
    """The rules that a sentence speaks for; none if it reads like a person's."""
    opening = sentence.texts[0]
    body = opening
    found = _TYPE.match(opening)
    if found:
        if found[1].lower() in _PEOPLE_TYPES:
            return ()
        if found[1].lower() == "chore":
            body = opening[found.end() :]
    words = [word.lower() for word in _WORD.findall(" ".join((body, *sentence.texts[1:])))]
    head = re.match(r"[^:\]]*[:\]] *(?=\S)", body)
    opening_words = [word.lower() for word in _WORD.findall(head[0] if head else body)]
    known = all(word in _ACTS or word in _SETTINGS for word in opening_words) or bool(_CHINESE.match(body.strip()))
    automatic = known and _AUTOMATIC.match(body) is not None
    if sentence.has(_Part.DATE, _Part.TIME) and (automatic or (known and opening_words) or _is_stamp(sentence)):
        return _through_stamp(sentence), *_in_any_spelling(sentence)
    if automatic:
        return ("^" + _escape(opening[: len(opening) - len(body)] + head[0]),) if head else (_whole(sentence),)
    if known and sentence.parts and set(sentence.parts) == {_Part.PATHS} and set(opening_words) & _ACTS:
        return (_whole(sentence),)
    if known and words and all(word in _ACTS or word in _SETTINGS for word in words) and set(words) & _ACTS:
        return (_whole(sentence),)
    return ()


def _is_stamp(sentence: _Sentence) -> bool:
    """A few words, then date and time of day, and nothing more: no person writes that three times."""
    if not sentence.has(_Part.TIME) or not sentence.has(_Part.DATE):
        return False
    return len(_WORD.findall(sentence.texts[0])) <= 4 and len(_WORD.findall("".join(sentence.texts[1:]))) <= 2


def _through_stamp(sentence: _Sentence) -> str:
    """Up to the first date or time; what follows is free."""
    out = "^"
    for text, part, takes in zip(sentence.texts, sentence.parts, sentence.takes, strict=False):
        out += _escape(text) + takes
        if part in (_Part.DATE, _Part.TIME):
            break
    return out


def _in_any_spelling(sentence: _Sentence) -> Iterator[str]:
    """The same with whatever case, and whatever between words and stamp: scripts get edited, agents write by heart."""
    stem = re.sub(r"\W+$", "", sentence.texts[0])
    if stem and sentence.parts[0] in (_Part.DATE, _Part.TIME):
        yield rf"(?i)^{_escape(stem.lower())}\W+{sentence.takes[0]}"


def _whole(sentence: _Sentence) -> str:
    pieces = [_escape(sentence.texts[0])]
    for takes, text in zip(sentence.takes, sentence.texts[1:], strict=True):
        pieces += [takes, _escape(text)]
    return f"^{''.join(pieces)}$"


def _escape(text: str) -> str:
    """Only what has a meaning in an expression gets a backslash, so that rules can be read."""
    return re.sub(r"([.^$*+?{}\[\]\\|()])", r"\\\1", text)
