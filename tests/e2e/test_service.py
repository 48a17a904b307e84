"""memgit service with schedulers that only write down what they were told."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from support import confined
from support.repo import Repo, Run, memgit_program


class Host:
    """A home directory and fake schedulers, each with a log of its calls."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.home = place / "home"
        self.home.mkdir()
        self.table = place / "crontab.txt"
        self.fakes: dict[str, Path] = {}

    def fake(self, name: str, script: str = "") -> None:
        program = self.place / name
        program.write_text(f'#!/bin/sh\necho "{name} $*" >> {self.place}/calls\n{script}\n')
        program.chmod(0o755)
        self.fakes[name] = program

    def cron(self) -> None:
        """A crontab that keeps a table."""
        self.fake(
            "crontab",
            f'case "$1" in\n-l) test -e {self.table} || {{ echo "no crontab" >&2; exit 1; }}; cat {self.table};;\n'
            f"-r) rm {self.table};;\n-) cat > {self.table};;\nesac",
        )

    @property
    def env(self) -> Mapping[str, str]:
        return {
            "HOME": str(self.home),
            "XDG_CONFIG_HOME": str(self.home / ".config"),
            "MEMGIT_TEST_SCHEDULER": ",".join(f"{name}:{path}" for name, path in self.fakes.items()),
        }

    def calls(self) -> list[str]:
        log = self.place / "calls"
        found = log.read_text().splitlines() if log.exists() else []
        log.unlink(missing_ok=True)
        return found

    def run(self, repo: Repo, *args: str, ok: int = 0) -> Run:
        return repo.memgit("service", *args, ok=ok, env=self.env)


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return Repo(tmp_path / "my agent")


def test_systemd_is_chosen_where_it_answers(host: Host, repo: Repo, tmp_path: Path) -> None:
    host.fake("systemctl", 'test "$2" != is-active || echo active')
    host.fake("loginctl", "echo Linger=no")
    host.cron()
    done = host.run(repo, "install")
    assert done.out == (
        f"systemd: running, looks after {repo.path}.\n"
        "  It ends when you log out. To have it go on: loginctl enable-linger\n"
        "Take it back with: memgit service remove\n"
    )
    unit = host.home / ".config" / "systemd" / "user" / "memgit.service"
    assert f'"run" "{repo.path}"' in unit.read_text()
    told = [call for call in host.calls() if call.startswith("systemctl")]
    assert told[1:4] == [
        "systemctl --user daemon-reload",
        "systemctl --user enable memgit.service",
        "systemctl --user restart memgit.service",
    ]
    host.run(repo, "install")  # once more changes nothing
    told = host.calls()
    assert "systemctl --user restart memgit.service" not in told
    assert "systemctl --user daemon-reload" not in told
    other = Repo(tmp_path / "other")
    host.run(other, "install")
    assert f'"run" "{repo.path}" "{other.path}"' in unit.read_text()
    assert host.run(repo, "remove").out == f"Goes on with {other.path}.\n"
    assert host.run(repo, "remove").out == "Nothing of this workspace is installed.\n"
    assert host.run(other, "remove").out == "The service is gone.\n"
    assert not unit.exists()
    assert host.run(repo, "status").out.startswith("No service is installed")


def test_cron_keeps_what_others_wrote(host: Host, repo: Repo) -> None:
    host.fake("systemctl", "exit 1")
    host.cron()
    foreign = "MAILTO=x\n# mine\n1 2 * * * do-it\n"
    host.table.write_text(foreign)
    host.run(repo, "install")
    first = host.table.read_text()
    assert first.startswith(foreign)
    assert f"run --once --quiet '{repo.path}'" in first
    host.run(repo, "install")
    assert host.table.read_text() == first
    assert host.run(repo, "status").out == f"cron: installed, looks after {repo.path}.\n"
    host.run(repo, "remove")
    assert host.table.read_text() == foreign


def test_a_crontab_of_ours_alone_goes_altogether(host: Host, repo: Repo) -> None:
    host.cron()
    host.run(repo, "install")
    host.run(repo, "remove")
    assert not host.table.exists()


def test_cron_itself_takes_the_table(host: Host, repo: Repo) -> None:
    host.cron()
    host.run(repo, "install")
    crontab = shutil.which("crontab")
    if crontab is None:
        pytest.skip("cron is not installed")
    done = subprocess.run([crontab, "-n", str(host.table)], capture_output=True, text=True, check=False)
    if "invalid option" in done.stderr:
        pytest.skip("this crontab checks nothing")
    assert done.returncode == 0, done.stderr


def test_a_crontab_that_can_not_be_read_is_not_replaced(host: Host, repo: Repo) -> None:
    host.fake("crontab", 'test "$1" != -l || { echo "permission denied" >&2; exit 1; }')
    assert "crontab can't be read" in host.run(repo, "install", ok=1).err
    assert host.calls() == ["crontab -l"]


def test_launchd(host: Host, repo: Repo) -> None:
    host.fake("launchctl")
    host.run(repo, "install")
    plist = host.home / "Library" / "LaunchAgents" / "org.git-memgit.run.plist"
    assert plist.exists()
    domain = f"gui/{os.getuid()}"
    assert host.calls() == [
        f"launchctl bootout {domain}/org.git-memgit.run",
        f"launchctl bootstrap {domain} {plist}",
    ]
    host.run(repo, "remove")
    assert not plist.exists()


def test_launchd_is_given_the_time_to_let_go_of_the_last_agent(host: Host, repo: Repo) -> None:
    tries = host.place / "tries"
    busy = f'echo >> {tries}; test "$(wc -l < {tries})" -ge 3 || {{ echo "Input/output error" >&2; exit 5; }}'
    host.fake("launchctl", f'test "$1" != bootstrap || {{ {busy}; }}')
    host.run(repo, "install")
    assert [call.split()[1] for call in host.calls()] == ["bootout", "bootstrap", "bootstrap", "bootstrap"]
    host.fake("launchctl", 'test "$1" != bootstrap || { echo "no such domain" >&2; exit 125; }')
    host.run(repo, "remove")
    assert "no such domain" in host.run(repo, "install", ok=1).err


def test_schtasks(host: Host, repo: Repo) -> None:
    host.fake("schtasks")
    host.run(repo, "install")
    task = host.home / ".config" / "memgit" / "task.xml"
    assert task.read_bytes().startswith(b"\xff\xfe")  # Windows wants UTF-16
    assert host.calls() == [f"schtasks /create /tn memgit /f /xml {task}"]
    host.run(repo, "remove")
    assert host.calls() == ["schtasks /delete /tn memgit /f"]


def test_another_scheduler_takes_the_place_of_the_first(host: Host, repo: Repo) -> None:
    host.fake("systemctl")
    host.cron()
    host.run(repo, "install")
    host.run(repo, "install", "--scheduler", "cron")
    assert not (host.home / ".config" / "systemd" / "user" / "memgit.service").exists()
    assert "run --once" in host.table.read_text()


def test_a_dry_run_shows_the_files_and_writes_none(host: Host, repo: Repo) -> None:
    host.fake("systemctl")
    done = host.run(repo, "install", "--dry-run")
    assert "ExecStart=" in done.out
    assert not (host.home / ".config").exists()
    assert json.loads(host.run(repo, "status", "--json").out)["scheduler"] is None


def test_without_any_scheduler(host: Host, repo: Repo) -> None:
    assert "no systemd, cron, launchd" in repo.memgit("service", "install", ok=1, env={
        **host.env, "MEMGIT_TEST_SCHEDULER": "none:none"}).err  # fmt: skip
    assert "no cron" in repo.memgit("service", "install", "--scheduler", "cron", ok=1, env={
        **host.env, "MEMGIT_TEST_SCHEDULER": "none:none"}).err  # fmt: skip


def test_what_is_installed_does_its_work(host: Host, repo: Repo) -> None:
    """The line of the crontab, run as cron runs it."""
    host.cron()
    repo.commit("Start", {"MEMORY.md": "# M\n"})
    repo.checkout()
    host.run(repo, "install")
    (repo.path / "MEMORY.md").write_text("# M\n- more\n")
    line = next(line for line in host.table.read_text().splitlines() if "run --once" in line)
    command = line.split(" ", 5)[5].replace("\\%", "%")
    env = {**os.environ, "HOME": str(host.home), "PATH": "/nowhere"}
    subprocess.run(["/bin/sh", "-c", command], check=True, env=env)
    assert repo.git("show", "HEAD:MEMORY.md") == b"# M\n- more\n"


@pytest.mark.parametrize("name", ["solo", "hybrid", "team"])
def test_init_begins_with_a_preset(name: str, repo: Repo) -> None:
    repo.commit("Start", {"MEMORY.md": "# M\n"})
    repo.checkout()
    repo.memgit("init", "--yes", "--preset", name, "--hooks", "none")
    assert "[schedule]" in (repo.path / ".memgit.toml").read_text()
    repo.memgit("config", "--validate")
    repo.memgit("run", "--once")
    assert "already" in repo.memgit("init", "--yes", "--preset", name, ok=2).err


def test_uninstall_takes_the_service_of_its_workspaces_along_and_no_other(host: Host, repo: Repo) -> None:
    host.cron()
    host.table.write_text("1 2 * * * do-it\n")
    other = Repo(repo.path / "inner")  # below the other one, but a repository of its own
    for one in (repo, other):
        host.run(one, "install")
    assert "service of" not in repo.memgit("uninstall", "--dry-run").out, "another home, another service"
    assert repo.memgit("uninstall", "--dry-run", env=host.env).out.startswith(
        f"service of {repo.path}: would be taken back\n"
    )
    assert str(repo.path) + "'" in host.table.read_text()
    assert repo.memgit("uninstall", env=host.env).out == (f"service of {repo.path}: taken back\n")
    assert f"run --once --quiet '{other.path}'" in host.table.read_text()
    assert other.memgit("uninstall", "--json", env=host.env).json["service"] == [str(other.path)]
    assert host.table.read_text() == "1 2 * * * do-it\n"
    assert not (host.home / ".config" / "memgit").exists()


def test_uninstall_goes_on_where_the_scheduler_is_gone(host: Host, repo: Repo) -> None:
    host.fake("systemctl", 'test "$2" != is-active || echo active')
    repo.memgit("init", "--yes", env=host.env)
    host.run(repo, "install")
    host.fakes.clear()
    done = repo.memgit("uninstall", env=host.env)
    assert f"The service still looks after {repo.path}: systemctl is not installed here." in done.err
    assert not (repo.git_dir / "memgit").exists()


def test_a_real_cron_has_the_table_of_before_after_an_uninstall(host: Host, repo: Repo) -> None:
    script = """\
printf '%s\\n' '# mine' '1 2 * * * do-it' | crontab -
"$1" -C "$2" service install -q --scheduler cron
crontab -l | grep -c 'run --once'
"$1" -C "$2" uninstall
crontab -l
"""
    env = {key: value for key, value in {**os.environ, **host.env}.items() if key != "MEMGIT_TEST_SCHEDULER"}
    argv = (*confined.own_crontabs(), "sh", "-ec", script, "sh", memgit_program(), str(repo.path))
    done = subprocess.run(argv, capture_output=True, text=True, env=env, check=False)
    assert (done.stdout, done.stderr) == (
        f"1\nservice of {repo.path}: taken back\n# mine\n1 2 * * * do-it\n",
        "",
    )


def test_a_real_systemd_runs_it_starts_it_again_and_gets_its_last_capture(host: Host, repo: Repo) -> None:
    script = """\
captured() { until git -C "$2" show HEAD:MEMORY.md | grep -q "$3"; do sleep 0.1; done; }
"$1" -C "$2" service install -q
"$1" -C "$2" service status
echo '- one' >> "$2/MEMORY.md"
captured "$@" one
mkdir -p /run/user/systemd/user/memgit.service.d
printf '[Service]\\nRestartSec=0\\n' >/run/user/systemd/user/memgit.service.d/soon.conf
systemctl --user daemon-reload
systemctl --user kill --signal KILL --kill-whom main memgit.service
echo '- two' >> "$2/MEMORY.md"
captured "$@" two
systemctl --user show --property NRestarts memgit.service
echo '- three' >> "$2/MEMORY.md"
"$1" -C "$2" service remove
git -C "$2" show HEAD:MEMORY.md
systemctl --user list-units --all --plain --no-legend memgit.service
"""
    repo.commit("Start", {"MEMORY.md": "# M\n"})
    repo.checkout()
    (repo.git_dir / "memgit").mkdir()
    (repo.git_dir / "memgit" / "config.toml").write_text('[watch]\ndebounce = "1s"\n')
    env = {key: value for key, value in {**os.environ, **host.env}.items() if key != "MEMGIT_TEST_SCHEDULER"}
    argv = (*confined.own_service_manager(), "sh", "-ec", script, "sh", memgit_program(), str(repo.path))
    done = subprocess.run(argv, capture_output=True, text=True, env=env, check=False, timeout=100)
    assert done.stdout == (
        f"systemd: running, looks after {repo.path}.\nNRestarts=1\nThe service is gone.\n# M\n- one\n- two\n- three\n"
    )
