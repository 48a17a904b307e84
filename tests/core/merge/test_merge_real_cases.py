"""The promises over the shared real cases, each also in its variants; the ordinary run takes a sample."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from memgit.core.merge.check import count, significant
from memgit.core.merge.text import read
from support.merging import merge, read_cases

CORPORA = ("memory", "changelog", "docs", "lists", "synth")
_SAMPLE = 40  # every n-th case in the ordinary run

Texts = tuple[bytes, bytes, bytes]


def _plain(texts: Texts) -> Texts:
    return texts


def _crlf(texts: Texts) -> Texts:
    return tuple(text.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n") for text in texts)  # type: ignore[return-value]


def _no_final_newline(texts: Texts) -> Texts:
    return tuple(text.rstrip(b"\n") for text in texts)  # type: ignore[return-value]


def _bom(texts: Texts) -> Texts:
    return tuple(b"\xef\xbb\xbf" + text for text in texts)  # type: ignore[return-value]


def _invalid_utf8(texts: Texts) -> Texts:
    return tuple(text.replace(b"e", b"\xe9").replace(b"- ", b"- \xff") for text in texts)  # type: ignore[return-value]


VARIANTS = (_plain, _crlf, _no_final_newline, _bom, _invalid_utf8)
variants = pytest.mark.parametrize("variant", VARIANTS, ids=lambda f: f.__name__.strip("_"))
corpora = pytest.mark.parametrize("corpus", CORPORA)


def _hold_promises(corpus: str, variant: Callable[[Texts], Texts], every: int) -> None:
    for name, path, *texts in read_cases(corpus, every, CORPORA.index(corpus)):
        base, ours, theirs = variant((texts[0], texts[1], texts[2]))
        result, swapped = merge(base, ours, theirs, path), merge(base, theirs, ours, path)
        assert result.clean == swapped.clean, name
        assert not result.clean or result.content == swapped.content, name
        for o, x, y, expected in ((base, ours, ours, ours), (base, ours, base, ours), (base, base, theirs, theirs)):
            alone = merge(o, x, y, path)
            assert (alone.clean, alone.content) == (True, expected), name
        in_o, in_a, in_b, in_r = (count(read(text).lines) for text in (base, ours, theirs, result.content))
        if any("merged" in decision.reason for decision in result.decisions):
            continue  # a named rule wrote lines that no side has
        if not _dated(result.decisions):
            added = [line for side in (in_a, in_b) for line in side if line not in in_o and significant(line)]
            assert not [line for line in added if line not in in_r], name
        if result.clean:
            gone = [line for line in in_o if line not in in_a and line not in in_b and significant(line)]
            assert not [line for line in gone if line in in_r], name


def _dated(decisions: object) -> bool:
    return any("later" in d.reason or "blanks" in d.reason for d in decisions)  # type: ignore[attr-defined]


@variants
@corpora
def test_sampled_cases_keep_the_promises(corpus: str, variant: Callable[[Texts], Texts]) -> None:
    _hold_promises(corpus, variant, _SAMPLE)


@pytest.mark.slow
@variants
@corpora
def test_all_cases_keep_the_promises(corpus: str, variant: Callable[[Texts], Texts]) -> None:
    _hold_promises(corpus, variant, 1)


def _git_merge(folder: Path, base: bytes, ours: bytes, theirs: bytes) -> tuple[bytes, bool]:
    for name, text in (("base", base), ("ours", ours), ("theirs", theirs)):
        (folder / name).write_bytes(text)
    command = ["git", "merge-file", "-p", "-q", "ours", "base", "theirs"]
    done = subprocess.run(command, cwd=folder, capture_output=True, check=False)
    return done.stdout, done.returncode == 0


def _as_git(corpus: str, folder: Path, every: int) -> None:
    alike = total = 0
    for _, path, base, ours, theirs in read_cases(corpus, every):
        expected, clean = _git_merge(folder, base, ours, theirs)
        if clean:
            total += 1
            result = merge(base, ours, theirs, path)
            alike += result.clean and result.content == expected
    assert alike >= 0.98 * total


@corpora
def test_sampled_cases_that_git_merges_stay_as_git_merges_them(corpus: str, tmp_path: Path) -> None:
    _as_git(corpus, tmp_path, 10)


@pytest.mark.slow
@corpora
def test_all_cases_that_git_merges_stay_as_git_merges_them(corpus: str, tmp_path: Path) -> None:
    _as_git(corpus, tmp_path, 1)
