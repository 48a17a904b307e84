"""The registered line through real git: what it answers, and how it heals itself."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from memgit.core.driver_line import driver_line
from support.merging import PACKAGE, Clone

BASE = "# Memory\n\n- one\n"
OURS = BASE + "- 10:00 from here\n"
THEIRS = BASE + "- 10:05 from there\n"
START = str(PACKAGE / "driver_start.py")


def test_line_merges_what_git_would_not(tmp_path: Path) -> None:
    clone = Clone.create(tmp_path / "w")
    clone.diverge("MEMORY.md", BASE, OURS, THEIRS)
    clone.git("merge", "-q", "other")
    assert clone.read("MEMORY.md") == BASE + "- 10:00 from here\n- 10:05 from there\n"


def test_line_reports_a_conflict_with_markers_and_no_fallback_output(tmp_path: Path) -> None:
    clone = Clone.create(tmp_path / "w")
    clone.diverge("MEMORY.md", BASE, BASE.replace("one", "1"), BASE.replace("one", "first"))
    merged = clone.git("merge", "other", check=False)
    assert merged.returncode == 1
    assert clone.read("MEMORY.md") == "# Memory\n\n<<<<<<< ours\n- 1\n=======\n- first\n>>>>>>> theirs\n"
    assert clone.git("ls-files", "-u").stdout.count("MEMORY.md") == 3


@pytest.mark.parametrize(
    "script",
    [
        "raise RuntimeError('inside')",
        "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
        "import sys; sys.exit(200)",
        "import sys; sys.exit(1)",
        "this is no python",
    ],
)
def test_line_falls_back_to_markers_when_the_driver_dies(tmp_path: Path, script: str) -> None:
    start = tmp_path / "start.py"
    start.write_text(script)
    clone = Clone.create(tmp_path / "w", driver_line(sys.executable, str(start)))
    clone.diverge("MEMORY.md", BASE, OURS, THEIRS)
    assert clone.git("merge", "other", check=False).returncode == 1
    text = clone.read("MEMORY.md")
    assert "<<<<<<< ours\n- 10:00 from here\n=======\n- 10:05 from there\n>>>>>>> theirs\n" in text


def test_line_falls_back_when_the_interpreter_is_gone(tmp_path: Path) -> None:
    clone = Clone.create(tmp_path / "w", driver_line(str(tmp_path / "no-python"), START))
    clone.diverge("MEMORY.md", BASE, OURS, THEIRS)
    assert clone.git("merge", "other", check=False).returncode == 1
    assert "<<<<<<< ours" in clone.read("MEMORY.md")


def test_line_falls_back_to_a_clean_merge_where_git_can_make_one(tmp_path: Path) -> None:
    clone = Clone.create(tmp_path / "w", driver_line(str(tmp_path / "no-python"), START))
    base = "a\nb\nc\nd\ne\n"
    clone.diverge("MEMORY.md", base, base.replace("a", "A"), base.replace("e", "E"))
    clone.git("merge", "-q", "other")
    assert clone.read("MEMORY.md") == "A\nb\nc\nd\nE\n"


@pytest.mark.parametrize("odd", ["with space", "it's", 'say "hi"', "100%A", "$HOME", "semi;colon&", "back\\slash", "ü"])
def test_line_finds_its_files_in_odd_places(tmp_path: Path, odd: str) -> None:
    place = tmp_path / odd
    place.mkdir()
    (place / "python").symlink_to(Path(sys.executable))
    (place / "memgit").symlink_to(PACKAGE)
    line = driver_line(str(place / "python"), str(place / "memgit" / "driver_start.py"))
    clone = Clone.create(place / "work tree's", line)
    clone.diverge(f"memory {odd}.md", BASE, OURS, THEIRS)
    clone.git("merge", "-q", "other")
    assert clone.read(f"memory {odd}.md") == BASE + "- 10:00 from here\n- 10:05 from there\n"


def test_line_leaves_binary_files_as_ours_and_conflicted(tmp_path: Path) -> None:
    clone = Clone.create(tmp_path / "w")
    clone.diverge("MEMORY.md", "a\0b\n", "a\0ours\n", "a\0theirs\n")
    assert clone.git("merge", "other", check=False).returncode == 1
    assert clone.read("MEMORY.md") == "a\0ours\n"
    assert clone.git("ls-files", "-u").stdout.count("MEMORY.md") == 3


@pytest.mark.parametrize(("style", "expected"), [("merge", False), ("diff3", True), ("zdiff3", True)])
def test_driver_honours_the_configured_conflict_style(tmp_path: Path, style: str, expected: bool) -> None:
    clone = Clone.create(tmp_path / "w")
    clone.git("config", "merge.conflictStyle", style)
    clone.diverge("MEMORY.md", BASE, BASE.replace("one", "1"), BASE.replace("one", "first"))
    clone.git("merge", "other", check=False)
    assert ("||||||| base\n- one\n" in clone.read("MEMORY.md")) is expected


def test_driver_honours_the_style_given_on_the_command_line(tmp_path: Path) -> None:
    clone = Clone.create(tmp_path / "w")
    clone.diverge("MEMORY.md", BASE, BASE.replace("one", "1"), BASE.replace("one", "first"))
    clone.git("-c", "merge.conflictStyle=diff3", "merge", "other", check=False)
    assert "||||||| base\n- one\n" in clone.read("MEMORY.md")


def test_driver_honours_the_conflict_marker_size_attribute(tmp_path: Path) -> None:
    clone = Clone.create(tmp_path / "w", attributes="*.md merge=memgit conflict-marker-size=12\n")
    clone.diverge("MEMORY.md", BASE, BASE.replace("one", "1"), BASE.replace("one", "first"))
    clone.git("merge", "other", check=False)
    assert "\n" + "<" * 12 + " ours\n" in clone.read("MEMORY.md")


def test_driver_reads_the_rules_of_the_work_tree(tmp_path: Path) -> None:
    clone = Clone.create(tmp_path / "w")
    clone.commit(".memgit.toml", '[[merge]]\nglob = "state/*.md"\npolicy = "theirs"\n')
    clone.diverge("state/now.md", BASE, BASE.replace("one", "1"), BASE.replace("one", "first"))
    clone.git("merge", "-q", "other")
    assert clone.read("state/now.md") == BASE.replace("one", "first")


def test_driver_merges_although_the_configuration_is_broken(tmp_path: Path) -> None:
    clone = Clone.create(tmp_path / "w")
    clone.commit(".memgit.toml", "[[merge]\nglob = \n")
    clone.diverge("MEMORY.md", BASE, OURS, THEIRS)
    clone.git("merge", "-q", "other")
    assert clone.read("MEMORY.md") == BASE + "- 10:00 from here\n- 10:05 from there\n"


def test_line_leaves_nothing_behind_in_the_work_tree(tmp_path: Path) -> None:
    clone = Clone.create(tmp_path / "w")
    clone.diverge("MEMORY.md", BASE, OURS, THEIRS)
    clone.git("merge", "-q", "other")
    assert sorted(entry.name for entry in clone.path.iterdir()) == [".git", "MEMORY.md"]
