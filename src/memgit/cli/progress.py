"""A line on the terminal that says how far a long job has come."""

from __future__ import annotations

import sys
import time
from types import TracebackType

_QUIET_S = 0.7  # shorter jobs show nothing
_EVERY_S = 0.1


class Progress:
    """Counts things; shows the count when standard error is a terminal and the job takes its time."""

    def __init__(self, what: str, *, quiet: bool = False) -> None:
        self._what = what
        self._is_shown = sys.stderr.isatty() and not quiet
        self._count = 0
        self._next_s = time.monotonic() + _QUIET_S
        self._is_drawn = False

    def advance(self, count: int) -> None:
        """Count some more."""
        self._count += count
        if self._is_shown and time.monotonic() >= self._next_s:
            self._next_s = time.monotonic() + _EVERY_S
            self._is_drawn = True
            print(f"\r{self._what}: {self._count:,}", end="", file=sys.stderr, flush=True)

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._is_drawn:
            print("\r\033[K", end="", file=sys.stderr, flush=True)
