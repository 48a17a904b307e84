"""A sync with nothing to do costs a fetch and no more, and what there is to do is never missed for that."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path

import pytest

from support import remotes
from support.daemon import FAST, children, running, shifted, until
from support.repo import Repo, run

OFTEN = FAST.replace("[schedule]\n", '[schedule]\nsync = "every 1s"\njitter = "0s"\n')
MACHINE = {"MEMGIT_MACHINE": "laptop"}
LONG_AGO_S = 3 * 86_400


@pytest.fixture
def hub(tmp_path: Path) -> Path:
    return remotes.bare(tmp_path / "hub.git")


@pytest.fixture
def repo(tmp_path: Path, hub: Path) -> Repo:
    """A clone whose windows have ended, in step with its remote."""
    made = Repo(tmp_path / "ws")
    made.time_s = int(time.time()) - LONG_AGO_S
    made.commit("Start", {"MEMORY.md": "# Memory\n", "memory/a.md": "- a\n"})
    made.checkout()
    made.git("remote", "add", "origin", str(hub))
    made.memgit("sync", "--now", env=MACHINE)
    return made


def started(trace: Path) -> list[str]:
    """What git was asked to do, by whom else but git itself."""
    events = [json.loads(line) for line in trace.read_text().splitlines()] if trace.exists() else []
    return [row["name"] for row in events if row["event"] == "cmd_name" and "/" not in row["hierarchy"]]


def news(hub: Path, place: Path) -> None:
    """Somebody else sends something."""
    run("git", "clone", "-q", str(hub), str(place))
    (place / "memory" / "theirs.md").write_text("- theirs\n")
    run("git", "-C", str(place), "add", "-A")
    run("git", "-C", str(place), "commit", "-q", "-m", "Theirs")
    run("git", "-C", str(place), "push", "-q", "origin", "HEAD:main")


def test_nothing_to_do_is_one_fetch_whatever_the_hour(repo: Repo, tmp_path: Path) -> None:
    repo.memgit("sync", env=MACHINE)
    trace = tmp_path / "trace"
    done = repo.memgit("sync", env={**MACHINE, **shifted("+1h"), "GIT_TRACE2_EVENT": str(trace)})
    assert started(trace) == ["rev-parse", "config", "fetch"]
    assert done.out == "origin/main: nothing new there.\norigin/main: nothing to send.\n"


def test_what_waits_for_its_window_is_sent_when_that_has_ended(repo: Repo, hub: Path) -> None:
    with open(repo.path / "memory" / "a.md", "a") as file:
        file.write("- b\n")
    repo.memgit("sync", env=MACHINE)
    repo.memgit("sync", env=MACHINE)
    assert b"- b" not in run("git", "-C", str(hub), "show", "main:memory/a.md")
    repo.memgit("sync", env={**MACHINE, **shifted("+2d")})
    assert b"- b" in run("git", "-C", str(hub), "show", "main:memory/a.md")


def test_settings_that_change_are_looked_at(repo: Repo, hub: Path) -> None:
    with open(repo.path / "memory" / "a.md", "a") as file:
        file.write("- b\n")
    repo.memgit("sync", env=MACHINE)
    (repo.git_dir / "memgit" / "config.toml").write_text("[push]\nopen_windows = true\n")
    repo.memgit("sync", env=MACHINE)
    assert b"- b" in run("git", "-C", str(hub), "show", "main:memory/a.md")


def test_a_trouble_that_has_gone_is_told_no_more(repo: Repo, hub: Path) -> None:
    repo.memgit("sync", env=MACHINE)
    tip = run("git", "-C", str(hub), "rev-parse", "main").decode().strip()
    run("git", "-C", str(hub), "update-ref", "-d", "refs/heads/main")
    repo.memgit("sync", ok=5, env=MACHINE)
    assert "was deleted on the remote" in repo.memgit("status").out
    run("git", "-C", str(hub), "update-ref", "refs/heads/main", tip)
    repo.memgit("sync", env=MACHINE)
    assert "was deleted on the remote" not in repo.memgit("status").out


def test_the_daemon_asks_by_itself_and_starts_a_sync_for_news(repo: Repo, hub: Path, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    with running(repo.path, env={**MACHINE, "GIT_TRACE2_EVENT": str(trace)}, config=OFTEN) as daemon:

        def syncs() -> int:
            return sum(1 for event in daemon.events() if event.get("job") == "sync")

        until(lambda: syncs() >= 3)
        trace.write_bytes(b"")
        done = syncs()
        until(lambda: syncs() >= done + 2)
        assert set(started(trace)) <= {"config", "fetch"}  # no memgit of its own, which asks where it is
        news(hub, tmp_path / "other")
        until(lambda: (repo.path / "memory" / "theirs.md").exists())
        (repo.path / "MEMORY.md").write_text("# Memory\n\n- ours\n")
        ours = ("git", "-C", str(hub), "for-each-ref", "--format=%(objectname)", "refs/memgit/raw")
        until(lambda: repo.git("rev-parse", "HEAD").strip() in run(*ours))
        until(lambda: b"ours" in repo.git("show", "HEAD:MEMORY.md") and repo.head() in run(*ours))
        assert daemon.stop() == 0
    assert {event["status"] for event in daemon.events() if event.get("job") == "sync"} == {0}


def test_a_question_that_fails_is_a_sync_that_failed(repo: Repo, hub: Path) -> None:
    with running(repo.path, env=MACHINE, config=OFTEN) as daemon:

        def syncs() -> list[dict[str, object]]:
            return [event for event in daemon.events() if event.get("job") == "sync"]

        until(lambda: len(syncs()) >= 3)
        shutil.move(hub, hub.with_name("gone"))
        until(lambda: syncs()[-1]["status"] == 7)
        assert "origin: the remote refused access" in str(syncs()[-1]["message"])
        assert daemon.stop() == 0
    backoff = json.loads((repo.git_dir / "memgit" / "outbox.json").read_text())["backoff"]["origin"]
    assert backoff["failures"] == 1


def test_a_question_that_is_never_answered_is_given_up_and_holds_no_capture_up(repo: Repo) -> None:
    with (
        remotes.silent() as served,
        running(repo.path, env=MACHINE, config=OFTEN + '[remote]\ntimeout = "5s"\n') as daemon,
    ):

        def syncs() -> list[dict[str, object]]:
            return [event for event in daemon.events() if event.get("job") == "sync"]

        until(lambda: len(syncs()) >= 3)
        repo.git("remote", "set-url", "origin", served.url + "x.git")
        until(lambda: children(daemon.child.pid))
        begun = children(daemon.child.pid)
        (repo.path / "memory" / "on.md").write_text("on\n")
        until(lambda: repo.git("ls-tree", "-r", "--name-only", "HEAD", "memory/on.md"))
        until(lambda: syncs()[-1]["status"] == 7)
        assert "did not answer in time" in str(syncs()[-1]["message"])
        assert not any(Path(f"/proc/{pid}").exists() for pid in begun)
        assert daemon.stop() == 0


def test_stopped_in_the_middle_of_a_question_it_leaves_nothing_behind(repo: Repo) -> None:
    with remotes.silent() as served, running(repo.path, env=MACHINE, config=OFTEN) as daemon:
        until(lambda: sum(event.get("job") == "sync" for event in daemon.events()) >= 3)
        repo.git("remote", "set-url", "origin", served.url + "x.git")
        until(lambda: any(b"git" in os.fsencode(os.readlink(f"/proc/{pid}/exe")) for pid in children(daemon.child.pid)))
        begun = children(daemon.child.pid)
        assert daemon.stop() == 0
        assert not any(Path(f"/proc/{pid}").exists() for pid in begun)
    assert not (repo.git_dir / "memgit" / "exchange" / "journal.json").exists()
