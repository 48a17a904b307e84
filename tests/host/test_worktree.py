"""Files put into a work tree: whole, never over what somebody wrote, and what came late is found."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from memgit.host.worktree import Late, Move, Version, append, in_the_way, look, placing


@pytest.fixture
def top(tmp_path: Path) -> bytes:
    (tmp_path / "tree").mkdir()
    return os.fsencode(tmp_path / "tree")


def file(content: bytes, mode: bytes = b"100644") -> Version:
    return Version(mode, content)


def put(top: bytes, path: bytes, content: bytes) -> None:
    place = os.path.join(top, path)
    os.makedirs(os.path.dirname(place), exist_ok=True)
    with open(place, "wb") as out:
        out.write(content)


def test_files_come_go_and_change(top: bytes, tmp_path: Path) -> None:
    put(top, b"a", b"old")
    put(top, b"d/gone", b"x")
    moves = [
        Move(b"a", file(b"old"), file(b"new", b"100755")),
        Move(b"d/gone", file(b"x"), None),
        Move(b"e/f/g", None, file(b"fresh")),
        Move(b"link", None, Version(b"120000", b"a")),
    ]
    assert in_the_way(top, moves) == ()
    late: list[Late] = []
    with placing(top, moves, str(tmp_path / "scratch"), late):
        pass
    assert late == []
    assert [look(top, move.path) for move in moves] == [move.new for move in moves]
    assert sorted(os.listdir(top)) == [b"a", b"e", b"link"]
    assert os.listdir(tmp_path / "scratch") == []


def test_what_somebody_wrote_is_in_the_way(top: bytes) -> None:
    put(top, b"a", b"mine")
    put(top, b"untracked", b"mine")
    os.mkdir(os.path.join(top, b"directory"))
    os.symlink("/etc", os.path.join(top, b"out"))
    moves = [
        Move(b"a", file(b"old"), file(b"new")),
        Move(b"untracked", None, file(b"theirs")),
        Move(b"directory", None, file(b"theirs")),
        Move(b"out/passwd", None, file(b"theirs")),
        Move(b"fine", None, file(b"theirs")),
    ]
    assert in_the_way(top, moves) == (b"a", b"untracked", b"directory", b"out/passwd")


def test_a_write_into_the_old_file_is_found(top: bytes, tmp_path: Path) -> None:
    put(top, b"a", b"old\n")
    late: list[Late] = []
    with (
        open(os.path.join(top, b"a"), "ab", buffering=0) as writer,
        placing(top, [Move(b"a", file(b"old\n"), file(b"new\n"))], str(tmp_path / "scratch"), late),
    ):
        writer.write(b"late\n")
        writer.close()
    assert [(write.path, write.expected, write.found) for write in late] == [(b"a", b"old\n", b"old\nlate\n")]
    append(top, b"a", b"late\n")
    assert look(top, b"a") == file(b"new\nlate\n")


def test_a_file_that_replaced_the_old_one_at_the_last_moment_is_found(top: bytes, tmp_path: Path) -> None:
    put(top, b"a", b"someone else's\n")
    late: list[Late] = []
    with placing(top, [Move(b"a", file(b"old\n"), file(b"new\n"))], str(tmp_path / "scratch"), late):
        pass
    assert [(write.expected, write.found) for write in late] == [(b"old\n", b"someone else's\n")]


def test_what_came_late_is_found_even_where_it_goes_wrong_afterwards(top: bytes, tmp_path: Path) -> None:
    put(top, b"a", b"old\nlate\n")
    put(top, b"b", b"in the way")
    moves = [Move(b"a", file(b"old\n"), file(b"new\n")), Move(b"b", None, file(b"theirs"))]
    late: list[Late] = []
    with pytest.raises(FileExistsError), placing(top, moves, str(tmp_path / "scratch"), late):
        pass
    assert [(write.path, write.found) for write in late] == [(b"a", b"old\nlate\n")]
    assert look(top, b"b") == file(b"in the way")
    assert os.listdir(tmp_path / "scratch") == []


def test_permissions_survive(top: bytes, tmp_path: Path) -> None:
    put(top, b"a", b"old")
    os.chmod(os.path.join(top, b"a"), 0o600)
    with placing(top, [Move(b"a", file(b"old"), file(b"new"))], str(tmp_path / "scratch"), []):
        pass
    assert os.stat(os.path.join(top, b"a")).st_mode & 0o777 == 0o600
