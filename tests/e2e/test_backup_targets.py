"""Every kind of target keeps the same promises: one suite for all of them."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
from pathlib import Path

import pytest

from support import remotes
from support.daemon import children, program, until
from support.repo import memgit_program
from support.shared import needs
from support.vault import Vault, tree

KINDS = {
    "directory": lambda place: f'path = "{place}/target"',
    "rsync": lambda place: f'path = "{place}/target"\noptions = ["--whole-file"]',
    "rclone": lambda place: f'rclone = ":local:{place}/target"',
}


@pytest.fixture(params=sorted(KINDS))
def kind(request: pytest.FixtureRequest) -> str:
    name = str(request.param)
    if name != "directory":
        needs(name)
    return name


@pytest.fixture(params=["snapshots", "mirror"])
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def make(place: Path, kind: str, mode: str) -> Vault:
    vault = Vault(place, where=KINDS[kind](place), extra=f'mode = "{mode}"\nkeep = {{ daily = 1 }}\n')
    vault.fill()
    vault.target.mkdir()
    return vault


def test_a_target_takes_proves_and_gives_back(tmp_path: Path, kind: str, mode: str) -> None:
    vault = make(tmp_path, kind, mode)
    vault.write("memory/odd name #?.md", "odd\n")
    vault.backup()
    assert vault.backup()["is_new"] is False
    vault.write("MEMORY.md", "second\n")
    (vault.path / "memory/2026-02-04.md").unlink()
    report = vault.backup()
    assert report["copied"] == ["MEMORY.md"]
    listed = vault.memgit("backup", "list", "--json").json["generations"]
    assert [item["state"] for item in listed] == ["complete"] * (2 if mode == "snapshots" else 1)
    assert vault.memgit("backup", "verify").status == 0
    assert vault.memgit("backup", "verify", "--sample", "3").status == 0
    assert vault.memgit("backup", "drill").status == 0
    vault.memgit("backup", "restore", "--from", "disk", "--to", str(tmp_path / "out"))
    assert tree(tmp_path / "out") == vault.memory()
    vault.memgit("backup", "restore", "memory/today", "--from", "disk", "--to", str(tmp_path / "some"))
    assert list(tree(tmp_path / "some")) == ["memory/today"]


def test_an_edit_of_the_same_size_in_the_same_second_arrives(tmp_path: Path, kind: str) -> None:
    """rsync's quick check compares whole seconds, and would have shared the old file with the new snapshot."""
    vault = make(tmp_path, kind, "snapshots")
    for round_ in range(2):
        vault.write("MEMORY.md", f"round {round_}\n")
        os.utime(vault.path / "MEMORY.md", ns=(0, 1_700_000_000 * 10**9 + round_))
        vault.backup()
        assert vault.memgit("backup", "verify").status == 0


def test_a_target_tells_damage(tmp_path: Path, kind: str) -> None:
    vault = make(tmp_path, kind, "snapshots")
    vault.backup()
    files = next(vault.target.glob("2*")) / "files"
    (files / "MEMORY.md").write_text("# Memory\n- a lie\n")
    (files / "memory/2026-02-04.md").unlink()
    (files / "memory/extra.md").write_text("extra\n")
    found = vault.memgit("backup", "verify", "--json", ok=1).json["problems"]
    assert {item["path"]: item["what"] for item in found} == {
        "MEMORY.md": "content",
        "memory/2026-02-04.md": "missing",
        "memory/extra.md": "extra",
    }
    vault.memgit("backup", "restore", "--from", "disk", "--to", str(tmp_path / "out"), ok=1)
    assert not (tmp_path / "out").exists()


def test_a_target_lets_old_snapshots_go_and_notices_that_it_is_gone(tmp_path: Path, kind: str) -> None:
    vault = make(tmp_path, kind, "snapshots")
    for round_ in range(3):
        vault.write("MEMORY.md", f"round {round_}\n")
        vault.backup()
    assert len(vault.memgit("backup", "prune", "--json").json["gone"]) == 1
    assert len(vault.snapshots()) == 2
    assert vault.memgit("backup", "verify").status == 0
    vault.target.rename(tmp_path / "elsewhere")
    vault.target.mkdir()
    vault.write("MEMORY.md", "lost?\n")
    assert "is not the place that was backed up to before" in vault.memgit("backup", "run", ok=1).err
    assert list(vault.target.iterdir()) == []


def test_a_target_that_holds_other_things_is_refused(tmp_path: Path, kind: str) -> None:
    vault = make(tmp_path, kind, "snapshots")
    (vault.target / "thesis.tex").write_text("years of work\n")
    assert "is not empty" in vault.memgit("backup", "run", ok=1).err
    assert [path.name for path in vault.target.iterdir()] == ["thesis.tex"]


def several(vault: Vault, *targets: str) -> None:
    vault.configure("".join(f'[[target]]\nname = "t{number}"\n{where}\n' for number, where in enumerate(targets)))


def test_several_targets_are_all_reached_and_one_that_fails_stops_no_other(tmp_path: Path) -> None:
    needs("rclone")
    vault = Vault(tmp_path)
    vault.fill()
    far = [f'rclone = ":local:{tmp_path}/far{number}"' for number in range(6)]
    several(vault, f'path = "{tmp_path}/near"', 'rclone = "nowhere:at/all"', f'path = "{tmp_path}/not/mounted"', *far)
    done = vault.memgit("backup", "run", ok=1)
    assert sorted(line.partition(":")[0] for line in done.out.splitlines() if " in 2" in line) == [
        "t0", "t3", "t4", "t5", "t6", "t7", "t8",
    ]  # fmt: skip
    blocks = done.out.split("  copied: MEMORY.md\n")[1:]
    assert [block.count("copied: memory/") for block in blocks] == [7] * 7, "one target's lines stand together"
    assert "nowhere" in done.err
    assert "not/mounted" in done.err
    runs = vault.memgit("backup", "run", "--json", ok=1).json["runs"]
    assert sorted(run["target"] for run in runs if not run["is_new"]) == ["t0", "t3", "t4", "t5", "t6", "t7", "t8"]


def test_only_a_few_distant_targets_are_served_at_once_and_none_outlives_the_command(tmp_path: Path) -> None:
    needs("rsync")
    vault = Vault(tmp_path)
    vault.fill()
    with remotes.silent() as served:
        port = served.url.rstrip("/").rpartition(":")[2]
        several(vault, *[f'host = "nobody@127.0.0.1:/x"\nport = {port}'] * 7, f'path = "{tmp_path}/near"')
        running = subprocess.Popen((memgit_program(), "backup", "run"), cwd=vault.path, stderr=subprocess.DEVNULL)
        until(lambda: (tmp_path / "near" / "memgit-target").exists())
        until(lambda: sum(program(pid) == b"ssh" for pid in children(running.pid)) == 4)
        begun = children(running.pid)
        running.send_signal(signal.SIGTERM)
        assert running.wait(60) == 130
        until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in begun))


@pytest.mark.parametrize(
    "left", ["memgit-target.4194305.new", ".memgit-target.Ab12Cd", "memgit-target.1a2b3c4d.partial"]
)
def test_a_target_whose_marker_was_left_half_written_is_claimed_all_the_same(
    tmp_path: Path, kind: str, left: str
) -> None:
    vault = make(tmp_path, kind, "snapshots")
    (vault.target / left).write_text('{"sche')
    vault.backup()
    assert vault.memgit("backup", "verify").status == 0


def test_a_terminal_shows_how_far_a_transfer_has_come(tmp_path: Path) -> None:
    needs("rsync")
    vault = Vault(tmp_path, extra='bwlimit = "1MiB"\ninclude_held = true\n')
    for number in range(6):
        vault.write(f"memory/{number}.md", os.urandom(200_000).hex())
    ours, theirs = pty.openpty()
    with subprocess.Popen((memgit_program(), "backup", "run"), cwd=vault.path, stderr=theirs, stdout=theirs) as child:
        os.close(theirs)
        said = b"".join(iter(lambda: _read(ours), b""))
        assert child.wait() == 0
    os.close(ours)
    counts = [int(count) for count in re.findall(rb"\rBacking up to disk: (\d+)", said)]
    assert counts, said
    assert counts == sorted(set(counts))
    assert len(counts) > 1, "while it travels and not at the end"


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 1 << 16)
    except OSError:  # how Linux says that nobody writes there any more
        return b""
