"""Configuration files on a real disk."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from memgit.core.layers import flag
from memgit.core.setting import OriginKind
from memgit.core.settings import DEFAULTS
from memgit.errors import ConfigError, UntrustedConfig
from memgit.host.config_files import Places, load, places, read, user_file


@pytest.fixture
def where(tmp_path: Path) -> Places:
    for name in ("repo/.git/memgit", "repo/agent", "home/.config/memgit"):
        (tmp_path / name).mkdir(parents=True)
    return places(str(tmp_path / "repo/.git"), str(tmp_path / "repo"), "agent/", {"HOME": str(tmp_path / "home")})


def _write(path: str | None, text: str) -> None:
    assert path is not None
    Path(path).write_text(text)


def test_no_files_are_no_layers(where: Places) -> None:
    assert read(where) == ()
    assert load(where, {}) == DEFAULTS
    assert read(places(None, None, "", {})) == ()


def test_files_environment_and_flags_are_layered(where: Places) -> None:
    for path, window in ((where.user, "hour"), (where.tracked, "6h"), (where.local, "day")):
        _write(path, f'[consolidate]\nwindow = "{window}"\n')
    environ = {"MEMGIT_CONSOLIDATE_WINDOW": "week"}
    with_flag = load(where, environ, (flag("--window", "consolidate.window", "hour"),))
    assert str(with_flag.origin("consolidate.window")) == "--window"
    assert load(where, environ).consolidate.window == "week"
    assert str(load(where, {}).origin("consolidate.window")) == f"{where.local}:2"
    assert (
        load(Places(tracked=where.tracked, work_tree=where.work_tree, user=where.user), {}).consolidate.window == "6h"
    )
    assert load(Places(user=where.user), {}).origin("consolidate.window").kind is OriginKind.USER_FILE


def test_places_are_those_of_the_design(tmp_path: Path) -> None:
    environ = {"HOME": "/home/x", "XDG_CONFIG_HOME": "/cfg"}
    assert places("/r/.git", "/r", "a/", environ) == Places(
        "/r/.git/memgit/config.toml", "/r/a/.memgit.toml", "/r", "/cfg/memgit/config.toml"
    )
    assert places("/r.git", None, "", environ).tracked is None
    assert user_file({"HOME": "/home/x", "XDG_CONFIG_HOME": "relative"}) == "/home/x/.config/memgit/config.toml"
    assert user_file({}) is None


def test_a_link_inside_the_work_tree_is_followed(where: Places) -> None:
    assert where.tracked is not None
    assert where.work_tree is not None
    (Path(where.work_tree) / "policy.toml").write_text('[ops]\nkeep = "1d"\n')
    Path(where.tracked).symlink_to("../policy.toml")
    assert load(where, {}).ops.keep == 86400


def test_a_link_out_of_the_work_tree_is_refused(where: Places, tmp_path: Path) -> None:
    assert where.tracked is not None
    outside = tmp_path / "repo-other.toml"
    outside.write_text("")
    Path(where.tracked).symlink_to(outside)
    with pytest.raises(UntrustedConfig) as caught:
        read(where)
    assert caught.value.message == f"{where.tracked}: leads out of the work tree."


def test_a_link_to_nothing_is_an_error_not_a_missing_file(where: Places) -> None:
    assert where.tracked is not None
    Path(where.tracked).symlink_to("gone")
    with pytest.raises(ConfigError) as caught:
        read(where)
    assert caught.value.message == f"{where.tracked}: is a link to nothing."


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir], ids=["fifo", "directory"])
def test_what_is_no_regular_file_is_refused_at_once(where: Places, make: object) -> None:
    assert where.tracked is not None
    assert callable(make)
    make(where.tracked)
    with pytest.raises(ConfigError) as caught:
        read(where)
    assert caught.value.message == f"{where.tracked}: is no regular file."


def test_an_unreadable_file_is_an_error(where: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    _write(where.user, "")
    really_open = os.open

    def refuse(path: str, *arguments: int) -> int:
        if path == where.user:
            raise PermissionError(13, "Permission denied")
        return really_open(path, *arguments)

    monkeypatch.setattr(os, "open", refuse)  # a test that runs as root can read everything
    with pytest.raises(ConfigError) as caught:
        read(where)
    assert caught.value.message == f"{where.user}: can't be read: Permission denied."


def test_a_file_beyond_all_measure_is_refused(where: Places) -> None:
    _write(where.tracked, "#" * ((1 << 20) + 1))
    with pytest.raises(ConfigError, match="has 1,048,577 bytes"):
        read(where)


def test_byte_order_mark_and_windows_line_ends_are_taken(where: Places) -> None:
    assert where.tracked is not None
    Path(where.tracked).write_bytes(b'\xef\xbb\xbf[ops]\r\n\r\nkeep = "1d"\r\n')
    assert str(load(where, {}).origin("ops.keep")) == f"{where.tracked}:3"


def test_deep_nesting_is_an_error_not_a_crash(where: Places) -> None:
    _write(where.tracked, "a = " + "[" * 100_000)
    with pytest.raises(ConfigError):
        read(where)
