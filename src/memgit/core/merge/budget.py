"""A bound on work, counted in steps and not in seconds.

A clock would let two machines decide differently about the same merge; a count makes them agree, and
keeps the function pure. One step is roughly a tenth of a microsecond of comparing lines.
"""

from __future__ import annotations

DEFAULT_STEPS = 4_000_000


class Exhausted(Exception):
    """The structure rules ran out of steps; the caller falls back to the plain line merge."""


class Budget:
    """Steps left for one merge."""

    __slots__ = ("left",)

    def __init__(self, steps: int = DEFAULT_STEPS) -> None:
        self.left = steps

    def spend(self, steps: int) -> None:
        """Count work that is needed for an answer; raises Exhausted, and counts nothing, if fewer steps are left."""
        if steps > self.left:
            raise Exhausted
        self.left -= steps
