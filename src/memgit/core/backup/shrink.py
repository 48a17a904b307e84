"""Missing is not deleted: whether a source has lost so much that a backup must not follow it."""

from __future__ import annotations

from collections.abc import Mapping

from memgit.core.backup.manifest import Entry
from memgit.core.values import dataclass

FEW = 3  # so few files may always go, as long as others stay


@dataclass(frozen=True, slots=True)
class Shrink:
    """What a source lost since the last backup."""

    before: int
    gone: int  # files that are no longer there
    emptied: int  # files that had content and have none now
    reason: str


def check(before: Mapping[bytes, Entry], now: Mapping[bytes, int], share: int) -> Shrink | None:
    """Why the source must be confirmed, or None if it may be followed.

    before: the last backup. now: the size of each file that is there. share: per cent of the files that may be gone
    or emptied. Losing everything always needs a word, losing up to three of several files never does.
    """
    if not before:
        return None
    gone = sum(path not in now for path in before)
    emptied = sum(entry.size > 0 and now.get(path) == 0 for path, entry in before.items())
    lost = gone + emptied
    if lost == len(before) or not now:
        return Shrink(len(before), gone, emptied, "all files are gone or empty")
    if lost > FEW and lost * 100 > share * len(before):
        return Shrink(len(before), gone, emptied, f"more than {share} % of the files are gone or empty")
    return None
