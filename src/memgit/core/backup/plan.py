"""What a run does to the directory that receives a backup: the difference between what should be and what is there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from memgit.core.backup.manifest import Entry
from memgit.core.values import dataclass


class Item:
    """A file or link of the source. A plain class: thousands are made in every run."""

    __slots__ = ("digest", "kept", "key", "mode", "mtime_ns", "owner", "path", "size", "sparse")

    def __init__(self, path: bytes, mode: int, size: int, mtime_ns: int, key: bytes) -> None:
        self.path = path
        self.mode = mode
        self.size = size
        self.mtime_ns = mtime_ns
        self.key = key  # equal keys of one path mean equal content
        self.digest = b""  # SHA-256, once it is known
        self.kept: Entry | None = None  # the entry of the generation before, if it describes the item as well
        self.owner: tuple[int, int] | None = None
        self.sparse = False

    def entry(self) -> Entry:
        """The entry of the manifest that describes it."""
        return self.kept or Entry(self.path, self.mode, self.size, self.mtime_ns, self.digest)

    def is_like(self, entry: Entry) -> bool:
        """Whether an entry describes it."""
        return (
            self.digest == entry.digest
            and self.mode == entry.mode
            and self.size == entry.size
            and self.mtime_ns == entry.mtime_ns
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """All that changes in the receiving directory. Paths in byte order."""

    copy: tuple[Item, ...]
    link: tuple[Item, ...]  # the previous snapshot's file gets a second name
    delete: tuple[bytes, ...]
    unchanged: int

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do."""
        return not (self.copy or self.link or self.delete)


def plan(items: Iterable[Item], there: Mapping[bytes, Entry], previous: Mapping[bytes, Entry]) -> Plan:
    """From what is `there` to exactly the items. previous: a snapshot whose files can be linked."""
    copy, link = [], []
    gone = set(there)
    unchanged = 0
    for item in items:  # thousands in every run, most of them as they were
        path, kept = item.path, item.kept
        if there:
            gone.discard(path)
            present = there.get(path)
            if present is not None and (present is kept or item.is_like(present)):
                unchanged += 1
                continue
        old = previous.get(path)
        if old is not None and (old is kept or item.is_like(old)):
            link.append(item)
        else:
            copy.append(item)
    return Plan(tuple(copy), tuple(link), tuple(sorted(gone)), unchanged)
