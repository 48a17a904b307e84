"""A machine that has less than this one: a full disk, few watches, no network, an empty cron, an old git.

No privileges are needed. The limits are those of a user namespace of its own, so nothing outside of it notices.
Source: user_namespaces(7), proc(5) on /proc/sys/user.
"""

from __future__ import annotations

import shlex
import shutil
import subprocess
from pathlib import Path

import pytest


def small_disk(repo: Path, place: Path, *, left_kib: int) -> tuple[str, ...]:
    """What starts a program for which `place` is a disk of its own: a copy of `repo`, and this much room."""
    place.mkdir()
    used = sum(-(-path.lstat().st_size // 4096) * 4 + 4 for path in repo.rglob("*"))
    size = f"{used + left_kib + 4}k"
    source, target = shlex.quote(f"{repo}/."), shlex.quote(str(place))
    return _namespace(f"mount -t tmpfs -o size={size},nr_inodes=10000 none {target} && cp -a {source} {target}")


def few(setting: str, limit: int) -> tuple[str, ...]:
    """What starts a program whose user may have only so many of something, such as max_inotify_watches."""
    return _namespace(f"echo {limit} >/proc/sys/user/{setting}")


def own_crontabs() -> tuple[str, ...]:
    """What starts a program for which cron has no tables yet, and keeps what it is given to itself."""
    spool = next((place for place in ("/var/spool/cron/crontabs", "/var/spool/cron") if Path(place).is_dir()), None)
    if spool is None or shutil.which("crontab") is None:
        pytest.skip("cron is not installed")
    return _namespace(f"mount -t tmpfs none {spool}")


def no_network() -> tuple[str, ...]:
    """What starts a program that reaches nothing, not even this machine."""
    return _namespace("! ip route 2>/dev/null | grep -q .", "--net")


def old_git(place: Path, version: str) -> Path:
    """A directory for PATH with a git that says it is older than it is."""
    place.mkdir()
    program = place / "git"
    says = f'*" version "*) echo "git version {version}"'
    program.write_text(f'#!/bin/sh\ncase " $* " in {says};; *) exec {shutil.which("git")} "$@";; esac\n')
    program.chmod(0o755)
    return place


def _namespace(prepare: str, *more: str) -> tuple[str, ...]:
    start = ("unshare", "--user", "--map-root-user", "--mount", *more)
    if shutil.which("unshare") is None or subprocess.run((*start, "true"), capture_output=True, check=False).returncode:
        pytest.skip("this system gives no user namespaces")
    return (*start, "sh", "-ec", f'{prepare}; exec "$@"', "sh")
