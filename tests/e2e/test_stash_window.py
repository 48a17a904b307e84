"""What an agent writes while a hook manager has the tree stashed: lost without memgit, kept with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from support import stash
from support.clone import git
from support.repo import memgit


@pytest.mark.parametrize("staged", [False, True], ids=["unstaged", "staged"])
@pytest.mark.parametrize("how", stash.WRITERS)
@pytest.mark.parametrize("manager", stash.MANAGERS)
def test_a_write_inside_the_stash_is_kept(tmp_path: Path, manager: str, how: str, staged: bool) -> None:
    (tmp_path / "bare").mkdir()
    lost = stash.workspace(tmp_path / "bare", manager, protected=False)
    text = stash.commit_with_writer(lost, stash.WRITERS[how], staged=staged)
    assert stash.WRITTEN not in text, "without memgit the write is lost; if not, this test proves nothing"

    (tmp_path / "kept").mkdir()
    kept = stash.workspace(tmp_path / "kept", manager, protected=True)
    text = stash.commit_with_writer(kept, stash.WRITERS[how], staged=staged)
    before = stash.STAGED if staged else stash.BEFORE
    assert text == before + stash.UNSTAGED + stash.WRITTEN
    assert stash.git(kept, "show", ":memory/log.md") == before, "what was staged is as it was"


@pytest.mark.parametrize("stage", ["prepare-commit-msg", "commit-msg", "post-commit"])
@pytest.mark.parametrize("manager", stash.MANAGERS)
def test_a_write_at_any_stage_is_kept(tmp_path: Path, manager: str, stage: str) -> None:
    """A manager stashes the tree for the hooks of each stage anew."""
    (tmp_path / "bare").mkdir()
    lost = stash.workspace(tmp_path / "bare", manager, protected=False, stage=stage)
    assert stash.WRITTEN not in stash.commit_with_writer(lost, stash.append, staged=False)
    (tmp_path / "kept").mkdir()
    kept = stash.workspace(tmp_path / "kept", manager, protected=True, stage=stage)
    text = stash.commit_with_writer(kept, stash.append, staged=False)
    assert text == stash.BEFORE + stash.UNSTAGED + stash.WRITTEN


def test_a_window_of_a_linked_worktree_is_merged_there(tmp_path: Path) -> None:
    main = stash.workspace(tmp_path, "pre-commit", protected=True)
    linked = tmp_path / "linked"
    stash.git(main, "worktree", "add", "-q", "-b", "side", str(linked))
    text = stash.commit_with_writer(linked, stash.append, staged=False, common=main / ".git")
    assert text == stash.BEFORE + stash.UNSTAGED + stash.WRITTEN
    assert (main / "memory" / "log.md").read_text() == stash.BEFORE


def test_a_keeper_that_is_killed_leaves_what_the_next_memgit_merges(tmp_path: Path) -> None:
    repo = stash.workspace(tmp_path, "pre-commit", protected=True)
    text = stash.commit_with_writer(repo, stash.replace, staged=False, kill_keeper=True)
    assert text == stash.BEFORE + stash.UNSTAGED, "nobody merged yet"
    fixed = memgit(repo, "doctor", "--fix", "--check", "lost-write", "--json").json["problems"]
    assert [one["mended"] for one in fixed] == [True]
    assert (repo / "memory" / "log.md").read_text() == stash.BEFORE + stash.UNSTAGED + stash.WRITTEN


@pytest.mark.parametrize("manager", stash.MANAGERS)
def test_a_manager_that_is_killed_is_named_with_the_way_back(tmp_path: Path, manager: str) -> None:
    repo = stash.workspace(tmp_path, manager, protected=True)
    text = stash.commit_with_writer(repo, lambda log: None, staged=False)
    assert text == stash.BEFORE + stash.UNSTAGED
    assert "stashed-patch" not in memgit(repo, "doctor").out, "its patch lies there, too, but all went well"
    log = repo / "memory" / "log.md"
    stash.git(repo, "commit", "-q", "-a", "--no-verify", "-m", "all")

    text = stash.commit_with_writer(repo, stash.append, staged=False, kill_manager=True)
    assert text == stash.BEFORE + stash.UNSTAGED + stash.WRITTEN, "the person's second change is not there"
    said = git(repo, "commit", "-q", "--allow-empty", "--no-verify", "-m", "next").stderr
    assert f"memgit: {manager} was killed while it had the tree stashed: unstaged changes to memory/log.md" in said
    shown = memgit(repo, "doctor", "--check", "stashed-patch", "--json").json["problems"]
    assert f"memgit: {shown[0]['evidence']}\n" in said
    memgit(repo, "doctor", "--fix")
    assert log.read_text() == stash.BEFORE + stash.UNSTAGED * 2 + stash.WRITTEN
    assert git(repo, "commit", "-q", "--allow-empty", "--no-verify", "-m", "next").stderr == ""
    assert not (repo / ".git/memgit/windows").exists()
