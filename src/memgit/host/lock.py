"""One writer per repository: an operating-system lock that ends with its holder, and all it started."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from types import TracebackType

from memgit.errors import Busy, MemgitError

_POLL_S = 0.02


class Lock:
    """Holds `<directory>/lock` while open.

    The lock sits on a file descriptor. Children that inherit it (`fd`) keep the lock held after our
    own death until they too have ended, so whoever gets the lock knows that the last holder is gone
    with everything it started. A crash leaves nothing to clean up.

    only_looks: for a dry run, which waits for nobody and writes nothing, not even the lock.
    """

    def __init__(self, directory: str, timeout_s: float = 5.0, *, only_looks: bool = False) -> None:
        self._directory = directory
        self._timeout_s = timeout_s
        self._only_looks = only_looks
        self.fd = -1

    def __enter__(self) -> Lock:
        if self._only_looks:
            return self
        try:
            os.makedirs(self._directory, mode=0o700, exist_ok=True)
            self.fd = os.open(os.path.join(self._directory, "lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise MemgitError(
                f"{self._directory} can't be written: {error.strerror}.", "memgit keeps its lock and journal there."
            ) from None
        deadline = time.monotonic() + self._timeout_s
        while not self._try():
            if time.monotonic() >= deadline:
                holder = os.pread(self.fd, 100, 0).decode("ascii", "replace").strip()
                os.close(self.fd)
                raise Busy(
                    f"Another memgit is at work in this repository{f' (process {holder})' if holder else ''}.",
                    "Wait for it to end, then run the command again.",
                )
            time.sleep(_POLL_S)
        os.pwrite(self.fd, b"%-10d\n" % os.getpid(), 0)  # of one length: some file systems flush what was truncated
        return self

    def _try(self) -> bool:
        try:
            fcntl.flock(self.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in (errno.EWOULDBLOCK, errno.EINTR):
                raise MemgitError(f"{self._directory}/lock can't be locked: {error.strerror}.") from None
            return False
        return self._is_in_place() or self._reopen()

    def _is_in_place(self) -> bool:
        """Whether the file we locked is still the one others would lock: an uninstall takes it away."""
        try:
            found = os.stat(os.path.join(self._directory, "lock"))
        except FileNotFoundError:
            return False
        return os.path.samestat(found, os.fstat(self.fd))

    def _reopen(self) -> bool:
        """Take the file that is there now; it has to be locked anew."""
        os.close(self.fd)
        os.makedirs(self._directory, mode=0o700, exist_ok=True)
        self.fd = os.open(os.path.join(self._directory, "lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        return False

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.fd >= 0:
            os.close(self.fd)
