"""memgit mirror: a folder and the workspace, both of which change."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from support.daemon import until
from support.repo import memgit_program
from support.shared import needs
from support.sshd import started
from support.vault import Vault, humble, tree

CHANGES = ("none", "create", "edit", "delete")
SECRET = "ghp_" + "aZ3kQ9mB7xW2" + "nR5tY8uP1oL4" + "sD6fG0hJ2kV9"  # assembled, so that no scanner finds it here


class Pair:
    """A workspace with a folder beside it."""

    def __init__(self, place: Path, extra: str = "") -> None:
        self.vault = Vault(place)
        self.ours = self.vault.path
        self.theirs = place / "folder"
        self.vault.configure(f'[[folder]]\nname = "notes"\npath = "{self.theirs}"\n{extra}')
        self.theirs.mkdir()
        (self.ours / "memory").mkdir()

    def run(self, *args: str, ok: int = 0) -> dict[str, Any]:
        done = self.vault.memgit("mirror", "--json", *args, ok=ok)
        return dict(done.json["folders"][0]) if ok in (0, 5) else {"err": done.err}

    def memory(self) -> dict[str, object]:
        return self.vault.memory()

    def agrees(self) -> None:
        assert tree(self.theirs, times=False) == {
            path: held for path, held in tree(self.ours, times=False).items() if path in self.memory()
        }


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return Pair(tmp_path)


def write(top: Path, path: str, content: str) -> None:
    (top / path).parent.mkdir(parents=True, exist_ok=True)
    (top / path).write_text(content)


BASE = "# Day\n- first\n- second\n- third\n"
OURS = BASE.replace("- first", "- first, edited in the workspace")
THEIRS = BASE.replace("- third", "- third, edited in the folder")
BOTH = OURS.replace("- third", "- third, edited in the folder")
# What both sides hold afterwards; None where the file is gone. Pairs that can't be are left out.
OUTCOME = {
    ("none", "none"): BASE,
    ("none", "create"): "created in the folder\n",
    ("create", "none"): "created in the workspace\n",
    ("create", "create"): "created in both\n",
    ("none", "edit"): THEIRS,
    ("edit", "none"): OURS,
    ("edit", "edit"): BOTH,
    ("none", "delete"): None,
    ("delete", "none"): None,
    ("delete", "delete"): None,
    ("edit", "delete"): OURS,
    ("delete", "edit"): THEIRS,
}


def test_the_sixteen_cases_end_as_the_table_says(pair: Pair) -> None:
    cases = [case for case in product(CHANGES, CHANGES) if case in OUTCOME]
    assert len(cases) == 12  # the other four have a path that is new to one side and known to the other
    write(pair.ours, "MEMORY.md", "stays\n")
    for case in cases:
        if "create" not in case:
            write(pair.ours, f"memory/{'-'.join(case)}.md", BASE)
    for number in range(12):
        write(pair.ours, f"memory/untouched-{number}.md", BASE)
    pair.run()
    pair.agrees()
    for case in cases:
        path = f"memory/{'-'.join(case)}.md"
        for change, top, edited, name in zip(
            case, (pair.ours, pair.theirs), (OURS, THEIRS), ("workspace", "folder"), strict=True
        ):
            if change == "create":
                write(top, path, "created in both\n" if case == ("create", "create") else f"created in the {name}\n")
            elif change == "edit":
                write(top, path, edited)
            elif change == "delete":
                (top / path).unlink()
    planned = pair.run("--dry-run")
    report = pair.run()
    pair.agrees()
    for case in cases:
        place = pair.ours / f"memory/{'-'.join(case)}.md"
        assert (place.read_text() if place.exists() else None) == OUTCOME[case], case
    assert report["merged"] == ["memory/edit-edit.md"]
    assert report["survived"] == ["memory/delete-edit.md", "memory/edit-delete.md"]
    for key in ("to_folder", "to_workspace", "deleted_in_folder", "deleted_in_workspace", "merged", "survived"):
        assert planned[key] == report[key], key
    again = pair.run()
    assert not any(again[key] for key in ("to_folder", "to_workspace", "deleted_in_folder", "merged", "conflicts"))


def test_a_dry_run_changes_nothing(pair: Pair) -> None:
    write(pair.ours, "MEMORY.md", "one\n")
    write(pair.theirs, "memory/a.md", "two\n")
    before = tree(pair.ours), tree(pair.theirs)
    report = pair.run("--dry-run")
    assert (report["to_folder"], report["to_workspace"]) == (["MEMORY.md"], ["memory/a.md"])
    assert (tree(pair.ours), tree(pair.theirs)) == before


def test_what_can_not_be_joined_is_a_conflict_and_both_versions_are_kept(pair: Pair) -> None:
    write(pair.ours, "MEMORY.md", "# Memory\nThe cat is black.\n")
    pair.run()
    write(pair.ours, "MEMORY.md", "# Memory\nThe cat is white.\n")
    write(pair.theirs, "MEMORY.md", "# Memory\nThe cat is red.\n")
    report = pair.run(ok=5)
    pair.agrees()
    (conflict,) = report["conflicts"]
    assert conflict["path"] == "MEMORY.md"
    kept = [Path(place).read_text() for place in conflict["kept"]]
    assert kept == ["# Memory\nThe cat is white.\n", "# Memory\nThe cat is red.\n"]
    text = (pair.ours / "MEMORY.md").read_text()
    assert "The cat is white." in text
    assert "The cat is red." in text
    assert "<<<<" not in text
    assert pair.run()["conflicts"] == []


@pytest.mark.parametrize(("prefer", "wins"), [("ours", "white"), ("theirs", "red")])
def test_a_preferred_side_wins_and_the_loser_is_kept(tmp_path: Path, prefer: str, wins: str) -> None:
    pair = Pair(tmp_path, f'prefer = "{prefer}"')
    write(pair.ours, "MEMORY.md", "The cat is black.\n")
    pair.run()
    write(pair.ours, "MEMORY.md", "The cat is white.\n")
    write(pair.theirs, "MEMORY.md", "The cat is red.\n")
    report = pair.run(ok=5)
    pair.agrees()
    assert (pair.ours / "MEMORY.md").read_text() == f"The cat is {wins}.\n"
    assert len(report["kept"]) == 1


def test_a_rule_for_a_path_comes_before_the_folders_preference(tmp_path: Path) -> None:
    pair = Pair(tmp_path, '[[merge]]\nglob = "/memory/*.md"\npolicy = "theirs"\n')
    for path in ("MEMORY.md", "memory/a.md"):
        write(pair.ours, path, "The cat is black.\n")
    pair.run()
    for path in ("MEMORY.md", "memory/a.md"):
        write(pair.ours, path, "The cat is white.\n")
        write(pair.theirs, path, "The cat is red.\n")
    pair.run(ok=5)
    assert (pair.ours / "memory/a.md").read_text() == "The cat is red.\n"
    assert "The cat is white." in (pair.ours / "MEMORY.md").read_text()


def test_binary_files_that_both_changed_keep_one_and_lose_none(pair: Pair) -> None:
    (pair.ours / "memory/image").write_bytes(b"\0black")
    pair.run()
    (pair.ours / "memory/image").write_bytes(b"\0white")
    (pair.theirs / "memory/image").write_bytes(b"\0red")
    report = pair.run(ok=5)
    pair.agrees()
    assert (pair.ours / "memory/image").read_bytes() == b"\0white"
    assert [Path(place).read_bytes() for place in report["kept"]] == [b"\0red"]


def test_a_deleted_file_can_be_had_back_until_its_time_is_over(tmp_path: Path) -> None:
    pair = Pair(tmp_path, 'keep_deleted = "1d"')
    for number in range(5):
        write(pair.ours, f"memory/{number}.md", f"{number}\n")
    pair.run()
    (pair.theirs / "memory/3.md").unlink()
    report = pair.run()
    assert report["deleted_in_workspace"] == ["memory/3.md"]
    (place,) = report["kept"]
    assert Path(str(place)).read_text() == "3\n"
    kept = Path(str(place)).parents[2].parent
    for day in range(1, 15):  # what earlier runs put there
        (kept / f"2020-01-{day:02}T00-00-00Z/workspace").mkdir(parents=True)
    pair.run()
    assert Path(str(place)).exists()
    assert len(list(kept.iterdir())) == 10  # the newest ten stay, whatever the clock says


def test_an_emptied_or_unmounted_folder_deletes_nothing(pair: Pair) -> None:
    for number in range(8):
        write(pair.ours, f"memory/{number}.md", f"{number}\n")
    pair.run()
    before = tree(pair.ours)
    shutil.rmtree(pair.theirs)
    assert "Is it mounted?" in str(pair.run(ok=1)["err"])
    assert not pair.theirs.exists()
    pair.theirs.mkdir()
    assert "all files are gone" in str(pair.run(ok=1)["err"])
    assert tree(pair.ours) == before
    assert len(pair.run("--confirm-shrink")["deleted_in_workspace"]) == 8


def test_only_memory_goes_to_the_folder_and_only_memory_comes_from_it(pair: Pair) -> None:
    write(pair.ours, "MEMORY.md", "memory\n")
    write(pair.ours, "app.py", "code\n")
    write(pair.ours, "memory/id_rsa", "key\n")
    write(pair.theirs, ".obsidian/app.json", "{}\n")
    write(pair.theirs, ".git/hooks/post-commit", "evil\n")
    write(pair.theirs, "memory/.git/config", "evil\n")
    write(pair.theirs, "Makefile", "evil\n")
    pair.run()
    assert not (pair.theirs / "app.py").exists()
    assert not (pair.theirs / "memory/id_rsa").exists()
    assert not (pair.ours / ".obsidian").exists()
    assert not (pair.ours / "Makefile").exists()
    assert not (pair.ours / "memory/.git").exists()
    assert (pair.theirs / ".obsidian/app.json").exists()


def test_a_link_in_the_folder_never_leads_out_of_it(pair: Pair, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    write(tmp_path, "outside/secret.md", "secret\n")
    (pair.theirs / "memory").symlink_to(tmp_path / "outside")
    write(pair.ours, "memory/mine.md", "mine\n")
    report = pair.run()
    assert [held["path"] for held in report["held"]] == ["memory/mine.md"]
    assert (pair.theirs / "memory").is_symlink()
    assert not (pair.ours / "memory/secret.md").exists()
    assert sorted(path.name for path in (tmp_path / "outside").iterdir()) == ["secret.md"]


def test_a_secret_stays_in_the_workspace(pair: Pair) -> None:
    write(pair.ours, "MEMORY.md", f"token: {SECRET}\n")
    write(pair.ours, "memory/a.md", "fine\n")
    report = pair.run()
    assert [held["path"] for held in report["held"]] == ["MEMORY.md"]
    assert not (pair.theirs / "MEMORY.md").exists()
    write(pair.ours, "MEMORY.md", "taken out\n")
    pair.run()
    assert (pair.theirs / "MEMORY.md").read_text() == "taken out\n"


@pytest.mark.parametrize("count", [1, 100])
def test_a_run_killed_at_any_point_converges_when_repeated(tmp_path: Path, count: int) -> None:
    pair = Pair(tmp_path)
    for number in range(200):
        write(pair.ours, f"memory/{number:03}.md", BASE)
    pair.run()
    for number in range(200):
        write(pair.ours, f"memory/{number:03}.md", OURS)
        write(pair.theirs, f"memory/{number:03}.md", THEIRS)
    child = subprocess.Popen((memgit_program(), "mirror", "-q"), cwd=pair.ours)
    while child.poll() is None:
        if sum(path.stat().st_size == len(BOTH) for path in pair.theirs.glob("memory/[0-9]*.md")) >= count:
            child.send_signal(signal.SIGKILL)
            child.wait()
    pair.run()
    pair.agrees()
    for number in range(200):
        assert (pair.ours / f"memory/{number:03}.md").read_text() == BOTH


def test_random_changes_of_both_sides_converge_and_lose_no_new_line(tmp_path: Path) -> None:
    pair = Pair(tmp_path)
    chance = random.Random(7)
    written: set[str] = set()
    for round_ in range(5):
        for top in (pair.ours, pair.theirs):
            for _ in range(3):
                path = top / f"memory/{chance.randrange(6)}.md"
                path.parent.mkdir(exist_ok=True)
                line = f"- {top.name} {round_} {chance.random()}"
                with open(path, "a") as file:
                    file.write(line + "\n")
                written.add(line)
        pair.vault.memgit("mirror", "-q")
        pair.agrees()
    held = {line for path in pair.ours.glob("memory/*.md") for line in path.read_text().splitlines()}
    assert written <= held
    every = [line for path in pair.ours.glob("memory/*.md") for line in path.read_text().splitlines()]
    assert len(every) == len(set(every)), "nothing stands twice"


def test_a_folder_inside_the_repository_is_refused(pair: Pair) -> None:
    pair.vault.configure(f'[[folder]]\nname = "notes"\npath = "{pair.ours}/memory"\n')
    assert "lie inside one another" in pair.vault.memgit("mirror", ok=2).err
    os.makedirs(pair.ours / "x", exist_ok=True)
    pair.vault.configure('[[folder]]\nname = "notes"\npath = "relative"\n')
    assert "must be absolute" in pair.vault.memgit("mirror", ok=2).err


def test_a_vault_keeps_its_housekeeping_and_its_conflicted_copies_are_named(pair: Pair) -> None:
    write(pair.ours, "MEMORY.md", "ours\n")
    write(pair.theirs, "memory/.obsidian/workspace.json", "{}")
    write(pair.theirs, "memory/.trash/old.md", "old\n")
    write(pair.theirs, "memory/.syncthing.2026-02-03.md.tmp", "half\n")
    write(pair.theirs, "memory/2026-02-03.md", "note\n")
    write(pair.theirs, "memory/2026-02-03 (Ann's conflicted copy 2026-02-04).md", "note of Ann\n")
    write(pair.theirs, "MEMORY.sync-conflict-20260203-101010-ABCDEFG.md", "theirs\n")
    report = pair.run()
    assert report["copies"] == [
        "MEMORY.sync-conflict-20260203-101010-ABCDEFG.md",
        "memory/2026-02-03 (Ann's conflicted copy 2026-02-04).md",
    ]
    assert sorted(path.name for path in pair.ours.glob("memory/*")) == [
        "2026-02-03 (Ann's conflicted copy 2026-02-04).md", "2026-02-03.md",
    ]  # fmt: skip
    assert (pair.theirs / "memory/.obsidian/workspace.json").exists()
    shutil.rmtree(pair.theirs / "memory/.obsidian")
    assert pair.run()["deleted_in_workspace"] == []


def test_a_file_that_a_cloud_took_off_the_disk_is_not_deleted(pair: Pair) -> None:
    for number in range(3):
        write(pair.ours, f"memory/{number}.md", f"{number}\n")
    pair.run()
    (pair.theirs / "memory/1.md").rename(pair.theirs / "memory/.1.md.icloud")
    write(pair.ours, "memory/1.md", "edited\n")
    report = pair.run()
    assert report["held"] == [{"path": "memory/1.md", "reason": "is in the cloud and not on this disk"}]
    assert (pair.ours / "memory/1.md").read_text() == "edited\n"
    (pair.theirs / "memory/.1.md.icloud").rename(pair.theirs / "memory/1.md")
    assert pair.run()["to_folder"] == ["memory/1.md"]
    assert (pair.theirs / "memory/1.md").read_text() == "edited\n"


@pytest.mark.parametrize("path", ["memory", "memory/1.md"])
def test_what_can_not_be_read_is_not_deleted_on_the_other_side(pair: Pair, path: str) -> None:
    for number in range(3):
        write(pair.ours, f"memory/{number}.md", f"{number}\n")
    for number in range(9):
        write(pair.ours, f".claude/memory/{number}.md", f"{number}\n")
    pair.run()
    (pair.theirs / path).chmod(0)
    done = subprocess.run(
        (*humble(), memgit_program(), "mirror", "--json"), cwd=pair.ours, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)["folders"][0]
    assert report["deleted_in_workspace"] == report["to_folder"] == []
    assert [item["path"] for item in report["held"]] == [path]
    assert len(list(pair.ours.glob("memory/*"))) == 3
    (pair.theirs / path).chmod(0o755)
    assert pair.run()["to_workspace"] == []


@contextmanager
def mounted(top: Path, *command: str) -> Iterator[None]:
    """A FUSE file system at `top`, as a user mounts another machine or a cloud."""
    if not os.path.exists("/dev/fuse"):
        pytest.skip("there is no FUSE here")
    needs("fusermount3")
    needs(command[0])
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert child.stderr is not None
    try:
        until(lambda: os.path.ismount(top) or child.poll() is not None)
        if not os.path.ismount(top):
            pytest.skip(f"mounting is not allowed here: {child.stderr.read().decode()[-300:]}")
        yield
    finally:
        subprocess.run(("fusermount3", "-u", "-z", str(top)), check=False, capture_output=True)
        child.terminate()
        child.wait()
        child.stderr.close()


def test_a_mounted_cloud_that_takes_names_for_the_same_and_tells_of_no_change(pair: Pair, tmp_path: Path) -> None:
    """An rclone mount: no hints, made-up inodes, and here case does not count."""
    there = tmp_path / "cloud"
    there.mkdir()
    mount = (
        "rclone",
        "mount",
        f":local:{there}",
        str(pair.theirs),
        "--vfs-case-insensitive",
        "--vfs-cache-mode=writes",
        "--vfs-write-back=500ms",
    )
    with mounted(pair.theirs, *mount, f"--cache-dir={tmp_path}/first"):
        write(pair.ours, "memory/Note.md", "- first\n- second\n- third\n")
        assert pair.run()["to_folder"] == ["memory/Note.md"]
        until((there / "memory/Note.md").exists)
    with mounted(pair.theirs, *mount, f"--cache-dir={tmp_path}/second"):
        (there / "memory/Note.md").rename(there / "memory/note.md")  # as another machine writes it
        (there / "memory/note.md").write_text("- first\n- second\n- THIRD\n")
        write(pair.ours, "memory/Note.md", "- FIRST\n- second\n- third\n")
        report = pair.run()
        assert report["merged"] == ["memory/Note.md"]
        assert report["deleted_in_workspace"] == report["to_workspace"] == []
        assert (pair.ours / "memory/Note.md").read_text() == "- FIRST\n- second\n- THIRD\n"
        until(lambda: [path.read_text() for path in there.glob("memory/*")] == ["- FIRST\n- second\n- THIRD\n"])
        write(pair.ours, "memory/NOTE.md", "another\n")
        assert [item["path"] for item in pair.run()["held"]] == ["memory/NOTE.md"]
        assert (pair.ours / "memory/Note.md").read_text() == "- FIRST\n- second\n- THIRD\n"
        assert pair.run()["deleted_in_workspace"] == []


def test_a_directory_of_another_machine_mounted_by_sshfs(pair: Pair, tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.mkdir()
    needs("sshfs")
    with started(tmp_path / "sshd") as server:
        ssh = f"ssh -F none -i {server.key} -oIdentitiesOnly=yes -oUserKnownHostsFile={server.known_hosts}"
        mount = ("sshfs", "-f", "-p", str(server.port), "-o", f"ssh_command={ssh}", f"{server.login}:{there}")
        with mounted(pair.theirs, *mount, str(pair.theirs)):
            write(pair.ours, "MEMORY.md", "- a\n")
            write(there, "memory/far.md", "far\n")
            report = pair.run()
            assert (report["to_folder"], report["to_workspace"]) == (["MEMORY.md"], ["memory/far.md"])
            stamp = (there / "MEMORY.md").stat()
            (there / "MEMORY.md").write_text("- b\n")  # as long as before, in the same second
            os.utime(there / "MEMORY.md", ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
            assert pair.run()["to_workspace"] == ["MEMORY.md"]
            assert (pair.ours / "MEMORY.md").read_text() == "- b\n"


@pytest.fixture
def by_unison(tmp_path: Path) -> Pair:
    needs("unison")
    return Pair(tmp_path, 'engine = "unison"')


def test_unison_brings_both_sides_together_and_lists_what_it_would_do(by_unison: Pair) -> None:
    pair = by_unison
    write(pair.ours, "MEMORY.md", "from the workspace\n")
    write(pair.ours, "app.py", "code\n")
    for number in range(8):
        write(pair.theirs, f"memory/{number}.md", "from the folder\n")
    write(pair.theirs, "private.txt", "not memory\n")
    planned = pair.run("--dry-run")
    assert not (pair.theirs / "MEMORY.md").exists()
    report = pair.run()
    assert (planned["to_folder"], planned["to_workspace"]) == (report["to_folder"], report["to_workspace"])
    assert not (pair.ours / "private.txt").exists()
    assert not (pair.theirs / "app.py").exists()
    write(pair.theirs, "MEMORY.md", "edited in the folder\n")
    (pair.ours / "memory/1.md").unlink()
    report = pair.run()
    assert (report["to_workspace"], report["deleted_in_folder"]) == (["MEMORY.md"], ["memory/1.md"])
    assert sorted(path.name for path in pair.theirs.glob("memory/*")) == [f"{n}.md" for n in range(8) if n != 1]
    assert any(Path(place).read_text() == "from the folder\n" for place in report["kept"])
    assert pair.run()["to_workspace"] == []


def test_unison_leaves_a_conflict_as_it_is_and_says_so(by_unison: Pair) -> None:
    pair = by_unison
    write(pair.ours, "MEMORY.md", "black\n")
    pair.run()
    write(pair.ours, "MEMORY.md", "white, in the workspace\n")
    write(pair.theirs, "MEMORY.md", "red\n")
    for _ in range(2):
        (conflict,) = pair.run(ok=5)["conflicts"]
        assert conflict["path"] == "MEMORY.md"
        assert "until they agree, or `prefer` says which wins" in conflict["outcome"]
    assert (pair.ours / "MEMORY.md").read_text() == "white, in the workspace\n"
    assert (pair.theirs / "MEMORY.md").read_text() == "red\n"


def test_unison_prefers_a_side_and_keeps_the_loser(tmp_path: Path) -> None:
    needs("unison")
    pair = Pair(tmp_path, 'engine = "unison"\nprefer = "theirs"')
    write(pair.ours, "MEMORY.md", "black\n")
    pair.run()
    write(pair.ours, "MEMORY.md", "white, in the workspace\n")
    write(pair.theirs, "MEMORY.md", "red\n")
    report = pair.run(ok=5)
    assert (pair.ours / "MEMORY.md").read_text() == "red\n"
    assert [Path(place).read_text() for place in report["kept"]] == ["white, in the workspace\n"]
    assert pair.run()["conflicts"] == []


def test_unison_gets_no_secret_and_stops_where_much_is_gone(by_unison: Pair) -> None:
    pair = by_unison
    write(pair.ours, "MEMORY.md", f"token: {SECRET}\n")
    for number in range(8):
        write(pair.ours, f"memory/{number}.md", "fine\n")
    pair.run()
    assert not (pair.theirs / "MEMORY.md").exists()
    shutil.rmtree(pair.theirs / "memory")
    assert "all files are gone" in pair.run(ok=1)["err"]
    assert (pair.ours / "memory/3.md").exists()
