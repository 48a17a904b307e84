"""Choosing a remote from git's configuration, and making the user's own ssh command ask nothing."""

from __future__ import annotations

import pytest

from memgit.git.remote import Target, ssh_command, target_of

QUIET = "-o BatchMode=yes -o ConnectTimeout=15 -o ServerAliveInterval=15 -o ServerAliveCountMax=3"
ORIGIN = {"remote.origin.url": ["u"], "remote.origin.fetch": ["+refs/heads/*:refs/remotes/origin/*"]}
FORK = {"remote.fork.url": ["u"]}


@pytest.mark.parametrize(
    ("config", "environ", "command"),
    [
        ({}, {}, f"ssh {QUIET}"),
        ({"core.sshcommand": ["ssh -i ~/.ssh/agent"]}, {}, f"ssh -i ~/.ssh/agent {QUIET}"),
        ({"core.sshcommand": ["ssh -i a"]}, {"GIT_SSH_COMMAND": "ssh -i b"}, f"ssh -i b {QUIET}"),
        ({}, {"GIT_SSH": "/opt/my ssh"}, f"'/opt/my ssh' {QUIET}"),
        ({"core.sshcommand": ["/opt/PLINK.exe -load x"]}, {}, "/opt/PLINK.exe -load x -batch"),
        ({"core.sshcommand": ["wrapper"], "ssh.variant": ["plink"]}, {}, "wrapper -batch"),
        ({"core.sshcommand": ["it's broken"]}, {}, f"it's broken {QUIET}"),
    ],
)
def test_ssh_command(config: dict[str, list[str]], environ: dict[str, str], command: str) -> None:
    assert ssh_command(config, environ) == command


@pytest.mark.parametrize(
    ("config", "wanted", "target"),
    [
        (ORIGIN, None, Target("origin", "refs/heads/main", "refs/remotes/origin/main", False)),
        ({}, None, None),
        (FORK, None, Target("fork", "refs/heads/main", "refs/remotes/fork/main", False)),
        ({**ORIGIN, **FORK}, "fork", Target("fork", "refs/heads/main", "refs/remotes/fork/main", False)),
        ({**ORIGIN, **FORK}, "gone", None),
        ({**FORK, "remote.other.url": ["u"]}, None, None),
        (
            {**FORK, "remote.other.url": ["u"], "remote.pushdefault": ["other"]},
            None,
            Target("other", "refs/heads/main", "refs/remotes/other/main", False),
        ),
        (
            {**ORIGIN, "branch.main.remote": ["origin"], "branch.main.merge": ["refs/heads/trunk"]},
            None,
            Target("origin", "refs/heads/trunk", "refs/remotes/origin/trunk", True),
        ),
        (
            {**ORIGIN, "branch.main.remote": ["."], "branch.main.merge": ["refs/heads/other"]},
            None,
            Target("origin", "refs/heads/main", "refs/remotes/origin/main", False),
        ),
        (
            {
                "remote.origin.url": ["u"],
                "remote.origin.fetch": ["+refs/*:refs/*"],
            },  # a mirror must not move our branch
            None,
            Target("origin", "refs/heads/main", "refs/remotes/origin/main", False),
        ),
        (
            {"remote.origin.url": ["u"], "remote.origin.fetch": ["+refs/heads/main:refs/remotes/o/m"]},
            None,
            Target("origin", "refs/heads/main", "refs/remotes/o/m", False),
        ),
    ],
)
def test_target(config: dict[str, list[str]], wanted: str | None, target: Target | None) -> None:
    assert target_of(config, "refs/heads/main", wanted) == target
