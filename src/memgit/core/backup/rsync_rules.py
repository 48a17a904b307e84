"""What memgit knows about rsync: what its exit statuses mean, and which extra options a target may name.

Source: rsync(1) of rsync 3.2 to 3.5, EXIT VALUES and OPTIONS.
"""

from __future__ import annotations

import re
from enum import Enum

from memgit.core.values import dataclass


class Outcome(Enum):
    """What follows from how rsync ended."""

    DONE = "everything arrived"
    WARN = "it arrived, with something to mention"
    PARTIAL = "some files did not arrive; the next run goes on"
    RETRY = "the connection broke; worth another try"
    STOP = "it can't work as it was called"
    DISK = "the other side can't be read or written"
    INTERRUPTED = "it was stopped"


@dataclass(frozen=True, slots=True)
class Meaning:
    """An exit status in words."""

    outcome: Outcome
    text: str


_MEANINGS = {
    0: Meaning(Outcome.DONE, "done"),
    1: Meaning(Outcome.STOP, "rsync does not understand its options"),
    2: Meaning(Outcome.STOP, "the two rsyncs speak no common protocol"),
    3: Meaning(Outcome.DISK, "a file or directory could not be selected"),
    4: Meaning(Outcome.STOP, "the other rsync does not support what was asked, or its forced command refuses it"),
    5: Meaning(Outcome.RETRY, "the connection could not be set up"),
    6: Meaning(Outcome.STOP, "rsync's log can't be written"),
    10: Meaning(Outcome.RETRY, "the network failed"),
    11: Meaning(Outcome.DISK, "files could not be read or written"),
    12: Meaning(Outcome.RETRY, "the connection broke"),
    13: Meaning(Outcome.STOP, "rsync's own diagnosis failed"),
    14: Meaning(Outcome.RETRY, "rsync's processes lost each other"),
    15: Meaning(Outcome.RETRY, "one of rsync's processes crashed"),
    16: Meaning(Outcome.INTERRUPTED, "one of rsync's processes was killed"),
    19: Meaning(Outcome.INTERRUPTED, "rsync was stopped by its other side"),
    20: Meaning(Outcome.INTERRUPTED, "rsync was stopped"),
    21: Meaning(Outcome.RETRY, "rsync lost a process of its own"),
    22: Meaning(Outcome.DISK, "rsync ran out of memory"),
    23: Meaning(Outcome.PARTIAL, "some files were not transferred"),
    24: Meaning(Outcome.WARN, "some files vanished while they were read"),
    25: Meaning(Outcome.STOP, "more would be deleted than is allowed"),
    30: Meaning(Outcome.RETRY, "no data came for too long"),
    35: Meaning(Outcome.RETRY, "the other side did not answer in time"),
    124: Meaning(Outcome.STOP, "the command on the other side failed"),
    125: Meaning(Outcome.INTERRUPTED, "the command on the other side was killed"),
    126: Meaning(Outcome.STOP, "the command on the other side can't be run"),
    127: Meaning(Outcome.STOP, "rsync is not installed on the other side"),
    255: Meaning(Outcome.RETRY, "ssh could not connect"),
}
_NO_SPACE = re.compile(rb"No space left|Disk quota|Read-only file system", re.IGNORECASE)
_REFUSED = re.compile(rb"Permission denied \(|Host key verification failed|Too many authentication", re.IGNORECASE)


def meaning(status: int, stderr: bytes = b"") -> Meaning:
    """What an exit status of rsync says; its messages tell a full disk and a refused key from a bad connection."""
    if status < 0:
        return Meaning(Outcome.INTERRUPTED, "rsync was killed")
    known = _MEANINGS.get(status, Meaning(Outcome.STOP, f"rsync ended with status {status}"))
    if status and _NO_SPACE.search(stderr):
        return Meaning(Outcome.DISK, "the target is full or can't be written")
    if status and _REFUSED.search(stderr):
        return Meaning(Outcome.STOP, "ssh was refused: key, user or host key")
    return known


# Options that change how files travel, how they are owned there, or what is said; none that names a program, reads
# another place, follows links, removes a source, writes into files in place or loosens what the manifest proves.
_ALLOWED_PLAIN = frozenset(
    {
        "--compress",
        "-z",
        "--whole-file",
        "-W",
        "--no-whole-file",
        "--sparse",
        "-S",
        "--fsync",
        "--numeric-ids",
        "--no-owner",
        "--no-group",
        "--omit-dir-times",
        "-O",
        "--preallocate",
        "--checksum",
        "-c",
        "--ipv4",
        "-4",
        "--ipv6",
        "-6",
        "--fake-super",
        "--protect-args",
        "--secluded-args",
        "--old-compress",
        "--new-compress",
    }
)
_ALLOWED_WITH_VALUE = {
    "--chown": re.compile(r"[\w.*-]*(:[\w.*-]*)?"),
    "--compress-level": re.compile(r"-?\d{1,2}"),
    "--compress-choice": re.compile(r"[a-z0-9]+"),
    "--zc": re.compile(r"[a-z0-9]+"),
    "--checksum-choice": re.compile(r"[a-z0-9,]+"),
    "--timeout": re.compile(r"\d+"),
    "--contimeout": re.compile(r"\d+"),
    "--modify-window": re.compile(r"-?\d+"),
    "--block-size": re.compile(r"\d+"),
    "--max-alloc": re.compile(r"\d+[KMGTkmgt]?"),
    "--skip-compress": re.compile(r"[\w/.\[\]-]*"),
    "--usermap": re.compile(r"[\w:,*.@-]+"),
    "--groupmap": re.compile(r"[\w:,*.@-]+"),
}
ALLOWED = tuple(sorted({*_ALLOWED_PLAIN, *(f"{name}=VALUE" for name in _ALLOWED_WITH_VALUE)}))


def refusal(option: str) -> str | None:
    """Why an extra option may not be passed on, or None if it may. A value stands behind "=" in the same word."""
    if option in _ALLOWED_PLAIN:
        return None
    name, equals, value = option.partition("=")
    if name in _ALLOWED_WITH_VALUE:
        if not equals:
            return f"{name} needs its value in the same word: {name}=VALUE"
        if not _ALLOWED_WITH_VALUE[name].fullmatch(value):
            return f"{value!r} is no value for {name}"
        return None
    return f"{option!r} is not on the list of options that a target may add"
