"""Which memory an agent keeps here, told from the paths in a work tree, and the patterns that select it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from memgit.core.values import dataclass

_LARGEST_PROPOSAL = 12  # workspaces in one repository that are each named; more look like fixtures


@dataclass(frozen=True, slots=True)
class _Kind:
    """A convention: what shows it, how strongly, and what it calls memory."""

    name: str
    shown_by: re.Pattern[bytes]  # matched against paths below a candidate for the workspace
    weight: int  # two or more make a sub-directory a workspace
    include: tuple[str, ...]


_FILES = ("MEMORY", "AGENTS", "SOUL", "USER", "IDENTITY", "TOOLS", "HEARTBEAT")
_KINDS = (
    _Kind(
        "file memory",
        re.compile(rb"(?:MEMORY|SOUL|IDENTITY|HEARTBEAT)\.md|memory/(?:.*/)?\d{4}-\d{2}-\d{2}[^/]*\.md"),
        2,
        (*(f"/{name}.md" for name in _FILES), "/memory/**"),
    ),
    _Kind("memory directory", re.compile(rb"memory/.+\.(?:md|jsonl?)"), 1, ("/memory/**",)),
    _Kind("memory bank", re.compile(rb"memory-bank/.+\.md"), 2, ("/memory-bank/**",)),
    _Kind("Claude", re.compile(rb"CLAUDE\.md"), 1, ("/CLAUDE.md",)),
    _Kind("Claude memory", re.compile(rb"\.claude/memory/.+"), 2, ("/.claude/memory/**",)),
    _Kind("Claude agent memory", re.compile(rb"\.claude/agent-memory/.+"), 2, ("/.claude/agent-memory/**",)),
    _Kind("agent rules", re.compile(rb"AGENTS\.md"), 1, ("/AGENTS.md",)),
    _Kind("Obsidian vault", re.compile(rb"\.obsidian/[^/]+\.json"), 2, ("/**/*.md", "/**/*.canvas")),
    _Kind("beads", re.compile(rb"\.beads/[^/]+\.jsonl"), 2, ("/.beads/*.jsonl",)),
)


@dataclass(frozen=True, slots=True)
class Layout:
    """What was found, and what to select.

    workspace: below the top of the work tree, "" or ending in a slash. include: patterns relative to it; empty
    where nothing was recognised. kinds: the conventions that are there, for showing.
    """

    workspace: str
    kinds: tuple[str, ...]
    include: tuple[str, ...]


def detect(paths: Iterable[bytes]) -> Layout:
    """The layout that a set of paths shows. paths: relative to the top, tracked or not, any order.

    The top wins if it shows memory itself; else the one sub-directory that does. Several sub-directories become
    patterns of a workspace at the top.
    """
    found: dict[bytes, dict[str, _Kind]] = {}
    for path in paths:
        for place, kind in _shown(path):
            found.setdefault(place, {})[kind.name] = kind
    strong = sorted(place for place, kinds in found.items() if sum(kind.weight for kind in kinds.values()) > 1)
    if b"" in strong or (b"" in found and not strong):
        return _layout(b"", found[b""])
    outermost = [place for place in strong if not any(place != other and place.startswith(other) for other in strong)]
    if len(outermost) == 1:
        return _layout(outermost[0], found[outermost[0]])
    if not 1 < len(outermost) <= _LARGEST_PROPOSAL:
        return Layout("", (), ())
    parts = [_layout(place, found[place]) for place in outermost]
    include = tuple(f"/{_literal(part.workspace)}{line[1:]}" for part in parts for line in part.include)
    return Layout("", tuple(dict.fromkeys(name for part in parts for name in part.kinds)), include)


def _shown(path: bytes) -> Iterable[tuple[bytes, _Kind]]:
    """Every place, with its closing slash, that this path makes a candidate."""
    start = 0
    while True:
        rest = path[start:]
        for kind in _KINDS:
            if kind.shown_by.fullmatch(rest):
                yield path[:start], kind
        start = path.find(b"/", start) + 1
        if not start:
            return


def _layout(place: bytes, kinds: dict[str, _Kind]) -> Layout:
    ordered = [kind for kind in _KINDS if kind.name in kinds]
    include = tuple(dict.fromkeys(line for kind in ordered for line in kind.include))
    names = tuple(kind.name for kind in ordered if kind.name != "memory directory" or "file memory" not in kinds)
    return Layout(place.decode("utf-8", "surrogateescape"), names, include)


def _literal(text: str) -> str:
    """A path as a pattern that means itself."""
    return re.sub(r"([*?\[\\])", r"\\\1", text)
