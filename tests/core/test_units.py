"""Durations and sizes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memgit.core.units import duration_s, format_duration, format_size, size_bytes


@pytest.mark.parametrize(
    ("text", "seconds"), [("90d", 7776000), ("30m", 1800), ("1h30m", 5400), ("2w", 1209600), ("0s", 0), ("45s", 45)]
)
def test_durations(text: str, seconds: int) -> None:
    assert duration_s(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "90", "d", "-1d", "1.5h", "30m1h", "1h1h", "1 h", "1y", "1D", "9" * 30 + "d", "١d"]
)
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match=r"a duration such as|a smaller value"):
        duration_s(text)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("1MiB", 2**20),
        ("10mb", 10**7),
        ("4096", 4096),
        ("0", 0),
        ("500 kB", 500000),
        ("2G", 2**31),
        ("7B", 7),
        ("1k", 1024),
    ],
)
def test_sizes(text: str, size: int) -> None:
    assert size_bytes(text) == size


@pytest.mark.parametrize("text", ["", "MiB", "-1", "1.5MiB", "1XB", "1 Mi B", "9" * 20 + "T", "9" * 30])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(ValueError, match=r"a size such as|a smaller value"):
        size_bytes(text)


@given(st.integers(0, 2**62))
def test_what_is_formatted_reads_back(value: int) -> None:
    assert duration_s(format_duration(value)) == value
    assert size_bytes(format_size(value)) == value


def test_formats_are_short() -> None:
    assert [format_duration(value) for value in (0, 7776000, 1209600, 5400)] == ["0s", "90d", "2w", "1h30m"]
    assert [format_size(value) for value in (0, 2**20, 1000, 5 * 2**10)] == ["0B", "1MiB", "1000B", "5KiB"]
