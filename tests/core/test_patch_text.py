"""Patches are read as git means them."""

from __future__ import annotations

import subprocess
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from memgit.core import patch_text

NAMES = ("MEMORY.md", "a b.md", 'ü\t".md', "--- x", "memory/2026-02-04.md")
LINES = st.lists(
    st.sampled_from([b"a", b"b", b"--- a/x", b"+++ b/x", b"@@ -1 +1 @@", b"", b"\\ no", b"\r"]), max_size=14
)
CONTENT = st.builds(lambda lines, end: b"\n".join(lines) + end, LINES, st.sampled_from([b"", b"\n"]))


def _git(place: Path, *args: str) -> bytes:
    return subprocess.run(("git", "-C", str(place), *args), capture_output=True, check=True).stdout


@settings(max_examples=40)
@given(files=st.dictionaries(st.sampled_from(NAMES), st.tuples(CONTENT, CONTENT), min_size=1))
def test_what_it_makes_of_the_old_content_is_the_new(tmp_path_factory, files: dict[str, tuple[bytes, bytes]]) -> None:  # type: ignore[no-untyped-def]
    place = tmp_path_factory.mktemp("patch")
    _git(place, "init", "-q", "--template=")
    for version in (0, 1):
        for name, contents in files.items():
            (place / name).parent.mkdir(exist_ok=True)
            (place / name).write_bytes(contents[version])
        if version == 0:
            _git(place, "add", "-A")
    tree = _git(place, "write-tree").decode().strip()
    patch = _git(place, "diff-index", "--binary", "--no-color", "--no-ext-diff", tree, "--")
    read = {one.path.decode(): one for one in patch_text.read(patch)}
    changed = {name: both for name, both in files.items() if both[0] != both[1]}
    assert set(read) == set(changed)
    for name, (old, new) in changed.items():
        assert read[name].apply(old) == new
        assert not old or read[name].apply(b"nothing like it\n" * 20) is None
        assert _git(place, "hash-object", "--", name).startswith(read[name].new)


def test_files_that_come_or_go_or_are_binary_are_left_out() -> None:
    patch = (
        b"diff --git a/new b/new\nindex 0000000..ce01362\n--- /dev/null\n+++ b/new\n@@ -0,0 +1 @@\n+x\n"
        b"diff --git a/old b/old\nindex ce01362..0000000\n--- a/old\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n"
        b"diff --git a/bin b/bin\nindex ce01362..d00491f 100644\nGIT binary patch\nliteral 1\nIcmXX\n\n"
    )
    assert patch_text.read(patch) == ()
