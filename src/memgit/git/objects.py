"""Reading objects in bulk and writing them as one flushed pack."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterable, Iterator, Sequence
from types import TracebackType

from memgit.core.objects import Oid, hash_object, tree_of
from memgit.errors import MemgitError, MissingObject
from memgit.git.command import DURABLE, Git
from memgit.git.refs import flush_directory
from memgit.process import Conversation

_BATCH = 1000  # commands sent before the first answer is read: 49 KB, less than a pipe holds
_KINDS = {b"commit": 1, b"tree": 2, b"blob": 3}
_STORED_UP_TO = 0xFFFF  # bytes of a block that is not compressed


class ObjectReader:
    """One `git cat-file --batch-command` for as long as it is open."""

    def __init__(self, git: Git) -> None:
        self._git = git
        self._child: Conversation | None = None

    def read(self, oid: Oid) -> bytes:
        """The raw content of an object. Raises MissingObject if the repository has no such object."""
        return next(self.read_many((oid,)))

    def read_many(self, oids: Iterable[Oid]) -> Iterator[bytes]:
        """The raw contents in the order asked for. Raises MissingObject as read() does."""
        return self.read_limited(oids, None)  # type: ignore[return-value]  # without a limit there is no None

    def read_limited(self, oids: Iterable[Oid], limit: int | None) -> Iterator[bytes | None]:
        """As read_many, but None in place of a content of more than `limit` bytes."""
        child = self._open()
        batch = []
        for oid in oids:
            batch.append(oid)
            if len(batch) == _BATCH:
                yield from self._exchange(child, batch, limit)
                batch = []
        if batch:
            yield from self._exchange(child, batch, limit)

    def tree(self, commit: Oid) -> Oid:
        """The tree of a commit. Raises MissingObject as read() does."""
        return tree_of(self.read(commit))

    def has(self, oid: Oid) -> bool:
        """True if the repository has the object."""
        try:
            self.read(oid)
        except MissingObject:
            return False
        return True

    def _open(self) -> Conversation:
        if self._child is None:
            self._child = self._git.talk("cat-file", "--batch-command", "--buffer")
        return self._child

    def _exchange(self, child: Conversation, batch: list[Oid], limit: int | None) -> list[bytes | None]:
        child.send(b"contents " + b"\ncontents ".join(batch) + b"\nflush\n")
        line, receive = child.receive_line, child.receive
        answers: list[bytes | None] = []
        for oid in batch:
            head = line().split()
            if len(head) != 3:  # "<id> missing"; the other answers would come in between, so start afresh
                self.__exit__(None, None, None)
                raise MissingObject(oid)
            size = int(head[2])
            if limit is None or size <= limit:
                answers.append(receive(size + 1)[:size])
            else:
                child.skip(size + 1)
                answers.append(None)
        return answers

    def __enter__(self) -> ObjectReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._child is not None:
            self._child.__exit__(kind, error, trace)
            self._child = None


def write_pack(git: Git, common_dir: str, objects: Sequence[tuple[bytes, bytes]], keep: str) -> None:
    """Store objects, (kind, raw content), as one pack, flushed to disk before this returns.

    keep: the text of the pack's `.keep` file,
    which holds a concurrent `git gc` off until something points at the objects; see
    `leftovers.release_packs`.
    """
    with _at(common_dir, git).talk(*DURABLE, "index-pack", "--stdin", f"--keep={keep}") as child:
        _send_pack(child, objects)
        answer = child.finish()
    if not answer.startswith((b"keep\t", b"pack\t")):
        raise MemgitError(f"git index-pack answered {answer!r}.")
    flush_directory(os.path.join(common_dir, "objects", "pack"))


def write_loose(git: Git, common_dir: str, objects: Sequence[tuple[bytes, bytes]]) -> None:
    """Store a few objects, (kind, raw content), each in a file of its own, flushed to disk before this returns.

    As git does with small pushes: thousands of tiny packs would slow every later command down.
    """
    with _at(common_dir, git).talk(*DURABLE, "unpack-objects", "-q") as child:
        _send_pack(child, objects)
        child.finish()
    for directory in {hash_object(kind, content)[:2].decode() for kind, content in objects}:
        flush_directory(os.path.join(common_dir, "objects", directory))
    flush_directory(os.path.join(common_dir, "objects"))


def _at(common_dir: str, git: Git) -> Git:
    """Started below the top of a work tree, git index-pack 2.39 goes back there, and takes a relative
    object directory along: the pack would land in the work tree."""
    return Git(common_dir, common_dir, git.keep_fds)


def is_loose(common_dir: str, oid: Oid) -> bool:
    """Whether the object lies in a file of its own."""
    name = oid.decode()
    return os.path.exists(os.path.join(common_dir, "objects", name[:2], name[2:]))


def _send_pack(child: Conversation, objects: Sequence[tuple[bytes, bytes]]) -> None:
    """Source of the format: gitformat-pack(5)."""
    import hashlib  # 5 ms that a run without changes need not pay

    checksum = hashlib.sha1(usedforsecurity=False)
    buffer = [b"PACK\x00\x00\x00\x02" + len(objects).to_bytes(4, "big")]
    size = 0
    for kind, content in objects:
        body = zlib.compress(content) if kind == b"blob" or len(content) > _STORED_UP_TO else _stored(content)
        piece = _entry_header(_KINDS[kind], len(content)) + body
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


def _stored(content: bytes) -> bytes:
    """A zlib stream that holds the content as it is: a commit and a tree are mostly ids, which don't compress.

    zlib makes the same at level 0, at more than twice the cost. Source of the format: RFC 1950 and 1951, section 3.2.4.
    """
    size = len(content)
    head = b"\x78\x01\x01" + size.to_bytes(2, "little") + (size ^ 0xFFFF).to_bytes(2, "little")
    return head + content + zlib.adler32(content).to_bytes(4, "big")


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
