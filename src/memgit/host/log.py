"""A log of one JSON object a line, kept small: when a file is full it becomes `.1`, and so on up to `.3`."""

from __future__ import annotations

import json
import os
import time

_LIMIT = 1 << 20
_KEPT = 3


class JsonLog:
    """Appends to one file."""

    def __init__(self, path: str, limit: int = _LIMIT) -> None:
        self._path = path
        self._limit = limit

    def write(self, event: str, **facts: object) -> None:
        """One line. A log that can't be written never stops the work."""
        line = json.dumps({"time": round(time.time(), 3), "event": event, **facts}, ensure_ascii=True) + "\n"
        try:
            # Only the last directory: a repository that is gone must not come back as a shell of itself.
            if not os.path.isdir(os.path.dirname(self._path)):
                os.mkdir(os.path.dirname(self._path), mode=0o700)
            if os.path.exists(self._path) and os.path.getsize(self._path) + len(line) > self._limit:
                for number in range(_KEPT - 1, 0, -1):
                    if os.path.exists(f"{self._path}.{number}"):
                        os.replace(f"{self._path}.{number}", f"{self._path}.{number + 1}")
                os.replace(self._path, f"{self._path}.1")
            descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.write(descriptor, line.encode())
            finally:
                os.close(descriptor)
        except OSError:
            return
