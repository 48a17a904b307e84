"""Hints from the system, and which directories are watched for them."""

from __future__ import annotations

import os
import select
from pathlib import Path

import pytest

from memgit.core.memory import Patterns
from memgit.host.clock import local_zone
from memgit.host.log import JsonLog
from memgit.host.machine import name
from memgit.host.watch import NoWatch, Watcher, directories

PATTERNS = Patterns.compile(("/MEMORY.md", "/memory/**"), ())


def test_only_directories_that_can_hold_memory(tmp_path: Path) -> None:
    for place in ("memory/a/b", "node_modules/x", "src", "memory/nested/.git", ".git/objects"):
        (tmp_path / place).mkdir(parents=True)
    found = set(directories(os.fsencode(tmp_path), PATTERNS.may_contain))
    assert found == {b"", b"memory", b"memory/a", b"memory/a/b"}


def test_hints_name_what_changed(tmp_path: Path) -> None:
    root = os.fsencode(tmp_path)
    (tmp_path / "memory").mkdir()
    try:
        watcher = Watcher()
    except NoWatch as error:
        pytest.skip(str(error))
    try:
        watcher.watch(root, iter([b"", b"memory"]))
        assert watcher.count == 2
        (tmp_path / "memory" / "a.md").write_text("a")
        (tmp_path / "memory" / "sub").mkdir()
        select.select([watcher.fd], [], [], 10)
        hints = list(watcher.hints())
        assert {hint.path for hint in hints} == {b"memory/a.md", b"memory/sub"}
        assert {hint.path for hint in hints if hint.is_directory} == {b"memory/sub"}
        watcher.watch(root, iter([b""]))
        assert watcher.count == 1
        watcher.forget(root)
        assert watcher.count == 0
    finally:
        watcher.close()


def test_the_log_stays_small(tmp_path: Path) -> None:
    log = JsonLog(str(tmp_path / "log" / "run.jsonl"), limit=2000)
    for number in range(500):
        log.write("event", number=number)
    files = sorted(path.name for path in (tmp_path / "log").iterdir())
    assert files == ["run.jsonl", "run.jsonl.1", "run.jsonl.2", "run.jsonl.3"]
    assert all(path.stat().st_size <= 2000 for path in (tmp_path / "log").iterdir())
    assert '"number": 499}' in (tmp_path / "log" / "run.jsonl").read_text().splitlines()[-1]
    JsonLog(str(tmp_path / "gone" / "for" / "good.jsonl")).write("event")
    assert not (tmp_path / "gone").exists()


@pytest.mark.parametrize(
    ("given", "made"),
    [("Laptop", "Laptop"), ("a b/c", "a-b-c"), ("..", "machine"), ("x.lock", "x-lock"), ("é", "machine")],
)
def test_a_machine_name_is_fit_for_a_ref(given: str, made: str) -> None:
    assert name({"MEMGIT_MACHINE": given}) == made


def test_the_zone_of_this_machine() -> None:
    assert str(local_zone({"TZ": "Europe/Berlin"})) == "Europe/Berlin"
    assert str(local_zone({"TZ": ":Asia/Kathmandu"})) == "Asia/Kathmandu"
    assert local_zone({"TZ": "no/where"}).utcoffset(None) is not None
