"""One writer per repository."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from memgit.errors import Busy
from memgit.host.lock import Lock


def test_the_second_is_told_who_holds_it(tmp_path: Path) -> None:
    with Lock(str(tmp_path)), pytest.raises(Busy) as refused, Lock(str(tmp_path), timeout_s=0):
        pass
    assert refused.value.message == f"Another memgit is at work in this repository (process {os.getpid()})."


def test_it_is_free_again_afterwards(tmp_path: Path) -> None:
    for _ in range(2):
        with Lock(str(tmp_path), timeout_s=0):
            pass


def test_a_child_that_inherited_it_keeps_it(tmp_path: Path) -> None:
    with Lock(str(tmp_path)) as lock:
        child = subprocess.Popen(
            [sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE, pass_fds=(lock.fd,)
        )
    with pytest.raises(Busy), Lock(str(tmp_path), timeout_s=0):
        pass
    child.communicate()
    with Lock(str(tmp_path), timeout_s=0):
        pass


def test_it_is_private(tmp_path: Path) -> None:
    with Lock(str(tmp_path / "memgit")):
        pass
    assert (tmp_path / "memgit").stat().st_mode & 0o077 == 0
    assert (tmp_path / "memgit" / "lock").stat().st_mode & 0o077 == 0
