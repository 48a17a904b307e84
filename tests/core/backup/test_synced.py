"""What synchronising programs leave in a folder is told from memory."""

from __future__ import annotations

import pytest

from memgit.core.backup.synced import evicted, folded, is_housekeeping, original


@pytest.mark.parametrize(
    "path",
    [
        b"memory/.obsidian/workspace.json", b".trash/a.md", b"memory/.stfolder/x", b"memory/.syncthing.a.md.tmp",
        b"memory/.~lock.a.md#", b"memory/._a.md", b"memory/.a.md.icloud", b"memory/desktop.ini", b".dropbox.cache/a",
    ],
)  # fmt: skip
def test_housekeeping_is_no_memory(path: bytes) -> None:
    assert is_housekeeping(path)


@pytest.mark.parametrize("path", [b"MEMORY.md", b"memory/2026-01-01.md", b"memory/obsidian.md", b"memory/.hidden.md"])
def test_notes_are(path: bytes) -> None:
    assert not is_housekeeping(path)
    assert original(path) is None
    assert evicted(path) is None


@pytest.mark.parametrize(
    ("copy", "of"),
    [
        (b"memory/a (Ann's conflicted copy 2026-02-03).md", b"memory/a.md"),
        (b"a (conflicted copy 2026-02-03 101010).md", b"a.md"),
        (b"x/MEMORY.sync-conflict-20260203-101010-ABCDEFG.md", b"x/MEMORY.md"),
        (b"b_conflict-20260203-101010.md", b"b.md"),
        (b"LOG (Case Conflicted Copy)", b"LOG"),
    ],
)
def test_a_conflicted_copy_names_its_original(copy: bytes, of: bytes) -> None:
    assert original(copy) == of


def test_a_placeholder_names_its_file() -> None:
    assert evicted(b"memory/.2026-01-01.md.icloud") == b"memory/2026-01-01.md"


def test_names_that_a_file_system_may_take_for_one() -> None:
    assert folded("É/A.md".encode()) == folded("e\u0301/a.md".encode())
    assert folded(b"\xff.md") != folded(b"\xfe.md")
    assert folded(b"a.md") != folded(b"b.md")
