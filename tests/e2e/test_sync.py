"""memgit sync and push over real remotes: what is published only moves forward, and nothing is lost on either side."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from support import remotes
from support.repo import memgit, run
from support.secrets import token
from support.side import DAY_S, MACHINE, Side, clone, log_of, there


@pytest.fixture
def hub(tmp_path: Path) -> Path:
    return remotes.bare(tmp_path / "hub.git")


@pytest.fixture
def pair(tmp_path: Path, hub: Path) -> tuple[Side, Side]:
    """Two clones of a remote with one commit."""
    one = clone(hub, tmp_path / "one")
    one.write("MEMORY.md", "# Memory\n\n- first\n", at=int(time.time()) - 3 * DAY_S)
    one.write("app.py", "print(1)\n", at=int(time.time()) - 3 * DAY_S + 60, auto=False)
    one.git("push", "-q", "origin", "main")
    return one, clone(hub, tmp_path / "two")


# -- what goes and what waits ------------------------------------------------------------------------


def test_open_windows_wait_but_their_raw_tip_is_on_the_remote(pair: tuple[Side, Side], hub: Path) -> None:
    one, _ = pair
    old = int(time.time()) - 2 * DAY_S
    for minute in range(3):
        one.write("memory/a.md", "- x\n" * (minute + 1), at=old + 60 * minute)
    for line in range(2):
        one.write("memory/b.md", "- y\n" * (line + 1))
    report = one.sync()
    assert report["pushed"]["sent"] == 1  # type: ignore[index]
    assert report["pushed"]["waiting"] == 2  # type: ignore[index]
    assert log_of(hub)[2:][0].startswith("memory: ")
    assert len(log_of(hub)) == 3
    assert there(hub, "refs/memgit/raw/laptop/main") == one.head().decode()
    again = one.sync()
    assert again["pushed"] is None


def test_now_consolidates_and_sends_open_windows(pair: tuple[Side, Side], hub: Path) -> None:
    one, _ = pair
    for line in range(3):
        one.write("memory/b.md", "- y\n" * (line + 1))
    one.sync("--now")
    assert there(hub) == one.head().decode()
    assert len(log_of(hub)) == 3
    one.write("memory/b.md", "- y\n" * 4)
    one.sync("--now")  # the published window is never rewritten
    assert len(log_of(hub)) == 4


def test_the_raw_ref_follows_a_consolidation(pair: tuple[Side, Side], hub: Path) -> None:
    one, _ = pair
    one.write("memory/b.md", "- y\n")
    one.write("memory/b.md", "- y\n- z\n")
    one.sync()
    before = there(hub, "refs/memgit/raw/laptop/main")
    one.consolidate("--now")
    (one.git_dir / "memgit" / "outbox.json").unlink()  # as if killed before it was written
    one.sync()
    assert there(hub, "refs/memgit/raw/laptop/main") == one.head().decode() != before


def test_push_takes_nothing_in_and_asks_for_sync(pair: tuple[Side, Side], hub: Path) -> None:
    one, two = pair
    two.write("app.py", "print(2)\n", auto=False)
    two.sync()
    one.write("app2.py", "print(3)\n", auto=False)
    tip = one.head()
    done = one.memgit("push", ok=5)
    assert "has commits that are not here" in done.err
    assert one.head() == tip
    one.sync()
    assert there(hub) == one.head().decode()


def test_a_dry_run_changes_nothing(pair: tuple[Side, Side], hub: Path) -> None:
    one, _ = pair
    one.write("app.py", "print(5)\n", auto=False)
    before = (one.refs(), there(hub))
    done = one.memgit("sync", "--dry-run")
    assert "Would send 1 commit to origin/main." in done.out
    assert "Would send 1 commit" in one.memgit("push", "--dry-run").out
    assert (one.refs(), there(hub)) == before


def test_nothing_to_do_is_said_and_changes_nothing(pair: tuple[Side, Side]) -> None:
    one, _ = pair
    one.sync()
    before = one.refs()
    done = one.memgit("sync")
    assert done.out == "origin/main: nothing new there.\norigin/main: nothing to send.\n"
    assert one.refs() == before


# -- joining -----------------------------------------------------------------------------------------


def test_both_sides_of_a_memory_file_are_kept(pair: tuple[Side, Side]) -> None:
    one, two = pair
    one.write("MEMORY.md", "# Memory\n\n- first\n- from one\n")
    two.write("MEMORY.md", "# Memory\n\n- first\n- from two\n")
    one.sync("--now")
    two.sync("--now", machine="desktop")
    one.sync("--now")
    assert one.head() == two.head()
    lines = one.text("MEMORY.md").splitlines()
    assert sorted(lines[3:]) == ["- from one", "- from two"]
    assert one.status() == two.status() == ""


def test_staged_and_unstaged_work_of_the_user_stays(pair: tuple[Side, Side]) -> None:
    one, two = pair
    two.write("memory/x.md", "- x\n")
    two.sync("--now", machine="desktop")
    (one.path / "app.py").write_text("print('staged')\n")
    one.git("add", "app.py")
    (one.path / "app.py").write_text("print('unstaged')\n")
    (one.path / "new.py").write_text("new\n")
    one.sync()
    assert one.text("memory/x.md") == "- x\n"
    assert one.git("show", ":app.py") == b"print('staged')\n"
    assert one.text("app.py") == "print('unstaged')\n"
    assert one.status() == "MM app.py\n?? new.py\n"


def test_a_changed_file_in_the_way_is_named_and_nothing_is_half_applied(pair: tuple[Side, Side]) -> None:
    one, two = pair
    two.write("app.py", "print(2)\n", auto=False)
    two.write("memory/x.md", "- x\n")
    two.sync("--now", machine="desktop")
    (one.path / "app.py").write_text("print('mine')\n")
    tip = one.head()
    done = one.memgit("sync", ok=6)
    assert "app.py" in done.err
    assert one.head() == tip
    assert not (one.path / "memory").exists()
    assert one.text("app.py") == "print('mine')\n"
    one.git("checkout", "-q", "app.py")
    one.sync()
    assert one.text("app.py") == "print(2)\n"


def test_an_ignored_file_is_not_overwritten(pair: tuple[Side, Side]) -> None:
    one, two = pair
    two.write("local.txt", "theirs\n", auto=False)
    two.sync(machine="desktop")
    (one.git_dir / "info").mkdir(exist_ok=True)
    (one.git_dir / "info" / "exclude").write_text("local.txt\n")
    (one.path / "local.txt").write_text("mine\n")
    one.memgit("sync", ok=6)
    assert one.text("local.txt") == "mine\n"


def test_files_that_are_already_as_they_shall_be_are_not_in_the_way(pair: tuple[Side, Side]) -> None:
    one, two = pair
    two.write("app.py", "print(2)\n", auto=False)
    two.write("fresh.txt", "fresh\n", auto=False)
    two.sync(machine="desktop")
    (one.path / "app.py").write_text("print(2)\n")  # as an interrupted run leaves them
    (one.path / "fresh.txt").write_text("fresh\n")
    one.sync()
    assert one.head() == two.head()
    assert one.status() == ""


def test_a_conflict_outside_memory_waits_for_a_person_and_then_resumes(pair: tuple[Side, Side], hub: Path) -> None:
    one, two = pair
    two.write("app.py", "print('two')\n", auto=False)
    two.sync(machine="desktop")
    one.write("app.py", "print('one')\n", auto=False)
    tip = one.head()
    done = one.memgit("sync", ok=5, env=MACHINE)
    assert "app.py" in done.err
    assert "git merge origin/main" in done.err
    assert one.head() == tip
    assert one.status() == ""
    assert there(hub) == two.head().decode()
    assert there(hub, "refs/memgit/raw/laptop/main") == tip.decode()  # safe on a second disk all the same
    assert "both sides changed them (app.py)" in one.memgit("status").out
    one.write("app.py", "print('one more')\n", auto=False)  # life goes on meanwhile
    run(
        "git",
        "-C",
        str(one.path),
        "-c",
        "user.name=P",
        "-c",
        "user.email=p@x",
        "merge",
        "-q",
        "-X",
        "ours",
        "origin/main",
    )
    one.sync()
    assert there(hub) == one.head().decode()
    outbox = json.loads((one.git_dir / "memgit" / "outbox.json").read_text())
    assert outbox["branches"]["origin refs/heads/main"]["trouble"] == ""


def test_deleted_there_and_changed_here_keeps_what_was_written(pair: tuple[Side, Side]) -> None:
    one, two = pair
    two.git("rm", "-q", "MEMORY.md")
    two.write("memory/x.md", "- x\n")
    two.sync("--now", machine="desktop")
    one.write("MEMORY.md", "# Memory\n\n- first\n- second\n")
    one.sync("--now")
    two.sync("--now", machine="desktop")
    assert two.text("MEMORY.md") == "# Memory\n\n- first\n- second\n"
    assert one.head() == two.head()


def test_a_running_merge_is_left_alone(pair: tuple[Side, Side]) -> None:
    one, two = pair
    two.write("app.py", "print('two')\n", auto=False)
    two.sync(machine="desktop")
    one.write("app.py", "print('one')\n", auto=False)
    one.git("fetch", "-q")
    assert b"CONFLICT" in run("sh", "-c", f"git -C '{one.path}' merge origin/main || true")
    before = one.status()
    assert "merge is in progress" in one.memgit("sync", ok=6).err
    assert one.status() == before


# -- remotes that changed ----------------------------------------------------------------------------


def test_a_rewritten_remote_stops_sync_until_a_person_looked(pair: tuple[Side, Side], hub: Path) -> None:
    one, two = pair
    two.git("commit", "-q", "--amend", "-m", "Rewritten", "--date=2026-01-01T00:00:00Z")
    two.git("push", "-q", "--force", "origin", "main")
    tip = one.head()
    for _ in range(2):
        done = one.memgit("sync", ok=5)
        assert "origin/main was rewritten" in done.err
    assert one.head() == tip
    assert there(hub) == two.head().decode()
    one.git("reset", "-q", "--keep", "origin/main")
    one.sync()
    assert "refs/memgit/rewritten/origin/main" not in one.refs()


def test_a_deleted_branch_is_not_made_anew_by_itself(pair: tuple[Side, Side], hub: Path) -> None:
    one, _ = pair
    run("git", "-C", str(hub), "update-ref", "-d", "refs/heads/main")
    one.write("app.py", "print(7)\n", auto=False)
    done = one.memgit("sync", ok=5)
    assert "origin/main was deleted on the remote" in done.err
    one.memgit("push", "--create")
    assert there(hub) == one.head().decode()


def test_a_branch_of_another_name_goes_to_its_upstream(pair: tuple[Side, Side], hub: Path) -> None:
    one, _ = pair
    one.git("branch", "-m", "main", "trunk")
    one.write("app.py", "print(8)\n", auto=False)
    one.sync()
    assert there(hub) == one.head("trunk").decode()


def test_among_several_remotes_a_person_chooses(tmp_path: Path) -> None:
    side = Side(tmp_path / "one")
    for name in ("left", "right"):
        side.git("remote", "add", name, str(remotes.bare(tmp_path / f"{name}.git")))
    side.write("MEMORY.md", "- a\n", at=1_700_000_000)
    done = side.memgit("push", ok=2)
    assert "several remotes: left, right" in done.err
    assert "There is: left, right." in side.memgit("push", "--remote", "origin", ok=2).err
    side.memgit("push", "--remote", "right")
    assert there(tmp_path / "right.git") == side.head().decode()
    side.memgit("push")  # now the upstream
    (side.git_dir / "memgit" / "config.toml").write_text('[remote]\ndefault = "left"\n')
    side.git("branch", "--unset-upstream")
    side.memgit("push")
    assert there(tmp_path / "left.git") == side.head().decode()


@pytest.mark.parametrize(
    ("prepare", "status", "said"),
    [
        (["checkout", "-q", "--detach"], 2, "HEAD is detached"),
        (["remote", "remove", "origin"], 2, "has no remote"),
        (["remote", "set-url", "origin", "/gone"], 7, "the remote refused access"),
        (["remote", "set-url", "origin", "ext::sh -c true"], 7, "transport 'ext' not allowed"),
    ],
)
def test_where_there_is_nothing_to_talk_to(pair: tuple[Side, Side], prepare: list[str], status: int, said: str) -> None:
    one, _ = pair
    one.git(*prepare)
    assert said in one.memgit("sync", ok=status).err


def test_a_shallow_clone_syncs(pair: tuple[Side, Side], hub: Path, tmp_path: Path) -> None:
    one, two = pair
    for number in range(3):
        one.write("app.py", f"print({number})\n", auto=False)
    one.sync()
    run("git", "clone", "-q", "--depth=1", f"file://{hub}", str(tmp_path / "shallow"))
    shallow = clone(hub, tmp_path / "other")
    shallow.path, shallow.git_dir = tmp_path / "shallow", tmp_path / "shallow" / ".git"
    shallow.write("memory/s.md", "- s\n")
    two.sync()
    two.write("memory/t.md", "- t\n")
    two.sync("--now", machine="desktop")
    shallow.sync("--now", machine="phone")
    one.sync()
    assert (one.text("memory/s.md"), one.text("memory/t.md")) == ("- s\n", "- t\n")
    assert (shallow.git_dir / "shallow").exists()


def test_a_submodule_entry_travels_and_is_not_entered(pair: tuple[Side, Side]) -> None:
    one, two = pair
    two.git("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},vendor")
    two.git("commit", "-q", "-m", "Add vendor")
    two.sync(machine="desktop")
    one.write("memory/a.md", "- a\n")
    one.sync("--now")
    assert one.git("ls-tree", "main", "vendor").startswith(b"160000 commit")


# -- pushes that went wrong --------------------------------------------------------------------------


def hook(hub: Path, script: str, name: str = "pre-receive") -> None:
    place = hub / "hooks" / name
    place.parent.mkdir(exist_ok=True)
    place.write_text("#!/bin/sh\n" + script)
    place.chmod(0o755)


def test_a_hook_that_declines_is_told_with_its_reason_and_retried_later(pair: tuple[Side, Side], hub: Path) -> None:
    one, _ = pair
    hook(hub, "echo no commits on Fridays >&2; exit 1\n")
    one.write("app.py", "print(9)\n", auto=False)
    done = one.memgit("sync", ok=7)
    assert "a hook of the remote declined" in done.err
    assert "The hook's own message says what it wants." in one.memgit("status").out
    assert "refs/memgit/offered/origin/main" not in one.refs()  # it said no, so it has nothing
    outbox = json.loads((one.git_dir / "memgit" / "outbox.json").read_text())
    assert outbox["backoff"]["origin"]["failure"] == "HOOK"
    (hub / "hooks" / "pre-receive").unlink()
    one.sync()
    assert there(hub) == one.head().decode()
    outbox = json.loads((one.git_dir / "memgit" / "outbox.json").read_text())
    assert outbox["backoff"]["origin"]["failure"] is None


def test_what_may_have_been_taken_is_not_rewritten(pair: tuple[Side, Side], hub: Path) -> None:
    """The remote takes the push and its answer is lost."""
    one, _ = pair
    hook(hub, 'test "$1" != committed || kill -9 $PPID\n', "reference-transaction")
    old = int(time.time()) - 2 * DAY_S
    one.write("memory/a.md", "- 1\n", at=old)
    one.memgit("push", ok=7)
    offered = one.refs().get("refs/memgit/offered/origin/main")
    assert offered == one.head()
    one.write("memory/a.md", "- 1\n- 2\n", at=old + 60)
    one.consolidate()
    assert one.git("merge-base", "main", offered.decode()).strip() == offered
    (hub / "hooks" / "reference-transaction").unlink()
    one.sync()
    assert there(hub) == one.head().decode()
    assert "refs/memgit/offered/origin/main" not in one.refs()


def test_a_remote_that_refuses_the_raw_ref_still_gets_the_branch(pair: tuple[Side, Side], hub: Path) -> None:
    one, _ = pair
    hook(hub, 'case "$1" in refs/memgit/*) echo no such refs here >&2; exit 1;; esac\n', "update")
    one.write("app.py", "print(9)\n", auto=False)
    one.write("memory/a.md", "- 1\n")
    done = one.memgit("sync")
    assert "Sent 1 commit to origin/main." in done.out
    assert "did not take the raw tip" in done.out


PROTECTION = r"""
while read -r old new ref; do
  for commit in $(git rev-list "$new" --not --all); do
    git grep -n -e "key-[0-9]" "$commit" -- | while IFS=: read -r sha path line text; do
      echo "GITHUB PUSH PROTECTION - Push cannot contain secrets"
      echo "  - commit: $commit"
      echo "    path: $path:$line"
      touch "$GIT_DIR/refused"
    done
  done
done >&2
if test -e "$GIT_DIR/refused"; then rm "$GIT_DIR/refused"; exit 1; fi
"""


def test_push_protection_holds_the_file_back_and_lets_the_rest_go(pair: tuple[Side, Side], hub: Path) -> None:
    one, _ = pair
    hook(hub, PROTECTION)
    old = int(time.time()) - 2 * DAY_S
    secret = "- the key-" + "12345"
    one.write("memory/a.md", "- a\n", at=old)
    one.write("memory/bad.md", f"- fine\n{secret}\n", at=old + 60)
    one.write("memory/c.md", "- c\n", at=old + 120)
    one.write("app.py", "print(3)\n", auto=False)
    (one.path / "memory" / "d.md").write_text("- d\n")
    done = one.memgit("sync", "--now", ok=4)
    assert "origin found secrets, so these files are held back: memory/bad.md" in done.err
    assert there(hub) == one.head().decode()
    names = run("git", "-C", str(hub), "ls-tree", "-r", "--name-only", "main").decode().split()
    assert names == ["MEMORY.md", "app.py", "memory/a.md", "memory/c.md", "memory/d.md"]
    assert one.text("memory/bad.md") == f"- fine\n{secret}\n"
    assert one.status() == "?? memory/bad.md\n"
    with open(one.path / "memory" / "bad.md", "a") as file:
        file.write("- more\n")  # it goes on being written, and being held
    one.memgit("sync", "--now", ok=4)
    assert one.status() == "?? memory/bad.md\n"
    (one.path / "memory" / "bad.md").write_text("- fine\n- more\n")
    one.memgit("sync", "--now")
    assert one.status() == ""
    assert there(hub) == one.head().decode()
    assert not leaked(hub, "key-12345")
    assert "the remote refused" in one.memgit("undo", ok=2).err
    one.memgit("sync", "--now")
    assert not leaked(hub, "key-12345")


def test_push_protection_leaves_what_is_published_as_it_is(pair: tuple[Side, Side], hub: Path) -> None:
    one, _ = pair
    hook(hub, PROTECTION)
    one.write("MEMORY.md", "# Memory\n\n- first\n- key-" + "99\n")
    one.memgit("push", "--now", ok=4)
    assert one.git("show", "main:MEMORY.md") == b"# Memory\n\n- first\n"
    assert one.status() == " M MEMORY.md\n"


def test_a_join_that_is_not_sent_yet_can_be_taken_back(pair: tuple[Side, Side], hub: Path) -> None:
    one, two = pair
    two.write("memory/theirs.md", "- theirs\n")
    two.memgit("sync", "--now")
    one.write("memory/ours.md", "- ours\n")
    before = one.head()
    (one.path / "draft.txt").write_text("mine\n")
    assert "Take the join back with: memgit undo" in one.memgit("sync").out
    joined = one.head()
    assert joined != before
    assert "join origin/main" in one.memgit("log").out
    out = one.memgit("undo").out
    assert one.head() == before
    assert sorted(path.name for path in (one.path / "memory").iterdir()) == ["ours.md"]
    assert one.status() == "?? draft.txt\n"
    one.memgit("undo", out.split()[-1])
    assert one.head() == joined
    assert one.text("memory/theirs.md") == "- theirs\n"
    assert one.status() == "?? draft.txt\n"
    one.memgit("undo")
    assert one.memgit("sync").out.startswith("origin/main: 1 new commit taken in.\n")


def test_a_join_is_not_taken_back_over_what_is_not_committed(pair: tuple[Side, Side]) -> None:
    one, two = pair
    two.write("app.py", "print(2)\n", auto=False)
    two.memgit("sync", "--now")
    one.write("memory/ours.md", "- ours\n")
    one.memgit("sync")
    joined = one.head()
    (one.path / "app.py").write_text("print(3)\n")
    assert "would be replaced: app.py" in one.memgit("undo", ok=6).err
    assert one.head() == joined
    assert one.text("app.py") == "print(3)\n"


def test_a_join_that_others_have_is_not_taken_back(pair: tuple[Side, Side], hub: Path) -> None:
    one, two = pair
    two.write("memory/theirs.md", "- theirs\n")
    two.memgit("sync", "--now")
    one.write("memory/ours.md", "- ours\n")
    one.memgit("sync", "--now")
    assert there(hub) == one.head().decode()
    undo = one.memgit("undo", ok=2)
    assert "is published already" in undo.err
    one.git(*undo.err.strip().rpartition("git ")[2].split(), "--no-edit")
    assert not (one.path / "memory" / "theirs.md").exists()


def leaked(hub: Path, secret: str) -> bool:
    """Whether any object of a repository holds it."""
    git = ("git", "-C", str(hub))
    ids = [line.split()[0] for line in run(*git, "cat-file", "--batch-all-objects", "--batch-check").splitlines()]
    held = subprocess.run((*git, "cat-file", "--batch"), input=b"\n".join(ids), capture_output=True, check=True)
    return secret.encode() in held.stdout


def test_a_secret_that_a_person_committed_stays_here(pair: tuple[Side, Side], hub: Path) -> None:
    """What stands before it goes, what stands on it waits; nothing is rewritten, and the reason is told."""
    one, _ = pair
    secret = token()
    one.write("app.py", "print(2)\n", auto=False)
    before = one.head().decode()
    one.write("deploy.sh", f"export TOKEN={secret}\n", auto=False)
    bad = one.head().decode()
    one.write("memory/a.md", "- later\n")
    head = one.head()
    done = one.memgit("sync", "--now", ok=4)
    assert f"{bad[:10]} deploy.sh:1: github-token s" in done.err
    assert "1 commit not sent for secrets" in done.err
    assert "2 commits not sent for what the guard found" in done.out
    assert secret not in done.err + done.out
    assert one.head() == head
    assert there(hub) == before
    assert not leaked(hub, secret)
    assert "Not sent: secrets in" in one.memgit("status").out
    assert one.memgit("push", "--now", ok=4).err == done.err
    report = json.loads(one.memgit("push", "--now", "--json", ok=4).out)
    assert [row["finding"]["path"] for row in report["stopped"]] == ["deploy.sh"]
    one.git("reset", "-q", "--soft", before)
    (one.path / "deploy.sh").write_text("export TOKEN=$(pass token)\n")
    one.git("commit", "-q", "-a", "-m", "Deploy")
    one.memgit("sync", "--now")
    assert there(hub) == one.head().decode()
    assert not leaked(hub, secret)


def test_a_secret_that_was_taken_out_again_is_still_in_the_history(pair: tuple[Side, Side], hub: Path) -> None:
    one, _ = pair
    secret = token()
    one.write("notes.txt", f"{secret}\n", auto=False)
    one.write("notes.txt", "gone\n", auto=False)
    assert "notes.txt:1" in one.memgit("push", "--now", ok=4).err
    assert not leaked(hub, secret)


def test_what_the_guard_lets_pass_is_sent(pair: tuple[Side, Side], hub: Path) -> None:
    one, _ = pair
    one.write("notes.txt", f"{token()}\n", auto=False)
    name = one.memgit("push", "--now", ok=4).err.partition("github-token ")[2].split()[0]
    one.memgit("guard", "allow", name)
    one.memgit("push", "--now")
    assert there(hub) == one.head().decode()


def test_a_secret_that_the_remote_has_already_stops_nothing(pair: tuple[Side, Side], hub: Path) -> None:
    """Joining it makes a merge that brings nothing of its own."""
    one, two = pair
    two.write("notes.txt", f"{token()}\n", auto=False)
    two.git("push", "-q", "origin", "main")
    one.write("memory/a.md", "- a\n")
    one.memgit("sync", "--now")
    assert there(hub) == one.head().decode()


def test_the_raw_tip_of_an_open_window_holds_no_secret_either(pair: tuple[Side, Side], hub: Path) -> None:
    one, _ = pair
    one.write("memory/a.md", "- a\n")
    clean = one.head().decode()
    one.write("memory/b.md", f"{token()}\n")
    one.memgit("push", ok=4, env=MACHINE)
    assert there(hub, "refs/memgit/raw/laptop/main") == clean
    assert not leaked(hub, token())


def test_captures_aside_have_a_second_disk_and_leave_it_when_they_are_folded(
    pair: tuple[Side, Side], hub: Path
) -> None:
    one, _ = pair
    settings = one.git_dir / "memgit" / "config.toml"
    settings.parent.mkdir(exist_ok=True)
    settings.write_text('[capture]\nexclude_branches = ["main"]\n')
    (one.path / "memory").mkdir()
    (one.path / "memory" / "a.md").write_text("- aside\n")
    one.memgit("sync", env=MACHINE)
    refs = run("git", "-C", str(hub), "for-each-ref", "--format=%(refname)", "refs/memgit/capture").decode().split()
    assert [ref.split("/")[3] for ref in refs] == ["laptop"]
    assert run("git", "-C", str(hub), "show", f"{refs[0]}:memory/a.md") == b"- aside\n"
    one.memgit("sync", env=MACHINE)
    settings.write_text("")
    one.memgit("sync", "--now", env=MACHINE)
    assert run("git", "-C", str(hub), "show", "main:memory/a.md") == b"- aside\n"
    assert run("git", "-C", str(hub), "for-each-ref", "refs/memgit/capture") == b""


def test_two_that_push_at_once_both_arrive(pair: tuple[Side, Side], hub: Path) -> None:
    one, two = pair
    hook(hub, "sleep 0.3\n")
    one.write("memory/1.md", "- 1\n")
    two.write("memory/2.md", "- 2\n")
    import threading

    other = threading.Thread(target=lambda: two.sync("--now", machine="desktop"))
    other.start()
    one.sync("--now")
    other.join()
    names = run("git", "-C", str(hub), "ls-tree", "--name-only", "main:memory").split()
    assert names == [b"1.md", b"2.md"]


def test_a_second_sync_does_not_wait_for_the_first(pair: tuple[Side, Side], hub: Path) -> None:
    one, _ = pair
    hook(hub, "touch waiting; while test ! -e go; do sleep 0.05; done\n")
    one.write("app.py", "print(9)\n", auto=False)
    import threading

    first = threading.Thread(target=lambda: one.sync())
    first.start()
    while not (hub / "waiting").exists():
        time.sleep(0.01)
    assert "Another memgit is at work" in one.memgit("sync", ok=6).err
    one.write("memory/a.md", "- captured meanwhile\n")  # local work is not held up
    one.memgit("consolidate", "--now")
    (hub / "go").touch()
    first.join()
    assert memgit(one.path, "push").status == 0


def test_a_writer_loses_nothing_while_files_are_replaced(pair: tuple[Side, Side], hub: Path) -> None:
    """One agent appends to the open file, another saves by renaming, while the other machine's lines come in."""
    one, two = pair
    one.write("memory/log.md", "- start\n")
    one.write("memory/saved.md", "- start\n")
    one.sync("--now")
    two.sync("--now", machine="desktop")
    script = (
        "import os, sys, time\n"
        "number = 0\n"
        "while not os.path.exists('stop'):\n"
        "    with open('memory/log.md', 'a') as file:\n"
        "        file.write(f'- mine {number}\\n')\n"
        "    number += 1\n"
        "    open('count', 'w').write(str(number))\n"
        "    time.sleep(0.002)\n"
    )
    writer = subprocess.Popen([sys.executable, "-c", script], cwd=one.path)
    try:
        for number in range(4):
            name = "memory/log.md"
            two.write(name, two.text(name) + f"- theirs {number}\n")
            two.sync("--now", machine="desktop")
            one.memgit("sync", "--now")
    finally:
        (one.path / "stop").touch()
        writer.wait()
    written = int((one.path / "count").read_text())
    for name in ("stop", "count"):
        (one.path / name).unlink()
    one.sync("--now")
    two.sync("--now", machine="desktop")
    lines = one.text("memory/log.md").splitlines()
    assert lines.count("- start") == 1
    mine = [line for line in lines if line.startswith("- mine")]
    assert sorted(mine) == sorted(f"- mine {number}" for number in range(written))
    assert sorted(line for line in lines if line.startswith("- theirs")) == [f"- theirs {n}" for n in range(4)]
    assert two.text("memory/log.md") == one.text("memory/log.md")


def test_with_the_index_locked_nothing_is_half_applied(pair: tuple[Side, Side]) -> None:
    one, two = pair
    two.write("app.py", "print(2)\n", auto=False)
    two.write("memory/x.md", "- x\n")
    two.sync("--now", machine="desktop")
    lock = one.git_dir / "index.lock"
    lock.touch()
    one.memgit("sync", ok=6)
    assert one.text("app.py") == "print(1)\n"
    assert not (one.path / "memory").exists()
    lock.unlink()
    one.sync()
    assert one.text("app.py") == "print(2)\n"
    assert one.status() == ""


def test_kinds_of_files_and_directories_change_into_each_other(pair: tuple[Side, Side]) -> None:
    one, two = pair
    two.write("dir/file", "x\n", auto=False)
    two.write("run.sh", "#!/bin/sh\n", auto=False)
    two.sync(machine="desktop")
    one.sync()
    two.git("rm", "-rq", "dir")
    (two.path / "dir").write_text("now a file\n")
    (two.path / "run.sh").chmod(0o755)
    os.symlink("run.sh", two.path / "link")
    (two.path / "app.py").unlink()
    (two.path / "app.py").mkdir()
    (two.path / "app.py" / "inside").write_text("now a directory\n")
    two.git("add", "-A")
    two.git("commit", "-q", "-m", "Shapes")
    two.sync(machine="desktop")
    one.sync()
    assert one.text("dir") == "now a file\n"
    assert os.access(one.path / "run.sh", os.X_OK)
    assert os.readlink(one.path / "link") == "run.sh"
    assert one.text("app.py/inside") == "now a directory\n"
    assert one.status() == ""


def test_files_that_need_converting_are_written_by_git(pair: tuple[Side, Side]) -> None:
    one, two = pair
    two.write(".gitattributes", "*.txt text eol=crlf\n", auto=False)
    two.write("dos.txt", "a\nb\n", auto=False)
    two.sync(machine="desktop")
    one.sync()
    assert (one.path / "dos.txt").read_bytes() == b"a\r\nb\r\n"
    assert one.status() == ""
