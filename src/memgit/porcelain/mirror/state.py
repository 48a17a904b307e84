"""What memgit remembers of a mirrored folder: what both sides last agreed on, and what lost or was deleted.

<private>/mirror/<name>/agreed, agreed.base   a manifest
<private>/mirror/<name>/contents/<sha256>     the contents it names, which merges start from
<private>/mirror/<name>/merging               merges that are being written to both sides
<private>/mirror/<name>/kept/<time>/<side>/   what lost or was deleted
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from datetime import UTC, datetime

from memgit.core.backup import manifest
from memgit.core.backup.manifest import DamagedManifest, Entry, Manifest, digest_of
from memgit.host import files, tree
from memgit.host.folder import Folder

_ALWAYS_KEPT = 10  # runs; a clock that jumps ahead must not empty the place
_TIME = "%Y-%m-%dT%H-%M-%SZ"


class State:
    """The memory of one folder. merging: (ours, theirs, result) by path, of merges that a killed run had begun."""

    def __init__(self, directory: str) -> None:
        self.directory = directory
        self._contents = os.path.join(directory, "contents")
        self._kept = os.path.join(directory, "kept")
        text = files.read(os.path.join(directory, "agreed"))
        try:
            held = (
                manifest.read(text, files.read(os.path.join(directory, "agreed.base")), directory)
                if text is not None
                else Manifest({}, None, 0)
            )
        except DamagedManifest:
            # Nothing agreed: every file is new to both sides. That can bring back a deleted file, and loses none.
            held = Manifest({}, None, 0)
        self.agreed = held.entries
        self._base = held.base
        self.merging = self._read_merging()

    def clear_unfinished(self) -> None:
        """Take away what a killed run, which was the last one, left half written."""
        for directory in (self.directory, self._contents):
            files.remove_unfinished(directory)
        if newest := max(os.listdir(self._kept) if os.path.isdir(self._kept) else (), default=None):
            with Folder(os.path.join(self._kept, newest)) as folder:
                folder.clear_leftovers([b"", *(found.path + b"/" for found in folder.scan().directories)])

    def content(self, digest: bytes) -> bytes | None:
        """A content both sides had, or None if it is not known any more."""
        held = files.read(os.path.join(self._contents, digest.decode()))
        return held if held is not None and digest_of(held) == digest else None

    def store(self, content: bytes) -> None:
        """Keep a content for later merges."""
        path = os.path.join(self._contents, digest_of(content).decode())
        if not os.path.exists(path):
            files.replace(path, content)

    def agree(self, entries: Iterable[Entry], made_s: int) -> None:
        """Both sides hold exactly this now; contents that it does not name are forgotten."""
        held = manifest.manifest(entries, None, made_s)
        text, base = manifest.write(held, self._base)
        if self._base is None or base is not self._base.text:
            files.replace(os.path.join(self.directory, "agreed.base"), base)
        files.replace(os.path.join(self.directory, "agreed"), text)
        files.remove(os.path.join(self.directory, "merging"))
        named = {entry.digest.decode() for entry in held.entries.values()}
        if os.path.isdir(self._contents):
            for name in os.listdir(self._contents):
                if name not in named:
                    os.unlink(os.path.join(self._contents, name))

    def begin_merging(self, merges: dict[bytes, tuple[bytes, bytes, bytes]]) -> None:
        """Note merges before either side gets one, so that a killed run is gone on with and not merged twice."""
        record = [[os.fsdecode(path), *(digest.decode() for digest in three)] for path, three in merges.items()]
        files.replace(os.path.join(self.directory, "merging"), json.dumps(record).encode())

    def _read_merging(self) -> dict[bytes, tuple[bytes, bytes, bytes]]:
        text = files.read(os.path.join(self.directory, "merging"))
        try:
            record = json.loads(text or b"[]")
            return {os.fsencode(path): (o.encode(), t.encode(), r.encode()) for path, o, t, r in record}
        except (ValueError, TypeError, AttributeError):
            return {}

    def keep(self, side: str, path: bytes, content: bytes, mtime_ns: int, now_s: int) -> str:
        """Put something aside that is about to go; where it lies."""
        when = datetime.fromtimestamp(now_s, UTC).strftime(_TIME)
        place = os.path.join(self._kept, when, side)
        with Folder(place, create=True) as folder:
            folder.write(path, (content,), 0o600, mtime_ns)
            folder.flush()
        return os.path.join(place, os.fsdecode(path))

    def forget_kept(self, keep_s: int, now_s: int) -> None:
        """Let go what was put aside longer ago than `keep_s`, but never what the newest runs put there."""
        if not os.path.isdir(self._kept):
            return
        for name in sorted(os.listdir(self._kept), reverse=True)[_ALWAYS_KEPT:]:
            try:
                made = datetime.strptime(name, _TIME).replace(tzinfo=UTC)
            except ValueError:
                continue
            if now_s - made.timestamp() > keep_s:
                tree.remove(os.path.join(self._kept, name))
