"""The `memgit` command as a program: what becomes of it when its output goes nowhere."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from support import clone


@pytest.mark.parametrize("unbuffered", ["", "1"], ids=["buffered", "unbuffered"])
@pytest.mark.parametrize("command", ["--version", "--help", "status", "guard --help"])
def test_a_reader_that_has_gone_away_is_no_traceback_and_no_success(
    tmp_path: Path, command: str, unbuffered: str
) -> None:
    repo = clone.make(tmp_path / "work")
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        ["memgit", *command.split()],
        cwd=repo,
        stdout=writer,
        stderr=subprocess.PIPE,
        env={**clone.env(), "PYTHONUNBUFFERED": unbuffered},
        check=False,
    )
    os.close(writer)
    assert done.stderr == b""
    assert done.returncode == (1 if command.endswith("--help") else 141)  # Click has a status of its own


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device of Linux")
@pytest.mark.parametrize("command", ["--version", "--help", "status"])
def test_output_that_can_not_be_written_is_a_failure_in_one_line(tmp_path: Path, command: str) -> None:
    repo = clone.make(tmp_path / "work")
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            ["memgit", command], cwd=repo, stdout=full, stderr=subprocess.PIPE, env=clone.env(), check=False
        )
    assert done.returncode == 1
    assert done.stderr.startswith(b"memgit: ")
    assert done.stderr.count(b"\n") == 1
