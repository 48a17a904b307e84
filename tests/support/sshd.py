"""A real sshd on a loopback port, for one test: own host key, own users' keys, gone when the test ends."""

from __future__ import annotations

import getpass
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support.shared import needs

_TRIES = 200


class Sshd:
    """Whom to log in as, where, with which files."""

    def __init__(self, place: Path, port: int) -> None:
        self.place = place
        self.port = port
        self.user = getpass.getuser()
        self.login = f"{self.user}@127.0.0.1"
        self.key = place / "key"
        self.known_hosts = place / "known_hosts"
        self.authorized = place / "authorized_keys"

    def settings(self) -> str:
        """The settings of a target that logs in here."""
        return f'identity = "{self.key}"\nknown_hosts = "{self.known_hosts}"\nport = {self.port}\n'

    def allow(self, line: str | None = None) -> None:
        """Let the key in, with everything or with what a line of authorized_keys says."""
        self.authorized.write_text((line or self.key.with_suffix(".pub").read_text()).strip() + "\n")

    def ssh(self, *command: str) -> subprocess.CompletedProcess[bytes]:
        """Run ssh with the key."""
        return subprocess.run(
            (
                "ssh", "-F", "none", "-i", str(self.key), "-oIdentitiesOnly=yes", "-oBatchMode=yes",
                f"-oUserKnownHostsFile={self.known_hosts}", "-p", str(self.port), self.login, *command,
            ),
            capture_output=True, stdin=subprocess.DEVNULL, timeout=60, check=False,
        )  # fmt: skip


@contextmanager
def started(place: Path) -> Iterator[Sshd]:
    """Start sshd; everything it needs lies in `place`."""
    program = needs("sshd")
    needs("rsync")
    place.mkdir(mode=0o700, exist_ok=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = Sshd(place, port)
    for name in ("host_key", "key"):
        subprocess.run(("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(place / name)), check=True)
    public = (place / "host_key.pub").read_text().split()
    server.known_hosts.write_text(f"[127.0.0.1]:{port} {public[0]} {public[1]}\n")
    server.allow()
    (place / "sshd_config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {place}/host_key\nPidFile {place}/pid\n"
        f"AuthorizedKeysFile {server.authorized}\nStrictModes no\nUsePAM no\nPasswordAuthentication no\n"
        "KexAlgorithms curve25519-sha256\nKbdInteractiveAuthentication no\n"
        "PermitRootLogin yes\nMaxStartups 100\nSubsystem sftp internal-sftp\n"
    )
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # where sshd locks its helpers in
    with open(place / "log", "wb") as log:
        child = subprocess.Popen((program, "-D", "-e", "-f", str(place / "sshd_config")), stderr=log, stdout=log)
    try:
        _wait_for(port, child, place)
        yield server
    finally:
        child.terminate()
        child.wait()


def _wait_for(port: int, child: subprocess.Popen[bytes], place: Path) -> None:
    for _ in range(_TRIES):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        assert child.poll() is None, (place / "log").read_text()
        time.sleep(0.05)
    raise AssertionError((place / "log").read_text())
