"""What programs that keep folders in step, or notes in them, leave there beside the files.

Sources: the help pages of Dropbox, Nextcloud, OneDrive and Syncthing on conflicts; Syncthing's `.stfolder` and
`.stversions`; iCloud Drive's `.NAME.icloud`, which stands for a file that is not on this disk.
"""

from __future__ import annotations

import re
import unicodedata

_HOUSEKEEPING = frozenset(
    (
        *(b".obsidian", b".trash", b".logseq", b".stfolder", b".stversions", b".stignore", b".sync"),
        *(b".dropbox", b".dropbox.cache", b".dropbox.attr", b".nextcloudsync.log", b".owncloudsync.log"),
        *(b".unison", b".git", b".icloud", b"desktop.ini", b"Thumbs.db"),
    )
)
_TEMPORARY = re.compile(rb"\.syncthing\..*\.tmp|~syncthing~.*\.tmp|\.~lock\..*#|\.unison\..*|\._.*|.*\.icloud")
_COPY = re.compile(
    rb"(?P<stem>.+?)(?: \([^()/]*conflicted copy[^()/]*\)|[ _]conflict-\d{8}-\d{6}|\.sync-conflict-\d{8}-\d{6}-\w+)"
    rb"(?P<end>\.\w+)?",
    re.IGNORECASE,
)
_EVICTED = re.compile(rb"\.(?P<name>.+)\.icloud")


def is_housekeeping(path: bytes) -> bool:
    """Whether a path belongs to such a program, and is nobody's memory."""
    *above, name = path.split(b"/")
    return not _HOUSEKEEPING.isdisjoint((*above, name)) or _TEMPORARY.fullmatch(name) is not None


def original(path: bytes) -> bytes | None:
    """Of which file this is a conflicted copy, made where two machines changed it; None if it is none."""
    directory, slash, name = path.rpartition(b"/")
    match = _COPY.fullmatch(name)
    return None if match is None else directory + slash + match["stem"] + (match["end"] or b"")


def evicted(path: bytes) -> bytes | None:
    """For which file this is a placeholder: it exists, but not on this disk. None if it is none."""
    directory, slash, name = path.rpartition(b"/")
    match = _EVICTED.fullmatch(name)
    return None if match is None else directory + slash + match["name"]


def folded(path: bytes) -> bytes:
    """Equal for names that some file systems take for one: they differ in case, or in how accents are written."""
    text = path.decode("utf-8", "surrogateescape")
    return unicodedata.normalize("NFC", text.casefold()).encode("utf-8", "surrogateescape")
