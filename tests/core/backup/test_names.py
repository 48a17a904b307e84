"""Names of snapshots: they sort as they were begun, also where the clock went back, and say when that was."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memgit.core.backup import names

NOW_NS = st.integers(0, 4_000_000_000 * 10**9)


@given(st.lists(NOW_NS, min_size=1, max_size=20))
def test_each_name_sorts_behind_the_one_before_whatever_the_clock_says(clock_ns: list[int]) -> None:
    made: list[str] = []
    for now_ns in clock_ns:
        made.append(names.new(now_ns, names.newest(tuple(made)), "0a1b2c"))
    assert sorted(made) == made
    assert len(set(made)) == len(made)


@given(NOW_NS)
def test_a_name_says_when_it_was_begun_also_while_it_is_partial(now_ns: int) -> None:
    name = names.new(now_ns, None, "0a1b2c")
    assert names.made_ms(name) == names.made_ms(name + ".partial") == now_ns // 10**6
    assert names.made_s(name) == now_ns // 10**9


@pytest.mark.parametrize("name", ["current", "2026-13-01T00-00-00.000Z-0a1b2c", "2026-01-01", "lost+found", ""])
def test_other_names_are_none(name: str) -> None:
    assert names.made_ms(name) is None
    assert names.made_s(name) is None
