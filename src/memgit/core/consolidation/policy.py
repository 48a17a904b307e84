"""What a consolidation is asked to do, and what it reports."""

from __future__ import annotations

from dataclasses import dataclass

from memgit.core.consolidation.message import DEFAULT_SUBJECT
from memgit.core.consolidation.plan import StopReason
from memgit.core.memory import Patterns
from memgit.core.objects import Oid, RefName
from memgit.core.settings import AutoRule, Config


@dataclass(frozen=True, slots=True)
class Policy:
    """Everything that decides which commits become one, besides history and time."""

    window: str  # hour, 6h, day, week
    zone: str  # "author", an IANA name, or an offset such as +01:00
    commute: bool  # gather a window across commits made by people
    keep_empty: bool  # a window that came to nothing leaves an empty commit
    rules: tuple[AutoRule, ...]
    memory: Patterns
    subject: str = DEFAULT_SUBJECT  # template

    @classmethod
    def configured(cls, config: Config, rules: tuple[AutoRule, ...] = ()) -> Policy:
        """The policy that the settings say. rules: more rules, beside the configured ones."""
        return cls(
            window=config.consolidate.window,
            zone=config.consolidate.timezone,
            commute=config.consolidate.interleaved == "commute",
            keep_empty=config.consolidate.keep_empty,
            rules=(*config.auto, *rules),
            memory=config.memory.patterns(),
            subject=config.consolidate.template,
        )


@dataclass(frozen=True, slots=True)
class Request:
    """What this one run was asked for, besides the policy."""

    branch: RefName | None = None  # None: the one checked out
    since: str | None = None  # a revision; what is reachable from it stays
    open_windows: bool = False  # --now
    published: bool = False  # widen the range to what others have already
    drop_signatures: bool = False
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Squash:
    """A commit that stands, or would stand, for several."""

    window: str
    sources: int
    first: Oid
    last: Oid
    commit: Oid | None  # None in a dry run
    subject: str


@dataclass(frozen=True, slots=True)
class Kept:
    """Why auto-commits were left as they are, and how many."""

    reason: str
    count: int


@dataclass(frozen=True, slots=True)
class Report:
    """What a consolidation did or, in a dry run, would do."""

    branch: RefName
    old_tip: Oid | None
    new_tip: Oid | None
    commits_before: int  # in the range
    commits_after: int
    created: tuple[Squash, ...]  # oldest first
    squashed: int  # commits that became fewer
    dropped: int  # windows that came to nothing
    rewritten: int  # commits made by people that got a new parent
    kept: tuple[Kept, ...]
    stop_reason: StopReason
    stopped_at: Oid | None
    signatures_dropped: int
    affected: tuple[RefName, ...]  # with --published: refs that hold the old commits
    operation: Oid | None
    dry_run: bool
