"""What a run of a backup takes for untouched."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from memgit.host import generation
from memgit.host.folder import Folder
from memgit.host.local_place import LocalPlace
from memgit.host.place import MIRROR, Generation
from memgit.porcelain.backup.rest import Rest

LATER_NS = 10 * 10**9


def put(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    for side in ("workspace", "target/current/files"):
        put(tmp_path / side / "MEMORY.md", "a fact\n")
        put(tmp_path / side / "memory/day.md", "a note\n")
    put(tmp_path / "target/current/manifest", "manifest\n")
    put(tmp_path / "target/current/base", "base\n")
    return tmp_path


def look(place: Path, *, name: str = MIRROR, rules: bytes = b"rules", complete: bytes = b"it", later: int = 0) -> Rest:
    with Folder(str(place / "workspace")) as folder:
        items, _ = generation.items(folder)
    made = Generation(name, complete)
    target = LocalPlace(str(place / "target"))
    return Rest(str(place / "rest"), target, made, rules, items, time.time_ns() + later)


def tamper(path: Path) -> None:
    """Other content of the same length and time."""
    status = path.stat()
    path.write_text(path.read_text().swapcase())
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def test_what_nobody_touched_is_as_it_was_left(place: Path) -> None:
    assert not look(place).is_as_left()
    look(place, later=LATER_NS).remember()
    assert look(place).is_as_left()


def test_what_changed_a_moment_ago_is_not_relied_on(place: Path) -> None:
    look(place).remember()
    assert not look(place).is_as_left()


@pytest.mark.parametrize(
    "touch",
    [
        lambda top: put(top / "workspace/MEMORY.md", "another fact\n"),
        lambda top: put(top / "workspace/memory/new.md", "new\n"),
        lambda top: (top / "workspace/memory/day.md").unlink(),
        lambda top: (top / "workspace/memory/day.md").chmod(0o600),
        lambda top: tamper(top / "workspace/memory/day.md"),
        lambda top: put(top / "target/current/files/MEMORY.md", "a lie\n"),
        lambda top: put(top / "target/current/files/stray.md", "stray\n"),
        lambda top: (top / "target/current/files/memory/day.md").unlink(),
        lambda top: tamper(top / "target/current/files/memory/day.md"),
        lambda top: (top / "target/current/manifest").unlink(),
        lambda top: tamper(top / "target/current/base"),
        lambda top: put(top / "rest", (top / "rest").read_text()[:-3]),
        lambda top: put(top / "rest", ""),
        lambda top: (top / "rest").unlink(),
    ],
)
def test_whatever_was_touched_on_either_side_is_noticed(place: Path, touch: Callable[[Path], object]) -> None:
    look(place, later=LATER_NS).remember()
    touch(place)
    assert not look(place).is_as_left()


def test_other_rules_another_generation_or_another_completion_are_noticed(place: Path) -> None:
    look(place, later=LATER_NS).remember()
    assert not look(place, rules=b"others").is_as_left()
    assert not look(place, complete=b"another").is_as_left()
    (place / "target/current").rename(place / "target/2026")
    assert not look(place, name="2026").is_as_left()
