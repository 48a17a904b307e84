"""Reading objects in bulk and writing them as one flushed pack."""

from __future__ import annotations

import hashlib
import os
import zlib
from collections.abc import Iterable, Iterator
from types import TracebackType

from memgit.core.objects import Oid
from memgit.errors import MemgitError
from memgit.git.command import DURABLE, Git
from memgit.git.refs import flush_directory
from memgit.process import Conversation

_BATCH = 1000  # commands sent before the first answer is read: 49 KB, less than a pipe holds
_KINDS = {b"commit": 1, b"tree": 2, b"blob": 3}
_LEVELS = {b"commit": 1, b"tree": 0, b"blob": 6}  # a tree is made of ids, which don't compress


class ObjectReader:
    """One `git cat-file --batch-command` for as long as it is open."""

    def __init__(self, git: Git) -> None:
        self._git = git
        self._child: Conversation | None = None

    def read(self, oid: Oid) -> bytes:
        """The raw content of an object. Raises KeyError if the repository has no such object."""
        return next(self.read_many((oid,)))

    def read_many(self, oids: Iterable[Oid]) -> Iterator[bytes]:
        """The raw contents in the order asked for. Raises KeyError as read() does."""
        child = self._open()
        batch = []
        for oid in oids:
            batch.append(oid)
            if len(batch) == _BATCH:
                yield from self._exchange(child, batch)
                batch = []
        if batch:
            yield from self._exchange(child, batch)

    def has(self, oid: Oid) -> bool:
        """True if the repository has the object."""
        try:
            self.read(oid)
        except KeyError:
            return False
        return True

    def _open(self) -> Conversation:
        if self._child is None:
            self._child = self._git.talk("cat-file", "--batch-command", "--buffer")
        return self._child

    def _exchange(self, child: Conversation, batch: list[Oid]) -> list[bytes]:
        child.send(b"contents " + b"\ncontents ".join(batch) + b"\nflush\n")
        line, receive = child.receive_line, child.receive
        answers = []
        for oid in batch:
            head = line().split()
            if len(head) != 3:  # "<id> missing"; the other answers would come in between, so start afresh
                self.__exit__(None, None, None)
                raise KeyError(oid.decode())
            size = int(head[2])
            answers.append(receive(size + 1)[:size])
        return answers

    def __enter__(self) -> ObjectReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._child is not None:
            self._child.__exit__(kind, error, trace)
            self._child = None


def write_pack(git: Git, common_dir: str, count: int, objects: Iterable[tuple[bytes, bytes]], keep: str) -> None:
    """Store objects as one pack, flushed to disk before this returns.

    objects: (kind, raw content), exactly `count` of them. keep: the text of the pack's `.keep` file,
    which holds a concurrent `git gc` off until something points at the objects; see
    `leftovers.release_packs`.
    Source of the format: gitformat-pack(5).
    """
    if not count:
        return
    with git.talk(*DURABLE, "index-pack", "--stdin", f"--keep={keep}") as child:
        checksum = hashlib.sha1(usedforsecurity=False)
        buffer = [b"PACK\x00\x00\x00\x02" + count.to_bytes(4, "big")]
        size = 0
        for kind, content in objects:
            piece = _entry_header(_KINDS[kind], len(content)) + zlib.compress(content, _LEVELS[kind])
            buffer.append(piece)
            size += len(piece)
            if size > 1 << 18:
                data = b"".join(buffer)
                checksum.update(data)
                child.send(data)
                buffer, size = [], 0
        data = b"".join(buffer)
        checksum.update(data)
        child.send(data + checksum.digest())
        child.close_input()
        answer = child.finish()
    if not answer.startswith((b"keep\t", b"pack\t")):
        raise MemgitError(f"git index-pack answered {answer!r}.")
    flush_directory(os.path.join(common_dir, "objects", "pack"))


def _entry_header(kind: int, size: int) -> bytes:
    byte = (kind << 4) | (size & 15)
    size >>= 4
    out = bytearray()
    while size:
        out.append(byte | 0x80)
        byte = size & 0x7F
        size >>= 7
    out.append(byte)
    return bytes(out)
