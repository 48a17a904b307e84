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

_USER = ("unshare", "--user", "--map-root-user", "--mount")


def small_disk(repo: Path, place: Path, *, left_kib: int) -> tuple[str, ...]:
    """What starts a program for which `place` is a disk of its own: a copy of `repo`, and this much room."""
    place.mkdir()
    files = (path for path in repo.rglob("*") if path.is_file() and not path.is_symlink())
    size = f"{sum(-(-path.stat().st_size // 4096) * 4 for path in files) + left_kib}k"
    source, target = shlex.quote(f"{repo}/."), shlex.quote(str(place))
    return _namespace(f"mount -t tmpfs -o size={size},nr_inodes=10000 none {target} && cp -a {source} {target}")


def immovable(file: Path) -> tuple[str, ...]:
    """What starts a program that can neither write this file nor put another one in its place."""
    name = shlex.quote(str(file))
    return _namespace(f"mount --bind {name} {name} && mount -o remount,bind,ro {name}")


def few(setting: str, limit: int) -> tuple[str, ...]:
    """What starts a program whose user may have only so many of something, such as max_inotify_watches."""
    return _namespace(f"echo {limit} >/proc/sys/user/{setting}")


def own_crontabs() -> tuple[str, ...]:
    """What starts a program for which cron has no tables yet, and keeps what it is given to itself."""
    spool = next((place for place in ("/var/spool/cron/crontabs", "/var/spool/cron") if Path(place).is_dir()), None)
    if spool is None or shutil.which("crontab") is None:
        pytest.skip("cron is not installed")
    return _namespace(f"mount -t tmpfs none {spool}")


_MANAGER = """\
mount -t tmpfs none /run
mount -t cgroup2 none /sys/fs/cgroup
mkdir -p /run/systemd/system -m 700 /run/user
export XDG_RUNTIME_DIR=/run/user
group=/sys/fs/cgroup/memgit-test-$$
mkdir $group
sh -c 'echo $$ > '$group'/cgroup.procs
dbus-daemon --session --address=unix:path=/run/user/bus --fork
exec '{systemd}' --user >/run/said 2>&1' &
tries=0
until systemctl --user list-timers >/dev/null 2>&1; do
  test $tries -lt 100 || {{ cat /run/said >&2; exit 1; }}
  tries=$((tries + 1)); sleep 0.1
done
status=0
"$@" || status=$?
systemctl --user exit
wait
for process in $(cat $group/cgroup.procs $group/*/cgroup.procs); do kill $process || :; done
until find $group -depth -type d -exec rmdir {{}} + 2>/dev/null; do sleep 0.1; done
exit $status
"""


def own_service_manager() -> tuple[str, ...]:
    """What starts a program for which there is a systemd of its user alone, in a control group of its own."""
    systemd = next((path for path in ("/lib/systemd/systemd", "/usr/lib/systemd/systemd") if Path(path).exists()), "")
    if not systemd or shutil.which("dbus-daemon") is None:
        pytest.skip("systemd is not installed")
    start = (*_USER, "--pid", "--fork", "--mount-proc", "--cgroup", "sh", "-ec", _MANAGER.format(systemd=systemd), "sh")
    if subprocess.run((*start, "true"), capture_output=True, check=False).returncode:
        pytest.skip("this system lets nobody have a systemd of his own")
    return start


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
    start = (*_USER, *more)
    if shutil.which("unshare") is None or subprocess.run((*start, "true"), capture_output=True, check=False).returncode:
        pytest.skip("this system gives no user namespaces")
    return (*start, "sh", "-ec", f'{prepare}; exec "$@"', "sh")
