"""The line that registers the merge driver in git's configuration, and heals itself.

A driver that is missing, crashes or is killed leaves only our side, without markers, and the next
automatic commit would drop theirs for good. So every status but 0 (clean) and 3 (I wrote markers) falls
back to `git merge-file`, and whatever that says ends as 1, the only status every git reads as a conflict.
"""

from __future__ import annotations


def driver_line(python: str, start: str) -> str:
    """The value of `merge.memgit.driver`.

    python, start: absolute paths of the interpreter and of memgit's `driver_start.py`; any characters.
    The interpreter runs isolated and without site-packages, which halves its start-up time.
    git quotes %P, %S, %X and %Y itself; git before 2.44 leaves the last three as they stand here.
    """
    return (
        f"{_quoted(python)} -I -S {_quoted(start)} %O %A %B %L %P %S %X %Y"
        " || { test $? -eq 3 && exit 1;"
        " git merge-file --marker-size=%L -L ours -L base -L theirs %A %O %B || exit 1; }"
    )


def _quoted(path: str) -> str:
    """Quoted for the shell, and with git's placeholder character doubled."""
    return "'" + path.replace("'", "'\\''").replace("%", "%%") + "'"
