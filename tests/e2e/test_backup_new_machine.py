"""A workspace on a new machine, from a backup target alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.repo import memgit
from support.shared import needs
from support.vault import Vault, tree


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    made = Vault(tmp_path)
    made.fill()
    made.backup()
    return made


def test_a_new_machine_restores_everything_and_goes_on_backing_up(vault: Vault, tmp_path: Path) -> None:
    new = tmp_path / "new machine"
    new.mkdir()
    before = tree(vault.target)
    planned = memgit(new, "init", "--from-backup", str(vault.target), "--dry-run")
    assert "8 files" in planned.out
    assert list(new.iterdir()) == []
    memgit(new, "init", "--yes", "--hooks", "none", "--from-backup", str(vault.target))
    memory = {path: held for path, held in tree(new).items() if path == "MEMORY.md" or path.startswith("memory/")}
    assert memory == vault.memory()
    assert tree(vault.target) == before
    assert not list(tmp_path.glob("*.memgit-fetching"))
    # the clone is the workspace that the target knows
    run = memgit(new, "backup", "run", "--json").json["runs"][0]
    assert (run["target"], run["is_new"]) == ("backup", False)
    (new / "MEMORY.md").write_text("from the new machine\n")
    memgit(new, "backup", "run")
    assert len(vault.snapshots()) == 2


def test_an_interrupted_backup_is_never_taken_and_other_files_are_not_replaced(vault: Vault, tmp_path: Path) -> None:
    new = tmp_path / "new"
    new.mkdir()
    (new / "MEMORY.md").write_text("mine\n")
    memgit(new, "init", "--yes", "--from-backup", str(vault.target), ok=2)
    assert [path.name for path in new.iterdir()] == ["MEMORY.md"]
    (new / "MEMORY.md").unlink()
    (vault.snapshots()[0] / "complete").unlink()
    assert "no complete backup" in memgit(new, "init", "--yes", "--from-backup", str(vault.target), ok=2).err
    assert list(new.iterdir()) == []


def test_a_place_without_backups_is_refused(tmp_path: Path) -> None:
    (tmp_path / "place").mkdir()
    (tmp_path / "new").mkdir()
    done = memgit(tmp_path / "new", "init", "--yes", "--from-backup", str(tmp_path / "place"), ok=1)
    assert "holds no backups" in done.err


def test_a_new_machine_through_rclone(tmp_path: Path) -> None:
    needs("rclone")
    vault = Vault(tmp_path, where=f'rclone = ":local:{tmp_path}/target"')
    vault.fill()
    vault.backup()
    new = tmp_path / "new"
    new.mkdir()
    memgit(new, "init", "--yes", "--hooks", "none", "--from-backup", f"rclone::local:{tmp_path}/target")
    assert tree(new / "memory") == tree(vault.path / "memory")
    assert memgit(new, "backup", "run", "--json").json["runs"][0]["is_new"] is False
