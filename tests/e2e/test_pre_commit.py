"""memgit run by the real pre-commit and by prek: all that git does, offline, with the twins that use this memgit."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from support import clone, confined, stash
from support.clone import git
from support.repo import memgit

ROOT = Path(__file__).parents[2]
MANAGERS = ("pre-commit", "prek")


def manager(repo: Path, name: str, *args: str, ok: bool = True) -> str:
    done = subprocess.run(
        (str(clone.BIN / name), *args),
        cwd=repo,
        capture_output=True,
        text=True,
        check=False,
        env=clone.env(),
        timeout=300,
    )
    assert done.returncode == 0 or not ok, done.stdout + done.stderr
    return done.stdout + done.stderr


def commit(repo: Path, text: str, *args: str) -> subprocess.CompletedProcess[str]:
    with (repo / "MEMORY.md").open("a") as file:
        file.write(text)
    return git(repo, "commit", "-a", "-m", "change", *args, ok=False)


@pytest.fixture(params=MANAGERS)
def repo(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A workspace whose hooks all go through pre-commit or prek."""
    made = clone.make(tmp_path / "work")
    (made / ".pre-commit-config.yaml").write_text(
        "repos: []\n".replace(" []", "\n- repo: meta\n  hooks: [{id: identity}]")
    )
    done = memgit(made, "init", "--yes", "--json").json
    assert done["hooks"] == "pre-commit"
    manager(made, request.param, "install")
    git(made, "add", "-A")
    git(made, "commit", "-q", "-m", "policy")
    return made


def test_every_hook_is_installed_by_one_call(repo: Path) -> None:
    installed = {path.name for path in (repo / ".git/hooks").iterdir()}
    assert installed >= {
        *("pre-commit", "pre-merge-commit", "pre-push", "prepare-commit-msg"),
        *("post-commit", "post-merge", "post-rewrite", "post-checkout"),
    }


def test_commit_amend_merge_rebase_and_push_work_and_are_guarded(repo: Path, tmp_path: Path) -> None:
    assert commit(repo, "- two\n").returncode == 0
    assert commit(repo, "- three\n", "--amend").returncode == 0
    git(repo, "checkout", "-q", "-b", "side", "HEAD~1")
    assert commit(repo, "- side\n").returncode == 0
    git(repo, "checkout", "-q", "main")
    git(repo, "merge", "--no-edit", "side")
    merged = (repo / "MEMORY.md").read_text()
    assert sorted(merged.splitlines()) == sorted(["# Memory", "", "- one", "- two", "- three", "- side"])
    git(repo, "checkout", "-q", "side")
    assert commit(repo, "- more\n").returncode == 0
    git(repo, "rebase", "main")
    assert (repo / "MEMORY.md").read_text().replace("- more\n", "") == merged
    git(repo, "clone", "-q", "--bare", str(repo), str(tmp_path / "remote.git"))
    git(repo, "remote", "add", "origin", str(tmp_path / "remote.git"))
    git(repo, "fetch", "-q", "origin")
    assert commit(repo, clone.secret()).returncode == 1
    assert commit(repo, "", "--no-verify").returncode == 0
    assert git(repo, "push", "origin", "HEAD", ok=False).returncode == 1
    git(repo, "reset", "-q", "--hard", "HEAD~1")
    assert commit(repo, "- fine\n").returncode == 0
    git(repo, "push", "-q", "origin", "HEAD")


def test_a_partially_staged_file_is_judged_by_what_is_staged(repo: Path) -> None:
    (repo / "MEMORY.md").write_text("# Memory\n\n- one\n- staged\n")
    git(repo, "add", "MEMORY.md")
    with (repo / "MEMORY.md").open("a") as file:
        file.write(clone.secret())
    done = git(repo, "commit", "-m", "x", ok=False)
    assert done.returncode == 0, done.stderr
    assert clone.secret() in (repo / "MEMORY.md").read_text()
    assert git(repo, "show", "HEAD:MEMORY.md").stdout == "# Memory\n\n- one\n- staged\n"


def test_what_waited_is_folded_back_once_the_tree_is_no_longer_stashed(repo: Path) -> None:
    git(repo, "checkout", "-q", "--detach")
    with (repo / "MEMORY.md").open("a") as file:
        file.write("- while detached\n")
    memgit(repo, "commit")
    (repo / "app.py").write_text("print('not staged')\n")
    git(repo, "checkout", "main")
    stash.wait_for(lambda: not git(repo, "for-each-ref", "refs/memgit/capture").stdout)
    assert "- while detached" in git(repo, "show", "main:MEMORY.md").stdout
    assert git(repo, "status", "--porcelain").stdout == " M app.py\n"
    assert (repo / "app.py").read_text() == "print('not staged')\n"


def test_an_agents_trailers_are_added_when_it_asks(repo: Path) -> None:
    git(repo, "commit", "-q", "--allow-empty", "-m", "by agent", extra={"MEMGIT_AGENT": "claw"})
    assert git(repo, "log", "-1", "--format=%B").stdout == "by agent\n\nMemgit-Agent: claw\n\n"


@pytest.mark.parametrize("name", MANAGERS)
def test_a_persons_own_entry_and_install_are_enough(tmp_path: Path, name: str) -> None:
    """The first commit registers the driver for this clone, says so in one line, and later ones say nothing."""
    repo = clone.make(tmp_path / "work")
    source = _source(tmp_path)
    rev = git(source, "rev-parse", "HEAD").stdout.strip()
    (repo / ".pre-commit-config.yaml").write_text(
        f"repos:\n- repo: {source}\n  rev: {rev}\n  hooks:\n  - id: memgit-guard-system\n  - id: memgit-post-system\n"
    )
    manager(repo, name, "install")
    git(repo, "add", "-A")
    said = git(repo, "commit", "-m", "policy").stderr
    assert said.count("memgit: the merge driver is registered for this clone") == 1
    assert git(repo, "config", "merge.memgit.driver").stdout
    assert "merge: memgit" in git(repo, "check-attr", "merge", "MEMORY.md").stdout
    assert (repo / ".git/hooks/post-commit").exists()
    second = commit(repo, "- two\n")
    assert (second.returncode, "registered" in second.stderr) == (0, False)
    assert commit(repo, clone.secret()).returncode == 1
    assert "still names memgit's hooks" in memgit(repo, "uninstall").err
    assert not (repo / ".git/memgit").exists()
    assert not (repo / ".git/hooks/post-commit").exists()
    assert (repo / ".git/hooks/pre-commit").exists(), "that one is the manager's"


def _source(place: Path) -> Path:
    """The files that a hook manager reads of this project, as a repository."""
    source = place / "memgit-source"
    source.mkdir()
    (source / ".pre-commit-hooks.yaml").write_bytes((ROOT / ".pre-commit-hooks.yaml").read_bytes())
    git(source, "init", "-q")
    git(source, "add", "-A")
    git(source, "commit", "-q", "-m", "hooks")
    return source


@pytest.mark.parametrize("name", MANAGERS)
def test_try_repo_runs_the_twins(tmp_path: Path, name: str) -> None:
    repo = clone.make(tmp_path / "work")
    said = manager(repo, name, "try-repo", str(_source(tmp_path)), "memgit-guard-system", "--verbose")
    assert "memgit guard" in said
    assert "Passed" in said


@pytest.mark.parametrize("name", MANAGERS)
def test_the_twins_need_no_network(tmp_path: Path, name: str) -> None:
    repo = clone.make(tmp_path / "work")
    source = _source(tmp_path)
    rev = git(source, "rev-parse", "HEAD").stdout.strip()
    (repo / ".pre-commit-config.yaml").write_text(
        f"repos:\n- repo: {source}\n  rev: {rev}\n  hooks: [{{id: memgit-guard-system}}]\n"
    )
    script = f"""\
{clone.BIN / name} install
git add -A
git commit -q -m policy
echo '{clone.secret().strip()}' >>MEMORY.md
! git commit -q -a -m secret
"""
    argv = (*confined.no_network(), "sh", "-ec", script)
    done = subprocess.run(argv, cwd=repo, capture_output=True, text=True, env=clone.env(), timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert "the merge driver is registered" in done.stderr
    assert "MEMORY.md:4" in done.stderr


@pytest.mark.slow
def test_try_repo_builds_memgit_by_itself(tmp_path: Path) -> None:
    """The only test that asks the package index."""
    repo = clone.make(tmp_path / "work")
    said = manager(repo, "pre-commit", "try-repo", str(ROOT), "memgit-guard", "--verbose")
    assert "Passed" in said
    assert "py_env" in git(repo, "config", "merge.memgit.driver").stdout


def test_prek_and_pre_commit_understand_the_hooks() -> None:
    for name, command in (("pre-commit", "validate-manifest"), ("prek", "validate-manifest")):
        manager(ROOT, name, command, ".pre-commit-hooks.yaml")


def test_native_hooks_go_on_when_pre_commit_is_installed_later(tmp_path: Path) -> None:
    repo = clone.make(tmp_path / "work", foreign=True)
    before = clone.picture(repo / ".git" / "hooks")
    memgit(repo, "init", "--yes", "--hooks", "native")
    (repo / ".pre-commit-config.yaml").write_text("repos:\n- repo: meta\n  hooks: [{id: identity}]\n")
    manager(repo, "pre-commit", "install")
    git(repo, "add", "-A")
    assert commit(repo, clone.secret()).returncode == 1
    assert "pre-commit was here before" in (tmp_path / "hooks.log").read_text()
    git(repo, "checkout", "-q", "HEAD", "--", "MEMORY.md")
    manager(repo, "pre-commit", "uninstall")
    memgit(repo, "uninstall")
    assert clone.picture(repo / ".git" / "hooks") == before
