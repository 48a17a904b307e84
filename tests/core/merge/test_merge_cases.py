"""Each folder of tests/data/merge is one merge with its expected result; adding a case is adding files."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.merging import ROOT, merge

CASES = sorted((ROOT / "tests" / "data" / "merge").iterdir())


def _load(folder: Path) -> tuple[bytes, bytes, bytes, bytes, str]:
    base, ours, theirs, expected = ((folder / name).read_bytes() for name in ("base", "ours", "theirs", "expected"))
    named = folder / "path"
    return base, ours, theirs, expected, named.read_text().strip() if named.exists() else "MEMORY.md"


@pytest.mark.parametrize("folder", CASES, ids=lambda folder: folder.name)
def test_case_gives_its_expected_result(folder: Path) -> None:
    base, ours, theirs, expected, path = _load(folder)
    result = merge(base, ours, theirs, path)
    assert result.content == expected
    assert result.clean == (b"<<<<<<<" not in expected)


@pytest.mark.parametrize("folder", CASES, ids=lambda folder: folder.name)
def test_case_does_not_depend_on_which_side_is_ours(folder: Path) -> None:
    base, ours, theirs, expected, path = _load(folder)
    swapped = merge(base, theirs, ours, path)
    assert swapped.clean == (b"<<<<<<<" not in expected)
    if swapped.clean:
        assert swapped.content == expected


@pytest.mark.parametrize("folder", CASES, ids=lambda folder: folder.name)
def test_case_gives_the_same_with_crlf(folder: Path) -> None:
    base, ours, theirs, expected, path = _load(folder)
    if b"\r" in base + ours + theirs or any(text and not text.endswith(b"\n") for text in (base, ours, theirs)):
        return  # a case about line endings or final newlines stands for itself
    crlf = [text.replace(b"\n", b"\r\n") for text in (base, ours, theirs)]
    result = merge(crlf[0], crlf[1], crlf[2], path)
    assert result.content == expected.replace(b"\n", b"\r\n")
