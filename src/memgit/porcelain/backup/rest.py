"""Telling by a look at both sides that nothing happened since a run that left nothing to do.

    memgit rest 1
    5f70... current 9f86...   the rules, the generation, and what its completion marker holds
    e3b0...                   how the files of the workspace lie there
    0ba9...                   how the manifest, its base and the files of a mirror lie at the target

How a file lies is its identity, see `host/tree.identity`: it changes whenever the file does. A run that sees the same
need not take a manifest apart nor compare thousands of entries.
"""

from __future__ import annotations

import os

from memgit.core.backup.manifest import digest_of
from memgit.core.backup.plan import Item
from memgit.host import files
from memgit.host.folder import Folder
from memgit.host.local_place import LocalPlace
from memgit.host.place import BASE, FILES, MANIFEST, MIRROR, Generation
from memgit.host.tree import YOUNG_NS, change_time_ns, identity

_FIRST = b"memgit rest 1"


class Rest:
    """Both sides of a backup to a directory of this machine, as a run finds them.

    path: where is kept how they lay. rules: whatever could let the same files be judged in another way.
    """

    def __init__(
        self, path: str, place: LocalPlace, made: Generation, rules: bytes, items: list[Item], now_ns: int
    ) -> None:
        self.generation = made.name
        self._path = path
        self._place = place
        self._head = b"%b %b %b" % (rules, os.fsencode(made.name), digest_of(made.complete or b""))
        self._items = items
        self._settled_ns = now_ns - YOUNG_NS

    def is_as_left(self) -> bool:
        """Whether all lies as it did when a run had nothing to do."""
        held = (files.read(self._path) or b"").split(b"\n")
        return (
            held[:2] == [_FIRST, self._head]
            and held[2:3] == [_digest(self._ours())]
            and held[3:] == [_digest(self._theirs()), b""]
        )

    def remember(self) -> None:
        """Keep how all lies, for it is as it should be; not if some of it is too young to be known again."""
        ours, theirs = self._ours(), self._theirs()
        if all(change_time_ns(identity) < self._settled_ns for identity in (*ours[1::2], *theirs[1::2])):
            text = b"\n".join((_FIRST, self._head, _digest(ours), _digest(theirs), b""))
            if text != files.read(self._path):
                files.replace(self._path, text, flush=False)  # what a power cut leaves of it fits nothing

    def _ours(self) -> list[bytes]:
        """Path and identity of every file in turn."""
        return [word for item in self._items for word in (item.path, item.key)]

    def _theirs(self) -> list[bytes]:
        """The same of what lies at the target."""
        seen: list[tuple[bytes, bytes]] = []
        with Folder(self._place.inside(self.generation)) as top:
            for name in (os.fsencode(MANIFEST), os.fsencode(BASE)):
                if (status := top.lstat(name)) is not None:
                    seen.append((name, identity(status)))
        if self.generation == MIRROR:
            with Folder(self._place.inside(MIRROR, FILES)) as folder:
                folder.scan(see=lambda path, status: seen.append((path, identity(status))))
        return [word for pair in sorted(seen) for word in pair]


def _digest(words: list[bytes]) -> bytes:
    return digest_of(b"\0".join(words))
