"""What a merge is told and what it answers.

Plain classes with slots: importing `dataclasses` or `enum` costs more than merging a usual memory file.
"""

from __future__ import annotations

KINDS = ("auto", "log", "list", "document", "jsonl", "json")
ON_CONFLICT = ("markers", "keep-both", "newest", "ours", "theirs")
STYLES = ("merge", "diff3", "zdiff3")


class MergePolicy:
    """How the files of a path are merged, and what happens where two changes can't be joined."""

    __slots__ = ("kind", "on_conflict", "ours_first")

    def __init__(self, kind: str = "auto", on_conflict: str = "markers", ours_first: bool = False) -> None:
        """Raises ValueError for a kind or policy that does not exist."""
        if kind not in KINDS:
            raise ValueError(f"unknown kind {kind!r}; known are {', '.join(KINDS)}")
        if on_conflict not in ON_CONFLICT:
            raise ValueError(f"unknown policy {on_conflict!r}; known are {', '.join(ON_CONFLICT)}")
        self.kind = kind
        self.on_conflict = on_conflict
        self.ours_first = ours_first  # git's habit for units without times, instead of a rule both machines share


class Markers:
    """How conflicts are written."""

    __slots__ = ("base", "ours", "size", "style", "theirs")

    def __init__(
        self,
        size: int = 7,
        style: str = "merge",
        ours: bytes = b"ours",
        base: bytes = b"base",
        theirs: bytes = b"theirs",
    ) -> None:
        if style not in STYLES:
            raise ValueError(f"unknown conflict style {style!r}; known are {', '.join(STYLES)}")
        self.size = size if size > 0 else 7
        self.style = style
        self.ours = ours
        self.base = base
        self.theirs = theirs


class Decision:
    """What was decided about one region of the base, and why."""

    __slots__ = ("clean", "first", "last", "reason")

    def __init__(self, first: int, last: int, clean: bool, reason: str) -> None:
        self.first = first  # base lines, counted from 1; last < first for a place between two lines
        self.last = last
        self.clean = clean
        self.reason = reason

    def __repr__(self) -> str:
        return f"Decision({self.first}, {self.last}, clean={self.clean}, {self.reason!r})"


class MergeResult:
    """The merged file, whether it is free of conflicts, and the decisions that were not plain three-way."""

    __slots__ = ("clean", "content", "decisions", "fault")

    def __init__(self, content: bytes, clean: bool, decisions: tuple[Decision, ...] = (), fault: str = "") -> None:
        self.content = content
        self.clean = clean
        self.decisions = decisions
        self.fault = fault  # the exception that kept the rules from being asked; a mistake of ours, never of the texts

    @property
    def conflicts(self) -> int:
        """How many conflicts were left, as `git merge-file` answers with its exit status."""
        return sum(not decision.clean for decision in self.decisions)
