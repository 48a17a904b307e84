"""A workspace without a `.git`: the repository lies elsewhere, and no file of ours in the tree."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from support.workspace import Workspace


@pytest.mark.parametrize("bare", [True, False])
def test_full_cycle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bare: bool) -> None:
    tree, git_dir = tmp_path / "home", tmp_path / "home.git"
    (tree / "memory").mkdir(parents=True)
    subprocess.run(("git", "init", "-q", *(["--bare"] if bare else []), str(git_dir)), check=True)
    where = git_dir if bare else git_dir / ".git"
    (tmp_path / "config" / "memgit").mkdir(parents=True)
    (tmp_path / "config" / "memgit" / "config.toml").write_text(f'[workspace]\npath = "{tree}"\ngit_dir = "{where}"\n')
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    ws = Workspace.__new__(Workspace)
    ws.path, ws.git_dir = tree, where
    (tree / "memory" / "a.md").write_text("- 1\n")

    def git(*args: str) -> str:
        words = ("git", f"--git-dir={where}", f"--work-tree={tree}", *args)
        return subprocess.run(words, cwd=tree, check=True, capture_output=True, text=True).stdout

    assert ws.capture()["ref"] == "refs/heads/main"
    (tree / "memory" / "a.md").write_text("- 1\n- 2\n")
    ws.path = tree / "memory"
    assert [file["path"] for file in ws.capture("a.md")["files"]] == ["memory/a.md"] or os.getcwd() != str(ws.path)
    ws.path = tree
    ws.capture()
    assert git("show", "main:memory/a.md") == "- 1\n- 2\n"
    assert git("status", "--porcelain") == ""
    ws.run("restore", str(tree / "memory/a.md"), "--at", "main~1")
    assert (tree / "memory" / "a.md").read_text() == "- 1\n"
    ws.run("consolidate", "--now")
    ws.run("undo")
    assert sorted(path.name for path in tree.rglob("*")) == ["a.md", "memory"]


def test_every_command_finds_the_repository_or_says_that_it_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree, git_dir = tmp_path / "home", tmp_path / "home.git"
    (tree / "memory").mkdir(parents=True)
    (tree / "memory" / "a.md").write_text("- 1\n")
    (tmp_path / "config" / "memgit").mkdir(parents=True)
    text = f'[workspace]\npath = "{tree}"\ngit_dir = "{git_dir}"\n'
    (tmp_path / "config" / "memgit" / "config.toml").write_text(text)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    ws = Workspace.__new__(Workspace)
    ws.path = tree
    for command in (["status"], ["commit"], ["doctor"], ["init", "--yes"], ["run", "--once"]):
        assert ws.run(*command, ok=2).err == (
            f"memgit: {git_dir}, which [workspace] git_dir of your user file names, is no git repository.\n"
            f"  Make it one with: git init --bare {git_dir}\n"
        )
    assert not (tree / ".git").exists()
    subprocess.run(("git", "init", "-q", "--bare", str(git_dir)), check=True)
    ws.run("doctor")
    ws.run("run", "--once")
    ws.run("init", "--yes")
    ws.capture(ok=None)
    ws.run("uninstall")
    assert sorted(path.name for path in tree.rglob("*")) == ["a.md", "memory"]


def test_another_directory_is_not_drawn_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "config" / "memgit").mkdir(parents=True)
    text = f'[workspace]\npath = "{tmp_path}/home"\ngit_dir = "{tmp_path}/home.git"\n'
    (tmp_path / "config" / "memgit" / "config.toml").write_text(text)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    ws = Workspace.__new__(Workspace)
    ws.path = tmp_path / "elsewhere"
    assert "is not in a git repository" in ws.run("commit", ok=2).err
