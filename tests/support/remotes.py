"""Real remotes on the loopback interface: git's own daemon, an ssh server with a key, and smart HTTP."""

from __future__ import annotations

import base64
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from support.repo import run
from support.shared import needs


@dataclass(frozen=True)
class Served:
    """A directory of repositories behind a server: `url` + the name of one. env: what a client needs."""

    url: str
    env: Mapping[str, str] = field(default_factory=dict)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def server(argv: list[str], port: int) -> Iterator[None]:
    """A server that listens on `port`; ended with all it started."""
    child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                             start_new_session=True)  # fmt: skip
    try:
        for _ in range(500):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert child.poll() is None, f"{argv} ended with {child.returncode}"
            time.sleep(0.02)
        yield
    finally:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()


@contextmanager
def git_daemon(root: Path) -> Iterator[Served]:
    """git:// without any credentials, pushes allowed."""
    port = free_port()
    argv = ["git", "daemon", "--reuseaddr", "--export-all", "--enable=receive-pack", "--listen=127.0.0.1",
            f"--port={port}", f"--base-path={root}", str(root)]  # fmt: skip
    with server(argv, port):
        yield Served(f"git://127.0.0.1:{port}/")


@contextmanager
def sshd(root: Path, place: Path, *, known: bool = True) -> Iterator[Served]:
    """ssh:// with a key. known: whether the client's key is let in."""
    program = needs("sshd")
    place.mkdir(parents=True, exist_ok=True)
    for name in ("host", "client"):
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(place / name))
    keys = place / "authorized_keys"
    keys.write_bytes((place / "client.pub").read_bytes() if known else b"")
    port = free_port()
    config = place / "sshd_config"
    config.write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {place / 'host'}\nAuthorizedKeysFile {keys}\nStrictModes no\n"
        f"UsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\nPidFile none\n"
        "MaxStartups 200\nLoginGraceTime 20\n"  # connections that were cut linger until then
    )
    if os.geteuid() == 0:
        os.makedirs("/run/sshd", exist_ok=True)
    client = place / "ssh_config"
    client.write_text(
        f"Host *\n IdentityFile {place / 'client'}\n IdentitiesOnly yes\n UserKnownHostsFile {place / 'known'}\n"
        f" StrictHostKeyChecking accept-new\n"
    )
    user = run("id", "-un").decode().strip()
    with server([program, "-D", "-E", str(place / "log"), "-f", str(config)], port):
        yield Served(f"ssh://{user}@127.0.0.1:{port}{root}/", {"GIT_SSH_COMMAND": f"ssh -F {client}"})


class _Backend(BaseHTTPRequestHandler):
    """Hands requests to `git http-backend`, as a web server would. Source: git-http-backend(1)."""

    root: Path
    password: str | None

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def _serve(self) -> None:
        size = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(size)
        if self.password is not None:
            expected = "Basic " + base64.b64encode(f"agent:{self.password}".encode()).decode()
            if self.headers.get("Authorization") != expected:
                self.send_response(401)
                self.send_header("WWW-Authenticate", 'Basic realm="memory"')
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
        path, _, query = self.path.partition("?")
        env = {
            **os.environ,
            "GIT_PROJECT_ROOT": str(self.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(size),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "REMOTE_USER": "agent",
            "REMOTE_ADDR": "127.0.0.1",
        }
        done = subprocess.run(["git", "http-backend"], input=body, capture_output=True, env=env)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        status = 200
        headers = []
        for line in head.decode().split("\r\n"):
            name, _, value = line.partition(": ")
            if name == "Status":
                status = int(value.split()[0])
            elif name:
                headers.append((name, value))
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def http(root: Path, password: str | None = None) -> Iterator[Served]:
    """http:// with `agent` and a password, or for everybody."""
    handler = type("Backend", (_Backend,), {"root": root, "password": password})
    listening = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=listening.serve_forever, daemon=True)
    thread.start()
    try:
        yield Served(f"http://127.0.0.1:{listening.server_address[1]}/")
    finally:
        listening.shutdown()
        listening.server_close()
        thread.join()


@contextmanager
def silent() -> Iterator[Served]:
    """A server that takes connections and never says a word."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield Served(f"git://127.0.0.1:{listening.getsockname()[1]}/")


def bare(place: Path) -> Path:
    """An empty repository to push to."""
    run("git", "init", "-q", "--bare", "--template=", str(place))
    run("git", "-C", str(place), "config", "http.receivepack", "true")
    return place


class Cutter:
    """A way to a server that a test can cut: `refuse`, `stall`, or `cut` after some bytes; `pass` lets all through."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._listening = socket.socket()
        self._listening.bind(("127.0.0.1", 0))
        self._listening.listen()
        self.port: int = self._listening.getsockname()[1]
        self.mode = "pass"
        self.bytes = 0
        self._ends: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            if self.mode == "refuse":
                client.close()
                continue
            try:
                there = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                client.close()
                continue
            self._ends += [client, there]
            left = [self.bytes if self.mode in ("cut", "stall") else None]
            for source, sink in ((client, there), (there, client)):
                threading.Thread(target=self._carry, args=(source, sink, left, self.mode), daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket, left: list[int | None], mode: str) -> None:
        try:
            while data := source.recv(1 << 16):
                if left[0] is not None:
                    data, left[0] = data[: left[0]], max(0, left[0] - len(data))
                sink.sendall(data)
                if left[0] == 0:
                    if mode == "stall":
                        return  # neither closed nor answered
                    break
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    def close(self) -> None:
        """Listen no more; what is still open goes."""
        self._listening.close()
        for end in self._ends:
            end.close()
