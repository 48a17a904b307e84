"""The last change of a burst is always acted on, and an endless burst is acted on every so often."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from memgit.core.debounce import Debounce


def test_nothing_waits_without_events() -> None:
    calm = Debounce(1, 10)
    assert calm.due_s is None
    assert not calm.is_due(10**9)


def test_a_burst_is_one_action_after_it_went_quiet() -> None:
    state = Debounce(1, 10)
    for step in range(50):
        state = state.touched(step / 10)
        assert not state.is_due(step / 10)
    assert state.due_s == 4.9 + 1
    assert not state.taken().is_due(100)


def test_an_endless_writer_is_acted_on_every_max_wait() -> None:
    state, actions = Debounce(1, 10), []
    for tick in range(600):
        now_s = tick / 10
        state = state.touched(now_s)
        if state.is_due(now_s):
            actions.append(now_s)
            state = state.taken()
    assert actions == [10.0, 20.1, 30.2, 40.3, 50.4]


@given(st.lists(st.floats(0, 1000), min_size=1), st.floats(0, 5), st.floats(0, 60))
def test_every_event_is_followed_by_an_action_in_time(events: list[float], quiet_s: float, max_wait_s: float) -> None:
    state, actions = Debounce(quiet_s, max_wait_s), []
    for event in sorted(events):
        if state.due_s is not None and state.due_s < event:
            actions.append(state.due_s)
            state = state.taken()
        state = state.touched(event)
    assert state.due_s is not None
    actions.append(state.due_s)
    for event in events:
        assert any(event <= action <= event + max_wait_s for action in actions)
