"""Backups that are killed, fill the disk, or may not write: the last good one stays, and the next run goes on."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.repo import memgit_program
from support.vault import Vault, tree


def start(vault: Vault, *args: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        (memgit_program(), "backup", "run", *args), cwd=vault.path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def kill_when(child: subprocess.Popen[bytes], top: Path, pattern: str, count: int) -> bool:
    """SIGKILL once so many paths match; False if the run was quicker."""
    while child.poll() is None:
        if len(list(top.glob(pattern))) >= count:
            child.send_signal(signal.SIGKILL)
            child.wait()
            return True
    return False


@pytest.mark.parametrize("count", [1, 200, 390])
def test_a_snapshot_killed_at_any_point_leaves_the_one_before_and_goes_on(tmp_path: Path, count: int) -> None:
    vault = Vault(tmp_path)
    vault.fill()
    vault.backup()
    first = vault.snapshots()[0]
    before = tree(first)
    for number in range(400):
        vault.write(f"memory/many/{number:03}.md", f"{number}\n" * 50)
    killed = kill_when(start(vault), vault.target, "*.partial/files/memory/many/*", count)
    assert tree(first) == before
    if killed:
        states = [item["state"] for item in vault.memgit("backup", "list", "--json").json["generations"]]
        assert states[0] == "complete"
        assert states[1:] in ([], ["interrupted"], ["complete"])
    vault.backup()
    assert len(vault.snapshots()) == 2
    assert not list(vault.target.glob("*.partial"))
    assert tree(vault.snapshots()[1] / "files") == vault.memory()
    assert vault.memgit("backup", "verify").status == 0
    assert tree(first) == before


@pytest.mark.slow
def test_a_snapshot_killed_a_hundred_times_arrives_in_the_end(tmp_path: Path) -> None:
    vault = Vault(tmp_path)
    vault.fill()
    vault.backup()
    first = vault.snapshots()[0]
    before = tree(first)
    for number in range(500):
        vault.write(f"memory/many/{number:03}.md", f"{number}\n" * 50)
    for delay in range(100):
        child = start(vault)
        try:
            child.wait(timeout=0.002 * delay + 0.05)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        assert tree(first) == before
    vault.backup()
    assert tree(vault.snapshots()[-1] / "files") == vault.memory()
    assert vault.memgit("backup", "verify").status == 0


@pytest.mark.parametrize("count", [1, 150])
def test_a_mirror_killed_at_any_point_is_not_taken_for_complete_and_converges(tmp_path: Path, count: int) -> None:
    vault = Vault(tmp_path, extra='mode = "mirror"')
    vault.fill()
    vault.backup()
    for number in range(300):
        vault.write(f"memory/many/{number:03}.md", f"{number}\n" * 50)
    vault.write("MEMORY.md", "edited\n")
    if kill_when(start(vault), vault.target, "current/files/memory/many/*", count):
        listed = vault.memgit("backup", "list", "--json").json["generations"]
        if [item["state"] for item in listed] == ["interrupted"]:
            vault.memgit("backup", "restore", "--from", "disk", "--to", str(tmp_path / "out"), ok=2)
    vault.backup()
    assert tree(vault.target / "current/files") == vault.memory()
    assert vault.memgit("backup", "verify").status == 0


@pytest.mark.parametrize("count", [200])
def test_a_restore_that_was_killed_converges_when_repeated(tmp_path: Path, count: int) -> None:
    vault = Vault(tmp_path)
    vault.fill()
    for number in range(300):
        vault.write(f"memory/many/{number:03}.md", f"{number}\n" * 50)
    vault.backup()
    command = ("backup", "restore", "--from", "disk", "--to", str(tmp_path / "out"))
    child = subprocess.Popen((memgit_program(), *command), cwd=vault.path, stdout=subprocess.DEVNULL)
    kill_when(child, tmp_path, "out/memory/many/[0-9]*", count)
    for path, held in tree(tmp_path / "out").items():
        if "memgit-new" not in path:
            assert held == vault.memory()[path], "a file is whole or not there"
    vault.memgit(*command)
    assert tree(tmp_path / "out") == vault.memory()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    place = tmp_path / "small"
    place.mkdir()
    mounted = subprocess.run(
        ("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", place), capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("mounting needs root")
    try:
        yield place
    finally:
        subprocess.run(("umount", place), check=True)


@pytest.mark.parametrize("mode", ["snapshots", "mirror"])
def test_a_full_disk_is_named_and_costs_nothing_that_was_there(tmp_path: Path, small_disk: Path, mode: str) -> None:
    vault = Vault(tmp_path, where=f'path = "{small_disk}"', extra=f'mode = "{mode}"')
    vault.fill()
    vault.backup()
    pattern = "2*" if mode == "snapshots" else "current"
    (generation,) = small_disk.glob(pattern)
    before = tree(generation / "files")
    vault.write("memory/large.md", "0123456789abcde\n" * 100_000)
    done = vault.memgit("backup", "run", ok=1)
    assert f"{small_disk} is full." in done.err
    assert {path: tree(generation / "files")[path] for path in before} == before
    (vault.path / "memory/large.md").unlink()
    vault.backup()
    assert vault.memgit("backup", "verify").status == 0


def test_a_read_only_target_is_named(tmp_path: Path, small_disk: Path) -> None:
    vault = Vault(tmp_path, where=f'path = "{small_disk}"')
    vault.fill()
    vault.backup()
    subprocess.run(("mount", "-o", "remount,ro", small_disk), check=True)
    vault.write("MEMORY.md", "edited\n")
    done = vault.memgit("backup", "run", ok=1)
    assert f"{small_disk} can only be read." in done.err
    assert vault.memgit("backup", "verify").status == 0


def test_a_writer_at_work_never_makes_a_backup_that_does_not_verify(tmp_path: Path) -> None:
    vault = Vault(tmp_path)
    vault.fill()
    stop = tmp_path / "stop"
    script = (
        f'n=0; while [ ! -e "{stop}" ]; do n=$((n+1)); echo "line $n" >> MEMORY.md;'
        " echo $n > memory/.new; mv memory/.new memory/replaced.md; done"
    )
    writer = subprocess.Popen(("sh", "-c", script), cwd=vault.path)
    try:
        for _ in range(3):
            vault.backup()
            assert vault.memgit("backup", "verify").status == 0
    finally:
        stop.touch()
        writer.wait()
    for snapshot in vault.snapshots():
        lines = (snapshot / "files/MEMORY.md").read_text().splitlines()[2:]
        assert lines[:-1] == [f"line {n + 1}" for n in range(len(lines[:-1]))]


def test_leftovers_of_a_killed_run_do_not_reach_a_restore(tmp_path: Path) -> None:
    vault = Vault(tmp_path)
    vault.fill()
    vault.backup()
    partial = vault.target / "2090-01-01T00-00-00.000Z-abcdef.partial"
    (partial / "files/memory").mkdir(parents=True)
    (partial / "files/memory/.memgit-new-1").write_text("half")
    (partial / "files/memory/stale.md").write_text("deleted since\n")
    vault.write("MEMORY.md", "edited\n")
    vault.backup()
    assert tree(vault.snapshots()[-1] / "files") == vault.memory()
    assert not os.path.exists(partial)
