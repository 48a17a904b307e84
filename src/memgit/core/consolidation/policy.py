"""What a consolidation is asked to do."""

from __future__ import annotations

from memgit.core.memory import Patterns
from memgit.core.objects import RefName
from memgit.core.setting_rows import AutoRule
from memgit.core.settings import Config
from memgit.core.values import dataclass


@dataclass(frozen=True, slots=True)
class Policy:
    """Everything that decides which commits become one, besides history and time."""

    window: str  # hour, 6h, day, week
    zone: str  # "author", an IANA name, or an offset such as +01:00
    commute: bool  # gather a window across commits made by people
    keep_empty: bool  # a window that came to nothing leaves an empty commit
    rules: tuple[AutoRule, ...]
    memory: Patterns
    subject: str  # template

    @classmethod
    def of(cls, config: Config, rules: tuple[AutoRule, ...] = ()) -> Policy:
        """What the settings say; `rules` count beside the configured ones."""
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
