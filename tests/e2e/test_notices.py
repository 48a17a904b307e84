"""Who is told about trouble: a program, a webhook, the desktop, a file for agents; once, in time, and never content."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from support.daemon import QUIET_JOBS
from support.repo import Repo
from support.secrets import token


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    made = Repo(tmp_path / "ws")
    made.commit("Start", {"MEMORY.md": "# Memory\n", "memory/a.md": "- a\n"})
    made.checkout()
    return made


@pytest.fixture
def posts() -> Iterator[list[dict[str, Any]]]:
    """What was posted to a server on this machine; its address is the first entry."""
    found: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            found.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204 if self.path == "/hook?a=b" else 500)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    found.append({"url": f"http://127.0.0.1:{server.server_port}"})
    yield found
    server.shutdown()
    server.server_close()


def configured(repo: Repo, notify: str) -> None:
    place = repo.git_dir / "memgit" / "config.toml"
    place.parent.mkdir(exist_ok=True)
    jobs = QUIET_JOBS.replace('capture = "never"', 'capture = "every 1s"')
    place.write_text(f'[schedule]\njitter = "0s"\n{jobs}[notify]\n{notify}')


def trouble(repo: Repo, env: dict[str, str] | None = None) -> None:
    """A secret in a memory file, noticed by a run."""
    (repo.path / "memory" / "b.md").write_text(f"{token()}\n")
    repo.memgit("run", "--once", "-q", ok=4, env=env)


def test_a_webhook_gets_places_and_reasons_but_no_content(repo: Repo, posts: list[dict[str, Any]]) -> None:
    configured(repo, f'webhook = "{posts[0]["url"]}/hook?a=b"\n')
    trouble(repo)
    (notice,) = posts[1:]
    assert notice["kind"] == "held"
    assert notice["paths"] == ["memory/b.md"]
    assert notice["workspace"] == f"{repo.path}/"
    assert token() not in json.dumps(notice)


def test_the_desktop_is_told_by_the_program_that_is_on_path(repo: Repo, tmp_path: Path) -> None:
    program = tmp_path / "bin" / "notify-send"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > "{tmp_path}/shown"\n')
    program.chmod(0o755)
    configured(repo, "desktop = true\n")
    trouble(repo, {"PATH": f"{program.parent}:{os.environ['PATH']}"})
    assert (tmp_path / "shown").read_text() == "--app-name=memgit\nmemgit\ncapture: held back: memory/b.md\n"


def test_the_same_trouble_is_told_again_only_after_a_while(repo: Repo, tmp_path: Path) -> None:
    told = tmp_path / "told"
    configured(repo, f'command = ["sh", "-c", "cat >> {told}; echo >> {told}"]\nevery = "1h"\n')
    for _ in range(3):
        trouble(repo)
        time.sleep(1.1)
    assert len(told.read_text().splitlines()) == 1
    configured(repo, f'command = ["sh", "-c", "cat >> {told}; echo >> {told}"]\nevery = "1s"\n')
    trouble(repo)
    assert len(told.read_text().splitlines()) == 2


def test_a_teller_that_hangs_is_stopped_and_one_that_fails_stops_no_other(
    repo: Repo, tmp_path: Path, posts: list[dict[str, Any]]
) -> None:
    pid = tmp_path / "pid"
    configured(
        repo,
        f'command = ["sh", "-c", "echo $$ > {pid}; exec sleep 600"]\ntimeout = "1s"\n'
        f'webhook = "{posts[0]["url"]}/broken"\nfile = "NOTICE.md"\n',
    )
    trouble(repo)
    assert not Path(f"/proc/{pid.read_text().strip()}").exists()
    assert len(posts) == 2
    assert (repo.path / "NOTICE.md").exists()
    log = [json.loads(line) for line in (repo.git_dir / "memgit" / "log" / "run.jsonl").read_text().splitlines()]
    told = {event["how"]: event["trouble"] for event in log if event["event"] == "told"}
    assert "did not end within 1 s" in told["command"]
    assert told["webhook"] == "the webhook answered 500"
    assert told["file"] == ""


def test_the_file_for_agents_is_never_captured(repo: Repo) -> None:
    """A name that capture would take is refused, and the refusal is told."""
    configured(repo, 'file = "NOTICE.md"\n')
    trouble(repo)
    (repo.path / "memory" / "b.md").write_text("- fine\n")
    repo.memgit("commit")
    assert repo.git("ls-files", "NOTICE.md") == b""
    configured(repo, 'file = "memory/NOTICE.md"\nevery = "1s"\n')
    time.sleep(1.1)
    trouble(repo)
    assert not (repo.path / "memory" / "NOTICE.md").exists()
    log = (repo.git_dir / "memgit" / "log" / "run.jsonl").read_text()
    assert "memory/NOTICE.md is memory" in log
