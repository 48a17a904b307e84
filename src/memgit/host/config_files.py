"""The configuration files on disk, read into layers. A file that is not there is no layer; a broken one is an error."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping

from memgit.core import layers
from memgit.core.layers import Layer
from memgit.core.setting import OriginKind
from memgit.core.settings import Config
from memgit.core.values import dataclass
from memgit.errors import ConfigError, UntrustedConfig

TRACKED_NAME = ".memgit.toml"
_LARGEST = 1 << 20  # bytes; a configuration is read whole, and one that travels could be anything


@dataclass(frozen=True, slots=True)
class Places:
    """Where the files would be; None where there can be none."""

    local: str | None = None  # <git common dir>/memgit/config.toml
    tracked: str | None = None  # <workspace>/.memgit.toml
    work_tree: str | None = None  # the tracked file must lie in it
    user: str | None = None


def places(common_dir: str | None, work_tree: str | None, workspace: str, environ: Mapping[str, str]) -> Places:
    """The places for a repository. workspace: below the work tree, "" or ending in a slash. A bare one has no tree."""
    return Places(
        os.path.join(common_dir, "memgit", "config.toml") if common_dir else None,
        os.path.join(work_tree, workspace, TRACKED_NAME) if work_tree else None,
        work_tree,
        user_file(environ),
    )


def user_file(environ: Mapping[str, str]) -> str | None:
    """`memgit/config.toml` in $XDG_CONFIG_HOME, which counts only if absolute, or in ~/.config; None without a home."""
    base = environ.get("XDG_CONFIG_HOME", "")
    if not os.path.isabs(base):
        home = environ.get("HOME", "")
        if not os.path.isabs(home):
            return None
        base = os.path.join(home, ".config")
    return os.path.join(base, "memgit", "config.toml")


def load(where: Places, environ: Mapping[str, str], flags: tuple[Layer, ...] = ()) -> Config:
    """The settings in force. Raises ConfigError or UntrustedConfig, never falls back to defaults."""
    return layers.resolve((*flags, *layers.environment(environ), *read(where)))


def read(where: Places) -> tuple[Layer, ...]:
    """The layers of the files that exist."""
    found = []
    for kind, path in (
        (OriginKind.LOCAL_FILE, where.local),
        (OriginKind.TRACKED_FILE, where.tracked),
        (OriginKind.USER_FILE, where.user),
    ):
        if path is not None:
            content = _content(path, where.work_tree if kind is OriginKind.TRACKED_FILE else None)
            if content is not None:
                found.append(parse(kind, path, content))
    return tuple(found)


def parse(kind: OriginKind, path: str, content: bytes) -> Layer:
    """The layer of one file. Raises ConfigError with line and column for what is no TOML."""
    import tomli  # only when there is a file: costs 10 ms

    try:
        text = content.removeprefix(b"\xef\xbb\xbf").decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{path}:{line}: not UTF-8.", "TOML files are UTF-8; save it in that encoding.") from None
    try:
        return Layer(kind, path, tomli.loads(text), text)
    except tomli.TOMLDecodeError as error:
        line, column = error.lineno, error.colno
        raise ConfigError(
            f"{path}:{line}:{column}: not valid TOML: {_lowered(error.msg)}.", _advice(text, line)
        ) from None
    except RecursionError:
        raise ConfigError(f"{path}: tables or lists are nested too deeply.") from None


def _content(path: str, must_stay_in: str | None) -> bytes | None:
    try:
        # Opened once and judged open, so that what was checked is what is read; a FIFO must not block.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        if must_stay_in is not None and os.path.islink(path):
            raise ConfigError(f"{path}: is a link to nothing.") from None
        return None
    except OSError as error:
        raise ConfigError(f"{path}: can't be read: {error.strerror}.") from None
    try:
        if must_stay_in is not None and not _is_inside(path, must_stay_in):
            raise UntrustedConfig(
                f"{path}: leads out of the work tree.",
                "A workspace keeps its policy in a file of its own; what is yours alone belongs into your user file.",
            )
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise ConfigError(f"{path}: is no regular file.")
        if status.st_size > _LARGEST:
            raise ConfigError(f"{path}: has {status.st_size:,} bytes; a configuration has no more than {_LARGEST:,}.")
        with open(descriptor, "rb", closefd=False) as file:
            return file.read(_LARGEST)
    except OSError as error:
        raise ConfigError(f"{path}: can't be read: {error.strerror}.") from None
    finally:
        os.close(descriptor)


def _is_inside(path: str, directory: str) -> bool:
    return os.path.realpath(path).startswith(os.path.realpath(directory).rstrip("/") + "/")


def _lowered(message: str) -> str:
    return message[:1].lower() + message[1:]


def _advice(text: str, line: int) -> str | None:
    """What most likely went wrong on that line."""
    lines = text.split("\n")
    key, equals, value = (lines[line - 1] if line <= len(lines) else "").partition("=")
    if equals and key.strip() and value.strip()[:1].isalpha():
        return f'Text stands in quotes: {key.strip()} = "{value.strip()}".'
    return None
