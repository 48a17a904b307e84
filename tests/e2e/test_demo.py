"""memgit demo: tells the main job, truly, and leaves nothing behind."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

MEMGIT = str(Path(sys.executable).parent / "memgit")


def demo(place: Path, *args: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "TMPDIR": str(place)}
    return subprocess.run((MEMGIT, "demo", *args), cwd=place, env=env, capture_output=True, text=True, check=False)


def test_demo_shows_the_same_files_fewer_commits_and_the_way_back(tmp_path: Path) -> None:
    done = demo(tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "183 commits before, 22 after." in done.stdout
    assert "Files byte for byte as before: yes." in done.stdout
    assert "The very same tip as at the start: yes." in done.stdout
    assert "NO" not in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_demo_can_be_kept(tmp_path: Path) -> None:
    done = demo(tmp_path, "--keep", str(tmp_path / "here"))
    assert done.returncode == 0
    assert (tmp_path / "here" / "workspace" / "MEMORY.md").exists()
    fsck = subprocess.run(
        ("git", "fsck", "--strict"), cwd=tmp_path / "here" / "workspace", capture_output=True, check=False
    )
    assert fsck.returncode == 0


def test_demo_does_not_build_over_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine\n")
    done = demo(tmp_path, "--keep", str(tmp_path))
    assert done.returncode == 2
    assert "is not empty" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
