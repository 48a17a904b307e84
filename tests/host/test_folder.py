"""Directory trees that are read and written without following a link in them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from memgit.errors import MemgitError
from memgit.host import tree
from memgit.host.folder import TEMPORARY, Folder


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(str(tmp_path / "top"), create=True, is_ours=True)


def test_a_directory_that_became_a_link_leads_nowhere(folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "file").write_text("outside\n")
    os.symlink(tmp_path / "outside", tmp_path / "top" / "directory")
    assert folder.scan().directories == []
    assert folder.lstat(b"directory/file") is None
    with pytest.raises(OSError, match=r"Not a directory|symbolic"):
        folder.read(b"directory/file")
    folder.write(b"directory/file", (b"inside\n",), 0o644, 0)
    assert (tmp_path / "outside" / "file").read_text() == "outside\n"
    assert (tmp_path / "top/directory/file").read_text() == "inside\n"


def test_in_a_place_of_others_a_link_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "top").mkdir()
    os.symlink(tmp_path / "outside", tmp_path / "top" / "directory")
    with Folder(str(tmp_path / "top")) as folder, pytest.raises(OSError, match=r"Not a directory|symbolic"):
        folder.write(b"directory/file", (b"x",), 0o644, 0)
    assert os.path.islink(tmp_path / "top" / "directory")
    assert os.listdir(tmp_path / "outside") == []


@pytest.mark.parametrize("path", [b"../x", b"a/../../x", b"/etc/x", b"a//x", b".", b"..", b""])
def test_a_path_can_not_lead_out(folder: Folder, path: bytes) -> None:
    with pytest.raises(MemgitError):
        folder.write(path, (b"x",), 0o644, 0)
    with pytest.raises(MemgitError):
        folder.remove(path)


def test_a_file_is_the_old_one_until_it_is_the_new_one(folder: Folder, tmp_path: Path) -> None:
    folder.write(b"a", (b"old",), 0o644, 0)

    def pieces() -> Iterator[bytes]:
        yield b"ne"
        assert (tmp_path / "top/a").read_bytes() == b"old"
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        folder.write(b"a", pieces(), 0o644, 0)
    assert (tmp_path / "top/a").read_bytes() == b"old"
    assert not [name for name in os.listdir(tmp_path / "top") if os.fsencode(name).startswith(TEMPORARY)]


def test_fifos_and_devices_are_skipped_and_never_opened(folder: Folder, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "top/fifo")
    scan = folder.scan()
    assert scan.files == []
    assert scan.skipped == [(b"fifo", "is no regular file")]
    with pytest.raises(MemgitError):
        folder.read(b"fifo")


def test_removing_a_file_takes_empty_directories_along_but_not_the_top(folder: Folder, tmp_path: Path) -> None:
    folder.write(b"a/b/c", (b"x",), 0o644, 0)
    folder.write(b"a/d", (b"x",), 0o644, 0)
    folder.remove(b"a/b/c")
    assert sorted(os.listdir(tmp_path / "top/a")) == ["d"]
    folder.remove(b"a/d")
    assert os.listdir(tmp_path / "top") == []
    folder.flush()


def test_a_tree_without_permissions_can_be_removed(tmp_path: Path) -> None:
    inner = tmp_path / "tree/a/b"
    inner.mkdir(parents=True)
    (inner / "file").write_text("x")
    inner.chmod(0)
    inner.parent.chmod(0)
    tree.remove(str(tmp_path / "tree"))
    assert not (tmp_path / "tree").exists()
