"""Programs that outlive the one that was waited for."""

from __future__ import annotations

import os
import tempfile

from memgit import process


def test_reading_what_was_said_leaves_the_place_alone_at_which_others_go_on() -> None:
    """ssh goes a moment after git: with the shared place rewound, its last line covered what was just being read."""
    with tempfile.TemporaryFile() as file:
        os.write(file.fileno(), b"couldn't find remote ref refs/heads/main\n")
        os.lseek(file.fileno(), 7, os.SEEK_SET)
        assert process._content(file) == b"couldn't find remote ref refs/heads/main\n"
        assert os.lseek(file.fileno(), 0, os.SEEK_CUR) == 7


def test_a_straggler_covers_nothing() -> None:
    straggler = "sleep 0.01 & echo START >&2; while kill -0 $! 2>/dev/null; do echo late; done >&2 & exit 1"
    for _ in range(10):
        assert process.run(("sh", "-c", straggler), ok=None).stderr.startswith(b"START\n")
