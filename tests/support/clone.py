"""A clone with hooks, attributes and configuration of its own, and a picture of every byte in it."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from memgit.git import versions
from support.repo import memgit

BIN = Path(sys.executable).parent
_VERSION = subprocess.run(("git", "version"), capture_output=True, text=True, check=True).stdout
HAS_CONFIG_HOOKS = versions.parse(_VERSION) >= versions.CONFIG_HOOKS
HOOK = '#!/bin/sh\necho {name} was here before >>"$(git rev-parse --git-dir)/../../hooks.log"\n'


def env(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a person who has memgit, pre-commit and prek on PATH."""
    return {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", **(extra or {})}


def git(
    repo: Path, *args: str, ok: bool = True, extra: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run git; it must work unless told otherwise."""
    done = subprocess.run(
        ("git", "-C", str(repo), *args), capture_output=True, text=True, check=False, env=env(extra), timeout=120
    )
    assert done.returncode == 0 or not ok, done.stdout + done.stderr
    return done


def make(repo: Path, *, foreign: bool = False) -> Path:
    """A workspace with a little history; `foreign`: also with hooks, attributes and configuration of others."""
    repo.mkdir(parents=True)
    git(repo, "init", "-q", "--template=")
    (repo / "memory").mkdir()
    (repo / "MEMORY.md").write_text("# Memory\n\n- one\n")
    (repo / "memory" / "2026-02-04.md").write_text("# 2026-02-04\n\n- 08:00 one\n")
    (repo / "app.py").write_text("print(1)\n")
    (repo / ".gitignore").write_bytes(b"# ours\r\n*.log\r\nno-newline")
    git(repo, "add", "-A")
    git(repo, "commit", "-q", "-m", "start")
    if foreign:
        hooks = repo / ".git" / "hooks"
        hooks.mkdir()
        for name in ("pre-commit", "post-commit", "pre-push", "post-rewrite"):
            (hooks / name).write_text(HOOK.format(name=name))
            (hooks / name).chmod(0o755)
        (hooks / "post-merge").symlink_to("../../nowhere")
        (hooks / "commit-msg").write_text("#!/bin/sh\n")
        (repo / ".git" / "info").mkdir()
        (repo / ".git" / "info" / "attributes").write_bytes(b"*.md text\n*.png binary")
        with (repo / ".git" / "config").open("ab") as file:
            file.write(b"; a note\n[include]\n\tpath = elsewhere\n[alias]\n\tst = status")
        (repo / ".git" / "config").chmod(0o600)
    return repo


def make_set_up(repo: Path) -> Path:
    """The same after `memgit init`, its policy committed."""
    make(repo)
    memgit(repo, "init", "--yes")
    git(repo, "add", "-A")
    git(repo, "commit", "-q", "-m", "policy")
    return repo


def picture(place: Path) -> dict[str, tuple[int, bytes]]:
    """Mode and content of everything below a directory."""
    found = {}
    for directory, names, files in os.walk(place):
        for name in (*names, *files):
            path = Path(directory, name)
            status = path.lstat()
            mode = stat.S_IMODE(status.st_mode) | stat.S_IFMT(status.st_mode)
            content = os.readlink(path).encode() if path.is_symlink() else path.read_bytes() if path.is_file() else b""
            found[str(path.relative_to(place))] = (mode, content)
    return found


def secret() -> str:
    """A line with something that looks like a provider's token; put together here, so that no scanner stops at it."""
    return "- the token is " + "gh" + "p_" + "Zk3" + "Qw9xT7vB2nM5pL8sD4fG6hJ1rC0yA3eUiO" + "\n"


def with_places(place: Path) -> Path:
    """A workspace at `place`/work with a remote, a backup target and a folder beside it, none of them used yet."""
    repo = make(place / "work")
    (place / "vault").mkdir()
    git(repo, "init", "-q", "--bare", str(place / "remote.git"))
    git(repo, "remote", "add", "origin", str(place / "remote.git"))
    (repo / ".git/memgit").mkdir()
    (repo / ".git/memgit/config.toml").write_text(
        f'[[target]]\nname = "disk"\npath = "{place}/backup"\n[[folder]]\nname = "vault"\npath = "{place}/vault"\n'
    )
    return repo
