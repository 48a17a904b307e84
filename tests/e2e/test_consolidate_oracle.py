"""`--interleaved keep --keep-empty` against an oracle that shares no code with memgit."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from support.repo import memgit, run
from support.shared import shared

GENERATED = {
    "plain": ("--commits", "300"),
    "machines": ("--commits", "400", "--machines", "3", "--merges", "30"),
    "tags": ("--commits", "300", "--machines", "2", "--tags", "7"),
    "odd": ("--commits", "250", "--gitlinks", "3", "--nonascii-paths", "--machines", "2", "--skew", "0.3"),
    "empty": ("--commits", "250", "--empty-fraction", "0.4", "--auto-fraction", "0.9"),
    "days": ("--commits", "400", "--days", "200", "--decoys", "0.3", "--machines", "4", "--keep-machine-refs"),
}


@pytest.mark.parametrize("kind", GENERATED)
def test_oracle_accepts_generated_workspaces(kind: str, tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    tool = str(shared("tools", "gen_workspace.py"))
    run(sys.executable, tool, str(raw), "--bare", "--code-files", "12", "--memory-files", "20", *GENERATED[kind])
    _check(raw, tmp_path / "new")


@pytest.mark.parametrize("name", ["ws1", "ws2", "ws3", "ws4", "ws5"])
def test_oracle_accepts_real_workspaces(name: str, tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    run("git", "clone", "-q", "--bare", "--branch", "main", str(shared("workspaces", f"{name}.bundle")), str(raw))
    _check(raw, tmp_path / "new")


def _check(raw: Path, new: Path) -> None:
    shutil.copytree(raw, new)
    oracle = str(shared("tools", "consolidation_oracle.py"))
    rules = [word for pattern in _default_patterns() for word in ("--auto-subject", pattern)]
    how = ("consolidate", "--branch", "main", "--interleaved", "keep", "--keep-empty", "--published", "--json", *rules)
    before = _show(raw, "main")
    first = memgit(new, *how).json
    assert run(sys.executable, oracle, "verify", str(raw), str(new), "--ref", "main") == b"OK\n"
    assert _show(new, "main^{tree}") == _show(raw, "main^{tree}")

    # Only the operation log holds what was replaced.
    run("git", "-C", str(new), "reflog", "expire", "--expire=now", "--all")
    run("git", "-C", str(new), "gc", "-q", "--prune=now")
    old_commits = run("git", "-C", str(raw), "rev-list", "main")
    kept = run("git", "-C", str(new), "cat-file", "--batch-check=%(objectname)", stdin=old_commits)
    assert kept == old_commits

    refs = run("git", "-C", str(new), "for-each-ref")
    again = memgit(new, *how).json
    assert (again["operation"], again["created"], again["new_tip"]) == (None, [], first["new_tip"])
    assert run("git", "-C", str(new), "for-each-ref") == refs

    if first["operation"] is not None:  # one of the real workspaces has nothing that repeats within a day
        memgit(new, "undo", "--branch", "main")
    assert _show(new, "main") == before
    assert run("git", "-C", str(new), "fsck", "--strict", "--connectivity-only", "--no-dangling") == b""


def _show(repo: Path, what: str) -> bytes:
    return run("git", "-C", str(repo), "rev-parse", what)


def _default_patterns() -> list[str]:
    """What the oracle itself calls automatic."""
    import importlib.util

    spec = importlib.util.spec_from_file_location("oracle", shared("tools", "consolidation_oracle.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    patterns: list[str] = module.DEFAULT_AUTO
    return patterns
