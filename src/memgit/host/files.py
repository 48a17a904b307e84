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
        _flush_directory(directory)


def remove(path: str) -> None:
    """Take the file away for good; no matter if it is not there."""
    _remove(path)
    _flush_directory(os.path.dirname(path))


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        return


def _flush_directory(directory: str) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
