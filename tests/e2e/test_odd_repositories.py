"""Repositories in the middle of something, of unusual make, or that memgit can't serve."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from support.repo import AUTO, DAY_S, File, Repo, Run, hash_of, memgit, run


def noisy(path: Path, *, bare: bool = False) -> Repo:
    """A person's commit and four auto-commits of one day."""
    repo = Repo(path, bare=bare)
    repo.commit("start", {"README": "x", "MEMORY.md": "0"}, at=repo.time_s - DAY_S)
    for number in range(1, 5):
        repo.commit(f"auto {number}", {"MEMORY.md": f"{number}"})
    return repo


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return noisy(tmp_path / "repo")


def refuse(repo: Repo, *args: str, ok: int, where: Path | None = None) -> Run:
    """It must say one thing, exit so, and change nothing."""
    before = repo.refs()
    said = memgit(where or repo.path, "consolidate", *AUTO, *args, ok=ok)
    assert said.out == ""
    assert repo.refs() == before
    assert "refs/memgit/ops" not in repo.refs()
    return said


# -- branches and work trees -------------------------------------------------------------------------


def test_unborn_branch(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "repo")
    assert repo.consolidate().out == "main has no commit yet; nothing to consolidate.\n"
    assert repo.consolidate("--json").json["stop_reason"] == "empty"
    assert repo.refs() == {}


def test_a_branch_file_that_a_power_cut_emptied_is_no_unborn_branch(repo: Repo) -> None:
    (repo.git_dir / "refs/heads/main").write_bytes(b"")
    said = repo.consolidate(ok=1)
    assert said.err.startswith("memgit: refs/heads/main is broken: its file names no commit.\n")


def test_detached_head_needs_a_branch(repo: Repo) -> None:
    repo.git("checkout", "-q", "--detach", repo.history()[0].oid.decode())
    said = refuse(repo, ok=2)
    assert said.err == ("memgit: HEAD is detached, so there is no branch to consolidate.\n  Name one with --branch.\n")
    assert len(repo.consolidate("--branch", "main", "--json").json["created"]) == 1


def test_head_outside_the_branches(repo: Repo) -> None:
    repo.point("refs/other/x", repo.head())
    (repo.git_dir / "HEAD").write_text("ref: refs/other/x\n")
    assert "there is no branch to consolidate" in refuse(repo, ok=2).err


def test_root_commit_is_auto(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "repo")
    for number in range(3):
        repo.commit(f"auto {number}", {"MEMORY.md": f"{number}"})
    report = repo.consolidate("--json").json
    assert (report["stop_reason"], report["commits_after"]) == ("root", 1)
    assert repo.history()[0].parents == ()


def test_several_roots(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "repo")
    tips = []
    for root in "ab":
        first = repo.commit(f"auto {root}1", {f"memory/{root}": "1"}, parents=[], branch=None)
        tips.append(repo.commit(f"auto {root}2", {f"memory/{root}": "2"}, parents=[first], branch=None))
    repo.commit("join", parents=tips)
    repo.consolidate()
    assert [len(commit.parents) for commit in repo.history()] == [0, 0, 2]


def test_no_auto_commit(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "repo")
    for number in range(3):
        repo.commit(f"work {number}", {"a": f"{number}"})
    refs = repo.refs()
    report = repo.consolidate("--json").json
    assert (report["created"], report["operation"], report["stop_reason"]) == ([], None, "root")
    assert repo.refs() == refs


def test_symbolic_branch(repo: Repo) -> None:
    repo.point("refs/heads/real", repo.head())
    (repo.git_dir / "refs/heads/main").write_text("ref: refs/heads/real\n")
    said = refuse(repo, ok=2)
    assert said.err == (
        "memgit: refs/heads/main is a symbolic ref.\n  Name the branch it stands for: refs/heads/real.\n"
    )
    assert len(repo.consolidate("--branch", "real", "--json").json["created"]) == 1


def test_work_tree_and_index_are_not_touched(repo: Repo) -> None:
    repo.checkout()
    (repo.path / "README").write_text("edited")
    (repo.path / "new").write_text("new")
    (repo.path / "MEMORY.md").write_text("being written")
    repo.git("add", "README")
    index = (repo.git_dir / "index").read_bytes()
    status = repo.git("status", "--porcelain")
    repo.consolidate()
    assert (repo.git_dir / "index").read_bytes() == index
    assert repo.git("status", "--porcelain") == status
    repo.memgit("undo")
    assert repo.git("status", "--porcelain") == status


def test_the_move_stands_in_the_reflog(repo: Repo) -> None:
    repo.checkout()
    repo.consolidate()
    assert b"memgit: consolidate main: 5 -> 2 commits" in repo.git("reflog", "-1", "main")
    repo.memgit("undo")
    assert b"memgit: undo: consolidate main" in repo.git("reflog", "-1", "HEAD")


def test_linked_work_tree(repo: Repo, tmp_path: Path) -> None:
    repo.git("worktree", "add", "-q", "-b", "side", str(tmp_path / "wt"), repo.history()[0].oid.decode())
    for number in range(3):
        repo.commit(f"auto side {number}", {"MEMORY.md": f"side {number}"}, branch="side")
    run("git", "-C", str(tmp_path / "wt"), "reset", "-q", "--hard")
    main = repo.head()
    assert len(memgit(tmp_path / "wt", "consolidate", *AUTO, "--json").json["created"]) == 1
    assert len(repo.history("side")) == 2
    assert repo.head() == main
    assert run("git", "-C", str(tmp_path / "wt"), "status", "--porcelain") == b""
    assert (repo.git_dir / "memgit" / "lock").exists()
    assert not (repo.git_dir / "worktrees" / "wt" / "memgit").exists()
    memgit(tmp_path / "wt", "undo")
    assert len(repo.history("side")) == 4


def test_a_branch_checked_out_elsewhere(repo: Repo, tmp_path: Path) -> None:
    repo.git("checkout", "-q", "-b", "mine", repo.history()[0].oid.decode())
    repo.git("worktree", "add", "-q", str(tmp_path / "wt"), "main")
    repo.consolidate("--branch", "main")
    assert len(repo.history()) == 2
    assert run("git", "-C", str(tmp_path / "wt"), "status", "--porcelain") == b""


def test_a_merge_in_the_other_work_tree_of_the_branch(repo: Repo, tmp_path: Path) -> None:
    repo.git("checkout", "-q", "--detach", repo.history()[0].oid.decode())
    repo.git("worktree", "add", "-q", str(tmp_path / "wt"), "main")
    (repo.git_dir / "worktrees" / "wt" / "MERGE_HEAD").write_bytes(repo.head() + b"\n")
    assert "A merge is in progress on main." in refuse(repo, "--branch", "main", ok=6).err


def test_a_workspace_below_the_top(repo: Repo) -> None:
    (repo.path / "agent" / "memory").mkdir(parents=True)
    assert len(memgit(repo.path / "agent" / "memory", "consolidate", *AUTO, "--json").json["created"]) == 1
    assert os.listdir(repo.path / "agent" / "memory") == []


def test_through_a_symbolic_link(repo: Repo, tmp_path: Path) -> None:
    (repo.path / "sub").mkdir()
    (tmp_path / "else").mkdir()
    link = tmp_path / "else" / "link"
    link.symlink_to(repo.path / "sub")
    assert len(memgit(link, "consolidate", *AUTO, "--json").json["created"]) == 1
    assert (repo.git_dir / "memgit" / "lock").exists()
    assert os.listdir(tmp_path / "else") == ["link"]


def test_bare_repository_with_a_policy_of_its_own(tmp_path: Path) -> None:
    repo = noisy(tmp_path / "bare", bare=True)
    (repo.path / "memgit").mkdir()
    (repo.path / "memgit" / "config.toml").write_text('[[auto]]\nsubject = "^auto"\n\n[consolidate]\nwindow = "hour"\n')
    report = repo.memgit("consolidate", "--json").json
    assert [made["window"] for made in report["created"]] == ["2024-01-29T08"]
    repo.memgit("undo")
    assert len(repo.history()) == 5


# -- in progress -------------------------------------------------------------------------------------

IN_PROGRESS: dict[str, tuple[str, Callable[[Repo], None]]] = {
    "merge": ("merge", lambda repo: conflict(repo, "merge")),
    "rebase": ("rebase", lambda repo: conflict(repo, "rebase")),
    "rebase apply": ("rebase or am", lambda repo: conflict(repo, "rebase", "--apply")),
    "cherry-pick": ("cherry-pick", lambda repo: conflict(repo, "cherry-pick")),
    "revert": ("revert", lambda repo: conflict(repo, "revert", "--no-commit", "HEAD~1")),
    "bisect": ("bisect", lambda repo: bisect(repo)),
}


def conflict(repo: Repo, *how: str) -> None:
    """Stop in the middle of `git <how> other`."""
    start = repo.history()[0].oid
    other = repo.commit("other", {"MEMORY.md": "other"}, parents=[start], branch=None)
    repo.checkout()
    last = () if how[-1].startswith("HEAD") else (other.decode(),)
    subprocess.run(["git", "-C", str(repo.path), *how, *last], capture_output=True, check=False)


def bisect(repo: Repo) -> None:
    repo.checkout()
    repo.git("bisect", "start", "HEAD", "HEAD~3")


@pytest.mark.parametrize("what", IN_PROGRESS)
@pytest.mark.parametrize("where", [".", ".git"])
def test_nothing_is_done_in_the_middle_of(what: str, where: str, repo: Repo) -> None:
    name, begin = IN_PROGRESS[what]
    begin(repo)
    said = refuse(repo, "--branch", "main", ok=6, where=repo.path / where)
    assert said.err == (
        f"memgit: A {name} is in progress on main.\n"
        "  Finish or abort it (`git status` tells how), then run the command again.\n"
    )
    assert "in progress" in repo.memgit("consolidate", "--branch", "main", "--dry-run", ok=6).err


def test_a_rebase_elsewhere_that_will_update_the_branch(repo: Repo, tmp_path: Path) -> None:
    base = repo.history()[0].oid
    repo.git("worktree", "add", "-q", "--detach", str(tmp_path / "wt"), base.decode())
    state = repo.git_dir / "worktrees" / "wt" / "rebase-merge"
    state.mkdir()
    (state / "update-refs").write_bytes(b"refs/heads/main\n%s\n%s\n" % (repo.head(), b"0" * 40))
    assert "A rebase is in progress on main." in refuse(repo, ok=6).err


def test_undo_waits_for_a_merge_too(repo: Repo) -> None:
    repo.consolidate()
    refs = repo.refs()
    repo.checkout()
    (repo.git_dir / "MERGE_HEAD").write_bytes(repo.head() + b"\n")
    assert "A merge is in progress on main." in repo.memgit("undo", ok=6).err
    assert repo.refs() == refs


# -- object stores -----------------------------------------------------------------------------------


def test_shallow_clone_keeps_its_boundary(repo: Repo, tmp_path: Path) -> None:
    run("git", "clone", "-q", "--depth", "3", f"file://{repo.path}", str(tmp_path / "clone"))
    clone = tmp_path / "clone"
    forget_origin(clone)
    boundary = (clone / ".git" / "shallow").read_bytes()
    report = memgit(clone, "consolidate", *AUTO, "--json").json
    assert (report["stop_reason"], report["stopped_at"].encode() + b"\n") == ("shallow", boundary)
    assert [made["sources"] for made in report["created"]] == [2]
    assert (clone / ".git" / "shallow").read_bytes() == boundary
    assert run("git", "-C", str(clone), "rev-list", "--count", "main") == b"2\n"
    assert run("git", "-C", str(clone), "fsck", "--no-dangling") == b""


def forget_origin(clone: Path) -> None:
    """`git remote remove` leaves the remote's HEAD behind where the clone is shallow."""
    run("git", "-C", str(clone), "remote", "remove", "origin")
    shutil.rmtree(clone / ".git" / "refs" / "remotes", ignore_errors=True)


def test_alternates(repo: Repo, tmp_path: Path) -> None:
    run("git", "clone", "-q", "--shared", str(repo.path), str(tmp_path / "clone"))
    clone = tmp_path / "clone"
    forget_origin(clone)
    loose = sum(len(names) for _, _, names in os.walk(repo.git_dir / "objects"))
    assert len(memgit(clone, "consolidate", *AUTO, "--json").json["created"]) == 1
    assert sum(len(names) for _, _, names in os.walk(repo.git_dir / "objects")) == loose
    assert run("git", "-C", str(clone), "fsck", "--no-dangling") == b""


def test_grafts_and_replacements_do_not_bend_history(repo: Repo) -> None:
    commits = repo.history()
    (repo.git_dir / "info").mkdir(exist_ok=True)
    (repo.git_dir / "info" / "grafts").write_bytes(commits[3].oid + b"\n")
    stranger = repo.commit("stranger", {"x": "y"}, parents=[], branch=None)
    repo.point(f"refs/replace/{commits[1].oid.decode()}", stranger)
    report = repo.consolidate("--json").json
    assert report["commits_before"] == 5
    # What is replaced is pinned, so it ends a window of its own.
    assert [made["sources"] for made in report["created"]] == [3]
    (repo.git_dir / "info" / "grafts").unlink()
    (repo.git_dir / "refs" / "replace" / commits[1].oid.decode()).unlink()
    assert [commit.tree for commit in repo.history()] == [commits[0].tree, commits[1].tree, commits[4].tree]


def test_everything_packed(repo: Repo) -> None:
    repo.git("gc", "-q")
    assert len(repo.consolidate("--json").json["created"]) == 1
    assert list((repo.git_dir / "objects" / "pack").glob("*.keep")) == []


def test_a_missing_object_stops_the_run(repo: Repo) -> None:
    blob = repo.files(repo.head())[b"MEMORY.md"].oid.decode()
    (repo.git_dir / "objects" / blob[:2] / blob[2:]).unlink()
    said = refuse(repo, ok=1)
    assert said.err == f"memgit: The object {blob} is missing or damaged.\n  `git fsck` tells what else is.\n"


def test_submodules_and_odd_names(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "repo")
    plain = (b"bad\xff.md", b"a\nb.md", b'q"uote.md', b"tab\t.md", b"-rf", b":(top).md", b"n" * 255)
    names = [b"memory/" + name for name in (*plain, "café.md".encode(), "cafe\u0301.md".encode())]
    repo.commit("auto 0", {"MEMORY.md": "0"})
    for name in names:
        repo.commit("auto name", {name: "x\n"})
    repo.commit("auto link", {"memory/link": repo.link(b"../\xff")})
    repo.commit("auto module", {"memory/module": File(b"160000", hash_of(b"commit", b"elsewhere"))})
    old = repo.history()[-1]
    repo.consolidate()
    assert [commit.tree for commit in repo.history()] == [old.tree]
    repo.history()[0].message.decode("utf-8")
    repo.memgit("log", "--windows")


def test_branches_of_any_name(tmp_path: Path) -> None:
    repo = noisy(tmp_path / "repo")
    odd = os.fsdecode("feature/größe-記憶".encode() + b"\xff")
    repo.point(f"refs/heads/{odd}", repo.head())
    (repo.git_dir / "HEAD").write_bytes(os.fsencode(f"ref: refs/heads/{odd}\n"))
    (repo.git_dir / "refs/heads/main").unlink()
    assert len(repo.consolidate("--json").json["created"]) == 1
    repo.memgit("log")
    repo.memgit("undo")
    assert len(repo.history("HEAD")) == 5


# -- unsupported -------------------------------------------------------------------------------------


def unsupported(path: Path, *lines: str) -> None:
    """Exit 9 and one sentence."""
    for command in (("consolidate",), ("undo",), ("log",), ("prune",)):
        said = memgit(path, *command, ok=9)
        assert said.err.splitlines() == list(lines)
        assert said.out == ""
    assert not (path / ".git" / "memgit").exists()


def test_sha256(tmp_path: Path) -> None:
    run("git", "init", "-q", "--object-format=sha256", str(tmp_path))
    unsupported(tmp_path, "memgit: This repository names its objects by sha256; memgit works with sha1 only.")


def test_partial_clone(repo: Repo, tmp_path: Path) -> None:
    repo.git("config", "uploadpack.allowFilter", "true")
    run("git", "clone", "-q", "--filter=blob:none", "--no-checkout", f"file://{repo.path}", str(tmp_path / "clone"))
    unsupported(
        tmp_path / "clone",
        "memgit: This is a partial clone: objects are missing, and memgit never fetches them behind your back.",
    )


def test_partial_clone_as_old_git_marks_it(repo: Repo) -> None:
    repo.git("config", "core.repositoryFormatVersion", "1")
    repo.git("config", "extensions.partialClone", "origin")
    unsupported(
        repo.path,
        "memgit: This is a partial clone: objects are missing, and memgit never fetches them behind your back.",
    )


def test_reftable(tmp_path: Path) -> None:
    made = subprocess.run(["git", "init", "-q", "--ref-format=reftable", str(tmp_path)], capture_output=True)
    if made.returncode:  # a git that knows none refuses the repository itself
        run("git", "init", "-q", str(tmp_path))
        run("git", "-C", str(tmp_path), "config", "core.repositoryFormatVersion", "1")
        run("git", "-C", str(tmp_path), "config", "extensions.refStorage", "reftable")
        said = memgit(tmp_path, "consolidate", ok=9)
        assert said.err.startswith("memgit: This git can't read the repository's format: ")
        assert "refstorage" in said.err
    else:
        unsupported(tmp_path, "memgit: This repository keeps its refs in a reftable; memgit works with ref files only.")


def test_no_repository(tmp_path: Path) -> None:
    said = memgit(tmp_path, "consolidate", ok=2)
    assert said.err == (
        f"memgit: {tmp_path} is not in a git repository.\n  Run `git init` there first, or use -C PATH.\n"
    )


def test_no_directory(tmp_path: Path) -> None:
    assert memgit(tmp_path / "none", "consolidate", ok=1).err == (
        f"memgit: The directory {tmp_path / 'none'} does not exist.\n"
    )


# -- bad input ---------------------------------------------------------------------------------------

BAD: dict[str, tuple[tuple[str, ...], str]] = {
    "regex": (
        ("--auto-subject", "auto("),
        """\
memgit: --auto-subject 'auto(' does not compile: missing ), unterminated subpattern at position 4.
  Give a Python regular expression.
""",
    ),
    "author alone": (
        ("--auto-author", "x"),
        """\
memgit: --auto-author needs --auto-subject: an author alone never makes a commit automatic.
  In nearly every workspace one author signs both the automatic and the hand-made commits.
""",
    ),
    "branch": (("--branch", "mian"), "memgit: There is no branch mian.\n  Did you mean main?\n"),
    "tag as branch": (
        ("--branch", "refs/tags/v1"),
        "memgit: refs/tags/v1 is no branch.\n  Branches are what `git branch` lists.\n",
    ),
    "since": (("--since", "nothing"), "memgit: --since nothing names no commit.\n  Give a commit, tag or branch.\n"),
    "option as since": (
        ("--since", "--all"), "memgit: --since --all names no commit.\n  Give a commit, tag or branch.\n",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", BAD)
def test_bad_input(what: str, repo: Repo) -> None:
    args, expected = BAD[what]
    repo.point("refs/tags/v1", repo.history()[0].oid)
    before = repo.refs()
    said = repo.memgit("consolidate", *args, ok=2)
    assert said.err.startswith(expected)
    assert repo.refs() == before


def test_unknown_window(repo: Repo) -> None:
    said = repo.memgit("consolidate", "--window", "dya", ok=2).err
    assert "'dya' is not one of hour, 6h, day, week. Did you mean day?" in " ".join(said.replace("│", " ").split())


def test_an_open_window_waits(tmp_path: Path) -> None:
    repo = noisy(tmp_path / "repo")
    now = int(time.time())
    for number in range(3):
        repo.commit(f"auto late {number}", {"MEMORY.md": f"late {number}"}, at=now)
    report = repo.consolidate("--json").json
    assert [made["sources"] for made in report["created"]] == [4]
    assert {"reason": "open", "count": 3} in report["kept"]
    assert [made["sources"] for made in repo.consolidate("--now", "--json").json["created"]] == [3]


def test_dry_run_changes_nothing_and_tells_what_will_be(repo: Repo) -> None:
    before = repo.refs()
    planned = repo.consolidate("--dry-run", "--json").json
    assert repo.refs() == before
    assert not (repo.git_dir / "memgit").exists()
    done = repo.consolidate("--json").json
    assert done["operation"]
    assert planned == {**done, "operation": None, "dry_run": True}
