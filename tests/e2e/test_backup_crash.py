"""Every command that writes a backup or takes from one, struck at its system calls: a sample here, all of them slow.

Struck means killed with all it started, killed with half of a write done, or a call that fails as on a full or a
broken disk. Whatever it was: what was complete stays as it was, what is called complete is so to the last byte, the
same command run again arrives, and nothing half written is left.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from support.faults import Striker
from support.repo import memgit_program, run
from support.shared import needs
from support.vault import Vault, tree

FAULTS = ("killtree", "torn", "err:ENOSPC", "err:EIO")
SAMPLE = 3  # calls of a command that are struck where not all are


class Case:
    """A prepared place, the command that is struck there, and what is right afterwards."""

    command: tuple[str, ...]
    settings = ""
    fault = ""  # what it was struck by last

    def __init__(self, place: Path) -> None:
        self.place = place / "place"
        self.vault = Vault(self.place, extra=self.settings)
        self.prepare(self.vault)
        self.memory = self.vault.memory()
        self.complete = {path: tree(path) for path in self.staying(self.vault)}
        self._kept = place / "kept"
        self.place.rename(self._kept)

    def prepare(self, vault: Vault) -> None:
        """What is there before the command."""

    def staying(self, vault: Vault) -> list[Path]:
        """The snapshots that must not change, whatever happens."""
        return vault.snapshots()

    def judge(self, vault: Vault) -> None:
        """After the command ran again."""

    def begin(self) -> None:
        """Put all back, at the same place."""
        shutil.rmtree(self.place, ignore_errors=True)
        run("cp", "-a", str(self._kept), str(self.place))


def change(vault: Vault) -> None:
    vault.write("MEMORY.md", "edited\n")
    vault.write("memory/deep/new.md", "new\n")
    (vault.path / "memory/2026-02-04.md").unlink()
    (vault.path / "memory/2026-02-05.md").rename(vault.path / "memory/renamed.md")


class Snapshot(Case):
    command = ("backup", "run")

    def prepare(self, vault: Vault) -> None:
        vault.fill()
        vault.backup()
        change(vault)

    def judge(self, vault: Vault) -> None:
        assert len(vault.snapshots()) == 2
        assert tree(vault.snapshots()[-1] / "files") == self.memory
        assert vault.memgit("backup", "verify").status == 0


class Mirror(Snapshot):
    settings = 'mode = "mirror"'

    def judge(self, vault: Vault) -> None:
        assert tree(vault.target / "current/files") == self.memory
        assert vault.memgit("backup", "verify").status == 0


class First(Case):
    command = ("backup", "run")

    def prepare(self, vault: Vault) -> None:
        vault.fill()

    def judge(self, vault: Vault) -> None:
        (snapshot,) = vault.snapshots()
        assert tree(snapshot / "files") == self.memory
        assert vault.memgit("backup", "verify").status == 0


class SnapshotByRsync(Snapshot):
    settings = 'bwlimit = "500MiB"'  # which the copier of memgit does not have


class MirrorByRsync(Mirror):
    settings = 'mode = "mirror"\nbwlimit = "500MiB"'


class FirstByRsync(First):
    settings = 'bwlimit = "500MiB"'


class Prune(Case):
    command = ("backup", "prune")

    def prepare(self, vault: Vault) -> None:
        vault.fill(2)
        for number in range(4):
            vault.write("MEMORY.md", f"round {number}\n")
            vault.backup()

    def staying(self, vault: Vault) -> list[Path]:
        return vault.snapshots()[-2:]

    def judge(self, vault: Vault) -> None:
        names = {path.name for path in vault.target.iterdir()}
        assert names == {*(path.name for path in self.complete), "memgit-target"}


class Restore(Case):
    command = ("backup", "restore", "--to", "../out")

    def prepare(self, vault: Vault) -> None:
        vault.fill()
        vault.backup()

    def judge(self, vault: Vault) -> None:
        assert tree(vault.place / "out") == self.memory


class Recall(Case):
    """Into the workspace."""

    command = ("backup", "restore")

    def prepare(self, vault: Vault) -> None:
        vault.fill()
        vault.commit()
        vault.backup()
        self.wanted = vault.memory()
        vault.write("MEMORY.md", "edited\n")
        (vault.path / "memory/2026-02-04.md").unlink()

    def judge(self, vault: Vault) -> None:
        assert vault.memory() == self.wanted
        git = ("git", "-C", str(vault.path))
        run(*git, "fsck", "--full", "--strict")
        if self.fault.startswith("err"):
            vault.memgit("commit")  # where the index could not be written, a capture has gone to a private ref
        else:
            assert b"restore: " in run(*git, "log", "--format=%s")
        assert run(*git, "status", "--porcelain") == b""
        assert b"edited" in run(*git, "log", "--all", "-p", "--", "MEMORY.md"), "what was overwritten stays in a commit"


class Export(Case):
    command = ("export", "HEAD", "--to", "../out")

    def prepare(self, vault: Vault) -> None:
        vault.fill()
        vault.commit()

    def judge(self, vault: Vault) -> None:
        assert tree(vault.place / "out").keys() == self.memory.keys()


class InStep(Case):
    """A folder and the workspace, both changed."""

    command = ("mirror",)

    def prepare(self, vault: Vault) -> None:
        folder = vault.place / "folder"
        folder.mkdir()
        vault.configure(f'[[folder]]\nname = "vault"\npath = "{folder}"\n')
        vault.fill()
        vault.commit()
        vault.memgit("mirror")
        vault.write("memory/2026-02-01.md", "ours\n")
        (folder / "memory/2026-02-02.md").write_text("theirs\n")
        note = "- note of day 3\n" * 3
        vault.write("memory/2026-02-03.md", "ours\n" + note)
        (folder / "memory/2026-02-03.md").write_text(note + "theirs\n")
        (vault.path / "memory/2026-02-04.md").unlink()
        (folder / "memory/deep").mkdir()
        (folder / "memory/deep/new.md").write_text("new\n")

    def judge(self, vault: Vault) -> None:
        ours = {path: held for path, held in vault.memory().items() if path != "memory/today"}  # a link stays here
        assert tree(vault.place / "folder", times=False).keys() == ours.keys()
        for path, lines in (("01", {b"ours"}), ("02", {b"theirs"}), ("03", {b"ours", b"theirs"})):
            for place in (vault.path, vault.place / "folder"):
                assert lines <= set((place / f"memory/2026-02-{path}.md").read_bytes().split(b"\n")), (path, place)
        assert "memory/deep/new.md" in ours
        assert "memory/2026-02-04.md" not in ours


class NewMachine(Case):
    """Set up from the backup alone."""

    def prepare(self, vault: Vault) -> None:
        vault.fill()
        vault.backup()
        (vault.place / "new").mkdir()
        self.here = ("-C", str(vault.place / "new"))
        self.command = (*self.here, "init", "--yes", "--hooks", "none", "--from-backup", str(vault.target))

    def judge(self, vault: Vault) -> None:
        there = tree(vault.place / "new")
        assert {path: there[path] for path in self.memory} == self.memory
        assert {path.name for path in (vault.place / "new").iterdir()} == {
            *(".git", ".gitignore", ".memgit.toml", "MEMORY.md", "memory")
        }
        done = vault.memgit(*self.here, "backup", "run", "--json").json["runs"]
        assert [run["is_new"] for run in done] == [False]


CASES: tuple[type[Case], ...] = (
    *(Snapshot, Mirror, First, SnapshotByRsync, MirrorByRsync, FirstByRsync),
    *(Prune, Restore, Recall, Export, InStep, NewMachine),
)


def half_written(place: Path) -> list[Path]:
    begun = (".memgit-new-", ".memgit-repository-")
    return [path for path in place.rglob("*") if path.name.startswith(begun) or path.suffix in (".new", ".going")]


def strike(case: Case, striker: Striker, fault: str, number: int) -> None:
    """One call is struck; what is left is judged, and what the same command makes of it."""
    case.begin()
    case.fault = fault
    vault = case.vault
    command = (memgit_program(), *case.command)
    struck = striker.run(command, vault.path, case.place, fault, number)
    assert "Traceback" not in struck.said
    for path, was in case.complete.items():
        assert tree(path) == was, f"{path.name} changed at {struck.at}"
    if (vault.target / "memgit-target").exists():
        for generation in vault.memgit("backup", "list", "--json").json["generations"]:
            if generation["state"] == "complete":
                assert vault.memgit("backup", "verify", "--snapshot", generation["name"]).status == 0, struck.at
    try:
        vault.memgit(*case.command)
        case.judge(vault)
        assert half_written(case.place) == []
    except AssertionError as error:
        raise AssertionError(f"struck by {fault} at {struck.at}") from error


def calls(case: Case, striker: Striker, fault: str) -> int:
    """How many calls the command makes that this fault could strike."""
    case.begin()
    counted = "count" + fault.removeprefix("err") if fault.startswith("err") else "count"
    done = striker.run((memgit_program(), *case.command), case.vault.path, case.place, counted)
    assert done.status == 0, done.said
    return done.calls


@pytest.mark.parametrize("kind", CASES, ids=lambda kind: kind.__name__)
def test_a_command_struck_at_some_of_its_calls_arrives_when_it_runs_again(tmp_path: Path, kind: type[Case]) -> None:
    if kind.__name__.endswith("Rsync"):
        needs("rsync")
    striker, case = Striker(tmp_path), kind(tmp_path)
    total = calls(case, striker, "killtree")
    for number in range(SAMPLE):
        fault = FAULTS[number % 2]
        strike(case, striker, fault, total * (2 * number + 1) // (2 * SAMPLE) + 1)


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("kind", CASES, ids=lambda kind: kind.__name__)
def test_a_command_struck_at_any_of_its_calls_arrives_when_it_runs_again(
    tmp_path: Path, kind: type[Case], fault: str
) -> None:
    if kind.__name__.endswith("Rsync"):
        needs("rsync")
    striker, case = Striker(tmp_path), kind(tmp_path)
    for number in range(1, calls(case, striker, fault) + 1):
        strike(case, striker, fault, number)
