"""What an agent wrote into a file while somebody else had another version in its place, brought together again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from memgit.core.merge.api import merge
from memgit.core.merge.policy import MergePolicy


def last_written(base: bytes, restored: bytes, versions: Sequence[bytes]) -> bytes | None:
    """The agent's last version among those that were seen, oldest first; None if it wrote nothing.

    What comes last may be the hook manager's: the base again (a roll-back), then the restored file.
    """
    for content in reversed(versions):
        if content not in (base, restored):
            return content
    return None


def joined(base: bytes, restored: bytes, written: bytes, path: bytes) -> bytes | None:
    """The restored file with what was written on top of `base`; None if nothing is missing, or it is no text.

    A true conflict keeps both sides: nobody is there to settle one.
    """
    if _is_contained(base, restored, written):
        return None
    result = merge(base, restored, written, path, MergePolicy(on_conflict="keep-both", ours_first=True))
    return result.content if result.clean and result.content != restored else None


def _is_contained(base: bytes, restored: bytes, written: bytes) -> bool:
    """Whether everything that went from base to `written` is in the restored file already, as additions and as gaps."""
    before, now, wanted = (Counter(text.split(b"\n")) for text in (base, restored, written))
    added, removed = wanted - before, before - wanted
    if added - (now - before):
        return False
    return all(now[line] <= before[line] - count for line, count in removed.items())
