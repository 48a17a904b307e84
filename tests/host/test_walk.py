"""One walk that follows no link, and reads that catch no half-written file."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from memgit.core.memory import Patterns
from memgit.host import scan
from memgit.host.scan import Unreadable

EVERYTHING_BELOW = Patterns.compile(["/memory/**", "/MEMORY.md"], ["*.tmp"])


def test_only_directories_that_can_hold_memory_are_entered(tmp_path: Path) -> None:
    for name in ("memory/a.md", "memory/x.tmp", "MEMORY.md", "src/MEMORY.md", "node_modules/memory/b.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    (tmp_path / "src").chmod(0)
    try:
        found = scan.walk(os.fsencode(tmp_path), EVERYTHING_BELOW)
    finally:
        (tmp_path / "src").chmod(0o755)
    assert sorted(found.files) == [b"MEMORY.md", b"memory/a.md"]
    assert found.skipped == ()


def test_missing_directory_is_not_one_that_could_not_be_read(tmp_path: Path) -> None:
    found = scan.walk(os.fsencode(tmp_path), EVERYTHING_BELOW)
    assert (found.files, found.unseen) == ({}, ())


def test_repository_inside_is_named_and_looked_into_only_when_asked(tmp_path: Path) -> None:
    (tmp_path / "memory/inner/.git").mkdir(parents=True)
    (tmp_path / "memory/inner/a.md").write_text("x")
    found = scan.walk(os.fsencode(tmp_path), EVERYTHING_BELOW)
    assert (found.files, found.unseen) == ({}, (b"memory/inner",))
    found = scan.walk(os.fsencode(tmp_path), EVERYTHING_BELOW, nested=True)
    assert list(found.files) == [b"memory/inner/a.md"]


def test_what_changes_gets_another_stamp(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("one")
    before = scan.read(os.fsencode(tmp_path), b"f", 100)
    (tmp_path / "f").write_text("two")
    after = scan.read(os.fsencode(tmp_path), b"f", 100)
    assert (before[0], after[0]) == (b"one", b"two")
    assert before[1] != after[1] or before[1].is_fresh(before[1].mtime_ns)


def test_directory_swapped_for_a_link_is_not_followed(tmp_path: Path) -> None:
    """The walk has seen a directory, then somebody puts a link there."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/a.md").write_text("secret")
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree/memory").symlink_to(tmp_path / "outside")
    with pytest.raises(Unreadable) as caught:
        scan.read(os.fsencode(tmp_path / "tree"), b"memory/a.md", 100)
    assert caught.value.is_gone


def test_link_gives_its_target(tmp_path: Path) -> None:
    (tmp_path / "l").symlink_to("/nowhere/at all")
    content, stamp = scan.read(os.fsencode(tmp_path), b"l", 100)
    assert content == b"/nowhere/at all"
    assert stamp.is_link


@pytest.mark.parametrize(("name", "is_gone"), [("none", True), ("dir", True), ("fifo", True), ("large", False)])
def test_what_can_not_be_read_says_why(tmp_path: Path, name: str, is_gone: bool) -> None:
    (tmp_path / "dir").mkdir()
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "large").write_text("x" * 101)
    with pytest.raises(Unreadable) as caught:
        scan.read(os.fsencode(tmp_path), name.encode(), 100)
    assert caught.value.is_gone == is_gone


def test_recorded_content_existed(tmp_path: Path) -> None:
    """A writer replaces the file all the time; every read is one of its versions."""
    versions = [bytes([65 + number]) * 200_000 for number in range(4)]
    place = tmp_path / "f"
    place.write_bytes(versions[0])
    done = threading.Event()

    def write() -> None:
        while not done.is_set():
            for version in versions:
                place.write_bytes(version)

    writer = threading.Thread(target=write)
    writer.start()
    seen: set[bytes] = set()
    excuses: set[bool] = set()
    try:
        for _ in range(40):
            try:
                seen.add(scan.read(os.fsencode(tmp_path), b"f", 1_000_000)[0])
            except Unreadable as problem:
                excuses.add(problem.is_busy)
    finally:
        done.set()
        writer.join()
    assert excuses <= {True}
    assert seen <= {*versions, *(version[:size] for version in versions for size in range(0, 200_001, 4096)), b""}
