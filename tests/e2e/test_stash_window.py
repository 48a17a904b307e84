"""What an agent writes while a hook manager has the tree stashed: lost without memgit, kept with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from support import stash


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
