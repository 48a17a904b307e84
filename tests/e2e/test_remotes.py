"""Every way to a remote, and every state that a remote can be found in."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from support import remotes
from support.remotes import Cutter, Served
from support.repo import run
from support.side import DAY_S, MACHINE, Side, children_in, clone, log_of, there

PASSWORD = "".join(["pass", "word", "1"])


@contextmanager
def with_password(root: Path, place: Path) -> Iterator[Served]:
    """http:// where a credential helper knows the password."""
    helper = f"!f() {{ echo username=agent; echo password={PASSWORD}; }}; f"
    settings = place / "gitconfig"
    run("git", "config", "-f", str(settings), "include.path", "~/.gitconfig")
    run("git", "config", "-f", str(settings), "credential.helper", helper)
    with remotes.http(root, PASSWORD) as served:
        yield Served(served.url, {"GIT_CONFIG_GLOBAL": str(settings)})


@pytest.fixture
def root(tmp_path: Path) -> Path:
    remotes.bare(tmp_path / "served" / "hub.git")
    return tmp_path / "served"


@pytest.fixture(params=["file", "daemon", "ssh", "http", "http with a password"])
def served(request: pytest.FixtureRequest, root: Path, tmp_path: Path) -> Iterator[Served]:
    if request.param == "file":
        yield Served(f"file://{root}/")
        return
    with {
        "daemon": lambda: remotes.git_daemon(root),
        "ssh": lambda: remotes.sshd(root, tmp_path / "ssh"),
        "http": lambda: remotes.http(root),
        "http with a password": lambda: with_password(root, tmp_path),
    }[request.param]() as found:
        yield found


@pytest.fixture
def hub(root: Path) -> Path:
    return root / "hub.git"


@pytest.fixture
def one(served: Served, hub: Path, tmp_path: Path) -> Side:
    """A clone with what the remote has: one commit, and nothing open."""
    first = Side(tmp_path / "first")
    first.write("MEMORY.md", "# Memory\n\n- first\n", at=int(time.time()) - 3 * DAY_S)
    first.git("push", "-q", str(hub), "main")
    return clone(served.url + "hub.git", tmp_path / "one", env=served.env)


def test_two_machines_meet_over_every_transport(served: Served, tmp_path: Path) -> None:
    env = {**MACHINE, **served.env}
    long_ago = int(time.time()) - 3 * DAY_S
    sides = []
    for name in ("one", "two"):
        side = Side(tmp_path / name)
        side.git("remote", "add", "origin", served.url + "hub.git")
        sides.append(side)
    one, two = sides
    one.write("memory/a.md", "- a\n", at=long_ago)
    first = one.memgit("push", env=env)  # no upstream yet, an empty remote
    assert "Sent 1 commit to origin/main, a new branch." in first.out
    assert one.git("rev-parse", "--abbrev-ref", "main@{u}").strip() == b"origin/main"
    two.git("fetch", "-q", env=served.env)
    two.git("reset", "-q", "--hard", "origin/main")
    two.write("memory/b.md", "- b\n", at=long_ago + 60)
    one.write("memory/c.md", "- c\n", at=long_ago + 120)
    two.memgit("sync", env=env)
    one.memgit("sync", env=env)
    two.memgit("sync", env=env)
    assert one.head() == two.head()
    assert sorted(name.name for name in (two.path / "memory").iterdir()) == ["a.md", "b.md", "c.md"]
    assert one.status() == two.status() == ""


def test_behind_ahead_and_both(one: Side, hub: Path, tmp_path: Path) -> None:
    two = clone(hub, tmp_path / "two")
    two.write("app.py", "print(1)\n", auto=False)
    two.git("push", "-q", "origin", "main")
    one.sync()
    assert one.head() == two.head()
    one.write("memory/a.md", "- ahead\n", auto=False)
    one.sync()
    assert there(hub) == one.head().decode()
    two.write("memory/a.md", "- theirs\n", auto=False)
    one.write("memory/a.md", "- ahead\n- ours\n", auto=False)
    two.sync()
    one.sync()
    assert there(hub) == one.head().decode()
    assert sorted(one.text("memory/a.md").splitlines()) == ["- ahead", "- ours", "- theirs"]


def test_a_rewritten_branch(one: Side, hub: Path, tmp_path: Path) -> None:
    two = clone(hub, tmp_path / "two")
    two.git("commit", "-q", "--amend", "-m", "Rewritten")
    two.git("push", "-q", "--force", "origin", "main")
    tip = one.head()
    assert "origin/main was rewritten" in one.memgit("sync", ok=5).err
    assert (one.head(), there(hub)) == (tip, two.head().decode())
    one.git("reset", "-q", "--keep", "origin/main")
    one.sync()


def test_a_branch_that_was_deleted(one: Side, hub: Path) -> None:
    run("git", "-C", str(hub), "update-ref", "-d", "refs/heads/main")
    assert "origin/main was deleted on the remote" in one.memgit("sync", ok=5).err
    assert "origin/main was deleted on the remote" in one.memgit("push", ok=5).err
    one.memgit("push", "--create")
    assert there(hub) == one.head().decode()


def test_a_shallow_clone_with_a_submodule_entry(one: Side, served: Served, hub: Path, tmp_path: Path) -> None:
    one.git("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},vendor")
    one.git("commit", "-q", "-m", "Add vendor")
    (one.path / "vendor").mkdir()  # as git leaves it where nobody asked for its content
    one.write("app.py", "print(1)\n", auto=False)
    one.sync()
    shallow = clone(served.url + "hub.git", tmp_path / "shallow", "--depth=1", env=served.env)
    one.write("memory/a.md", "- a\n", auto=False)
    one.sync()
    shallow.write("memory/s.md", "- s\n", auto=False)
    shallow.sync()
    assert there(hub) == shallow.head().decode()
    assert shallow.git("ls-tree", "HEAD", "vendor").startswith(b"160000 commit")
    assert (shallow.git_dir / "shallow").exists()


def test_a_renamed_branch_and_another_remote(one: Side, served: Served, hub: Path) -> None:
    one.git("branch", "-m", "main", "trunk")
    one.write("app.py", "print(8)\n", auto=False)
    one.sync()
    assert there(hub) == one.head("trunk").decode()
    other = remotes.bare(hub.with_name("other.git"))
    one.git("remote", "add", "other", served.url + "other.git")
    one.memgit("push", "--remote", "other")
    assert there(other, "refs/heads/trunk") == one.head("trunk").decode()
    assert one.git("rev-parse", "--abbrev-ref", "trunk@{u}").strip() == b"origin/main"


@pytest.mark.parametrize("mode", ["cut", "stall"])
@pytest.mark.parametrize("way", ["here", "there"])
def test_a_remote_that_dies_in_the_middle_leaves_no_child(
    mode: str, way: str, root: Path, hub: Path, tmp_path: Path
) -> None:
    """Neither where it takes nor where it gives, and the next sync does it all."""
    two = Side(tmp_path / "two")
    two.write("MEMORY.md", "- a\n", auto=False)
    two.git("push", "-q", str(hub), "main")
    with remotes.git_daemon(root) as served:
        cutter = Cutter(urlsplit(served.url).port or 0)
        try:
            one = clone(f"git://127.0.0.1:{cutter.port}/hub.git", tmp_path / "one")
            writer = one if way == "here" else two
            writer.write("large.txt", "".join(f"{n * 7919 % 104729}\n" for n in range(100_000)), auto=False)
            if writer is two:
                two.git("push", "-q", str(hub), "main")
            before = (one.head(), there(hub))
            cutter.mode, cutter.bytes = mode, 20_000
            one.memgit("sync", ok=7, env={"MEMGIT_REMOTE_TIMEOUT": "1s"})
            assert not children_in(one.path)
            assert (one.head(), there(hub)) == before
            one.git("fsck", "--strict")
            cutter.mode = "pass"
            assert any(one.tries_to_sync() for _ in range(3))
            assert one.head() == writer.head()
            assert there(hub) == writer.head().decode()
        finally:
            cutter.close()


def test_a_clone_that_stands_on_a_branch_nobody_has_is_told_so(hub: Path, tmp_path: Path) -> None:
    """As after cloning a bare repository whose HEAD names another branch than the one that was pushed."""
    other = Side(tmp_path / "other")
    other.write("MEMORY.md", "- a\n")
    run("git", "-C", str(hub), "symbolic-ref", "HEAD", "refs/heads/master")
    side = clone(hub, tmp_path / "early")
    assert "master has no commit yet, neither here nor on origin." in side.memgit("sync", ok=2).err
    other.git("push", "-q", str(hub), "main")
    side = clone(hub, tmp_path / "late")
    (side.path / "MEMORY.md").write_text("- mine\n")
    told = side.memgit("sync", ok=2).err
    assert "origin has: main. To go on with that: git switch main" in told
    (side.path / "MEMORY.md").unlink()
    side.git("switch", "-q", "main")
    (side.path / "MEMORY.md").write_text("- a\n- mine\n")
    side.sync("--now")
    assert there(hub) == side.head().decode() != other.head().decode()


def test_http_with_credentials_from_a_helper(root: Path, tmp_path: Path) -> None:
    with remotes.http(root, PASSWORD) as served:
        side = Side(tmp_path / "one")
        side.git("remote", "add", "origin", served.url + "hub.git")
        side.write("MEMORY.md", "- a\n", at=1_700_000_000)
        tries = (side.memgit("push", ok=7).err for _ in range(3))  # a busy machine may drop a connection
        assert any("the remote refused access" in err for err in tries)
        side.git("config", "credential.helper", f"!f() {{ echo username=agent; echo password={PASSWORD}; }}; f")
        side.memgit("push")
    assert log_of(root / "hub.git") == ["auto: MEMORY.md"]


def test_a_key_that_is_not_let_in_is_told_at_once_and_nothing_prompts(root: Path, tmp_path: Path) -> None:
    with remotes.sshd(root, tmp_path / "ssh", known=False) as served:
        side = Side(tmp_path / "one")
        side.git("remote", "add", "origin", served.url + "hub.git")
        side.write("MEMORY.md", "- a\n")
        done = side.memgit("sync", ok=7, env=served.env)
    assert "the remote refused access" in done.err
    assert "Permission denied" in done.err


def test_a_remote_that_never_answers_is_given_up_and_leaves_no_child(tmp_path: Path) -> None:
    with remotes.silent() as served:
        side = Side(tmp_path / "one")
        side.git("remote", "add", "origin", served.url + "hub.git")
        side.write("MEMORY.md", "- a\n", at=1_700_000_000)
        side.write("MEMORY.md", "- a\n- b\n", at=1_700_000_060)
        done = side.memgit("sync", ok=7, env={"MEMGIT_REMOTE_TIMEOUT": "1s"})
    assert "did not answer in time" in done.err
    assert side.subjects() == ["memory: 2023-11-14, 2 auto-commits, 1 file (+2 -0)"]  # local work went on
    assert not children_in(side.path)


def test_password_in_a_url_is_never_shown(tmp_path: Path) -> None:
    side = Side(tmp_path / "one")
    word = "hunter" + "2x"
    side.git("remote", "add", "origin", f"http://agent:{word}@127.0.0.1:{remotes.free_port()}/hub.git")
    side.write("MEMORY.md", "- a\n")
    done = side.memgit("sync", ok=7)
    assert word not in done.err + done.out
    assert word not in (side.git_dir / "memgit" / "outbox.json").read_text()
