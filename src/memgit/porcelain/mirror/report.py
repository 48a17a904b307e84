"""What a run of memgit mirror tells."""

from __future__ import annotations

from memgit.core.values import dataclass, field
from memgit.porcelain.backup.source import Held


@dataclass(frozen=True, slots=True)
class Conflict:
    """Changes of both sides that could not be joined: what the file holds now, and where the losers lie."""

    path: bytes
    outcome: str
    kept: tuple[str, ...]


@dataclass(slots=True)
class Report:
    """What a run did, or in a dry run would do. Paths are relative to the workspace."""

    name: str
    folder: str
    to_folder: list[bytes] = field(default_factory=list)
    to_workspace: list[bytes] = field(default_factory=list)
    deleted_in_folder: list[bytes] = field(default_factory=list)
    deleted_in_workspace: list[bytes] = field(default_factory=list)
    merged: list[bytes] = field(default_factory=list)
    survived: list[bytes] = field(default_factory=list)  # deleted on one side, changed on the other: the change stays
    conflicts: list[Conflict] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)
    deferred: list[bytes] = field(default_factory=list)  # changed again during the run; the next one takes them
    copies: list[bytes] = field(default_factory=list)  # conflicted copies, which other programs left in the folder
    kept: list[str] = field(default_factory=list)  # where what was deleted or lost lies now
    dry_run: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether both sides agreed already."""
        return not (
            self.to_folder
            or self.to_workspace
            or self.deleted_in_folder
            or self.deleted_in_workspace
            or self.merged
            or self.conflicts
        )
