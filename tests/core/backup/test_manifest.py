"""Manifests: a text that proves what a backup holds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memgit.core.backup.manifest import (
    DamagedManifest,
    Difference,
    Entry,
    Manifest,
    compare,
    completion,
    digest_of,
    is_completed_by,
    manifest,
    quote,
    read,
    unquote,
    write,
)

NAMES = st.binary(min_size=1, max_size=12).filter(lambda name: b"/" not in name and b"\0" not in name)
ENTRIES = st.builds(
    Entry,
    st.lists(NAMES, min_size=1, max_size=3).map(b"/".join),
    st.sampled_from([0o100644, 0o100755, 0o100600, 0o120777]),
    st.integers(0, 2**40),
    st.integers(-(2**60), 2**62),
    st.binary(max_size=4).map(digest_of),
)


def fields(entry: Entry) -> tuple[object, ...]:
    return entry.path, entry.mode, entry.size, entry.mtime_ns, entry.digest


def shown(held: Manifest) -> list[tuple[object, ...]]:
    return [fields(entry) for entry in held.entries.values()]


@given(st.lists(st.lists(ENTRIES, max_size=8), min_size=1, max_size=4), st.none() | st.just(b"3" * 40))
def test_what_is_written_is_read_back(states: list[list[Entry]], commit: bytes | None) -> None:
    base = None
    for made_s, entries in enumerate(states):
        held = manifest(entries, commit, made_s)
        text, base_text = write(held, base)
        again = read(text, base_text, "here")
        assert shown(again) == shown(held)
        assert (again.commit, again.made_s) == (commit, made_s)
        assert list(again.entries) == sorted(again.entries)
        assert base is None or again.base is not None
        base = again.base


def test_a_manifest_is_as_small_as_what_changed() -> None:
    def entry(number: int, digest: bytes) -> Entry:
        return Entry(b"memory/%d.md" % number, 0o100644, 5, 7, digest_of(digest))

    first = [entry(number, b"old") for number in range(5000)]
    text, base_text = write(manifest(first, None, 1))
    held = read(text, base_text, "here")
    second = [*first[10:], *(entry(number, b"new") for number in range(5))]
    text, shared = write(manifest(second, None, 2), held.base)
    assert shared is held.base.text  # type: ignore[union-attr]
    assert len(text) < 2000
    assert len(read(text, shared, "here").entries) == 4995
    third = [entry(number, b"all new") for number in range(5000)]
    text, own = write(manifest(third, None, 3), held.base)
    assert own != shared
    assert len(text) < 400


@given(NAMES)
def test_a_quoted_path_is_visible_ascii_and_comes_back(name: bytes) -> None:
    quoted = quote(name)
    assert all(33 <= byte < 127 for byte in quoted)
    assert unquote(quoted) == name


def one() -> Manifest:
    return manifest([Entry(b"MEMORY.md", 0o100644, 3, 5, digest_of(b"abc"))], None, 7)


def test_any_flipped_bit_or_missing_end_of_a_manifest_is_noticed() -> None:
    text, base = write(one())
    for at in range(len(text)):
        with pytest.raises(DamagedManifest):
            read(text[:at], base, "here")
        with pytest.raises(DamagedManifest):
            read(text[:at] + bytes([text[at] ^ 1]) + text[at + 1 :], base, "here")
    for at in range(len(base)):
        with pytest.raises(DamagedManifest):
            read(text, base[:at] + bytes([base[at] ^ 1]) + base[at + 1 :], "here")
    with pytest.raises(DamagedManifest):
        read(text, None, "here")


def test_a_manifest_of_a_newer_memgit_is_named_as_such() -> None:
    with pytest.raises(DamagedManifest, match="written by a newer memgit"):
        read(write(one())[0].replace(b"manifest 1", b"manifest 2"), None, "here")


def test_a_completion_marker_fits_one_manifest_only() -> None:
    text, _ = write(one())
    assert is_completed_by(text, completion(text))
    assert not is_completed_by(text, completion(text + b" "))
    assert not is_completed_by(text, None)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"digest": digest_of(b"abd")}, Difference.CONTENT),
        ({"size": 4}, Difference.CONTENT),
        ({"mode": 0o100755}, Difference.MODE),
        ({"mode": 0o120777}, Difference.KIND),
        ({"mtime_ns": 6}, Difference.TIME),
        ({"digest": b""}, None),
        ({}, None),
    ],
)
def test_compare_names_the_first_difference(change: dict[str, object], expected: Difference | None) -> None:
    have = Entry(b"MEMORY.md", 0o100644, 3, 5, digest_of(b"abc"))
    for name, value in change.items():
        setattr(have, name, value)
    found = compare(one().entries, {b"MEMORY.md": have})
    assert found == (() if expected is None else ((b"MEMORY.md", expected),))


def test_compare_finds_missing_and_extra_files() -> None:
    extra = Entry(b"other", 0o100644, 3, 5, digest_of(b"abc"))
    assert compare(one().entries, {b"other": extra}) == (
        (b"MEMORY.md", Difference.MISSING),
        (b"other", Difference.EXTRA),
    )
