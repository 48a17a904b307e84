"""Seals the tests off: own home, own git configuration, no prompts, no network, fixed time and locale."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

_HOME = Path(tempfile.mkdtemp(prefix="memgit-test-home-"))
_GITCONFIG = """\
[user]
\tname = Test Person
\temail = person@example.invalid
[init]
\tdefaultBranch = main
[advice]
\tdetachedHead = false
[protocol "file"]
\tallow = always
[gc]
\tauto = 0
"""


def _seal() -> None:
    """Runs at import, before anything can import pygit2: libgit2 remembers HOME from its first start."""
    for name in list(os.environ):
        if name.startswith(("GIT_", "MEMGIT_", "XDG_", "SSH_", "PRE_COMMIT")) and name != "MEMGIT_SHARED":
            del os.environ[name]
    (_HOME / ".gitconfig").write_text(_GITCONFIG)
    os.environ.update(
        HOME=str(_HOME),
        XDG_CONFIG_HOME=str(_HOME / ".config"),
        XDG_CACHE_HOME=str(_HOME / ".cache"),
        GIT_CONFIG_NOSYSTEM="1",
        GIT_TERMINAL_PROMPT="0",
        GIT_EDITOR="false",
        GIT_ASKPASS="true",
        LANG="C.UTF-8",
        LC_ALL="C.UTF-8",
        TZ="UTC",
        NO_COLOR="1",
        COLUMNS="100",
        PYTHONDONTWRITEBYTECODE="1",
    )


_seal()

# Machines are noisy: a slow example is no failing one.
settings.register_profile("memgit", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("memgit")


def pytest_unconfigure() -> None:
    """Every process of a run made its own home; none stays."""
    shutil.rmtree(_HOME, ignore_errors=True)


@pytest.fixture
def home() -> Path:
    """The sealed home directory; shared by the whole run, so tests only read it."""
    return _HOME


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Whole sweeps run only when they are asked for with -m."""
    if not config.getoption("-m"):
        chosen = [item for item in items if item.get_closest_marker("slow") is None]
        config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
        items[:] = chosen
