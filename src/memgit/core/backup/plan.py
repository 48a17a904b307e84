"""What a run does to the directory that receives a backup: the difference between what should be and what is there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from memgit.core.backup.manifest import Entry
from memgit.core.values import dataclass


class Item:
    """A file or link of the source. A plain class: thousands are made in every run."""

    __slots__ = ("digest", "key", "mode", "mtime_ns", "owner", "path", "size", "sparse")

    def __init__(self, path: bytes, mode: int, size: int, mtime_ns: int, key: bytes) -> None:
        self.path = path
        self.mode = mode
        self.size = size
        self.mtime_ns = mtime_ns
        self.key = key  # equal keys of one path mean equal content
        self.digest = b""  # SHA-256, once it is known
        self.owner: tuple[int, int] | None = None
        self.sparse = False

    def entry(self) -> Entry:
        """The entry of the manifest that describes it."""
        return Entry(self.path, self.mode, self.size, self.mtime_ns, self.digest)


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
    wanted = set()
    unchanged = 0
    for item in items:
        wanted.add(item.path)
        present = there.get(item.path)
        if present is not None and _is_same(item, present):
            unchanged += 1
            continue
        old = previous.get(item.path)
        if old is not None and _is_same(item, old):
            link.append(item)
        else:
            copy.append(item)
    return Plan(tuple(copy), tuple(link), tuple(sorted(path for path in there if path not in wanted)), unchanged)


def _is_same(item: Item, entry: Entry) -> bool:
    return (
        item.digest == entry.digest
        and item.mode == entry.mode
        and item.size == entry.size
        and item.mtime_ns == entry.mtime_ns
    )
