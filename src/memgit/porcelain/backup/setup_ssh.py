"""memgit backup setup-ssh: what to type so that a key of its own can reach one directory and do nothing else.

Nothing is installed here. rrsync, which comes with rsync, runs as the key's forced command: it lets rsync work below
one directory and refuses everything else. To it that directory is the root, so once the key is in place the target's
`host` ends in `:/`. The key of a target that is `write_only` can add snapshots there, and neither read, change nor
delete any. --link-dest, by which snapshots share files, needs no more: rrsync lets it name what lies below the root.
Source: rrsync(1), sshd(8) on `restrict` and `command=`.
"""

from __future__ import annotations

import os
import shlex

from memgit.core.setting_rows import Target
from memgit.core.values import dataclass
from memgit.errors import UsageError

KEY = "~/.ssh/memgit-backup-{name}"


@dataclass(frozen=True, slots=True)
class Setup:
    """The steps, each as a line to type or to paste."""

    target: str
    make_key: str
    directory: str  # on the other machine
    make_directory: str
    forced_command: str
    authorized_keys: str  # the line to add there
    config: tuple[str, ...]  # the target afterwards
    tests: tuple[str, ...]  # commands that must be refused, and at last one that must work
    has_key: bool


def run(target: Target, directory: str | None, rrsync: str = "rrsync") -> Setup:
    """The steps for a target.

    directory: where the backups lie on the other machine, absolute; by default what the target's `host` says.
    rrsync: how the other machine calls it.
    Raises UsageError if the target is not on another machine, or the directory is not known.
    """
    if target.host is None:
        raise UsageError(
            f"The backup target {target.name} is not reached over ssh.", "Give it a host = user@host:path."
        )
    login, _, path = target.host.partition(":")
    place = directory or path
    if not place.startswith("/"):
        raise UsageError(
            "The forced command needs the whole path of the directory on the other machine.",
            "Name it with --directory /home/backup/workspace.",
        )
    if any(char in place for char in "\"'\\\n") or any(char in rrsync for char in "\"'\\\n"):
        raise UsageError("A path with quotes or backslashes can't stand in a forced command.")
    key = target.identity or KEY.format(name=target.name)
    public, has_key = _public(key, target.name)
    command = f"{rrsync} {'-wo -no-del -no-overwrite ' if target.write_only else ''}{shlex.quote(place)}"
    port = f" -p {target.port}" if target.port is not None else ""
    hosts = f" -oUserKnownHostsFile={target.known_hosts}" if target.known_hosts is not None else ""
    ssh = f"ssh -i {key} -oIdentitiesOnly=yes -oBatchMode=yes{hosts}{port}"
    config = ["[[target]]", f'name = "{target.name}"', f'host = "{login}:/"', f'identity = "{key}"']
    if target.port is not None:
        config.append(f"port = {target.port}")
    if target.known_hosts is not None:
        config.append(f'known_hosts = "{target.known_hosts}"')
    refused = [f"{ssh} {login} id", f"{ssh} {login} 'cat /etc/passwd'", f"{ssh} -W localhost:22 {login}"]
    refused.append(f"rsync -e '{ssh}' {login}:/../ .")
    if target.write_only:
        config.append("write_only = true")
        refused.append(f"rsync -e '{ssh}' {login}:/")
    return Setup(
        target.name,
        f"ssh-keygen -q -t ed25519 -N '' -C memgit-backup-{target.name} -f {key}",
        place,
        f"ssh{port} {login} mkdir -p {shlex.quote(shlex.quote(place)) if ' ' in place else shlex.quote(place)}",
        command,
        f'command="{command}",restrict {public}',
        tuple(config),
        (*refused, f"memgit backup run --dry-run {target.name}"),
        has_key,
    )


def _public(key: str, name: str) -> tuple[str, bool]:
    try:
        with open(os.path.expanduser(key) + ".pub", encoding="utf-8") as file:
            return file.read().strip(), True
    except (OSError, UnicodeDecodeError):
        return f"<the one line of {key}.pub>", False
