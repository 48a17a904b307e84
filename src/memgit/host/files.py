"""Small private files: read whole, replaced whole, on disk before the call returns."""

from __future__ import annotations

import os


def read(path: str) -> bytes | None:
    """The content, or None if there is no such file."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None


def replace(path: str, content: bytes, mode: int = 0o600, *, flush: bool = True) -> None:
    """Put the file in place of whatever was there, so that a crash leaves the old one or the new one.

    Creates the directory. The content and the rename are flushed; without `flush` a power cut may leave an empty file.
    """
    directory = os.path.dirname(path)
    os.makedirs(directory, mode=0o700, exist_ok=True)
    temporary = f"{path}.{os.getpid()}.new"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            if flush:
                file.flush()
                os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        _remove(temporary)
        raise
    if flush:
        flush_directory(directory)


def rewrite(path: str, content: bytes, new_mode: int, scratch: str | None = None) -> None:
    """As `replace`, for files that others use too: an existing one keeps its permissions; directories must exist.

    scratch: a directory of ours for the new file until it is complete, so that a crash leaves nothing beside theirs;
    on another file system it can't be used and is not.
    """
    try:
        mode = os.stat(path).st_mode & 0o7777
    except FileNotFoundError:
        mode = None
    directory = os.path.dirname(path)
    if scratch is None or os.stat(scratch).st_dev != os.stat(directory).st_dev:
        scratch = directory
    temporary = os.path.join(scratch, f"{os.path.basename(path)}.{os.getpid()}.new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, new_mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            if mode is not None:
                os.fchmod(file.fileno(), mode)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        _remove(temporary)
        raise
    flush_directory(directory)


def remove_unfinished(directory: str) -> None:
    """Take away the new files of writers that were killed."""
    for name in os.listdir(directory) if os.path.isdir(directory) else ():
        if name.endswith(".new") and not is_alive(name.split(".")[-2]):
            _remove(os.path.join(directory, name))


def is_alive(process: str | bytes) -> bool:
    """Whether there is a process of this number, or it is no number."""
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return False
    except (ValueError, OverflowError, PermissionError):
        return True
    return True


def remove(path: str) -> None:
    """Take the file away for good; no matter if it is not there."""
    _remove(path)
    flush_directory(os.path.dirname(path))


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        return


def flush_directory(directory: str | bytes) -> None:
    """Have the names in a directory on disk when this returns."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
