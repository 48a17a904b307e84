"""The driver program in process: statuses, labels, faults."""

from __future__ import annotations

from pathlib import Path

import pytest

from memgit import merge_driver


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.chdir(tmp_path)
    for name, text in (("o", "- one\n"), ("a", "- uno\n"), ("b", "- eins\n")):
        (tmp_path / name).write_text(text)
    return ["o", "a", "b"]


def test_clean_is_0(files: list[str]) -> None:
    Path("b").write_text("- one\n")
    assert merge_driver.main(files) == merge_driver.CLEAN
    assert Path("a").read_text() == "- uno\n"


def test_markers_are_3_and_carry_the_labels(files: list[str]) -> None:
    assert merge_driver.main([*files, "9", "x.md", "base", "HEAD", "topic"]) == merge_driver.MARKED
    assert Path("a").read_text() == "<<<<<<<<< HEAD\n- uno\n=========\n- eins\n>>>>>>>>> topic\n"


def test_placeholders_that_git_left_alone_count_as_absent(files: list[str]) -> None:
    assert merge_driver.main([*files, "%L", "%P", "%S", "%X", "%Y"]) == merge_driver.MARKED
    assert Path("a").read_text() == "<<<<<<< ours\n- uno\n=======\n- eins\n>>>>>>> theirs\n"


def test_a_fault_inside_leaves_both_sides_marked(
    files: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise RecursionError

    monkeypatch.setattr(merge_driver, "merge", fail)
    assert merge_driver.main(files) == merge_driver.MARKED
    assert Path("a").read_text() == "<<<<<<< ours\n- uno\n=======\n- eins\n>>>>>>> theirs\n"
    assert "RecursionError" in capsys.readouterr().err


def test_files_that_can_not_be_read_are_2_and_nothing_is_written(files: list[str]) -> None:
    assert merge_driver.main(["missing", "a", "b"]) == merge_driver.FAILED
    assert Path("a").read_text() == "- uno\n"


def test_wrong_arguments_are_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert merge_driver.main(["a"]) == merge_driver.FAILED
    assert "usage: memgit-merge" in capsys.readouterr().err


def test_a_broken_rule_is_named_and_does_not_stop_the_merge(
    files: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    Path(".memgit.toml").write_text('[[merge]]\nglob = "*"\npolicy = "best"\n')
    assert merge_driver.main([*files, "7", "x.md"]) == merge_driver.MARKED
    assert ".memgit.toml: unknown policy 'best'" in capsys.readouterr().err
