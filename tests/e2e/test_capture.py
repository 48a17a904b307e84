"""memgit commit on real repositories: what is captured, what stays out, and what the user sees afterwards."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from pathlib import Path

import pytest

from memgit.host import machine
from support.repo import memgit
from support.workspace import Workspace

TODAY = "memory/2026-02-04.md"
MACHINE = machine.name({})


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    return Workspace(
        tmp_path / "ws",
        {"MEMORY.md": "# Memory\n", TODAY: "- one\n", "memory/old.md": "- old\n", "src/app.py": "print(1)\n"},
    )


def test_installed_command_commits_what_changed_and_says_how_to_take_it_back(ws: Workspace) -> None:
    before = ws.head()
    ws.write(TODAY, "- one\n- two\n")
    done = memgit(ws.path, "commit")
    tip = ws.head().decode()
    assert done.out == (
        f"  {TODAY} (+1 -0)\n"
        f"1 file captured as {tip[:10]} on main.\n"
        f"Take a file back with: memgit restore {TODAY} --at {before.decode()[:10]}\n"
    )
    assert ws.history()[-1].message.decode() == f"auto: {TODAY} (+1 -0)\n\nMemgit-Auto: {MACHINE}\n"
    assert ws.status() == []


def test_second_run_finds_nothing(ws: Workspace) -> None:
    ws.write(TODAY, "- two\n")
    ws.capture()
    tip = ws.head()
    assert ws.capture()["commit"] is None
    assert ws.run("commit").out == "Nothing to capture.\n"
    assert ws.head() == tip


def test_new_changed_and_deleted_files_make_one_commit(ws: Workspace) -> None:
    ws.write("memory/new.md", "- n\n- m\n")
    ws.write("MEMORY.md", "# Memory\n\nMore.\n")
    (ws.path / "memory/old.md").unlink()
    report = ws.capture("--agent", "scribe", "--session", "s 1\nX: y")
    assert [(file["path"], file["verb"]) for file in report["files"]] == [
        ("MEMORY.md", "changed"),
        ("memory/new.md", "new"),
        ("memory/old.md", "deleted"),
    ]
    message = ws.history()[-1].message.decode()
    assert message.startswith("auto: 3 files (+4 -0)\n\nMEMORY.md: +2 -0\nmemory/new.md: new +2 -0\n")
    assert message.endswith("\nMemgit-Agent: scribe\nMemgit-Session: s 1 X: y\n")
    assert ws.status() == []
    ws.fsck()


def test_only_memory_is_committed_and_the_users_work_is_left_alone(ws: Workspace) -> None:
    ws.write("src/app.py", "print(2)\n")
    ws.git("add", "src/app.py")
    ws.write("src/app.py", "print(3)\n")
    ws.write("secret.key", "not yours\n")
    ws.write("notes.txt", "mine\n")
    ws.write(TODAY, "- one\n- two\n")
    before = [line for line in ws.status() if TODAY not in line]
    ws.capture()
    assert ws.git("diff", "--name-only", "HEAD~1", "HEAD").decode().split() == [TODAY]
    assert ws.status() == before


def test_users_next_commit_neither_reverts_nor_sweeps(ws: Workspace) -> None:
    """With the index left behind, it would take the memory back."""
    ws.write("src/app.py", "print(2)\n")
    ws.git("add", "src/app.py")
    ws.write(TODAY, "- one\n- two\n")
    ws.capture()
    ws.git("commit", "-qm", "mine")
    assert ws.git("diff", "--name-only", "HEAD~1", "HEAD").decode().split() == ["src/app.py"]
    assert ws.content("HEAD", TODAY) == b"- one\n- two\n"


def test_version_the_user_staged_stays_staged_and_is_reported(ws: Workspace) -> None:
    ws.write(TODAY, "- staged\n")
    ws.git("add", TODAY)
    ws.write(TODAY, "- staged\n- later\n")
    report = ws.capture()
    assert report["kept_staged"] == [TODAY]
    assert ws.git("cat-file", "blob", f":{TODAY}") == b"- staged\n"
    assert ws.content("HEAD", TODAY) == b"- staged\n- later\n"
    ws.git("commit", "-qm", "mine")
    ws.capture()
    assert ws.content("HEAD", TODAY) == b"- staged\n- later\n"


def test_plumbing_sees_no_stale_entry(ws: Workspace) -> None:
    ws.write(TODAY, "- one\n- two\n")
    time.sleep(1.1)  # git looks at whole seconds, so nothing is noted of a file that changed in this one
    ws.capture()
    assert ws.git("diff-files") == b""


def test_missing_file_of_the_day_loses_nothing_else(ws: Workspace) -> None:
    """A bug of many scripts: one missing name and nothing is added. And a new file is seen."""
    (ws.path / TODAY).unlink()
    ws.write("MEMORY.md", "# Memory\n\nStill here.\n")
    ws.write("memory/2026-02-05.md", "- brand new\n")
    assert {file["path"] for file in ws.capture()["files"]} == {TODAY, "MEMORY.md", "memory/2026-02-05.md"}


def test_yesterdays_tail_is_captured_after_midnight(ws: Workspace) -> None:
    ws.write("memory/2026-02-03.md", "- late\n")
    ws.write(TODAY, "- early\n")
    assert len(ws.capture()["files"]) == 2


def test_paths_limit_what_is_captured(ws: Workspace) -> None:
    ws.write(TODAY, "- two\n")
    ws.write("MEMORY.md", "# Other\n")
    assert [file["path"] for file in ws.capture(str(ws.path / "memory"))["files"]] == [TODAY]
    assert [file["path"] for file in ws.capture()["files"]] == ["MEMORY.md"]


def test_path_outside_is_refused(ws: Workspace) -> None:
    assert "is not in this work tree" in ws.run("commit", "/etc/passwd", ok=2).err


def test_dry_run_tells_the_same_and_changes_nothing(ws: Workspace) -> None:
    ws.write(TODAY, "- two\n")
    before = (ws.refs(), ws.status(), (ws.git_dir / "index").read_bytes())
    planned = ws.capture("--dry-run")
    assert (ws.refs(), ws.status(), (ws.git_dir / "index").read_bytes()) == before
    done = ws.capture()
    assert planned["dry_run"]
    assert planned["files"] == done["files"]


def test_message_of_the_caller_keeps_the_trailers(ws: Workspace) -> None:
    ws.write(TODAY, "- two\n")
    ws.capture("-m", "Before the move")
    message = ws.history()[-1].message.decode()
    assert message.startswith("Before the move\n\n")
    assert f"\nMemgit-Auto: {MACHINE}\n" in message


@pytest.mark.parametrize(
    "name",
    [
        b"a\nb.md",
        b'q"uote.md',
        b"tab\t.md",
        b"-rf",
        b"*.md",
        b":(top).md",
        b"bad\xff.md",
        "caf\u00e9.md".encode(),
        b" s ",
    ],
)
def test_odd_names_are_recorded_exactly(ws: Workspace, name: bytes) -> None:
    ws.write(b"memory/" + name, "x\n")
    ws.capture()
    assert b"memory/" + name in ws.files(ws.head())
    assert ws.status() == []
    subject = ws.history()[-1].message.split(b"\n\n")[0]
    assert b"\n" not in subject
    ws.run("commit")


def test_message_can_not_be_forged_by_a_name(ws: Workspace) -> None:
    ws.write(b"memory/x\n\nMemgit-Auto: other\n", "x\n")
    ws.capture()
    trailers = ws.git("log", "-1", "--format=%(trailers:key=Memgit-Auto,valueonly)").decode().split()
    assert trailers == [MACHINE]


def test_links_are_stored_as_links_and_never_followed(ws: Workspace, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "passwd.md").write_text("no\n")
    (ws.path / "memory/link.md").symlink_to(outside / "passwd.md")
    (ws.path / "memory/dir").symlink_to(outside)
    ws.capture()
    files = ws.files(ws.head())
    assert files[b"memory/link.md"].mode == b"120000"
    assert ws.content("HEAD", "memory/link.md") == os.fsencode(outside / "passwd.md")
    assert not [path for path in files if path.startswith(b"memory/dir/")]


def test_memory_directory_that_is_a_link_is_reported(tmp_path: Path) -> None:
    ws = Workspace(tmp_path / "ws", {"MEMORY.md": "# M\n"})
    store = tmp_path / "store"
    store.mkdir()
    (ws.path / "memory").symlink_to(store)
    reasons = {item["path"]: item["reason"] for item in ws.capture()["skipped"]}
    assert str(store) in reasons["memory"]
    assert "outside of the work tree" in reasons["memory"]


def test_fifos_sockets_and_nested_repositories_are_named_and_skipped(ws: Workspace) -> None:
    os.mkfifo(ws.path / "memory/pipe.md")
    with socket.socket(socket.AF_UNIX) as listening:
        here = os.getcwd()
        os.chdir(ws.path / "memory")
        try:
            listening.bind("sock.md")
        finally:
            os.chdir(here)
        nested = Workspace(ws.path / "memory/nested", {"MEMORY.md": "x\n"})
        reasons = {item["path"]: item["reason"] for item in ws.capture()["skipped"]}
    assert reasons == {
        "memory/pipe.md": "is a FIFO",
        "memory/sock.md": "is a socket",
        "memory/nested": "is a repository of its own",
    }
    assert nested.status() == []


def test_executable_bit_is_followed_unless_the_file_system_has_none(ws: Workspace) -> None:
    ws.write(TODAY, "- one\n", executable=True)
    ws.capture()
    assert ws.files(ws.head())[TODAY.encode()].mode == b"100755"
    ws.git("config", "core.fileMode", "false")
    (ws.path / TODAY).chmod(0o644)
    assert ws.capture()["commit"] is None


def test_ignored_file_is_not_captured_but_named(ws: Workspace) -> None:
    ws.write(".gitignore", "memory/private/\n")
    ws.write("memory/private/x.md", "x\n")
    assert [item["reason"] for item in ws.capture()["skipped"]] == ["is ignored by .gitignore"]
    assert b"memory/private/x.md" not in ws.files(ws.head())
    assert ws.capture()["commit"] is None


def test_file_replaced_by_a_directory_and_back(ws: Workspace) -> None:
    (ws.path / "memory/old.md").unlink()
    ws.write("memory/old.md/inner.md", "x\n")
    ws.capture()
    assert b"memory/old.md/inner.md" in ws.files(ws.head())
    (ws.path / "memory/old.md/inner.md").unlink()
    (ws.path / "memory/old.md").rmdir()
    ws.write("memory/old.md", "back\n")
    ws.capture()
    assert b"memory/old.md" in ws.files(ws.head())
    assert ws.status() == []
    ws.fsck()


def test_first_commit_of_a_new_repository(tmp_path: Path) -> None:
    ws = Workspace(tmp_path / "ws")
    ws.write("memory/a.md", "x\n")
    assert ws.capture()["ref"] == "refs/heads/main"
    assert ws.status() == []


def test_linked_work_tree_has_its_own_index(ws: Workspace, tmp_path: Path) -> None:
    ws.git("worktree", "add", "-q", "-b", "side", str(tmp_path / "side"))
    side = Workspace.__new__(Workspace)
    side.path, side.git_dir, side._files, side.time_s = tmp_path / "side", ws.git_dir, {}, ws.time_s
    side.write(TODAY, "- side\n")
    side.capture()
    assert side.content("side", TODAY) == b"- side\n"
    assert side.status() == []
    assert ws.status() == []


def test_commit_is_never_made_in_a_bare_repository(tmp_path: Path) -> None:
    bare = Workspace.__new__(Workspace)
    bare.path = tmp_path / "bare"
    bare.path.mkdir()
    bare.git("init", "-q", "--bare")
    assert "bare repository" in bare.run("commit", ok=2).err


def test_a_failing_capture_is_told(ws: Workspace) -> None:
    """Scripts swallow errors with `|| true`."""
    ws.write(TODAY, "- two\n")
    (ws.git_dir / "refs/heads/main").write_text("")
    assert ws.run("commit", ok=1).err.startswith("memgit: refs/heads/main is damaged")


def test_only_what_was_there_before_can_be_taken_back(ws: Workspace) -> None:
    ws.write("memory/new.md", "- n\n")
    assert "Take a file back" not in ws.run("commit").out
    ws.write("memory/newer.md", "- n\n")
    ws.write("memory/a name.md", "- n\n")
    ws.run("commit", "-q")
    before = ws.head().decode()[:10]
    ws.write("memory/a name.md", "- m\n")
    ws.write("memory/newest.md", "- m\n")
    said = ws.run("commit").out
    assert said.endswith(f"Take a file back with: memgit restore 'memory/a name.md' --at {before}\n")


def test_a_path_that_is_no_memory_is_refused(ws: Workspace) -> None:
    assert ws.run("commit", str(ws.path / "src/app.py"), ok=2).err == (
        f"memgit: {ws.path}/src/app.py is no memory file.\n  `memgit config` shows what [memory] include selects.\n"
    )
    assert ws.run("commit", str(ws.path / "memory/gone.md")).out == "Nothing to capture.\n"


def test_what_is_not_covered_is_said_each_time(ws: Workspace) -> None:
    os.mkfifo(ws.path / "memory/pipe.md")
    for _ in range(2):
        assert ws.run("commit").err == "not covered: memory/pipe.md is a FIFO\n"
    assert ws.run("commit", "-q").err == ""


def test_a_name_that_a_terminal_would_obey_is_told_inert_and_can_be_copied(ws: Workspace) -> None:
    name = b"memory/a\x1b[31m'b\xff.md"
    ws.write(name, "- 1\n")
    ws.run("commit", "-q")
    ws.write(name, "- 2\n")
    said = ws.run("commit").out
    assert all(char.isprintable() for char in said.replace("\n", ""))
    command = said.splitlines()[-1].removeprefix("Take a file back with: memgit restore ")
    words = subprocess.run(("bash", "-c", f"printf %s {command.partition(' --at ')[0]}"), capture_output=True)
    assert words.stdout == name
