"""The shrink guard, what rsync's exit statuses mean, which options a target may add, the two-way table."""

from __future__ import annotations

import re
import subprocess
from itertools import product

import pytest

from memgit.core.backup import shrink
from memgit.core.backup.manifest import Entry, digest_of
from memgit.core.backup.rsync_rules import Outcome, meaning, refusal
from memgit.core.backup.twoway import Act, act, decide


def entries(count: int, size: int = 5) -> dict[bytes, Entry]:
    return {b"%d" % n: Entry(b"%d" % n, 0o100644, size, 0, digest_of(b"x")) for n in range(count)}


@pytest.mark.parametrize(
    ("before", "left", "emptied", "stops"),
    [
        (0, 0, 0, False),  # nothing was there
        (1, 0, 0, True),  # all gone
        (10, 0, 0, True),
        (10, 10, 10, True),  # all emptied
        (4, 1, 0, False),  # three of four: few
        (10, 7, 0, False),  # 30 %
        (10, 6, 0, True),
        (10, 8, 2, True),
        (100, 70, 0, False),
        (100, 69, 0, True),
        (100, 100, 31, True),
    ],
)
def test_a_source_that_lost_too_much_is_not_followed(before: int, left: int, emptied: int, stops: bool) -> None:
    now = {b"%d" % n: 0 if n < emptied else 5 for n in range(left)}
    assert (shrink.check(entries(before), now, 30) is not None) is stops


def test_files_that_were_always_empty_do_not_count_as_emptied() -> None:
    assert shrink.check(entries(9, size=0), {b"%d" % n: 0 for n in range(9)}, 30) is None


OUTCOMES = {
    0: Outcome.DONE,
    1: Outcome.STOP,
    2: Outcome.STOP,
    4: Outcome.STOP,
    11: Outcome.DISK,
    12: Outcome.RETRY,
    20: Outcome.INTERRUPTED,
    23: Outcome.PARTIAL,
    24: Outcome.WARN,
    30: Outcome.RETRY,
    35: Outcome.RETRY,
    127: Outcome.STOP,
    255: Outcome.RETRY,
    -9: Outcome.INTERRUPTED,
    77: Outcome.STOP,
}


@pytest.mark.parametrize("status", OUTCOMES)
def test_rsyncs_exit_statuses_have_their_meaning(status: int) -> None:
    assert meaning(status).outcome is OUTCOMES[status]


def test_every_exit_status_of_the_manual_is_known() -> None:
    manual = subprocess.run(("man", "rsync"), capture_output=True, text=True, check=False).stdout
    section = manual.partition("EXIT VALUES")[2].partition("ENVIRONMENT VARIABLES")[0]
    for status in re.findall(r"^\s+o?\s*(\d+)\s", section, re.MULTILINE):
        assert "ended with status" not in meaning(int(status)).text, status


def test_messages_tell_a_full_disk_and_a_refused_key_from_a_broken_connection() -> None:
    assert meaning(12, b"rsync: write failed: No space left on device (28)").outcome is Outcome.DISK
    assert meaning(255, b"me@host: Permission denied (publickey).").outcome is Outcome.STOP
    assert meaning(255, b"ssh: connect to host x port 22: Connection refused").outcome is Outcome.RETRY


@pytest.mark.parametrize("option", ["--compress", "-z", "--chown=www-data:www-data", "--timeout=30", "--fsync"])
def test_harmless_options_pass(option: str) -> None:
    assert refusal(option) is None


@pytest.mark.parametrize(
    "option",
    [
        "--rsh=sh -c id",
        "-e",
        "-esh",
        "--rsync-path=evil",
        "--daemon",
        "--config=/etc/shadow",
        "--files-from=/etc/passwd",
        "--remove-source-files",
        "--inplace",
        "--copy-links",
        "-L",
        "--delete-excluded",
        "--write-batch=x",
        "--log-file=/etc/x",
        "--chown",
        "--chown=a b",
        "--chown=$(id)",
        "--timeout=1;id",
        "--link-dest=/",
        "--",
        "",
        "/etc/passwd",
        "--compress=1",
        "-zL",
    ],
)
def test_options_that_could_do_harm_are_refused(option: str) -> None:
    assert refusal(option) is not None


# (base, ours, theirs): 0 is no file, equal numbers are equal contents.
TABLE = {
    ("none", "none"): [((0, 0, 0), Act.NOTHING), ((1, 1, 1), Act.NOTHING)],
    ("none", "create"): [((0, 0, 2), Act.TO_OURS)],
    ("none", "edit"): [((1, 1, 2), Act.TO_OURS)],
    ("none", "delete"): [((1, 1, 0), Act.DELETE_OURS)],
    ("create", "none"): [((0, 2, 0), Act.TO_THEIRS)],
    ("create", "create"): [((0, 2, 2), Act.AGREE), ((0, 2, 3), Act.MERGE)],
    ("edit", "none"): [((1, 2, 1), Act.TO_THEIRS)],
    ("edit", "edit"): [((1, 2, 2), Act.AGREE), ((1, 2, 3), Act.MERGE)],
    ("edit", "delete"): [((1, 2, 0), Act.TO_THEIRS)],
    ("delete", "none"): [((1, 0, 1), Act.DELETE_THEIRS)],
    ("delete", "edit"): [((1, 0, 2), Act.TO_OURS)],
    ("delete", "delete"): [((1, 0, 0), Act.AGREE)],
}
CHANGES = ("none", "create", "edit", "delete")


def content(number: int) -> bytes | None:
    return b"%d" % number if number else None


@pytest.mark.parametrize("pair", list(product(CHANGES, CHANGES)), ids="-".join)
def test_the_sixteen_cases_of_two_sides(pair: tuple[str, str]) -> None:
    if pair not in TABLE:  # a path can't be new to one side and known to the other
        assert "create" in pair
        assert pair != ("create", "create")
        return
    for state, expected in TABLE[pair]:
        assert act(*map(content, state)) is expected


def test_decide_lists_every_path_and_says_where_an_edit_survived_a_deletion() -> None:
    steps = decide({b"a": b"1", b"b": b"1"}, {b"a": b"2", b"c": b"1"}, {b"b": b"1"})
    assert [(step.path, step.act, step.survives) for step in steps] == [
        (b"a", Act.TO_THEIRS, True),
        (b"b", Act.DELETE_THEIRS, False),
        (b"c", Act.TO_THEIRS, False),
    ]
