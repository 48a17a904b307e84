"""Native hooks: the guard, what was there before, and what happens when memgit is gone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from support import clone
from support.clone import git
from support.repo import memgit

SHIMS = Path(__file__).parents[2] / "hooks"


def workspace(place: Path, *, foreign: bool = False) -> Path:
    repo = clone.make(place / "work", foreign=foreign)
    memgit(repo, "init", "--yes")
    return repo


def commit(repo: Path, text: str, *args: str, file: str = "MEMORY.md") -> tuple[int, str]:
    (repo / file).write_text((repo / file).read_text() + text)
    git(repo, "add", file)
    done = git(repo, "commit", "-m", "change", *args, ok=False)
    return done.returncode, done.stderr


def test_a_secret_in_memory_is_not_committed_and_never_shown(tmp_path: Path) -> None:
    repo = workspace(tmp_path)
    status, said = commit(repo, clone.secret())
    assert status == 1
    assert "MEMORY.md:4" in said
    assert clone.secret().split()[-1] not in said
    assert git(repo, "rev-list", "--count", "HEAD").stdout == "1\n"
    assert commit(repo, "", "--no-verify")[0] == 0, "--no-verify is the person's word"


def test_a_value_that_a_person_allowed_passes(tmp_path: Path) -> None:
    repo = workspace(tmp_path)
    _, said = commit(repo, clone.secret())
    fingerprint = re.search(r"MEMORY\.md:4: \S+ (\w+)", said)
    assert fingerprint
    memgit(repo, "guard", "allow", fingerprint[1])
    assert commit(repo, "")[0] == 0
    assert "secrets-in-history" not in memgit(repo, "doctor").out


def test_conflict_markers_in_memory_are_not_committed(tmp_path: Path) -> None:
    repo = workspace(tmp_path)
    status, said = commit(repo, "<<<<<<< ours\n- a\n=======\n- b\n>>>>>>> theirs\n")
    assert status == 1
    assert "MEMORY.md:4: conflict-markers\n  Settle the conflict first.\n" in said


def test_a_secret_that_was_there_before_does_not_stop_a_commit(tmp_path: Path) -> None:
    repo = clone.make(tmp_path / "work")
    assert commit(repo, clone.secret())[0] == 0
    memgit(repo, "init", "--yes")
    assert commit(repo, "- harmless\n")[0] == 0


def test_other_files_are_the_persons_own(tmp_path: Path) -> None:
    repo = workspace(tmp_path)
    assert commit(repo, "# " + clone.secret(), file="app.py")[0] == 0


def test_memory_that_a_changed_policy_adds_is_guarded_at_once(tmp_path: Path) -> None:
    repo = workspace(tmp_path)
    policy = (repo / ".memgit.toml").read_text()
    (repo / ".memgit.toml").write_text(policy.replace('"/MEMORY.md",', '"/MEMORY.md", "/app.py",'))
    assert commit(repo, "# " + clone.secret(), file="app.py")[0] == 1


def test_hooks_that_were_there_run_first_and_decide(tmp_path: Path) -> None:
    repo = workspace(tmp_path, foreign=True)
    assert commit(repo, "- more\n")[0] == 0
    git(repo, "commit", "-q", "--amend", "-m", "again")
    git(repo, "clone", "-q", "--bare", str(repo), str(tmp_path / "remote.git"))
    git(repo, "remote", "add", "origin", str(tmp_path / "remote.git"))
    commit(repo, "- and more\n")
    git(repo, "push", "-q", "origin", "HEAD")
    ran = (tmp_path / "hooks.log").read_text().split(" was here before\n")
    assert {"pre-commit", "post-commit", "post-rewrite", "pre-push"} <= set(ran)
    before = repo / ".git/hooks/pre-commit.before-memgit"
    before.write_text("#!/bin/sh\nexit 3\n")
    assert commit(repo, "- never\n")[0] == 1


def test_the_chained_hooks_get_what_git_gives_them(tmp_path: Path) -> None:
    repo = clone.make(tmp_path / "work", foreign=True)
    for name in ("pre-push", "post-rewrite"):
        (repo / ".git/hooks" / name).write_text(f'#!/bin/sh\necho "$@" >>../{name}.seen; cat >>../{name}.seen\n')
    memgit(repo, "init", "--yes")
    git(repo, "clone", "-q", "--bare", str(repo), str(tmp_path / "remote.git"))
    git(repo, "push", "-q", str(tmp_path / "remote.git"), "HEAD:refs/heads/new")
    head = git(repo, "rev-parse", "HEAD").stdout.strip()
    remote = tmp_path / "remote.git"
    assert (tmp_path / "pre-push.seen").read_text() == f"{remote} {remote}\nHEAD {head} refs/heads/new {'0' * 40}\n"
    git(repo, "commit", "-q", "--amend", "-m", "again")
    new = git(repo, "rev-parse", "HEAD").stdout.strip()
    assert (tmp_path / "post-rewrite.seen").read_text() == f"amend\n{head} {new}\n"


def test_a_secret_is_not_pushed_on_any_ref(tmp_path: Path) -> None:
    repo = clone.make(tmp_path / "work")
    git(repo, "clone", "-q", "--bare", str(repo), str(tmp_path / "remote.git"))
    git(repo, "remote", "add", "origin", str(tmp_path / "remote.git"))
    git(repo, "fetch", "-q", "origin")
    memgit(repo, "init", "--yes")
    git(repo, "push", "-q", "origin", "HEAD")
    git(repo, "checkout", "-q", "-b", "topic")
    commit(repo, clone.secret(), "--no-verify")
    (repo / "MEMORY.md").write_text("# Memory\n\n- one\n")
    commit(repo, "", "--no-verify")
    git(repo, "branch", "a-first", "main")
    done = git(repo, "push", "origin", "a-first", "topic", ok=False)
    assert done.returncode == 1, "taken out again, but still in the history that would be published"
    assert "MEMORY.md:4" in done.stderr
    assert "topic" not in git(tmp_path / "remote.git", "branch").stdout
    git(repo, "push", "-q", "--no-verify", "origin", "topic")
    git(repo, "push", "-q", "origin", "topic:again")


def test_without_memgit_the_guard_fails_closed_and_all_else_open(tmp_path: Path) -> None:
    repo = workspace(tmp_path, foreign=True)
    for name in ("pre-commit", "pre-push", "post-commit", "prepare-commit-msg"):
        hook = repo / ".git/hooks" / name
        hook.write_text(re.sub(r"hook='[^']*'", "hook='/nowhere/memgit-hook'", hook.read_text()))
    only_git = {"PATH": "/usr/bin:/bin", "MEMGIT_AGENT": "x"}
    (repo / "MEMORY.md").write_text("# Memory\n\n- two\n")
    git(repo, "add", "MEMORY.md")
    done = git(repo, "commit", "-m", "memory", ok=False, extra=only_git)
    assert done.returncode == 1
    assert "git commit --no-verify goes on" in done.stderr
    done = git(repo, "commit", "-m", "memory", "--no-verify", extra=only_git)
    assert "memgit is not installed" in done.stderr
    (repo / "app.py").write_text("print(3)\n")
    assert git(repo, "commit", "-a", "-m", "code", extra=only_git).returncode == 0, "no memory, nothing to guard"


def test_a_memgit_on_path_is_found_when_the_baked_one_is_gone(tmp_path: Path) -> None:
    repo = workspace(tmp_path)
    hook = repo / ".git/hooks/pre-commit"
    hook.write_text(re.sub(r"hook='[^']*'", "hook='/nowhere/memgit-hook'", hook.read_text()))
    assert commit(repo, "- fine\n")[0] == 0
    assert commit(repo, clone.secret())[0] == 1


def test_an_agents_trailers_are_added_when_it_asks(tmp_path: Path) -> None:
    repo = workspace(tmp_path)
    git(repo, "commit", "-q", "--allow-empty", "-m", "by hand")
    assert git(repo, "log", "-1", "--format=%B").stdout == "by hand\n\n"
    agent = {"MEMGIT_AGENT": "claw\nMemgit-Auto: forged", "MEMGIT_SESSION": "s-1"}
    git(repo, "commit", "-q", "--allow-empty", "-m", "by agent", extra=agent)
    body = git(repo, "log", "-1", "--format=%B").stdout
    assert body == "by agent\n\nMemgit-Agent: claw Memgit-Auto: forged\nMemgit-Session: s-1\n\n"


def test_hooks_work_in_a_linked_worktree_and_below_the_top(tmp_path: Path) -> None:
    repo = workspace(tmp_path)
    git(repo, "add", "-A")
    git(repo, "commit", "-q", "-m", "policy")
    git(repo, "worktree", "add", "-q", "-b", "side", str(tmp_path / "linked"))
    linked = tmp_path / "linked"
    assert commit(linked, clone.secret())[0] == 1
    git(linked, "checkout", "-q", "HEAD", "--", "MEMORY.md")
    assert commit(linked, "- fine\n")[0] == 0
    (repo / "memory" / "2026-02-04.md").write_text(clone.secret())
    assert git(repo / "memory", "commit", "-a", "-m", "x", ok=False).returncode == 1


@pytest.mark.parametrize("how", [("-a",), ("--only", "MEMORY.md"), ("--include", "MEMORY.md")], ids=" ".join)
def test_the_index_that_git_is_about_to_commit_is_looked_at(tmp_path: Path, how: tuple[str, ...]) -> None:
    repo = workspace(tmp_path)
    (repo / "MEMORY.md").write_text("# Memory\n\n- one\n" + clone.secret())
    assert git(repo, "commit", "-m", "x", *how, ok=False).returncode == 1
    (repo / "MEMORY.md").write_text("# Memory\n\n- one\n- two\n")
    assert git(repo, "commit", "-m", "x", *how).returncode == 0


def test_a_merge_commit_is_guarded(tmp_path: Path) -> None:
    repo = workspace(tmp_path)
    git(repo, "checkout", "-q", "-b", "other")
    commit(repo, clone.secret(), "--no-verify")
    git(repo, "checkout", "-q", "main")
    commit(repo, "x", file="app.py")
    done = git(repo, "merge", "--no-edit", "other", ok=False)
    assert done.returncode != 0
    assert "MEMORY.md" in done.stderr


def test_shims_are_short_and_plain() -> None:
    for shim in SHIMS.iterdir():
        lines = shim.read_text().splitlines()
        assert lines[0] == "#!/bin/sh"
        assert len(lines) <= 16, shim.name
        assert shim.stat().st_mode & 0o111
