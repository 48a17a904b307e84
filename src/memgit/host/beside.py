"""Programs that run beside each other, a few at a time."""

from __future__ import annotations

import select
from collections.abc import Iterator, Sequence
from types import TracebackType

from memgit.process import Child, Result

_POLL_S = 0.05  # where the end of a program can't be waited for


class Beside:
    """Runs all of `commands`, never more than `limit` at once. What is not done when the block ends is stopped."""

    def __init__(self, commands: Sequence[tuple[str, ...]], limit: int) -> None:
        self._todo = list(enumerate(commands))
        self._limit = limit
        self._running: dict[int, Child] = {}
        self._fill()

    def _fill(self) -> None:
        while self._todo and len(self._running) < self._limit:
            number, command = self._todo.pop(0)
            self._running[number] = Child(command)

    def ended(self, *, wait: bool) -> Iterator[tuple[int, Result]]:
        """Those that are done, by their number in `commands`; with `wait` all that are left, in the order they end."""
        while self._running:
            for number, child in list(self._running.items()):
                if not child.is_running:
                    del self._running[number]
                    result = child.finish()
                    self._fill()
                    yield number, result
            if not wait:
                return
            handles = [child.handle for child in self._running.values() if child.handle is not None]
            select.select(handles, (), (), None if len(handles) == len(self._running) and handles else _POLL_S)

    def __enter__(self) -> Beside:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for child in self._running.values():
            child.terminate()
        for child in self._running.values():
            child.stop()
