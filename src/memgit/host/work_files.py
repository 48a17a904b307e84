"""Writing into the work tree: one file at a time, replaced whole, never through a link."""

from __future__ import annotations

import errno
import os

from memgit.errors import MemgitError

_TEMPORARY = b".memgit-restore.tmp"


def put(root: bytes, path: bytes, content: bytes | None, mode: bytes | None, scratch: str) -> None:
    """Put a file there, or a link where `mode` says so, or take it away where `content` is None.

    scratch: a private directory for the file while it is being written, so that nothing of ours is ever left in
    the work tree; where that lies on another file system, it is written beside the old one.
    A crash leaves the old file or the new one. Raises MemgitError if a directory above is a link or a file.
    """
    *directories, name = path.split(b"/")
    directory = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in directories:
            directory = _enter(directory, part, path)
        if content is None:
            try:
                os.unlink(name, dir_fd=directory)
            except FileNotFoundError:
                return
        else:
            _replace(directory, name, content, mode or b"100644", os.fsencode(scratch))
        os.fsync(directory)
    finally:
        os.close(directory)


def _enter(directory: int, part: bytes, path: bytes) -> int:
    try:
        try:
            os.mkdir(part, dir_fd=directory)
        except FileExistsError:
            pass
        return os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=directory)
    except OSError as error:
        raise MemgitError(f"{os.fsdecode(path)} can't be written: {error.strerror}.") from None
    finally:
        os.close(directory)


def _replace(directory: int, name: bytes, content: bytes, mode: bytes, scratch: bytes) -> None:
    aside = os.open(scratch, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for place in (aside, directory):
            _write(place, content, mode)
            try:
                os.rename(_TEMPORARY, name, src_dir_fd=place, dst_dir_fd=directory)
                return
            except OSError as error:
                os.unlink(_TEMPORARY, dir_fd=place)
                if error.errno != errno.EXDEV or place == directory:
                    raise
    except OSError as error:
        raise MemgitError(f"{os.fsdecode(name)} can't be written: {error.strerror}.") from None
    finally:
        os.close(aside)


def _write(place: int, content: bytes, mode: bytes) -> None:
    try:
        os.unlink(_TEMPORARY, dir_fd=place)  # of a run that was killed
    except FileNotFoundError:
        pass
    if mode == b"120000":
        os.symlink(content, _TEMPORARY, dir_fd=place)
        return
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    descriptor = os.open(_TEMPORARY, flags, 0o777 if mode == b"100755" else 0o666, dir_fd=place)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
