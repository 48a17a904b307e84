"""Files of a commit as a checkout would give them: filters, encodings and line ends applied, by git's own archiver.

Source: gitattributes(5), "Creating an archive": `export-ignore` leaves a path out, `export-subst` fills its
placeholders. The attributes are those that the commit has.
"""

from __future__ import annotations

import os
import tarfile
from collections.abc import Sequence
from types import TracebackType

from memgit.core.objects import Oid
from memgit.git.command import Git

_AT_ONCE = 64 << 10  # bytes of paths in one command line


class Archive:
    """The files and links at these paths, kept in `scratch` while open."""

    def __init__(self, git: Git, commit: Oid, paths: Sequence[bytes], scratch: str) -> None:
        self._members: dict[bytes, tuple[tarfile.TarFile, tarfile.TarInfo]] = {}
        self._files: list[tarfile.TarFile] = []
        for number, some in enumerate(_chunks(paths)):
            place = os.path.join(scratch, f"{number}.tar")
            git.run("archive", "--format=tar", f"--output={place}", commit.decode(), "--", *map(os.fsdecode, some))
            file = tarfile.open(place, encoding="utf-8", errors="surrogateescape")  # noqa: SIM115 - closed in __exit__
            self._files.append(file)
            self._members |= {os.fsencode(item.name): (file, item) for item in file if item.isfile() or item.issym()}

    def __contains__(self, path: bytes) -> bool:
        """Whether the commit lets the path go along; some it keeps out of exports."""
        return path in self._members

    def read(self, path: bytes) -> bytes:
        """A file's content or a link's text."""
        file, member = self._members[path]
        if member.issym():
            return os.fsencode(member.linkname)
        held = file.extractfile(member)
        assert held is not None
        return held.read()

    def __enter__(self) -> Archive:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for file in self._files:
            file.close()


def _chunks(paths: Sequence[bytes]) -> list[list[bytes]]:
    chunks: list[list[bytes]] = []
    room = 0
    for path in paths:
        if room < len(path):
            chunks.append([])
            room = _AT_ONCE
        chunks[-1].append(path)
        room -= len(path) + 1
    return chunks
