"""What memgit needs of git, each version named once."""

from __future__ import annotations

MERGE_TREE = (2, 38)  # merge-tree --write-tree; the oldest git that memgit works with
CONFIG_HOOKS = (2, 54)  # hook.<name>.command


def parse(output: str) -> tuple[int, int]:
    """(major, minor) from what `git version` prints.

    Raises ValueError if it is no git version.
    """
    words = output.split()
    if words[:2] != ["git", "version"] or len(words) < 3:
        raise ValueError(f"not a git version: {output!r}")
    major, minor = words[2].split(".")[:2]
    return int(major), int(minor)
