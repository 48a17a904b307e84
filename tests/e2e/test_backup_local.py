"""memgit backup to a directory of this machine: the installed program, real files."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from support.repo import memgit_program, run
from support.shared import needs
from support.vault import Vault, humble, tree


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    made = Vault(tmp_path)
    made.fill()
    return made


@pytest.fixture
def mirror(tmp_path: Path) -> Vault:
    made = Vault(tmp_path, extra='mode = "mirror"')
    made.fill()
    return made


def test_a_snapshot_holds_exactly_the_memory_files(vault: Vault) -> None:
    report = vault.backup()
    (snapshot,) = vault.snapshots()
    assert snapshot.name == report["generation"]
    assert tree(snapshot / "files") == vault.memory()
    assert sorted(path.name for path in snapshot.iterdir()) == ["base", "complete", "files", "manifest"]


def test_memory_stays_a_directory_in_the_target(vault: Vault) -> None:
    vault.backup()
    (snapshot,) = vault.snapshots()
    assert (snapshot / "files" / "memory" / "2026-02-03.md").is_file()
    assert not (snapshot / "files" / "2026-02-03.md").exists()


def test_a_second_run_without_changes_adds_nothing(vault: Vault) -> None:
    first = vault.backup()
    second = vault.backup()
    assert (second["copied"], second["deleted"], second["is_new"]) == ([], [], False)
    assert second["generation"] == first["generation"]
    assert len(vault.snapshots()) == 1


def test_an_unchanged_file_is_one_inode_in_all_snapshots(vault: Vault) -> None:
    vault.backup()
    for round_ in range(3):
        vault.write("MEMORY.md", f"round {round_}\n")
        report = vault.backup()
        assert report["copied"] == ["MEMORY.md"]
        assert report["linked"] == 7
    inodes = {(path / "files/memory/2026-02-05.md").stat().st_ino for path in vault.snapshots()}
    changed = {(path / "files/MEMORY.md").stat().st_ino for path in vault.snapshots()}
    assert (len(vault.snapshots()), len(inodes), len(changed)) == (4, 1, 4)


def test_two_runs_inside_the_same_minute_do_not_mix(vault: Vault) -> None:
    """The sample script named snapshots by the minute, so the second run wrote into the first one's directory."""
    vault.backup()
    vault.write("MEMORY.md", "second\n")
    vault.backup()
    first, second = vault.snapshots()
    assert (first / "files/MEMORY.md").read_text() == "# Memory\n- a fact\n"
    assert (second / "files/MEMORY.md").read_text() == "second\n"


def test_a_snapshot_after_the_clock_went_back_is_still_the_newest(vault: Vault, tmp_path: Path) -> None:
    vault.backup()
    (snapshot,) = vault.snapshots()
    snapshot.rename(vault.target / "2090-01-01T00-00-00.000Z-000000")
    vault.write("MEMORY.md", "after the step\n")
    vault.backup()
    vault.memgit("backup", "restore", "MEMORY.md", "--from", "disk", "--to", str(tmp_path / "out"))
    assert (tmp_path / "out/MEMORY.md").read_text() == "after the step\n"
    assert vault.memgit("backup", "prune", "--json").json["gone"] == []


def test_a_mirror_follows_edits_deletions_and_renames(mirror: Vault) -> None:
    mirror.backup()
    mirror.write("MEMORY.md", "edited\n")
    (mirror.path / "memory/2026-02-04.md").unlink()
    (mirror.path / "memory/2026-02-05.md").rename(mirror.path / "memory/renamed.md")
    report = mirror.backup()
    assert report["copied"] == ["MEMORY.md", "memory/renamed.md"]
    assert report["deleted"] == ["memory/2026-02-04.md", "memory/2026-02-05.md"]
    assert tree(mirror.target / "current/files") == mirror.memory()
    assert mirror.backup()["is_new"] is False


def test_a_file_can_become_a_directory_and_back_in_a_mirror(mirror: Vault) -> None:
    mirror.write("memory/topic", "a file\n")
    mirror.backup()
    (mirror.path / "memory/topic").unlink()
    mirror.write("memory/topic/deep/inside.md", "a directory\n")
    mirror.backup()
    assert tree(mirror.target / "current/files") == mirror.memory()
    shutil.rmtree(mirror.path / "memory/topic")
    (mirror.path / "memory/topic").symlink_to("2026-02-02.md")
    mirror.backup()
    assert tree(mirror.target / "current/files") == mirror.memory()


def test_a_source_edit_arrives_although_the_target_is_newer(mirror: Vault) -> None:
    """The sample script used `rsync -u`, which leaves a file alone when the target's clock runs ahead."""
    mirror.backup()
    copied = mirror.target / "current/files/MEMORY.md"
    ahead = copied.stat().st_mtime + 3600
    os.utime(copied, (ahead, ahead))
    mirror.write("MEMORY.md", "edited at the source\n")
    mirror.backup()
    assert copied.read_text() == "edited at the source\n"


def test_what_somebody_changed_in_a_mirror_is_put_right(mirror: Vault) -> None:
    mirror.backup()
    files = mirror.target / "current/files"
    (files / "MEMORY.md").unlink()
    (files / "memory/2026-02-03.md").write_text("tampered\n")
    (files / "memory/stray.md").write_text("stray\n")
    report = mirror.backup()
    assert report["copied"] == ["MEMORY.md", "memory/2026-02-03.md"]
    assert report["deleted"] == ["memory/stray.md"]
    assert tree(files) == mirror.memory()


def test_what_is_no_backup_is_not_listed_and_a_sample_of_nothing_proves_nothing(vault: Vault) -> None:
    vault.backup()
    (vault.target / "lost+found").mkdir()
    assert len(vault.memgit("backup", "list", "--json").json["generations"]) == 1
    assert "--sample 0 would check nothing." in vault.memgit("backup", "verify", "--sample", "0", ok=2).err


@pytest.mark.parametrize("way", ["file", "link", "directory"])
def test_a_restore_names_what_is_in_the_way_and_writes_nothing(vault: Vault, way: str) -> None:
    vault.write("memory/topic/deep.md", "below\n")
    vault.backup()
    shutil.rmtree(vault.path / "memory/topic")
    if way == "file":
        vault.write("memory/topic", "a file\n")
    elif way == "link":
        (vault.path / "memory/topic").symlink_to("2026-02-02.md")
    else:
        (vault.path / "memory/topic/deep.md").mkdir(parents=True)
    (vault.path / "MEMORY.md").unlink()
    done = vault.memgit("backup", "restore", ok=2)
    place = "memory/topic/deep.md is a directory" if way == "directory" else "memory/topic is no directory"
    assert f"memory/topic/deep.md can't be put into {vault.path}/: {place} there." in done.err
    assert "Nothing was written." in done.err
    assert not (vault.path / "MEMORY.md").exists()


@pytest.mark.parametrize("mode", ["mirror", "snapshots"])
def test_a_run_with_nothing_to_do_says_the_same_whether_it_compares_or_looks(tmp_path: Path, mode: str) -> None:
    vault = Vault(tmp_path, extra=f'mode = "{mode}"')
    vault.fill()
    vault.backup()
    time.sleep(2.1)  # what changed so lately is compared
    compared = vault.backup()
    assert (vault.path / ".git/memgit/backup/disk/rest").is_file()
    assert vault.backup() == compared
    assert vault.backup("--dry-run") == {**compared, "dry_run": True}
    vault.write("MEMORY.md", "edited\n")
    assert vault.backup()["copied"] == ["MEMORY.md"]
    shutil.rmtree(vault.path / "memory")
    vault.memgit("backup", "run", ok=1)


@pytest.mark.parametrize("mode", ["mirror", "snapshots"])
def test_a_dry_run_lists_exactly_what_the_run_does_and_changes_nothing(tmp_path: Path, mode: str) -> None:
    vault = Vault(tmp_path, extra=f'mode = "{mode}"')
    vault.fill()
    vault.backup()
    vault.write("MEMORY.md", "edited\n")
    vault.write("memory/new.md", "new\n")
    (vault.path / "memory/2026-02-04.md").unlink()
    before = tree(vault.target)
    assert (
        f" in {'the mirror' if mode == 'mirror' else 'a new snapshot'}."
        in vault.memgit("backup", "run", "--dry-run").out
    )
    planned = vault.backup("--dry-run")
    assert tree(vault.target) == before
    done = vault.backup()
    for key in ("copied", "deleted", "linked", "unchanged", "files", "bytes_copied", "held"):
        assert planned[key] == done[key], key
    assert planned["copied"] == ["MEMORY.md", "memory/new.md"]


def test_a_dry_run_before_the_first_run_does_not_make_the_target(vault: Vault) -> None:
    assert vault.backup("--dry-run")["files"] == 8
    assert not vault.target.exists()


@pytest.mark.parametrize("mode", ["mirror", "snapshots"])
def test_an_emptied_or_missing_source_stops_a_backup(tmp_path: Path, mode: str) -> None:
    vault = Vault(tmp_path, extra=f'mode = "{mode}"')
    vault.fill()
    vault.backup()
    before = tree(vault.target)
    shutil.rmtree(vault.path / "memory")
    (vault.path / "MEMORY.md").unlink()
    done = vault.memgit("backup", "run", ok=1)
    assert "all files are gone or empty: 8 of 8 files are gone" in done.err
    assert tree(vault.target) == before


def test_a_source_that_lost_much_stops_a_backup_until_one_confirms(mirror: Vault) -> None:
    mirror.backup()
    for day in range(1, 5):
        (mirror.path / f"memory/2026-02-{day:02}.md").unlink()
    done = mirror.memgit("backup", "run", ok=1)
    assert "more than 30 % of the files are gone or empty: 4 of 8" in done.err
    assert "--confirm-shrink" in done.err
    assert len(mirror.backup("--confirm-shrink")["deleted"]) == 4  # type: ignore[arg-type]
    assert mirror.backup()["is_new"] is False


def test_mass_truncation_stops_a_backup(mirror: Vault) -> None:
    mirror.backup()
    for day in range(1, 7):
        mirror.write(f"memory/2026-02-{day:02}.md", "")
    mirror.memgit("backup", "run", ok=1)
    assert (mirror.target / "current/files/memory/2026-02-06.md").stat().st_size > 0


def test_a_target_that_is_not_mounted_is_noticed(vault: Vault) -> None:
    vault.backup()
    vault.target.rename(vault.place / "unplugged")
    vault.target.mkdir()  # the empty mount point
    done = vault.memgit("backup", "run", ok=1)
    assert "is not the place that was backed up to before" in done.err
    assert list(vault.target.iterdir()) == []
    vault.backup("--new-target")
    assert len(vault.snapshots()) == 1


def test_nothing_is_made_where_the_directory_above_the_target_is_missing(tmp_path: Path) -> None:
    vault = Vault(tmp_path, where=f'path = "{tmp_path}/media/disk/backup"')
    vault.fill()
    for how in (("backup", "run", "--dry-run"), ("backup", "run")):
        assert f"mkdir -p {tmp_path}/media/disk" in vault.memgit(*how, ok=1).err
        assert not (tmp_path / "media").exists()


def test_a_directory_with_other_things_is_no_target(vault: Vault) -> None:
    vault.target.mkdir()
    (vault.target / "thesis.tex").write_text("years of work\n")
    for how in (("backup", "run", "--dry-run"), ("backup", "run")):
        assert "is not empty" in vault.memgit(*how, ok=1).err
    assert [path.name for path in vault.target.iterdir()] == ["thesis.tex"]


def test_the_target_of_another_workspace_is_refused(vault: Vault, tmp_path: Path) -> None:
    vault.backup()
    before = tree(vault.target)
    other = Vault(tmp_path / "other", where=Vault.at(vault.target))
    other.fill(2)
    done = other.memgit("backup", "run", ok=1)
    assert "holds the backups of another workspace" in done.err
    assert tree(vault.target) == before


@pytest.mark.parametrize("inside", ["backup", ".git/backup", "."])
def test_a_target_inside_the_repository_is_refused(tmp_path: Path, inside: str) -> None:
    vault = Vault(tmp_path, where=f'path = "{tmp_path}/workspace/{inside}"')
    vault.fill()
    assert "lie inside one another" in vault.memgit("backup", "run", ok=2).err


def test_links_are_copied_as_links_and_never_followed(vault: Vault, tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "key").write_text("private\n")
    (vault.path / "memory/out").symlink_to(tmp_path / "secret")
    (vault.path / "memory/dangling").symlink_to("nowhere")
    os.mkfifo(vault.path / "memory/fifo")
    report = vault.backup()
    (snapshot,) = vault.snapshots()
    assert os.readlink(snapshot / "files/memory/out") == str(tmp_path / "secret")
    assert os.readlink(snapshot / "files/memory/dangling") == "nowhere"
    assert not (snapshot / "files/memory/fifo").exists()
    assert report["held"] == [{"path": "memory/fifo", "reason": "is no regular file"}]
    assert "private" not in json.dumps(report)


def test_odd_names_arrive_as_they_are(vault: Vault) -> None:
    for name in (
        b"new\nline.md",
        b"-rf.md",
        b"tab\there.md",
        b"\xff\xfe.md",
        b"a b%41.md",
        "ü.md".encode(),
        b"[x]*?.md",
    ):
        with open(os.fsencode(vault.path) + b"/memory/" + name, "wb") as file:
            file.write(name)
    vault.backup()
    (snapshot,) = vault.snapshots()
    assert tree(snapshot / "files") == vault.memory()
    assert vault.memgit("backup", "verify").out.endswith("15 of 15 files are as its manifest says.\n")


def test_a_commit_is_backed_up_exactly_while_the_tree_moves_on(tmp_path: Path) -> None:
    vault = Vault(tmp_path, extra='source = "commit"')
    vault.fill()
    vault.commit()
    head = run("git", "-C", str(vault.path), "rev-parse", "HEAD").decode().strip()
    vault.write("MEMORY.md", "written since\n")
    vault.write("memory/uncommitted.md", "new\n")
    report = vault.backup()
    (snapshot,) = vault.snapshots()
    assert report["commit"] == head
    assert (snapshot / "files/MEMORY.md").read_text() == "# Memory\n- a fact\n"
    assert not (snapshot / "files/memory/uncommitted.md").exists()
    vault.commit("more")
    assert vault.backup()["copied"] == ["MEMORY.md", "memory/uncommitted.md"]
    assert vault.memgit("backup", "verify").status == 0


def test_a_corrupt_source_stops_the_backup_and_leaves_the_last_one(tmp_path: Path) -> None:
    vault = Vault(tmp_path, extra='source = "commit"')
    vault.fill()
    vault.commit()
    vault.backup()
    vault.write("MEMORY.md", "soon lost\n")
    vault.commit()
    oid = run("git", "-C", str(vault.path), "rev-parse", "HEAD:MEMORY.md").decode().strip()
    blob = vault.path / ".git/objects" / oid[:2] / oid[2:]
    blob.chmod(0o644)
    blob.write_bytes(b"")
    vault.memgit("backup", "run", ok=1)
    assert vault.memgit("backup", "verify").status == 0
    assert len(vault.snapshots()) == 1


SECRET = "ghp_" + "aZ3kQ9mB7xW2" + "nR5tY8uP1oL4" + "sD6fG0hJ2kV9"  # assembled, so that no scanner finds it here


def test_a_file_with_a_secret_stays_here_unless_the_target_may_have_it(vault: Vault) -> None:
    vault.backup()
    vault.write("MEMORY.md", f"token: {SECRET}\n")
    vault.write("memory/new.md", f"token: {SECRET}\n")
    report = vault.backup()
    assert [held["path"] for held in report["held"]] == ["MEMORY.md", "memory/new.md"]  # type: ignore[attr-defined]
    for directory, _, names in os.walk(vault.target):
        for name in names:
            assert SECRET not in (Path(directory) / name).read_text()
    # the state that was fit to be backed up is still there
    assert (vault.snapshots()[-1] / "files/MEMORY.md").read_text() == "# Memory\n- a fact\n"
    vault.configure(f'[[target]]\nname = "disk"\npath = "{vault.target}"\ninclude_held = true\n')
    vault.backup()
    assert SECRET in (vault.snapshots()[-1] / "files/MEMORY.md").read_text()


def test_a_secret_is_held_again_by_a_target_that_may_not_have_it(vault: Vault, tmp_path: Path) -> None:
    """What one target was allowed to read must not count as searched for another."""
    vault.write("MEMORY.md", f"token: {SECRET}\n")
    vault.configure(
        f'[[target]]\nname = "trusted"\npath = "{tmp_path}/trusted"\ninclude_held = true\n'
        f'[[target]]\nname = "cloud"\npath = "{tmp_path}/cloud"\n'
    )
    time.sleep(2.2)  # a file that changed a moment ago is read again in any case
    runs = vault.memgit("backup", "run", "--json").json["runs"]
    assert [len(item["held"]) for item in runs] == [0, 1]


def test_verify_finds_one_flipped_byte_one_missing_and_one_extra_file(vault: Vault) -> None:
    vault.backup()
    files = vault.snapshots()[0] / "files"
    assert vault.memgit("backup", "verify", "disk").out.endswith("8 of 8 files are as its manifest says.\n")
    flipped = files / "memory/2026-02-03.md"
    before = flipped.stat()
    flipped.write_bytes(b"X" + flipped.read_bytes()[1:])
    os.utime(flipped, ns=(before.st_atime_ns, before.st_mtime_ns))
    (files / "memory/2026-02-04.md").unlink()
    (files / "memory/extra.md").write_text("extra\n")
    found = vault.memgit("backup", "verify", "--json", ok=1).json
    assert found["problems"] == [
        {"path": "memory/2026-02-03.md", "what": "content"},
        {"path": "memory/2026-02-04.md", "what": "missing"},
        {"path": "memory/extra.md", "what": "extra"},
    ]
    sampled = vault.memgit("backup", "verify", "--json", "--sample", "1", ok=1).json
    assert sampled["checked"] == 1
    assert {"path": "memory/extra.md", "what": "extra"} in sampled["problems"]


@pytest.mark.parametrize("mode", ["snapshots", "mirror"])
def test_a_directory_that_may_not_be_written_is_backed_up_as_such_run_after_run(tmp_path: Path, mode: str) -> None:
    vault = Vault(tmp_path, extra=f'mode = "{mode}"\n')
    vault.fill()
    vault.write("memory/archive/a.md", "a\n")
    for text in ("first\n", "second\n"):
        (vault.path / "memory/archive").chmod(0o755)
        vault.write("memory/archive/b.md", text)
        (vault.path / "memory/archive").chmod(0o555)
        done = subprocess.run(
            (*humble(), memgit_program(), "backup", "run"), cwd=vault.path, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr
        newest = sorted(vault.target.glob("*/files"))[-1]
        assert tree(newest) == vault.memory()
        assert (newest / "memory/archive").stat().st_mode & 0o777 == 0o555


@pytest.mark.parametrize("mode", ["snapshots", "mirror"])
def test_what_can_not_be_read_stays_as_it_was_backed_up_last(tmp_path: Path, mode: str) -> None:
    vault = Vault(tmp_path, extra=f'mode = "{mode}"\n')
    vault.fill(12)
    vault.write("memory/deep/a.md", "a\n")
    vault.backup()
    held = vault.memory()
    (vault.path / "memory/deep").chmod(0)
    (vault.path / "memory/2026-02-03.md").chmod(0)
    vault.write("MEMORY.md", "second\n")
    done = subprocess.run(
        (*humble(), memgit_program(), "backup", "run", "--json"), cwd=vault.path, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)["runs"][0]
    assert (report["copied"], report["deleted"]) == (["MEMORY.md"], [])
    assert [item["path"] for item in report["held"]] == ["memory/deep", "memory/2026-02-03.md"]
    found = tree(sorted(vault.target.glob("*/files"))[-1])
    assert {**held, "MEMORY.md": found["MEMORY.md"]} == found
    (vault.path / "memory/deep").chmod(0o755)


@pytest.mark.parametrize("mode", ["snapshots", "mirror"])
def test_the_run_after_a_verify_that_found_damage_makes_a_sound_backup(tmp_path: Path, mode: str) -> None:
    vault = Vault(tmp_path, extra=f'mode = "{mode}"\n')
    vault.fill()
    vault.backup()
    files = next(vault.target.glob("*/files"))
    flipped = files / "memory/2026-02-03.md"
    before = flipped.stat()
    flipped.write_bytes(b"X" + flipped.read_bytes()[1:])
    os.utime(flipped, ns=(before.st_atime_ns, before.st_mtime_ns))  # as a disk does it that forgets
    assert vault.backup()["is_new"] is False, "nobody looked"
    assert "`memgit backup run` makes a sound one" in vault.memgit("backup", "verify", ok=1).err
    report = vault.backup()
    assert report["copied"] == ["memory/2026-02-03.md"]
    assert "was found damaged; not taken from it: 1" in str(report["notes"])
    assert vault.memgit("backup", "verify").status == 0
    assert vault.backup()["is_new"] is False


def test_a_damaged_manifest_is_never_taken_for_a_backup(vault: Vault) -> None:
    vault.backup()
    vault.write("MEMORY.md", "second\n")
    vault.backup()
    first, second = vault.snapshots()
    with open(second / "manifest", "ab") as file:
        file.write(b"x")
    listed = vault.memgit("backup", "list", "--json").json["generations"]
    assert [item["state"] for item in listed] == ["complete", "damaged"]
    # the next run starts from the sound one, and says so
    vault.write("MEMORY.md", "third\n")
    done = vault.memgit("backup", "run")
    assert f"{second.name}/manifest is not the one that was completed" in done.err
    assert [path.name for path in vault.snapshots()][:2] == [first.name, second.name]


def test_restore_is_previewed_complete_and_idempotent(vault: Vault, tmp_path: Path) -> None:
    vault.backup()
    to = tmp_path / "restored"
    planned = vault.memgit("backup", "restore", "--json", "--dry-run", "--from", "disk", "--to", str(to)).json
    assert not to.exists()
    done = vault.memgit("backup", "restore", "--json", "--from", "disk", "--to", str(to)).json
    assert planned["created"] == done["created"] == sorted(vault.memory())
    assert tree(to) == vault.memory()
    again = vault.memgit("backup", "restore", "--json", "--from", "disk", "--to", str(to)).json
    assert (again["created"], again["replaced"], again["unchanged"]) == ([], [], 8)


def test_restore_replaces_other_content_only_when_told(vault: Vault, tmp_path: Path) -> None:
    vault.backup()
    to = tmp_path / "restored"
    to.mkdir()
    (to / "MEMORY.md").write_text("mine\n")
    (to / "own.txt").write_text("own\n")
    done = vault.memgit("backup", "restore", "--from", "disk", "--to", str(to), ok=2)
    assert "1 file in" in done.err
    assert sorted(path.name for path in to.iterdir()) == ["MEMORY.md", "own.txt"]
    vault.memgit("backup", "restore", "--from", "disk", "--to", str(to), "--overwrite")
    assert (to / "MEMORY.md").read_text() == "# Memory\n- a fact\n"
    assert (to / "own.txt").read_text() == "own\n"


def test_restore_takes_some_paths_of_an_older_snapshot(vault: Vault, tmp_path: Path) -> None:
    vault.backup()
    first = vault.snapshots()[0].name
    vault.write("memory/2026-02-03.md", "changed\n")
    vault.backup()
    vault.memgit("backup", "restore", "memory/2026-02-03.md", "--from", f"disk/{first}", "--to", str(tmp_path / "out"))
    assert list(tree(tmp_path / "out")) == ["memory/2026-02-03.md"]
    assert (tmp_path / "out/memory/2026-02-03.md").read_text() == "- note of day 3\n" * 3


def test_restore_into_the_workspace_is_a_commit_that_can_be_undone(vault: Vault) -> None:
    vault.commit()
    vault.backup()
    backed_up = vault.memory()
    vault.write("MEMORY.md", "written since\n")
    (vault.path / "memory/2026-02-03.md").unlink()
    vault.write("memory/new.md", "stays\n")
    before = vault.memory()
    planned = vault.memgit("backup", "restore", "--json", "--dry-run", "--from", "disk").json
    assert vault.memory() == before
    assert (planned["created"], planned["replaced"]) == (["memory/2026-02-03.md"], ["MEMORY.md"])
    done = vault.memgit("backup", "restore", "--from", "disk")
    assert {path: held for path, held in vault.memory().items() if path != "memory/new.md"} == backed_up
    subject = run("git", "-C", str(vault.path), "log", "-1", "--format=%s").decode()
    assert subject.startswith("restore: 2 files from ")
    assert "Take it back with: memgit undo " in done.out
    vault.memgit("undo", done.out.split()[-1])
    assert (vault.path / "MEMORY.md").read_text() == "written since\n"
    assert not (vault.path / "memory/2026-02-03.md").exists()
    assert (vault.path / "memory/new.md").read_text() == "stays\n"


def test_a_damaged_backup_restores_nothing_rather_than_something_wrong(vault: Vault, tmp_path: Path) -> None:
    vault.backup()
    (vault.snapshots()[0] / "files/memory/2026-02-03.md").write_text("tampered\n")
    done = vault.memgit("backup", "restore", "--from", "disk", "--to", str(tmp_path / "out"), ok=1)
    assert "memory/2026-02-03.md. Nothing was restored" in done.err
    assert not (tmp_path / "out").exists()


def test_a_drill_restores_the_newest_snapshot_and_leaves_nothing(vault: Vault) -> None:
    vault.backup()
    assert "8 of 8 files restored into a scratch directory" in vault.memgit("backup", "drill").out
    (vault.snapshots()[0] / "files/MEMORY.md").unlink()
    vault.memgit("backup", "drill", ok=1)


def test_prune_keeps_the_promised_set_over_thirty_days(tmp_path: Path) -> None:
    vault = Vault(tmp_path, extra="keep = { daily = 7, weekly = 3 }")
    vault.fill()
    for _ in range(3):
        vault.write("MEMORY.md", os.urandom(8).hex())
        vault.backup()
    newest = vault.snapshots()[-1]
    for day in range(1, 31):  # older ones, as they would lie there
        shutil.copytree(newest, vault.target / f"2026-01-{day:02}T10-00-00.000Z-0{day:05}", symlinks=True)
    planned = vault.memgit("backup", "prune", "--json", "--dry-run").json
    assert len(vault.snapshots()) == 33
    done = vault.memgit("backup", "prune", "--json").json
    assert planned["gone"] == done["gone"]
    days = sorted({path.name[:10] for path in vault.snapshots()})
    assert [day for day in days if day.startswith("2026-01")] == [f"2026-01-{day}" for day in range(25, 31)]
    assert vault.memgit("backup", "verify").status == 0
    assert vault.memgit("backup", "prune", "--json").json["gone"] == []


def test_prune_without_a_name_reaches_every_target_that_keeps_snapshots(vault: Vault, tmp_path: Path) -> None:
    targets = [("gone", "snapshots"), ("disk", "snapshots"), ("copy", "mirror")]
    vault.configure(
        "".join(
            f'[[target]]\nname = "{name}"\nmode = "{mode}"\npath = "{tmp_path}/{name}"\nkeep = {{ daily = 1 }}\n'
            for name, mode in targets
        )
    )
    for round_ in range(3):
        vault.write("MEMORY.md", f"{round_}\n")
        vault.memgit("backup", "run")
    (tmp_path / "gone").rename(tmp_path / "unplugged")
    done = vault.memgit("backup", "prune", ok=1)
    assert "disk: 1 snapshot gone, 2 kept." in done.out
    assert f"{tmp_path}/gone" in done.err
    assert len(list((tmp_path / "unplugged").glob("2*"))) == 3
    (tmp_path / "unplugged").rename(tmp_path / "gone")
    pruned = vault.memgit("backup", "prune", "--json").json["pruned"]
    assert [(report["target"], len(report["gone"])) for report in pruned] == [("gone", 1), ("disk", 0)]


def test_prune_lets_nothing_go_while_the_newest_snapshot_is_damaged(vault: Vault) -> None:
    vault.configure(f'[[target]]\nname = "disk"\npath = "{vault.target}"\nkeep = {{ daily = 1 }}\n')
    for round_ in range(4):
        vault.write("MEMORY.md", f"{round_}\n")
        vault.backup()
    newest = vault.snapshots()[-1] / "files/MEMORY.md"
    newest.unlink()
    newest.write_text("damaged\n")
    assert "so none goes" in vault.memgit("backup", "prune", ok=1).err
    assert len(vault.snapshots()) == 4


def test_a_local_target_works_where_rsync_is_missing(vault: Vault, tmp_path: Path) -> None:
    only_git = tmp_path / "bin"
    only_git.mkdir()
    git = shutil.which("git")
    assert git is not None
    (only_git / "git").symlink_to(git)
    vault.memgit("backup", "run", env={"PATH": str(only_git)})
    assert len(vault.snapshots()) == 1
    vault.configure('[[target]]\nname = "far"\nhost = "me@host:backup"\n')
    done = vault.memgit("backup", "run", ok=1, env={"PATH": str(only_git)})
    assert "rsync is not installed" in done.err
    assert "apt install rsync" in done.err


def test_two_runs_at_once_do_not_get_in_each_others_way(vault: Vault) -> None:
    import subprocess

    for number in range(300):
        vault.write(f"memory/many/{number}.md", f"{number}\n")
    running = [
        subprocess.Popen((memgit_program(), "backup", "run", "-q"), cwd=vault.path, stderr=subprocess.PIPE)
        for _ in range(4)
    ]
    statuses = []
    for child in running:
        child.communicate()
        statuses.append(child.returncode)
    assert set(statuses) <= {0, 6}
    assert 0 in statuses
    assert len(vault.snapshots()) == 1  # the others waited, and found nothing left to do
    assert vault.memgit("backup", "verify").status == 0


def test_a_target_that_fails_does_not_keep_the_others_waiting(vault: Vault, tmp_path: Path) -> None:
    vault.configure(
        f'[[target]]\nname = "unplugged"\npath = "{tmp_path}/media/disk"\n'
        f'[[target]]\nname = "disk"\npath = "{vault.target}"\n'
    )
    done = vault.memgit("backup", "run", ok=1)
    assert "media/disk" in done.err
    assert len(vault.snapshots()) == 1


def test_unknown_targets_and_options_are_named(vault: Vault) -> None:
    assert "There are disk." in vault.memgit("backup", "run", "disc", ok=2).err
    vault.configure(f'[[target]]\nname = "disk"\npath = "{vault.target}"\noptions = ["--rsh=evil"]\n')
    assert "is not on the list of options" in vault.memgit("backup", "run", ok=2).err


def test_a_target_can_not_travel_with_the_repository(vault: Vault) -> None:
    vault.write(".memgit.toml", '[[target]]\nname = "evil"\npath = "/tmp/x"\n')
    assert "can't be set in a file that travels" in vault.memgit("backup", "run", ok=8).err


def test_rsync_is_used_where_its_options_are_wanted(tmp_path: Path) -> None:
    needs("rsync")
    vault = Vault(tmp_path, extra='options = ["--checksum"]\nbwlimit = "100MiB"')
    vault.fill()
    vault.target.mkdir()
    vault.backup()
    vault.write("MEMORY.md", "second\n")
    report = vault.backup()
    assert report["copied"] == ["MEMORY.md"]
    first, second = vault.snapshots()
    assert tree(second / "files") == vault.memory()
    assert (first / "files/memory/2026-02-03.md").stat().st_ino == (second / "files/memory/2026-02-03.md").stat().st_ino
    assert vault.memgit("backup", "verify").status == 0
