"""memgit merge-file: git merge-file's arguments, the driver's merge."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

MEMGIT = str(Path(sys.executable).parent / "memgit")
BASE = b"# Facts\n\n- one\n- two\n"


def merge_file(place: Path, *args: str, ours: bytes, theirs: bytes, base: bytes = BASE) -> tuple[int, bytes, str]:
    for name, content in (("ours.md", ours), ("base.md", base), ("theirs.md", theirs)):
        (place / name).write_bytes(content)
    done = subprocess.run(
        (MEMGIT, "merge-file", *args, "ours.md", "base.md", "theirs.md"), cwd=place, capture_output=True, check=False
    )
    return done.returncode, done.stdout, done.stderr.decode()


def test_two_appends_are_joined_in_our_file(tmp_path: Path) -> None:
    status, out, said = merge_file(tmp_path, ours=BASE + b"- ours\n", theirs=BASE + b"- theirs\n")
    assert (status, out, said) == (0, b"", "")
    assert sorted((tmp_path / "ours.md").read_bytes().splitlines()[4:]) == [b"- ours", b"- theirs"]


def test_p_prints_and_leaves_our_file_alone(tmp_path: Path) -> None:
    status, out, _ = merge_file(tmp_path, "-p", ours=BASE + b"- ours\n", theirs=BASE + b"- theirs\n")
    assert status == 0
    assert b"- ours\n" in out
    assert b"- theirs\n" in out
    assert (tmp_path / "ours.md").read_bytes() == BASE + b"- ours\n"


CONFLICT = {"ours": b"# Facts\n\n- one is 17 apples\n- two\n", "theirs": b"# Facts\n\n- one hates every pear\n- two\n"}


def test_a_conflict_is_marked_with_labels_and_size(tmp_path: Path) -> None:
    labels = ("-L", "mine", "-L", "old", "-L", "yours", "--marker-size", "9", "--diff3")
    status, _, said = merge_file(tmp_path, *labels, **CONFLICT)
    assert status == 5
    assert said == "ours.md: 1 conflict left between markers.\n"
    lines = (tmp_path / "ours.md").read_bytes().splitlines()
    marks = [line for line in lines if line[:9] in (b"<" * 9, b"|" * 9, b"=" * 9, b">" * 9)]
    assert marks == [b"<<<<<<<<< mine", b"||||||||| old", b"=========", b">>>>>>>>> yours"]


@pytest.mark.parametrize(
    ("option", "kept", "gone"),
    [("--ours", [b"apples"], [b"pear"]), ("--theirs", [b"pear"], [b"apples"]), ("--union", [b"apples", b"pear"], [])],
)
def test_a_side_can_be_chosen(tmp_path: Path, option: str, kept: list[bytes], gone: list[bytes]) -> None:
    status, out, _ = merge_file(tmp_path, "-p", option, **CONFLICT)
    assert status == 0
    assert all(word in out for word in kept)
    assert not any(word in out for word in gone)


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("-L", "mine"),
        ("-L", "mine", "-L", "old", "-L", "your's"),
        ("--marker-size=9", "--diff3"),
        ("--ours",),
        ("--theirs",),
        ("-q",),
    ],
    ids=" ".join,
)
def test_where_a_person_has_to_decide_the_output_is_that_of_git_merge_file(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    status, out, said = merge_file(tmp_path, "-p", *options, **CONFLICT)
    command = ("git", "merge-file", "-p", *options, "ours.md", "base.md", "theirs.md")
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    assert out == done.stdout
    assert (status != 0) == (done.returncode != 0)
    assert bool(said) == (status != 0 and "-q" not in options)


def test_a_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "ours.md").symlink_to("there.md")
    status, _, _ = merge_file(tmp_path, ours=BASE + b"- ours\n", theirs=BASE + b"- theirs\n")
    assert status == 0
    assert (tmp_path / "ours.md").is_symlink()
    assert b"- theirs\n" in (tmp_path / "there.md").read_bytes()


def test_markers_of_an_earlier_merge_are_no_result(tmp_path: Path) -> None:
    ours = b"# Facts\n\n<<<<<<< x\n- one\n=======\n- won\n>>>>>>> y\n- two\n"
    status, out, said = merge_file(tmp_path, "-p", ours=ours, theirs=BASE + b"- three\n")
    assert status == 5
    assert out == ours + b"- three\n"
    assert said == "ours.md: conflict markers of an earlier merge are still there; resolve them.\n"


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    done = subprocess.run(
        (MEMGIT, "merge-file", "a", "b", "c"), cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr == (
        "memgit: a does not exist.\n  Arguments are OURS BASE THEIRS, as for git merge-file.\n"
    )  # fmt: skip


def test_binary_files_are_refused_and_left_alone(tmp_path: Path) -> None:
    status, _, said = merge_file(tmp_path, ours=b"a\0b", base=b"a\0", theirs=b"a\0c")
    assert status == 2
    assert "binary" in said
    assert (tmp_path / "ours.md").read_bytes() == b"a\0b"
