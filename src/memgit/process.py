"""Start programs: argument lists only, input closed or given, own process group, time limits.

The only module that imports subprocess. A shell is never used.
"""

from __future__ import annotations

import fcntl
import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from math import inf
from types import TracebackType

from memgit.errors import CommandFailed, MemgitError, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import IO

_CHUNK = 1 << 18
_TERM_GRACE_S = 5.0
_HEARD_EVERY_S = 0.2


class Result:
    """What a program that has ended left behind."""

    __slots__ = ("status", "stderr", "stdout")

    def __init__(self, status: int, stdout: bytes, stderr: bytes) -> None:
        self.status = status
        self.stdout = stdout
        self.stderr = stderr


class TimedOut(MemgitError):
    """A program did not end within its time and was stopped, with everything it had started."""


def run(
    argv: tuple[str, ...],
    *,
    cwd: str | None = None,
    env: Mapping[str, str] | None = None,
    stdin: bytes | None = None,
    timeout_s: float | None = None,
    ok: tuple[int, ...] | None = (0,),
    keep_fds: tuple[int, ...] = (),
) -> Result:
    """Run a program to its end.

    ok: exit statuses that are no failure; None accepts every status. keep_fds: descriptors the child
    inherits, so that a lock on one of them lasts as long as the child does.
    Raises CommandFailed for another status or a missing program, TimedOut after `timeout_s`.
    """
    with Child(argv, cwd=cwd, env=env, stdin=stdin, keep_fds=keep_fds) as child:
        try:
            result = child.finish_within(inf, inf if timeout_s is None else timeout_s)
        except TimedOut:
            raise TimedOut(f"`{shown(argv)}` did not end within {timeout_s:g} s and was stopped.") from None
    if ok is not None and result.status not in ok:
        raise CommandFailed(argv, result.status, result.stderr.decode("utf-8", "replace"))
    return result


def stream(
    argv: tuple[str, ...],
    *,
    cwd: str | None = None,
    env: Mapping[str, str] | None = None,
    stdin: Iterable[bytes] = (),
) -> Iterator[bytes]:
    """The program's output in chunks as it comes; raises CommandFailed at the end if it failed.

    stdin: goes to a nameless file first, so it may be larger than a pipe whatever the program's habits.
    """
    with _nameless_file() as given, _nameless_file() as errors:
        given.writelines(stdin)
        given.flush()
        given.seek(0)
        child = _start(argv, cwd, env, given, errors, ())
        try:
            assert child.stdout is not None
            output = child.stdout.fileno()
            _widen(output)
            while chunk := os.read(output, _CHUNK):
                yield chunk
            if child.wait():
                raise _failure(argv, child.returncode, errors)
        finally:
            stop(child)
            if child.stdout is not None:
                child.stdout.close()


class Child:
    """A program that runs beside us.

    Its output goes to nameless files, so that a helper it leaves behind (a shared ssh connection) can hold no pipe of
    ours open, and input and output may be of any size. keep_fds: as for `run`.
    """

    def __init__(
        self,
        argv: tuple[str, ...],
        *,
        cwd: str | None = None,
        env: Mapping[str, str] | None = None,
        stdin: bytes | None = None,
        keep_fds: tuple[int, ...] = (),
    ) -> None:
        self._argv = argv
        self._output, self._errors = _nameless_file(), _nameless_file()
        self.handle: int | None = None  # becomes readable when the program ends, where the system has such a thing
        given = None if stdin is None else _holding(stdin)
        try:
            source = subprocess.DEVNULL if given is None else given
            self._child = _start(argv, cwd, env, source, self._errors, keep_fds, self._output)
        except BaseException:
            self._close()
            raise
        finally:
            if given is not None:
                given.close()
        self._started_s = self._heard_s = time.monotonic()
        self._said = 0
        if hasattr(os, "pidfd_open"):
            try:
                self.handle = os.pidfd_open(self._child.pid)
            except OSError:
                self.handle = None

    @property
    def is_running(self) -> bool:
        """Whether it has not ended yet."""
        return self._child.poll() is None

    def terminate(self) -> None:
        """Ask it and all it started to end."""
        if self.is_running:
            try:
                os.killpg(self._child.pid, signal.SIGTERM)
            except ProcessLookupError:
                pass

    def finish(self) -> Result:
        """Wait for the end; any exit status is fine."""
        self._child.wait()
        result = Result(self._child.returncode, _content(self._output), _content(self._errors))
        self._close()
        return result

    def left_s(self, silence_s: float, timeout_s: float) -> float:
        """How long it may go on: until it has said nothing for `silence_s`, or for `timeout_s` whatever it says."""
        now_s = time.monotonic()
        size = os.fstat(self._errors.fileno()).st_size
        if size != self._said:
            self._said, self._heard_s = size, now_s
        return min(self._heard_s + silence_s, self._started_s + timeout_s) - now_s

    def finish_within(self, silence_s: float, timeout_s: float) -> Result:
        """Wait for the end. Raises TimedOut, and stops it, when no time is left."""
        while self.is_running:
            left_s = self.left_s(silence_s, timeout_s)
            if left_s <= 0:
                self.stop()
                raise TimedOut(f"`{shown(self._argv)}` did not end within {time.monotonic() - self._started_s:.0f} s.")
            self._wait(min(left_s, 1.0))
        return self.finish()

    def finish_heard(self, hear: Callable[[int], None], timeout_s: float) -> Result:
        """The same, and meanwhile tell `hear` how many lines more it has written. Raises TimedOut after `timeout_s`."""
        at = 0
        while True:
            is_over = not self.is_running
            while chunk := os.pread(self._output.fileno(), _CHUNK, at):
                at += len(chunk)
                hear(chunk.count(b"\n"))
            if is_over:
                return self.finish()
            if self.left_s(inf, timeout_s) <= 0:
                self.stop()
                raise TimedOut(f"`{shown(self._argv)}` did not end within {timeout_s:g} s.")
            self._wait(_HEARD_EVERY_S)

    def _wait(self, limit_s: float) -> None:
        if self.handle is not None:
            poll = select.poll()  # select takes no descriptor above 1023
            poll.register(self.handle, select.POLLIN)
            poll.poll(limit_s * 1000)
            return
        try:
            self._child.wait(limit_s)
        except subprocess.TimeoutExpired:
            return

    def stop(self) -> None:
        """End it with all it started; nothing happens where that was done before."""
        stop(self._child)
        self._close()

    def __enter__(self) -> Child:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _close(self) -> None:
        self._output.close()
        self._errors.close()
        if self.handle is not None:
            os.close(self.handle)
            self.handle = None


class Conversation:
    """A program that is spoken to while it runs: bytes in, bytes out.

    Whoever speaks keeps to the program's protocol: never send more than it reads before it answers.
    """

    def __init__(
        self,
        argv: tuple[str, ...],
        *,
        cwd: str | None = None,
        env: Mapping[str, str] | None = None,
        keep_fds: tuple[int, ...] = (),
    ) -> None:
        self._argv = argv
        self._errors = _nameless_file()
        self._child = _start(argv, cwd, env, subprocess.PIPE, self._errors, keep_fds)
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._in: IO[bytes] = self._child.stdin
        self._out: IO[bytes] = self._child.stdout

    def send(self, data: bytes) -> None:
        """Write it all. A program that has gone away is reported by finish()."""
        try:
            self._in.write(data)
            self._in.flush()
        except BrokenPipeError:
            self.finish()

    def close_input(self) -> None:
        """Tell the program that nothing more comes."""
        try:
            self._in.close()
        except BrokenPipeError:
            self.finish()

    def receive_line(self) -> bytes:
        """A line with its newline."""
        return self._out.readline()

    def receive(self, size: int) -> bytes:
        """Exactly `size` bytes, fewer only if the program ends."""
        return self._out.read(size)

    def skip(self, size: int) -> None:
        """Receive `size` bytes and forget them, a chunk at a time."""
        while size > 0 and (chunk := self._out.read(min(size, _CHUNK))):
            size -= len(chunk)

    def finish(self) -> bytes:
        """Wait for the end; the rest of the output. Raises CommandFailed unless the status is 0."""
        if not self._in.closed:
            try:
                self._in.close()
            except BrokenPipeError:
                pass
        rest = self._out.read()
        status = self._child.wait()
        if status:
            raise _failure(self._argv, status, self._errors)
        return rest

    def __enter__(self) -> Conversation:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        stop(self._child)
        self._out.close()
        self._errors.close()


def stop(child: subprocess.Popen[bytes]) -> None:
    """End a program and all it started: politely, since git then removes its locks, later by force."""
    if child.stdin is not None and not child.stdin.closed:
        try:
            child.stdin.close()
        except BrokenPipeError:
            pass
    if child.poll() is not None:
        return
    for how, grace_s in ((signal.SIGTERM, _TERM_GRACE_S), (signal.SIGKILL, None)):
        try:
            os.killpg(child.pid, how)
        except ProcessLookupError:
            pass
        try:
            child.wait(timeout=grace_s)
        except subprocess.TimeoutExpired:
            continue
        break
    try:
        os.killpg(child.pid, signal.SIGKILL)  # what it had started and what did not listen
    except ProcessLookupError:
        pass


def _widen(pipe: int) -> None:
    """Let a pipe hold a megabyte instead of 64 KiB: fewer turns between writer and reader."""
    if hasattr(fcntl, "F_SETPIPE_SZ"):
        try:
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, 1 << 20)
        except OSError:
            return  # over the limit for this user; slower, no less right


def _failure(argv: tuple[str, ...], status: int, errors: IO[bytes]) -> CommandFailed:
    return CommandFailed(argv, status, _content(errors).decode("utf-8", "replace"))


def _content(file: IO[bytes]) -> bytes:
    """What programs wrote so far. The place in the file is left alone: it is theirs too, and ssh goes after git."""
    chunks, at = [], 0
    while chunk := os.pread(file.fileno(), _CHUNK, at):
        chunks.append(chunk)
        at += len(chunk)
    return b"".join(chunks)


def _nameless_file() -> IO[bytes]:
    """For bytes that go to or come from a program; unlike a pipe it never fills up."""
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("memgit"), "w+b")
    import tempfile  # where memfd is missing; 5 ms that Linux need not pay

    return tempfile.TemporaryFile()


def _holding(content: bytes) -> IO[bytes]:
    file = _nameless_file()
    file.write(content)
    file.seek(0)
    return file


def _start(
    argv: tuple[str, ...],
    cwd: str | None,
    env: Mapping[str, str] | None,
    stdin: int | IO[bytes],
    stderr: int | IO[bytes],
    keep_fds: Iterable[int],
    stdout: int | IO[bytes] = subprocess.PIPE,
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            argv,
            bufsize=_CHUNK,
            cwd=cwd,
            env=env,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            pass_fds=tuple(keep_fds),
            process_group=0,
        )
    except FileNotFoundError:
        if cwd is not None and not os.path.isdir(cwd):
            raise MemgitError(f"The directory {cwd} does not exist.") from None
        raise MemgitError(f"The program {argv[0]} is not installed or not on PATH.", f"Install {argv[0]}.") from None
