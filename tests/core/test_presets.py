"""Presets are valid policies, and `hybrid` gives the cadences it promises over a simulated day."""

from __future__ import annotations

from datetime import UTC

import pytest
import tomli

from memgit.cli.commands import COMMANDS
from memgit.core import schedule
from memgit.core.layers import Layer, resolve
from memgit.core.presets import PRESETS
from memgit.core.setting import OriginKind
from memgit.core.settings import Config

DAY_S = 1_770_163_200  # 2026-02-04T00:00:00Z


def config_of(name: str) -> Config:
    text = PRESETS[name].text
    return resolve((Layer(OriginKind.TRACKED_FILE, ".memgit.toml", tomli.loads(text), text),))


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_may_travel(name: str) -> None:
    assert config_of(name).schedule


def test_init_offers_every_preset() -> None:
    init = next(command for command in COMMANDS if command.name == "init")
    assert next(param for param in init.params if param.name == "preset").choices == tuple(PRESETS)


def runs(text: str, minutes: range) -> list[str]:
    """The times of a simulated day at which a job runs, looked at every minute."""
    last_s, found = DAY_S - 60, []
    for minute in minutes:
        now_s = DAY_S + 60 * minute
        if schedule.is_due(schedule.parse(text), last_s, now_s, UTC):
            found.append(f"{minute // 60:02d}:{minute % 60:02d}")
            last_s = now_s
    return found


def test_a_day_of_the_hybrid_preset() -> None:
    config = config_of("hybrid")
    assert [(rule.glob, rule.capture) for rule in config.policy] == [("/MEMORY.md", "immediate"), ("/memory/**", "30m")]
    day = range(24 * 60)
    assert runs(config.schedule.consolidate, day) == ["00:10", "06:10", "12:10", "18:10"]
    assert runs(config.schedule.push, day) == ["03:00"]
    assert len(runs(config.schedule.capture, day)) == 48
    assert len(runs(config.schedule.backup, day)) == 48
