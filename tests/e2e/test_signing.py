"""Signatures: made again where that works, else the person is asked; never lost in silence."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from support.repo import Repo, run

pytestmark = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="needs ssh-keygen")


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """Two auto-commits, a person's signed one, two auto-commits; verifying works, signing is not switched on."""
    key = tmp_path / "key"
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "person@example.invalid", "-f", str(key))
    (tmp_path / "allowed").write_text(f"person@example.invalid {(tmp_path / 'key.pub').read_text()}")
    repo = Repo(tmp_path / "repo")
    for name, value in (
        ("gpg.format", "ssh"),
        ("user.signingKey", str(key)),
        ("gpg.ssh.allowedSignersFile", str(tmp_path / "allowed")),
    ):
        repo.git("config", name, value)
    for number in range(2):
        repo.commit(f"auto {number}", {"MEMORY.md": f"{number}"})
    repo.checkout()
    (repo.path / "src").write_text("x")
    repo.git("add", "src")
    repo.git("commit", "-q", "-S", "-m", "signed by a person")
    repo.point("refs/heads/main", repo.git("rev-parse", "HEAD").strip())
    for number in range(2, 4):
        repo.commit(f"auto {number}", {"MEMORY.md": f"{number}"})
    return repo


def signed(repo: Repo) -> list[str]:
    """Subjects of the commits whose signature is good."""
    return [commit.subject for commit in repo.history() if _verifies(repo, commit.oid)]


def _verifies(repo: Repo, oid: bytes) -> bool:
    return repo.git("log", "-1", "--format=%G?", oid.decode()) == b"G\n"


def test_a_signature_is_not_lost_in_silence(repo: Repo) -> None:
    refs = repo.refs()
    person = repo.git("rev-parse", "HEAD~2").decode()[:12]
    said = repo.consolidate(ok=2).err
    assert said == (
        f"memgit: 1 signed commits made by people would lose their signature, the first of them {person}.\n"
        "  Set commit.gpgSign so that they are signed again, or pass --drop-signatures.\n"
    )
    assert repo.refs() == refs
    planned = repo.consolidate("--dry-run")
    assert "1 commit would lose a signature; see --drop-signatures" in planned.out


def test_signatures_are_made_again(repo: Repo) -> None:
    repo.git("config", "commit.gpgSign", "true")
    assert repo.consolidate("--dry-run", "--json").json["signatures_dropped"] == 0
    report = repo.consolidate("--interleaved", "keep", "--json").json
    assert report["signatures_dropped"] == 0
    assert signed(repo) == repo.subjects()
    for commit in repo.history():
        repo.git("verify-commit", commit.oid.decode())
    refs = repo.refs()
    assert repo.consolidate("--interleaved", "keep", "--json").json["operation"] is None
    assert repo.refs() == refs


def test_signatures_can_be_dropped(repo: Repo) -> None:
    report = repo.consolidate("--drop-signatures", "--json").json
    assert report["signatures_dropped"] == 1
    assert signed(repo) == []
    assert all(b"gpgsig" not in commit.raw for commit in repo.history())
    repo.memgit("undo")
    assert signed(repo) == ["signed by a person"]


def test_a_key_that_does_not_work_stops_the_run_and_can_be_done_without(repo: Repo) -> None:
    repo.git("config", "commit.gpgSign", "true")
    repo.git("config", "user.signingKey", "/nowhere/key")
    refs = repo.refs()
    said = repo.consolidate(ok=1).err
    assert said.startswith("memgit: Signing failed: ")
    assert "--drop-signatures" in said
    assert repo.refs() == refs
    repo.consolidate("--drop-signatures")
    assert len(repo.history()) == 3


def test_a_signature_below_the_range_stays(repo: Repo) -> None:
    repo.point("refs/remotes/origin/main", repo.git("rev-parse", "HEAD~2").strip())
    repo.consolidate()
    assert signed(repo) == ["signed by a person"]


def test_what_a_killed_run_left_does_not_stop_the_next(repo: Repo) -> None:
    repo.git("config", "commit.gpgSign", "true")
    (repo.git_dir / "memgit").mkdir()
    (repo.git_dir / "memgit" / "to-sign").write_text("old")
    (repo.git_dir / "memgit" / "to-sign.sig").write_text("old")
    repo.consolidate()
    assert signed(repo) == repo.subjects()
    assert not list((repo.git_dir / "memgit").glob("to-sign*"))


@pytest.mark.parametrize("prefix", ["", "key::"])
def test_a_key_given_in_the_configuration_itself(prefix: str, repo: Repo, tmp_path: Path) -> None:
    """It names a key that only an agent could use; without one the run says so and changes nothing."""
    repo.git("config", "commit.gpgSign", "true")
    repo.git("config", "user.signingKey", prefix + (tmp_path / "key.pub").read_text().strip())
    refs = repo.refs()
    assert repo.consolidate(ok=1).err.startswith("memgit: Signing failed: ")
    assert repo.refs() == refs
    assert not list((repo.git_dir / "memgit").glob("*.pub"))
