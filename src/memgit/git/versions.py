"""What memgit needs of git, each version named once."""

from __future__ import annotations

MINIMUM = (2, 36)  # cat-file --batch-command
MERGE_TREE = (2, 38)  # merge-tree --write-tree
DRIVER_LABELS = (2, 44)  # %S %X %Y in a merge driver's command line
REFTABLE = (2, 45)
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
