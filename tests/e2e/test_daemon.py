"""memgit run: everything that is written ends up in a commit, and nothing is done that nobody asked for."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path

import pytest

from support import remotes
from support.daemon import FAST, PATIENCE_S, QUIET_JOBS, children, program, running, until
from support.repo import Repo, memgit, memgit_program, run


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    made = Repo(tmp_path / "ws")
    made.commit("Start", {"MEMORY.md": "# Memory\n", "app.py": "print(1)\n", "memory/a.md": "- a\n"})
    made.checkout()
    return made


def captured(repo: Repo, name: str) -> bytes | None:
    """A file as the branch has it."""
    child = subprocess.run(["git", "-C", str(repo.path), "show", f"HEAD:{name}"], capture_output=True, check=False)
    return child.stdout if child.returncode == 0 else None


def commits(repo: Repo) -> int:
    return int(repo.git("rev-list", "--count", "HEAD"))


def test_every_kind_of_change_is_captured(repo: Repo) -> None:
    memory = repo.path / "memory"
    with running(repo.path) as daemon:
        (memory / "new.md").write_text("new\n")
        until(lambda: captured(repo, "memory/new.md") == b"new\n")
        with open(memory / "a.md", "a") as file:
            file.write("- b\n")
        until(lambda: captured(repo, "memory/a.md") == b"- a\n- b\n")
        (repo.path / "draft").write_text("atomic\n")
        os.replace(repo.path / "draft", repo.path / "MEMORY.md")  # an editor's way to save
        until(lambda: captured(repo, "MEMORY.md") == b"atomic\n")
        os.rename(memory / "new.md", memory / "renamed.md")
        until(lambda: captured(repo, "memory/new.md") is None and captured(repo, "memory/renamed.md") == b"new\n")
        (memory / "deep" / "er").mkdir(parents=True)
        (memory / "deep" / "er" / "x.md").write_text("deep\n")
        until(lambda: captured(repo, "memory/deep/er/x.md") == b"deep\n")
        (memory / "deep" / "er" / "y.md").write_text("deep, too\n")
        until(lambda: captured(repo, "memory/deep/er/y.md") == b"deep, too\n")
        (memory / "renamed.md").unlink()
        until(lambda: captured(repo, "memory/renamed.md") is None)
        assert daemon.state()["watching"] == "inotify"
        assert daemon.stop() == 0
    assert repo.git("status", "--porcelain") == b""
    assert not (repo.git_dir / "memgit" / "run.json").exists()


def test_a_hundred_atomic_saves_never_lose_the_last(repo: Repo) -> None:
    """A watch on the file itself is deaf after the first."""
    with running(repo.path):
        for number in range(100):
            (repo.path / "next").write_text(f"{number}\n")
            os.replace(repo.path / "next", repo.path / "MEMORY.md")
        until(lambda: captured(repo, "MEMORY.md") == b"99\n")
        (repo.path / "next").write_text("once more\n")
        os.replace(repo.path / "next", repo.path / "MEMORY.md")
        until(lambda: captured(repo, "MEMORY.md") == b"once more\n")


def test_five_hundred_writes_in_four_seconds_are_one_commit_with_the_last_of_them(repo: Repo) -> None:
    config = f'[watch]\ndebounce = "2s"\nmax_wait = "10m"\nscan = "1h"\n[schedule]\n{QUIET_JOBS}'
    with running(repo.path, config=config):
        until(lambda: commits(repo) == 1)
        for number in range(500):
            with open(repo.path / "memory" / "a.md", "a") as file:
                file.write(f"- {number}\n")
            time.sleep(0.008)
        until(lambda: (captured(repo, "memory/a.md") or b"").endswith(b"- 499\n"))
    assert commits(repo) == 2


def test_an_endless_writer_is_captured_all_the_same(repo: Repo) -> None:
    with running(repo.path):
        writer = subprocess.Popen(
            ["sh", "-c", "while :; do echo - line >> memory/endless.md; sleep 0.05; done"], cwd=repo.path
        )
        try:
            until(lambda: commits(repo) >= 3)  # never quiet for the second the debounce wants
        finally:
            writer.kill()
            writer.wait()


def test_ten_thousand_files_at_once(repo: Repo) -> None:
    place = repo.path / "memory" / "many"
    with running(repo.path):
        place.mkdir()
        for number in range(10_000):
            (place / f"{number}.md").write_text("x\n")
        until(lambda: repo.git("ls-tree", "-r", "--name-only", "HEAD", "memory/many").count(b"\n") == 10_000)


def test_what_is_no_memory_is_left_alone(repo: Repo) -> None:
    with running(repo.path) as daemon:
        (repo.path / "app.py").write_text("print(2)\n")
        for name in (".#lock", "x.swp", "x.tmp", "4913~"):
            (repo.path / "memory" / name).write_text("dropping\n")
        (repo.path / "memory" / "real.md").write_text("real\n")
        until(lambda: captured(repo, "memory/real.md"))
        daemon.stop()
    assert commits(repo) == 2
    assert repo.git("diff", "--name-only", "HEAD~1", "HEAD") == b"memory/real.md\n"


def test_the_last_change_before_the_end_is_captured(repo: Repo) -> None:
    config = FAST.replace('"1s"', '"1h"').replace('"3s"', '"1h"')
    with running(repo.path, config=config) as daemon:
        (repo.path / "memory" / "late.md").write_text("late\n")
        assert daemon.stop() == 0
    assert captured(repo, "memory/late.md") == b"late\n"


def test_what_changed_while_nobody_ran_is_captured_at_the_start(repo: Repo) -> None:
    (repo.path / "memory" / "before.md").write_text("before\n")
    with running(repo.path):
        until(lambda: captured(repo, "memory/before.md"))


def test_a_scan_finds_what_no_hint_told_of(repo: Repo) -> None:
    """As on a network share, where the system reports nothing."""
    config = FAST.replace('scan = "1h"', 'scan = "1s"\nmethod = "poll"')
    with running(repo.path, config=config) as daemon:
        assert daemon.state()["watching"] == "polling"
        (repo.path / "memory" / "polled.md").write_text("polled\n")
        until(lambda: captured(repo, "memory/polled.md"))


def test_files_of_another_pace_wait_while_others_go_at_once(repo: Repo) -> None:
    config = FAST + '[[policy]]\nglob = "/memory/*.md"\ncapture = "1h"\n'
    with running(repo.path, config=config) as daemon:
        until(lambda: commits(repo) == 1)
        (repo.path / "memory" / "log.md").write_text("slow\n")
        until(lambda: daemon.events())
        (repo.path / "MEMORY.md").write_text("fast\n")
        until(lambda: captured(repo, "MEMORY.md") == b"fast\n")
        assert captured(repo, "memory/log.md") is None
        daemon.stop()
    assert captured(repo, "memory/log.md") == b"slow\n"


def test_settings_that_change_are_taken_up(repo: Repo) -> None:
    with running(repo.path):
        (repo.path / ".memgit.toml").write_text('[memory]\ninclude = ["/notes/*.md"]\n')
        (repo.path / "notes").mkdir()
        (repo.path / "notes" / "n.md").write_text("n\n")
        until(lambda: captured(repo, "notes/n.md") == b"n\n")


def test_pause_and_resume(repo: Repo) -> None:
    with running(repo.path) as daemon:
        repo.memgit("pause", "--for", "1h")
        (repo.path / "memory" / "quiet.md").write_text("quiet\n")
        until(lambda: any(event["event"] == "paused" for event in daemon.events()))
        assert daemon.state()["paused"]
        assert "Automatic actions are held for another" in repo.memgit("status").out
        assert f"`memgit run` looks after it (process {daemon.child.pid}, inotify)." in repo.memgit("status").out
        assert commits(repo) == 1
        assert "held since" in repo.memgit("resume").out
        until(lambda: captured(repo, "memory/quiet.md"))


def test_a_pause_ends_by_itself_and_a_damaged_one_holds(repo: Repo) -> None:
    (repo.path / "memory" / "x.md").write_text("x\n")
    repo.memgit("pause", "--for", "1s")
    until(lambda: repo.memgit("run", "--once").out and commits(repo) == 2)
    (repo.git_dir / "memgit" / "pause.json").write_text("?")
    (repo.path / "memory" / "x.md").write_text("y\n")
    repo.git("update-ref", "-d", "refs/x")
    (repo.git_dir / "memgit" / "jobs.json").unlink()
    assert repo.memgit("run", "--once").out == "Automatic actions are held; `memgit resume` lets them go on.\n"
    assert commits(repo) == 2
    assert "must be a duration" in repo.memgit("pause", "--for", "soon", ok=2).err


def test_a_workspace_that_goes_is_let_go_and_others_go_on(repo: Repo, tmp_path: Path) -> None:
    other = Repo(tmp_path / "other")
    other.commit("Start", {"MEMORY.md": "x\n"})
    other.checkout()
    with running(repo.path, other.path, config=FAST.replace('scan = "1h"', 'scan = "1s"')):
        os.rename(other.path, tmp_path / "moved")
        (repo.path / "memory" / "on.md").write_text("on\n")
        until(lambda: captured(repo, "memory/on.md"))
        (repo.path / "memory" / "on.md").write_text("and on\n")
        until(lambda: captured(repo, "memory/on.md") == b"and on\n")
    assert not (tmp_path / "other").exists()


def test_one_runner_a_workspace(repo: Repo) -> None:
    with running(repo.path):
        done = [memgit(repo.path, "run", ok=6) for _ in range(3)]
        assert all("Another `memgit run` looks after" in run.err for run in done)


def test_killed_it_leaves_nothing_in_the_way(repo: Repo) -> None:
    with running(repo.path) as daemon:
        daemon.child.kill()
        daemon.child.wait()
    (repo.git_dir / "memgit" / "run.json").unlink()
    (repo.path / "memory" / "after.md").write_text("after\n")
    with running(repo.path):
        until(lambda: captured(repo, "memory/after.md"))


# -- jobs --------------------------------------------------------------------------------------------


def test_once_does_what_is_due_and_the_second_time_nothing(repo: Repo, tmp_path: Path) -> None:
    hub = remotes.bare(tmp_path / "hub.git")
    repo.git("remote", "add", "origin", str(hub))
    repo.git("config", "branch.main.remote", "origin")
    repo.git("config", "branch.main.merge", "refs/heads/main")
    (repo.path / "memory" / "b.md").write_text("- b\n")
    first = repo.memgit("run", "--once", "--json").json["ran"]
    assert [row["job"] for row in first] == ["capture", "consolidate", "push", "prune"]
    assert all(row["result"]["status"] == 0 for row in first)
    assert run("git", "-C", str(hub), "rev-parse", "main").strip() == repo.history()[0].oid
    raw = list(run("git", "-C", str(hub), "for-each-ref", "--format=%(refname)").decode().split())
    assert [ref for ref in raw if ref.startswith("refs/memgit/raw/")]
    assert repo.memgit("run", "--once").out == "Nothing is due.\n"


def test_the_workspaces_of_the_user_file_are_looked_after_where_there_is_none(repo: Repo, tmp_path: Path) -> None:
    other = Repo(tmp_path / "other")
    other.commit("Start", {"MEMORY.md": "x\n"})
    other.checkout()
    settings = tmp_path / "config" / "memgit" / "config.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text(f'[run]\nworkspaces = ["{repo.path}", "{other.path}", "{tmp_path}/gone"]\n')
    for one in (repo, other):
        (one.path / "MEMORY.md").write_text("new\n")
    (tmp_path / "empty").mkdir()
    done = memgit(tmp_path / "empty", "run", "--once", "-q", env={"XDG_CONFIG_HOME": str(tmp_path / "config")}, ok=1)
    assert f"{tmp_path}/gone" in done.err
    assert [captured(one, "MEMORY.md") for one in (repo, other)] == [b"new\n", b"new\n"]


@pytest.mark.parametrize(("mode", "jobs"), [("snapshots", ["backup", "backup_prune"]), ("mirror", ["backup"])])
def test_backups_run_when_there_is_somewhere_to_go(repo: Repo, tmp_path: Path, mode: str, jobs: list[str]) -> None:
    (tmp_path / "disk").mkdir()
    (repo.git_dir / "memgit").mkdir()
    target = f'[[target]]\nname = "disk"\nmode = "{mode}"\npath = "{tmp_path / "disk"}"\n'
    (repo.git_dir / "memgit" / "config.toml").write_text(target)
    ran = repo.memgit("run", "--once", "--json").json["ran"]
    assert [row["job"] for row in ran] == ["capture", "consolidate", *jobs, "prune"]
    assert all(row["result"]["status"] == 0 for row in ran)
    assert list((tmp_path / "disk").iterdir())


def test_folders_are_kept_in_step_but_not_in_the_middle_of_a_merge(repo: Repo, tmp_path: Path) -> None:
    vault = tmp_path / "vault"
    vault.mkdir()
    folder = f'[[folder]]\nname = "vault"\npath = "{vault}"\n'
    config = FAST.replace('mirror = "never"', 'mirror = "every 1s"') + folder
    with running(repo.path, config=config) as daemon:
        until(lambda: (vault / "MEMORY.md").exists())
        (repo.git_dir / "MERGE_HEAD").write_bytes(repo.history()[0].oid + b"\n")
        (repo.path / "memory" / "half.md").write_text("<<<<<<< half merged\n")
        time.sleep(2.5)
        assert not (vault / "memory" / "half.md").exists()
        assert daemon.stop() == 0


def test_a_remote_that_hangs_holds_no_capture_up(repo: Repo) -> None:
    with remotes.silent() as served:
        repo.git("remote", "add", "origin", served.url + "x.git")
        config = FAST.replace('push = "never"', 'push = "every 1s"') + '[remote]\ntimeout = "1h"\n'
        with running(repo.path, config=config) as daemon:
            (repo.path / "memory" / "on.md").write_text("on\n")
            until(lambda: captured(repo, "memory/on.md"))
            (repo.path / "memory" / "on.md").write_text("and on\n")
            until(lambda: captured(repo, "memory/on.md") == b"and on\n")
            until(lambda: children(daemon.child.pid))
            begun = children(daemon.child.pid)
            assert daemon.stop() == 0
        until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in begun))


def test_a_backup_that_hangs_or_fails_holds_nothing_else_up(repo: Repo, tmp_path: Path) -> None:
    hub = remotes.bare(tmp_path / "hub.git")
    repo.git("remote", "add", "origin", str(hub))
    targets = f'[[target]]\nname = "gone"\npath = "{tmp_path}/not/mounted"\n'
    with remotes.silent() as served:
        port = served.url.rstrip("/").rpartition(":")[2]
        targets += f'[[target]]\nname = "silent"\nhost = "nobody@127.0.0.1:/backups"\nport = {port}\n'
        config = FAST.replace('push = "never"', 'push = "every 1s"').replace('backup = "never"', 'backup = "every 1s"')
        with running(repo.path, config=config + targets) as daemon:
            until(lambda: any(program(pid) == b"ssh" for pid in children(daemon.child.pid)))
            (repo.path / "memory" / "on.md").write_text("on\n")
            until(lambda: captured(repo, "memory/on.md"))
            refs = ("git", "-C", str(hub), "for-each-ref", "--format=%(objectname)")
            until(lambda: repo.git("rev-parse", "HEAD") in run(*refs), "it was not pushed")
            assert "backup" not in {event.get("job") for event in daemon.events()}, "it hung all the while"
            assert daemon.stop() == 0


def test_trouble_is_told_once_and_the_file_for_agents_goes_when_all_is_well(repo: Repo, tmp_path: Path) -> None:
    told = tmp_path / "told"
    teller = tmp_path / "tell"
    teller.write_text(f"#!/bin/sh\ncat >> {told}; echo >> {told}\n")
    teller.chmod(0o755)
    other = tmp_path / "hub.git"
    repo.git("remote", "add", "origin", str(other))
    config = f"[schedule]\n{QUIET_JOBS}".replace('push = "never"', 'push = "every 1s"')
    config += f'[notify]\ncommand = ["{teller}"]\nfile = "NOTICE.md"\n'
    (repo.git_dir / "memgit").mkdir()
    (repo.git_dir / "memgit" / "config.toml").write_text(config)
    for _ in range(3):
        subprocess.run(
            [memgit_program(), "-C", str(repo.path), "run", "--once", "-q"], capture_output=True, check=False
        )
        outbox = repo.git_dir / "memgit" / "outbox.json"
        record = json.loads(outbox.read_text())
        record["backoff"]["origin"]["next_s"] = 0
        outbox.write_text(json.dumps(record))
        time.sleep(1.1)
    notices = [json.loads(line) for line in told.read_text().splitlines()]
    assert len(notices) == 1
    assert notices[0]["kind"] == "network"
    assert "the remote refused access" in notices[0]["message"]
    assert "needs a person" in (repo.path / "NOTICE.md").read_text()
    remotes.bare(other)
    repo.memgit("run", "--once")
    assert not (repo.path / "NOTICE.md").exists()


def test_the_service_manager_hears_of_start_and_end(repo: Repo, tmp_path: Path) -> None:
    import socket

    place = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(place))
        listening.settimeout(PATIENCE_S)
        with running(repo.path, env={"NOTIFY_SOCKET": str(place), "WATCHDOG_USEC": "200000"}) as daemon:
            assert listening.recv(1000).startswith(b"READY=1")
            assert listening.recv(1000) == b"WATCHDOG=1"
            daemon.stop()
            while (word := listening.recv(1000)) == b"WATCHDOG=1":
                pass
            assert word == b"STOPPING=1"


def test_where_there_is_no_workspace(tmp_path: Path) -> None:
    assert "no workspace here" in memgit(tmp_path, "run", ok=2).err
    bare = Repo(tmp_path / "bare.git", bare=True)
    assert "bare repository" in bare.memgit("run", ok=1).err
