"""The exact text of every configuration error: one folder of tests/data/config-error each."""

from __future__ import annotations

from pathlib import Path

import pytest

from memgit.core.layers import environment, flag, resolve
from memgit.core.setting import OriginKind
from memgit.errors import ConfigError, MemgitError, UntrustedConfig
from memgit.host.config_files import parse

CASES = sorted((Path(__file__).parent.parent / "data/config-error").iterdir())


def _told(error: MemgitError) -> str:
    return "".join(f"{line}\n" for line in (type(error).__name__, error.message, error.hint) if line)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_broken_tracked_file_is_told(case: Path) -> None:
    content = (case / "memgit.toml").read_bytes()
    with pytest.raises((ConfigError, UntrustedConfig)) as caught:
        resolve((parse(OriginKind.TRACKED_FILE, ".memgit.toml", content),))
    assert _told(caught.value) == (case / "expected.txt").read_text()


@pytest.mark.parametrize(
    ("name", "value", "message", "hint"),
    [
        (
            "MEMGIT_CONSOLIDATE_WINDOW",
            "dya",
            'MEMGIT_CONSOLIDATE_WINDOW must be one of hour, 6h, day, week, not "dya".',
            "Did you mean day?",
        ),
        (
            "MEMGIT_CONSOLIDATE_WINDW",
            "day",
            "MEMGIT_CONSOLIDATE_WINDW is no setting.",
            "Did you mean MEMGIT_CONSOLIDATE_WINDOW?",
        ),
        (
            "MEMGIT_CONSOLIDATE_KEEP_EMPTY",
            "perhaps",
            'MEMGIT_CONSOLIDATE_KEEP_EMPTY must be true or false, not "perhaps".',
            None,
        ),
        ("MEMGIT_AUTO", "^auto", "MEMGIT_AUTO can be set in a file only.", None),
    ],
)
def test_a_broken_variable_is_told(name: str, value: str, message: str, hint: str | None) -> None:
    with pytest.raises(ConfigError) as caught:
        resolve(environment({name: value}))
    assert (caught.value.message, caught.value.hint) == (message, hint)


def test_a_broken_flag_is_told() -> None:
    with pytest.raises(ConfigError) as caught:
        resolve((flag("--window", "consolidate.window", "weak"),))
    assert caught.value.message == '--window must be one of hour, 6h, day, week, not "weak".'
    assert caught.value.hint == "Did you mean week?"
