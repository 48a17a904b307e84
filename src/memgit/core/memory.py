"""Which files are memory: gitignore-style patterns, compiled once, asked often.

Source: gitignore(5); dir.c and wildmatch.c of git 2.39 to 2.55 for what the manual leaves open. A hostile pattern
can't make matching explode: stars are atomic wherever the leftmost match is also the best one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from memgit.core.values import dataclass

_STAR = "*"  # any run of bytes inside one path component
_ZERO_OR_MORE = "**/"  # any number of whole components, also none
_ANYTHING = "**"  # any run of bytes, slashes too
_SLASH = "/"
_NEVER = "(?!)"
_SPECIAL = frozenset("*?[\\")
_CLASSES = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "blank": " \\t",
    "cntrl": "\\x00-\\x1f\\x7f",
    "digit": "0-9",
    "graph": "\\x21-\\x7e",
    "lower": "a-z",
    "print": "\\x20-\\x7e",
    "punct": "\\x21-\\x2f\\x3a-\\x40\\x5b-\\x60\\x7b-\\x7e",
    "space": " \\t\\n\\v\\f\\r",
    "upper": "A-Z",
    "xdigit": "0-9A-Fa-f",
}


@dataclass(frozen=True, slots=True)
class _Rule:
    """One pattern line, as regular expressions over latin-1 text that stands for bytes."""

    exact: str  # matches a whole path, from the workspace down
    below: str  # matches `directory/` if something further down could match
    negative: bool
    directories_only: bool


class PatternList:
    """A list of gitignore lines; the last line that matches a path decides, and a matched directory takes all below.

    As in git, `!` can't bring back a file whose directory an earlier line matched.
    """

    __slots__ = ("_any", "_below", "_directory", "_file", "lines")

    def __init__(self, lines: Iterable[str]) -> None:
        self.lines = tuple(lines)
        rules = [rule for line in self.lines if (rule := _rule(line)) is not None]
        positive = [rule for rule in rules if not rule.negative]
        self._below = _compile(rule.below for rule in positive)
        if len(positive) == len(rules):
            self._any = _compile(
                f"{rule.exact}(?=/)" if rule.directories_only else f"{rule.exact}(?=/|\\Z)" for rule in rules
            )
            self._directory = self._file = None
        else:
            # Alternatives are tried in order, so the last line comes first; a group tells that it was a negative one.
            self._any = None
            newest = rules[::-1]
            self._directory = _compile(_marked(rule) for rule in newest)
            self._file = _compile(_marked(rule) for rule in newest if not rule.directories_only)

    def selects(self, path: bytes) -> bool:
        """Whether the file at `path` is in the list, by itself or through a directory above it."""
        if self._any is not None:
            return self._any.match(path) is not None
        if self._selects_level(path):
            return True
        return self._file is not None and _is_positive(self._file.fullmatch(path))

    def selects_all_below(self, directory: bytes) -> bool:
        """True only when every path that could exist below `directory` is in the list."""
        if self._any is not None:
            # A `*` or `**` that ends a pattern matches the empty name after the slash, and so every name there.
            return self._any.match(directory + b"/" if directory else b"") is not None
        return bool(directory) and self._selects_level(directory + b"/")

    def may_select_below(self, directory: bytes) -> bool:
        """False only when no path that could exist below `directory` is in the list."""
        if self._below is None:
            return False
        if not directory or self._below.match(directory + b"/") is not None:
            return True
        return self.selects_all_below(directory)

    def _selects_level(self, path: bytes) -> bool:
        """Whether some directory above `path` is in the list."""
        if self._directory is None:
            return False
        fullmatch = self._directory.fullmatch
        end = path.find(b"/")
        while end != -1:
            if _is_positive(fullmatch(path, 0, end)):
                return True
            end = path.find(b"/", end + 1)
        return False


@dataclass(frozen=True, slots=True)
class Patterns:
    """The memory files of one workspace: what `include` selects and `exclude` does not. `.git` is never memory.

    Paths are bytes, relative to the workspace or, after `under`, to the repository; "/" between names, none around.
    """

    include: PatternList
    exclude: PatternList
    prefix: bytes = b""  # the workspace inside the repository: empty, or ends in a slash

    @classmethod
    def compile(cls, include: Iterable[str], exclude: Iterable[str]) -> Patterns:
        """Patterns over paths relative to the workspace. No line is an error: at worst it matches nothing."""
        return cls(PatternList(include), PatternList(exclude))

    def under(self, prefix: bytes) -> Patterns:
        """The same selection, asked with repository paths. prefix: the workspace's path in the repository."""
        return Patterns(self.include, self.exclude, prefix.rstrip(b"/") + b"/" if prefix.strip(b"/") else b"")

    def matches(self, path: bytes) -> bool:
        """Whether the file at `path` is memory."""
        if self.prefix:
            if not path.startswith(self.prefix):
                return False
            path = path[len(self.prefix) :]
        return self.include.selects(path) and not self.exclude.selects(path) and not _is_of_git(path)

    def covers(self, directory: bytes) -> bool:
        """True only when every file that git could track below `directory` is memory. b"" is the top."""
        inside = self._inside(directory)
        return (
            inside is not None
            and self.include.selects_all_below(inside)
            and not self.exclude.may_select_below(inside)
            and not _is_of_git(inside)
        )

    def may_contain(self, directory: bytes) -> bool:
        """False only when no file that could exist below `directory` is memory. b"" is the top."""
        inside = self._inside(directory)
        if inside is None:
            return not directory or self.prefix.startswith(directory + b"/")
        return (
            self.include.may_select_below(inside)
            and not self.exclude.selects_all_below(inside)
            and not _is_of_git(inside)
        )

    def _inside(self, directory: bytes) -> bytes | None:
        """`directory` relative to the workspace; None if it is not in it."""
        with_slash = directory + b"/" if directory else b""
        return with_slash[len(self.prefix) : -1] if with_slash.startswith(self.prefix) else None


def _is_of_git(path: bytes) -> bool:
    """Whether git would refuse to track the path, since it is, or is inside, a repository's own directory."""
    return b".git" in path and b".git" in path.split(b"/")


def _is_positive(match: re.Match[bytes] | None) -> bool:
    return match is not None and match.lastindex is None


def _marked(rule: _Rule) -> str:
    return f"({rule.exact})" if rule.negative else rule.exact


def _compile(alternatives: Iterable[str]) -> re.Pattern[bytes] | None:
    expressions = list(alternatives)
    return re.compile("|".join(expressions).encode("latin-1"), re.DOTALL) if expressions else None


def _rule(line: str) -> _Rule | None:
    """The rule of one line; None for a comment, an empty line, or one that can match no path."""
    if line.startswith("#"):
        return None
    text = _without_trailing_spaces(line.encode("utf-8", "surrogateescape").decode("latin-1"))
    negative = text.startswith("!")
    text = text.removeprefix("!")
    directories_only = text.endswith("/")
    text = text.removesuffix("/")
    anchored = "/" in text
    text = text.removeprefix("/")
    if not text or text.endswith("/") or text.startswith("/"):
        return None
    tokens = _tokens(text, crosses_slashes=anchored)
    if tokens is None:
        return None
    if anchored:
        return _Rule(_expression(tokens), _below(tokens), negative, directories_only)
    return _Rule(f"(?:.*/)?{_expression(tokens)}", "", negative, directories_only)


def _without_trailing_spaces(text: str) -> str:
    """Without the spaces at the end, except those after an odd number of backslashes."""
    kept = text.rstrip(" ")
    backslashes = len(kept) - len(kept.rstrip("\\"))
    return kept + " " if backslashes % 2 and len(kept) < len(text) else kept


def _tokens(text: str, *, crosses_slashes: bool) -> list[str] | None:
    """Wildcards, slashes, and for everything else the expression of one byte. None if the pattern can match nothing.

    git compares the part before the first special character literally and gives only the rest to its wildcard
    matcher. A `**` right after that part therefore counts as being at a start, whatever stands before it.
    """
    tokens: list[str] = []
    at = 0
    starts_wild = next((index for index, char in enumerate(text) if char in _SPECIAL), len(text))
    while at < len(text):
        char = text[at]
        if char == "*":
            end = at
            while end < len(text) and text[end] == "*":
                end += 1
            opens = at == starts_wild or text[at - 1] == "/"
            rest = text[end : end + 2]
            if end - at < 2 or not crosses_slashes or not opens or not (rest in ("", "\\/") or rest.startswith("/")):
                tokens.append(_STAR)
            elif rest.startswith("/"):
                tokens.append(_ZERO_OR_MORE)
                end += 1
            else:
                tokens.append(_ANYTHING)
            at = end
        elif char == "?":
            tokens.append("[^/]")
            at += 1
        elif char == "[":
            bracket = _bracket(text, at)
            if bracket is None:
                return None
            expression, at = bracket
            tokens.append(expression)
        else:
            if char == "\\":
                at += 1
                if at == len(text):
                    return None
                char = text[at]
            tokens.append(_SLASH if char == "/" else re.escape(char))
            at += 1
    return tokens


def _bracket(text: str, start: int) -> tuple[str, int] | None:
    """The expression of the set that opens at `start`, and where the text goes on; None if it is malformed."""
    at = start + 1
    negated = text[at : at + 1] in ("!", "^")
    at += negated
    members: list[str] = []
    previous = ""  # the byte a range could start from
    first = at
    while at < len(text):
        char = text[at]
        if char == "]" and at > first:
            return _set(members, negated=negated), at + 1
        if char == "-" and previous and at + 1 < len(text) and text[at + 1] != "]":
            at += 1
            if text[at] == "\\":
                at += 1
                if at == len(text):
                    return None
            if previous <= text[at]:
                members.append(f"{_hex(previous)}-{_hex(text[at])}")
            previous = ""
        elif char == "[" and text[at + 1 : at + 2] == ":":
            close = text.find("]", at + 2)
            if close == -1:
                return None
            name = text[at + 2 : close - 1]
            if close - 1 < at + 2 or text[close - 1] != ":":
                members.append(_hex("["))
                previous = "["
            elif name in _CLASSES:
                members.append(_CLASSES[name])
                previous = ""
                at = close
            else:
                return None
        else:
            if char == "\\":
                at += 1
                if at == len(text):
                    return None
                char = text[at]
            members.append(_hex(char))
            previous = char
        at += 1
    return None


def _hex(char: str) -> str:
    return f"\\x{ord(char):02x}"


def _set(members: list[str], *, negated: bool) -> str:
    """A set that never matches a slash."""
    if not members:
        return "[^/]" if negated else _NEVER
    return f"[^/{''.join(members)}]" if negated else f"(?!/)[{''.join(members)}]"


def _expression(tokens: list[str]) -> str:
    """The expression of a whole pattern."""
    blocks, wildcards = _split(tokens, (_ZERO_OR_MORE, _ANYTHING))
    parts = [_block(blocks[0])]
    for index, (wildcard, block) in enumerate(zip(wildcards, blocks[1:], strict=True)):
        if index == len(wildcards) - 1:
            parts.append(("(?:.*/)?" if wildcard == _ZERO_OR_MORE else ".*") + _block(block))
        else:
            # The next `**` can take up whatever a later match here would have, so the first match is enough.
            parts.append(f"(?>{'(?:.*?/)??' if wildcard == _ZERO_OR_MORE else '.*?'}{_block(block)})")
    return "".join(parts)


def _below(tokens: list[str]) -> str:
    """Matches `directory/` where the names of the directory fit the first components of the pattern."""
    blocks, wildcards = _split(tokens, (_ZERO_OR_MORE, _ANYTHING))
    components, slashes = _split(blocks[0], (_SLASH,))
    # With a `**` anything can follow; without, the last component has nothing below but what it matches itself.
    expression = f"{_block(components[-1])}.*" if wildcards else _NEVER
    for component in components[len(slashes) - 1 :: -1] if slashes else ():
        expression = f"{_block(component)}/(?:\\Z|{expression})"
    return expression


def _block(tokens: list[str]) -> str:
    """The expression of tokens without `**`."""
    parts, stars = _split(tokens, (_STAR,))
    pieces = ["".join(part) for part in parts]
    middle = "".join(f"(?>[^/]*?{piece})" for piece in pieces[1:-1])
    return pieces[0] + middle + (f"[^/]*{pieces[-1]}" if stars else "")


def _split(tokens: list[str], separators: tuple[str, ...]) -> tuple[list[list[str]], list[str]]:
    """The runs between separators (one more than separators were found), and the separators found."""
    runs: list[list[str]] = [[]]
    found: list[str] = []
    for token in tokens:
        if token in separators:
            found.append(token)
            runs.append([])
        else:
            runs[-1].append(token)
    return runs, found
