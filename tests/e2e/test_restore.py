"""Getting a file back: as it was at a time or in a commit, also after consolidation, and undoing that."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from support.repo import MONDAY_S
from support.workspace import Workspace

LOG = "memory/log.md"
HOUR_S = 3600


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    """A day in which the log grew by a line an hour, from one to six."""
    ws = Workspace(tmp_path / "ws", {LOG: "- 1\n", "app.py": "print(1)\n"})
    for hour in range(2, 7):
        at = f"{MONDAY_S + hour * HOUR_S} +0000"
        ws.write(LOG, lines(hour))
        ws.git("add", LOG)
        message = f"auto: hour {hour}\n\nMemgit-Auto: here"
        ws.git("commit", "-qm", message, env={"GIT_AUTHOR_DATE": at, "GIT_COMMITTER_DATE": at})
    return ws


def lines(count: int) -> str:
    return "".join(f"- {number}\n" for number in range(1, count + 1))


def text_of(ws: Workspace) -> str:
    return (ws.path / LOG).read_text()


def test_file_comes_back_as_it_was_at_a_time_and_can_be_taken_back(ws: Workspace) -> None:
    tip = ws.head()
    done = ws.run("restore", LOG, "--at", "2024-01-29 04:30 +0000")
    assert text_of(ws) == lines(4)
    assert ws.content("HEAD", LOG).decode() == lines(4)
    assert ws.status() == []
    assert "-- 5\n-- 6\n" in done.out
    assert ws.git("rev-parse", "HEAD~1").strip() == tip
    undo = done.out.splitlines()[-1].removeprefix("Take it back with: memgit ").split()
    again = ws.run(*undo)
    assert text_of(ws) == lines(6)
    ws.run(*again.out.splitlines()[-1].removeprefix("Take it back with: memgit ").split())
    assert text_of(ws) == lines(4)
    assert ws.status() == []
    ws.fsck()


def test_also_after_consolidation(ws: Workspace) -> None:
    ws.run("consolidate")
    assert len(ws.history()) == 2
    ws.git("reflog", "expire", "--expire=now", "--all")
    ws.git("gc", "-q", "--prune=now")
    ws.run("restore", LOG, "--at", "2024-01-29 03:59 +0000")
    assert text_of(ws) == lines(3)


def test_from_a_commit(ws: Workspace) -> None:
    ws.run("restore", LOG, "--at", "HEAD~4")
    assert text_of(ws) == lines(2)


def test_what_was_not_captured_yet_is_captured_first(ws: Workspace) -> None:
    ws.write(LOG, "- precious\n")
    report = ws.run("--json", "restore", LOG, "--at", "HEAD").json
    assert text_of(ws) == lines(6)
    assert ws.content(report["old_tip"], LOG) == b"- precious\n"


def test_what_can_not_be_captured_is_not_written_over(ws: Workspace) -> None:
    ws.write(LOG, "<<<<<<< a\n=======\n>>>>>>> b\n")
    assert "can't be captured and would be lost" in ws.run("restore", LOG, "--at", "HEAD", ok=4).err
    assert text_of(ws).startswith("<<<<<<<")


def test_deleted_file_and_whole_directory_come_back(ws: Workspace) -> None:
    ws.write("memory/a/b.md", "- b\n")
    ws.capture()
    tip = ws.head().decode()
    (ws.path / "memory/a/b.md").unlink()
    (ws.path / LOG).unlink()
    ws.capture("--confirm-deletions")
    report = ws.run("--json", "restore", "memory", "--at", tip).json
    assert [file["path"] for file in report["files"]] == ["memory/a/b.md", LOG]
    assert text_of(ws) == lines(6)
    assert (ws.path / "memory/a/b.md").read_text() == "- b\n"


def test_dry_run_shows_the_same_and_changes_nothing(ws: Workspace) -> None:
    before = ws.refs()
    shown = ws.run("restore", LOG, "--at", "HEAD~4", "--dry-run").out
    assert (ws.refs(), text_of(ws)) == (before, lines(6))
    done = ws.run("restore", LOG, "--at", "HEAD~4").out
    assert shown.splitlines()[:-1] == done.splitlines()[:-2]


def test_second_run_changes_nothing(ws: Workspace) -> None:
    ws.run("restore", LOG, "--at", "HEAD~4")
    tip = ws.head()
    assert ws.run("restore", LOG, "--at", f"{tip.decode()}").out == f"{LOG} is like that already.\n"
    assert ws.head() == tip


def test_state_that_only_a_capture_has_is_reached(ws: Workspace) -> None:
    ws.git("checkout", "-q", "--detach")
    ws.write(LOG, "- only captured\n")
    captured = ws.capture()["commit"]
    ws.git("checkout", "-q", "--", LOG)
    ws.git("checkout", "-q", "main")
    ws.capture()
    states = ws.run("--json", "log", "--raw", LOG).json["states"]
    assert captured in [state["commit"] for state in states]
    ws.run("restore", LOG, "--at", captured)
    assert text_of(ws) == "- only captured\n"


def test_raw_log_lists_every_state_once_newest_first(ws: Workspace) -> None:
    before = ws.run("--json", "log", "--raw", LOG).json["states"]
    start, *rest = [state["subject"] for state in before]  # made now, while the hours are those of a Monday long ago
    assert (start, rest) == ("start", [f"auto: hour {hour}" for hour in range(6, 1, -1)])
    ws.run("consolidate")
    after = ws.run("--json", "log", "--raw", LOG).json["states"]
    assert {state["blob"] for state in after} == {state["blob"] for state in before}


@pytest.mark.parametrize("at", ["gibberish", "feature/none", ""])
def test_what_is_no_date_is_refused(ws: Workspace, at: str) -> None:
    """git itself takes anything for the present moment."""
    ws.run("restore", LOG, "--at", at, ok=2)


def test_file_that_did_not_exist_then_is_named(ws: Workspace) -> None:
    said = ws.run("restore", LOG, "--at", "1999-01-01", ok=2).err
    assert "is not known from that time" in said
    assert f"memgit log --raw {LOG}" in said


def test_only_memory_is_restored(ws: Workspace) -> None:
    assert "is no memory file" in ws.run("restore", "app.py", "--at", "HEAD~1", ok=2).err


def test_never_through_a_link(ws: Workspace, tmp_path: Path) -> None:
    ws.write("memory/d/x.md", "- inside\n")
    ws.capture()
    outside = tmp_path / "outside"
    outside.mkdir()
    (ws.path / "memory/d/x.md").unlink()
    (ws.path / "memory/d").rmdir()
    (ws.path / "memory/d").symlink_to(outside)
    ws.run("restore", "memory/d/x.md", "--at", "HEAD", ok=None)
    assert list(outside.iterdir()) == []


def test_link_and_mode_come_back(ws: Workspace) -> None:
    (ws.path / "memory/l.md").symlink_to("log.md")
    ws.write("memory/x.md", "#!/bin/sh\n", executable=True)
    ws.capture()
    tip = ws.head().decode()
    (ws.path / "memory/l.md").unlink()
    ws.write("memory/l.md", "plain\n")
    ws.write("memory/x.md", "#!/bin/sh\n").chmod(0o644)
    ws.capture()
    ws.run("restore", "memory/l.md", "memory/x.md", "--at", tip)
    assert os.readlink(ws.path / "memory/l.md") == "log.md"
    assert os.access(ws.path / "memory/x.md", os.X_OK)
    assert ws.status() == []


def test_states_of_one_second_stand_children_first(tmp_path: Path) -> None:
    ws = Workspace(tmp_path / "ws")
    moment = {"GIT_AUTHOR_DATE": f"{MONDAY_S} +0000", "GIT_COMMITTER_DATE": f"{MONDAY_S} +0000"}
    for number in range(8):
        ws.write(LOG, lines(number + 1))
        ws.git("add", LOG)
        ws.git("commit", "-qm", f"state {number}", env=moment)
    states = ws.run("--json", "log", "--raw", LOG).json["states"]
    assert [state["subject"] for state in states] == [f"state {number}" for number in range(7, -1, -1)]


def test_subject_names_the_moment_and_not_the_words_for_it(ws: Workspace) -> None:
    wanted = ws.git("rev-parse", "HEAD~4").decode()[:10]
    ws.run("restore", LOG, "--at", "HEAD~4")
    assert ws.history()[-1].message.decode().startswith(f"restore: {LOG} as of {wanted}\n")
    ws.run("restore", LOG, "--at", "2024-01-29 04:30 +0000")
    assert ws.history()[-1].message.decode().startswith(f"restore: {LOG} as of 2024-01-29 04:30:00\n")


def test_a_preview_shows_nothing_that_is_held(ws: Workspace) -> None:
    secret = "gh" + "p_" + "Zk3Qw9xT7vB2nM5pL8sD4fG6hJ1rC0yA3eUiO"
    ws.write(LOG, f"- {secret}\n")
    told = ws.run("restore", LOG, "--at", "HEAD", "--dry-run", ok=4)
    assert "can't be captured and would be lost" in told.err
    assert secret not in told.out + told.err


def test_a_restore_beside_the_branch_is_the_one_that_undo_takes_back(ws: Workspace) -> None:
    (ws.git_dir / "MERGE_HEAD").write_bytes(ws.head() + b"\n")
    done = ws.run("restore", LOG, "--at", "HEAD~4")
    assert " on refs/memgit/capture/main/main." in done.out
    ws.run("undo")
    assert text_of(ws) == lines(6)


def test_back_to_the_commit_of_a_detached_head_tells_the_way_forward(ws: Workspace) -> None:
    ws.git("checkout", "-q", "--detach")
    ws.write(LOG, "- captured aside\n")
    ws.capture()
    said = ws.run("restore", LOG, "--at", "HEAD").out.splitlines()
    assert said[-2] == "1 file restored, as in the commit that is checked out; there was nothing to capture."
    ws.run(*said[-1].removeprefix("Take it back with: memgit ").split())
    assert text_of(ws) == "- captured aside\n"
