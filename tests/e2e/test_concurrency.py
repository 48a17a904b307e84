"""Others at work in the same repository: nobody's commit is lost, and nothing published meanwhile is replaced."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from support.repo import AUTO, DAY_S, Repo, memgit_program


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    repo = Repo(tmp_path / "repo")
    repo.commit("start", {"README": "x", "MEMORY.md": "0"}, at=repo.time_s - DAY_S)
    for number in range(1, 5):
        repo.commit(f"auto {number}", {"MEMORY.md": f"{number}"})
    return repo


def interposed(place: Path, before: str, script: str, times: int) -> dict[str, str]:
    """An environment in which git runs a script first, `times` times at most, before a certain sub-command."""
    real = shutil.which("git")
    assert real is not None
    (place / "bin").mkdir()
    wrapper = place / "bin" / "git"
    wrapper.write_text(f"""#!/bin/sh
case " $* " in *" {before} "*)
  count=$(cat "{place}/count" 2>/dev/null || echo 0)
  if [ "$count" -lt {times} ]; then
    echo $((count + 1)) > "{place}/count"
    (exec </dev/null >/dev/null 2>&1; git() {{ "{real}" "$@"; }}; {script})
  fi;;
esac
exec "{real}" "$@"
""")
    wrapper.chmod(0o755)
    return {"PATH": f"{place / 'bin'}:{os.environ['PATH']}"}


SOMEONE = "git commit --allow-empty -qm 'by someone else'"
TRANSACTION = "update-ref -m"


@pytest.mark.parametrize("moment", [TRANSACTION, "index-pack"])
def test_a_commit_made_meanwhile_makes_the_run_start_over(moment: str, repo: Repo, tmp_path: Path) -> None:
    repo.checkout()
    env = interposed(tmp_path, moment, f"cd '{repo.path}' && {SOMEONE}", 1)
    report = repo.consolidate("--json", env=env).json
    assert repo.subjects() == ["start", report["created"][0]["subject"], "by someone else"]
    assert repo.operations() == 1
    assert list((repo.git_dir / "objects" / "pack").glob("*.keep")) == []


def test_a_run_that_never_gets_through_stops(repo: Repo, tmp_path: Path) -> None:
    repo.checkout()
    env = interposed(tmp_path, TRANSACTION, f"cd '{repo.path}' && {SOMEONE}", 99)
    said = repo.consolidate(ok=6, env=env).err
    assert said.startswith("memgit: refs/heads/main moved from ")
    assert said.endswith(" during the run.\n  Nothing was changed; run the command again.\n")
    assert repo.subjects() == ["start", *(f"auto {number}" for number in range(1, 5)), *["by someone else"] * 4]
    assert repo.operations() == 0
    repo.consolidate()
    assert len(repo.history()) == 6


@pytest.mark.parametrize(
    ("script", "stays"),
    [
        ("git update-ref refs/remotes/origin/main HEAD~2", 3),
        ("git tag v1 HEAD~2", 3),
        ("git branch other HEAD~2", 3),
        ("git update-ref refs/memgit/offered/origin/main HEAD~1", 4),
    ],
)
def test_what_is_published_meanwhile_stays(script: str, stays: int, repo: Repo, tmp_path: Path) -> None:
    old = [commit.oid for commit in repo.history()]
    env = interposed(tmp_path, "rev-list --header", f"cd '{repo.path}' && {script}", 1)
    repo.consolidate(env=env)
    assert [commit.oid for commit in repo.history()][:stays] == old[:stays]


def test_a_merge_that_begins_meanwhile_is_left_alone(repo: Repo, tmp_path: Path) -> None:
    refs = repo.refs()
    env = interposed(
        tmp_path, "rev-list --header", f"cp '{repo.git_dir}/refs/heads/main' '{repo.git_dir}/MERGE_HEAD'", 1
    )
    assert "A merge is in progress on main." in repo.consolidate(ok=6, env=env).err
    assert repo.refs() == refs


def test_undo_starts_over_too(repo: Repo, tmp_path: Path) -> None:
    repo.checkout()
    old = repo.head()
    repo.consolidate()
    env = interposed(tmp_path, TRANSACTION, f"cd '{repo.path}' && {SOMEONE}", 1)
    assert repo.memgit("undo", "--json", env=env).json["carried_over"] == 1
    assert repo.history()[-1].parents == (old,)


def test_a_lock_that_another_program_holds_is_left_alone(repo: Repo) -> None:
    refs = repo.refs()
    lock = repo.git_dir / "refs" / "heads" / "main.lock"
    lock.write_bytes(b"")
    said = repo.consolidate(ok=6).err
    assert said.startswith(f"memgit: Another program holds {lock}.\n")
    assert lock.exists()
    lock.unlink()
    assert repo.refs() == refs
    repo.consolidate()


def test_two_at_once(repo: Repo, tmp_path: Path) -> None:
    """One waits for the other; together they do what one does."""
    env = interposed(tmp_path, "rev-list --header", "sleep 0.3", 1)
    argv = [memgit_program(), "-C", str(repo.path), "consolidate", *AUTO]
    both = [subprocess.Popen(argv, env={**os.environ, **env}, stdout=subprocess.DEVNULL) for _ in range(2)]
    assert [child.wait(60) for child in both] == [0, 0]
    assert (repo.operations(), len(repo.history())) == (1, 2)


def test_a_collection_of_garbage_meanwhile(repo: Repo, tmp_path: Path) -> None:
    repo.git("pack-refs", "--all")
    env = interposed(tmp_path, TRANSACTION, f"cd '{repo.path}' && git gc -q --prune=now", 1)
    repo.consolidate(env=env)
    assert repo.git("fsck", "--no-dangling", "--connectivity-only") == b""
    assert len(repo.history()) == 2


def test_terminated_in_the_middle(repo: Repo, tmp_path: Path) -> None:
    env = interposed(tmp_path, "rev-list --header", "sleep 30", 1)
    child = subprocess.Popen(
        [memgit_program(), "-C", str(repo.path), "consolidate", *AUTO],
        env={**os.environ, **env}, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    for _ in range(500):
        if (tmp_path / "count").exists():
            break
        time.sleep(0.01)
    child.terminate()
    _, said = child.communicate(timeout=30)
    assert (child.returncode, said) == (130, "memgit: Interrupted; nothing is left half done.\n")
    assert list(repo.git_dir.rglob("*.lock")) == []
    repo.consolidate()


def test_git_variables_of_a_hook_do_not_bend_the_run(repo: Repo, tmp_path: Path) -> None:
    other = Repo(tmp_path / "other")
    other.commit("not mine", {"a": "b"})
    env = {"GIT_DIR": str(other.git_dir), "GIT_INDEX_FILE": "/nowhere", "GIT_WORK_TREE": str(other.path),
           "GIT_OBJECT_DIRECTORY": str(other.git_dir / "objects"), "GIT_NAMESPACE": "x"}  # fmt: skip
    refs = other.refs()
    assert len(repo.consolidate("--json", env=env).json["created"]) == 1
    assert other.refs() == refs


def test_programs_that_a_repository_names_do_not_run(repo: Repo, tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    trap.write_text(f"#!/bin/sh\ntouch '{tmp_path}/sprung'\n")
    trap.chmod(0o755)
    hooks = repo.git_dir / "hooks"
    hooks.mkdir(exist_ok=True)
    for name in ("reference-transaction", "post-rewrite", "post-checkout", "post-commit", "pre-auto-gc"):
        shutil.copy(trap, hooks / name)
    for key in ("core.fsmonitor", "core.pager", "core.editor", "core.sshCommand", "diff.external"):
        repo.git("config", key, str(trap))
    (tmp_path / "sprung").unlink(missing_ok=True)
    repo.consolidate()
    repo.memgit("undo")
    assert not (tmp_path / "sprung").exists()
