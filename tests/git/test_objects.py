"""Objects written as a pack are the objects git would have written."""

from __future__ import annotations

from pathlib import Path

from memgit.core.objects import hash_object
from memgit.git.objects import ObjectReader, write_pack
from memgit.git.repository import discover
from memgit.porcelain import transaction
from support.repo import Repo


def test_a_pack_holds_objects_of_every_size(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "repo")
    sizes = (0, 1, 15, 16, 2047, 2048, 0xFFFF, 0x10000, 300_000)
    objects = [(b"blob", bytes(range(256)) * (size // 256 + 1)) for size in sizes]
    objects = [(kind, content[:size]) for (kind, content), size in zip(objects, sizes, strict=True)]
    tree = hash_object(b"tree", b"")
    line = b"tree %s\nauthor A <a> 1 +0000\ncommitter A <a> 1 +0000\n\n" % tree
    objects += [(b"tree", b""), *((b"commit", line + b"x" * size) for size in sizes)]
    with transaction.begin(discover(str(repo.path))) as change:
        git = change.repo.git
        write_pack(git, change.repo.common_dir, objects, "memgit test")
        with ObjectReader(git) as reader:
            wanted = [hash_object(kind, content) for kind, content in objects]
            assert list(reader.read_many(wanted)) == [content for _, content in objects]
    assert b"error" not in repo.git("fsck", "--strict", "--no-dangling")
