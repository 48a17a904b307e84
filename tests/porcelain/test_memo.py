"""What the last capture saw is a shortcut, never a truth."""

from __future__ import annotations

from pathlib import Path

import pytest

from memgit.git.repository import discover
from memgit.porcelain import memo
from memgit.porcelain.memo import Memo
from support.workspace import Workspace


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "ws", {"memory/a.md": "a\n", "memory/b.md": "b\n"})


def test_file_that_never_holds_still_is_put_off_five_times(ws: Workspace) -> None:
    """Deferral is bounded."""
    found = Memo("policy")
    assert [found.put_off_again(b"memory/a.md") for _ in range(6)] == [True] * 5 + [False]
    repo = discover(str(ws.path))
    memo.remember(repo, found)
    assert memo.recall(repo, "policy").put_off == {"memory/a.md": 6}
    assert memo.recall(repo, "another policy").put_off == {}


@pytest.mark.parametrize("content", ["", "{", "[]", '{"schema": 99}', '{"schema": 1, "policy": 3}'])
def test_damaged_memo_changes_no_result(ws: Workspace, content: str) -> None:
    ws.capture()
    (ws.git_dir / "memgit/seen/main.json").write_text(content)
    ws.write("memory/a.md", "changed\n")
    assert [file["path"] for file in ws.capture()["files"]] == ["memory/a.md"]


def test_memo_that_lies_about_the_commit_is_not_believed(ws: Workspace) -> None:
    ws.write("memory/a.md", "changed\n")
    ws.capture()
    ws.git("reset", "-q", "--soft", "HEAD~1")
    ws.git("reset", "-q")
    assert [file["path"] for file in ws.capture()["files"]] == ["memory/a.md"]
