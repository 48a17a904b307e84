"""Backups on another machine that a key may add to, and neither read, change nor delete.

Whoever takes this machine over, and with it the key, can't take the backups along or away. What lies there is known
from a record of what was sent; only whether the marker is there can be asked.

    <record>/memgit-target                       the marker
    <record>/<generation>/manifest, base, complete  of the newest one that was completed
    <record>/<generation>/                       nothing in it: one that was interrupted

Source: rrsync(1), `-wo`, `-no-del` and `-no-overwrite`.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from typing import NoReturn

from memgit.host import files, tree
from memgit.host.place import BASE, COMPLETE, FILES, MANIFEST, MARKER, Advance, Generation, TargetError
from memgit.host.rsync import Link, RsyncPlace

_PROVING = (BASE, MANIFEST, COMPLETE)
_WOULD_BE_NEW = b"<f+++++++++"


class WriteOnlyPlace(RsyncPlace):
    """A place that never answers. record: where this machine notes what it sent."""

    def __init__(self, link: Link, record: str) -> None:
        super().__init__(link)
        self._record = record

    def read(self, name: str) -> bytes | None:
        held = files.read(os.path.join(self._record, name))
        if name != MARKER or not self._has_marker():
            return held if name != MARKER else None
        if held is None:
            raise TargetError(
                f"{self.where} holds backups already, and the key may not read whose.",
                "Name a new directory, on the other machine and in its authorized_keys.",
            )
        return held

    def claim(self, marker: bytes) -> None:
        files.replace(os.path.join(self._record, MARKER), marker)  # first: what lies there can't be read again
        with tempfile.TemporaryDirectory(prefix="memgit-") as place:
            files.replace(os.path.join(place, MARKER), marker, 0o644)
            self._run("-t", "--", os.path.join(place, MARKER), self._at(""))

    def generations(self) -> tuple[Generation, ...]:
        found = ((name, files.read(os.path.join(self._record, name, COMPLETE))) for name in self._recorded())
        return tuple(Generation(name, complete) for name, complete in found if complete is not None)

    def remove(self, generations: Iterable[str]) -> None:
        self._refuse()

    def fetch(self, generation: str, paths: Iterable[bytes] | None, into: str, advance: Advance) -> None:
        self._refuse()

    def send(self, stage: str, generation: str, previous: str | None, advance: Advance) -> None:
        """As in `Sender`; what was interrupted can't be gone on with, so its files are shared with the new one."""
        before = self._recorded()
        os.makedirs(os.path.join(self._record, generation), mode=0o700, exist_ok=True)
        lent = (*([previous] if previous is not None else []), *(name for name in before if name != previous))
        shared = (f"--link-dest={self._seen_from(generation, name)}" for name in lent[:20])  # rsync takes no more
        only = (f"--include=/{FILES}/***", f"--include=/{MANIFEST}", f"--include=/{BASE}", "--exclude=*")
        self._run("-a", "--partial", *shared, *only, "--", stage + "/", self._at(generation + "/"), advance=advance)
        self._run("-t", "--", os.path.join(stage, COMPLETE), self._at(f"{generation}/"))
        for name in _PROVING:
            files.replace(os.path.join(self._record, generation, name), files.read(os.path.join(stage, name)) or b"")
        for name in before:
            tree.remove(os.path.join(self._record, name))

    def _recorded(self) -> tuple[str, ...]:
        names = os.listdir(self._record) if os.path.isdir(self._record) else ()
        return tuple(sorted((name for name in names if os.path.isdir(os.path.join(self._record, name))), reverse=True))

    def _has_marker(self) -> bool:
        """Whether sending one would find it there: the only question that such a key may ask."""
        with tempfile.TemporaryDirectory(prefix="memgit-") as place:
            files.replace(os.path.join(place, MARKER), b"", 0o644)
            done = self._try(("-nt", "--out-format=%i", "--", os.path.join(place, MARKER), self._at("")), None)
        self._judge(done)
        return not done.stdout.startswith(_WOULD_BE_NEW)

    def _refuse(self) -> NoReturn:
        raise TargetError(f"{self.where} can only be written.", READ_ELSEWHERE)


READ_ELSEWHERE = (
    "List, verify, restore and prune on the machine that holds it, in a workspace from\n"
    "`memgit init --from-backup DIR`, or by another target with a key that may read."
)
