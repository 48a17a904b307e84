"""What an error says."""

from __future__ import annotations

from memgit.errors import CommandFailed


def test_a_command_is_named_as_a_person_would() -> None:
    argv = ("git", "--git-dir=x", "-c", "a=b", "-C", "y", "rev-list", "--count", "HEAD")
    failure = CommandFailed(argv, 128, "warning: w\nfatal: bad revision\n")
    assert failure.message == "`git rev-list --count` failed with status 128: fatal: bad revision"
    assert CommandFailed(("rsync",), 1, "").message == "`rsync` failed with status 1: no message"
