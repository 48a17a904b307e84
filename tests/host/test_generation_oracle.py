"""The copier against rsync: the same random tree, copied by both, must be the same to `rsync -a`."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from memgit.core.backup.manifest import Entry
from memgit.core.backup.plan import plan
from memgit.host import generation
from memgit.host.folder import Folder
from support.shared import needs

NAMES = st.sampled_from(
    [b"a", b"b", b"MEMORY.md", b"-rf", b" lead", b"trail ", b"new\nline", b"tab\t", b"\xff\xfe", "ü".encode(), b"%41",
     b"*?[x]", b"'q'", b'"q"', b"$(id)", b"x" * 200, b"...", b"#c#", b".hidden"]
)  # fmt: skip
LARGE = {
    "zeros": bytes(70_000),
    "a hole": b"x" + bytes(200_000) + b"y",
    "no hole": b"z" * 70_001,
}
FILE = st.tuples(
    st.just("file"),
    st.binary(max_size=40) | st.sampled_from(sorted(LARGE)),
    st.sampled_from([0o644, 0o600, 0o755, 0o444, 0o4755, *([0o000] if os.geteuid() == 0 else [])]),
    st.integers(0, 2**31) | st.just(1_700_000_000),
    st.integers(0, 999_999_999),
)
LINK = st.tuples(
    st.just("link"),
    st.sampled_from([b"a", b"../outside", b"/etc/passwd", b"nowhere", b"\xff", b"."]),
    st.integers(0, 2**31),
)
TREES = st.recursive(
    FILE | LINK,
    lambda below: st.tuples(
        st.just("directory"),
        st.dictionaries(NAMES, below, max_size=4),
        st.sampled_from([0o755, 0o700, 0o775]),
        st.integers(0, 2**31),
    ),
    max_leaves=12,
)
TOP = st.dictionaries(NAMES, TREES, max_size=5)


def build(path: bytes, node: tuple) -> None:  # type: ignore[type-arg]
    kind, *rest = node
    if kind == "file":
        content, mode, second, nanosecond = rest
        content = LARGE.get(content, content)
        with open(path, "wb") as file:
            if len(content) > 1000:  # with holes
                for at in range(0, len(content), 4096):
                    piece = content[at : at + 4096]
                    if piece.strip(b"\0"):
                        file.seek(at)
                        file.write(piece)
                file.truncate(len(content))
            else:
                file.write(content)
        os.chmod(path, mode)
        os.utime(path, ns=(0, second * 10**9 + nanosecond))
    elif kind == "link":
        text, second = rest
        os.symlink(text, path)
        os.utime(path, (0, second), follow_symlinks=False)
    else:
        below, mode, second = rest
        os.mkdir(path)
        for name, inner in below.items():
            build(path + b"/" + name, inner)
        os.chmod(path, mode)
        os.utime(path, (0, second))


def shape(top: Path) -> dict[bytes, tuple[object, ...]]:
    """All that `rsync -a` promises to keep; of directories only those that hold something."""
    found: dict[bytes, tuple[object, ...]] = {}
    root = os.fsencode(top)

    def look(directory: bytes) -> bool:
        holds = False
        for name in os.listdir(directory):
            path = directory + b"/" + name
            status = os.lstat(path)
            owner = (status.st_uid, status.st_gid)
            if stat.S_ISDIR(status.st_mode):
                if look(path):
                    found[path[len(root) :]] = (oct(status.st_mode), status.st_mtime_ns, *owner)
                    holds = True
            elif stat.S_ISLNK(status.st_mode):
                found[path[len(root) :]] = (os.readlink(path), status.st_mtime_ns, *owner)
                holds = True
            else:
                with open(path, "rb") as file:
                    found[path[len(root) :]] = (oct(status.st_mode), status.st_mtime_ns, file.read(), *owner)
                holds = True
        return holds

    look(root)
    return found


def bring(source: Path, target: Path, previous: Path | None = None) -> None:
    """Make `target` what `source` is, as a backup does it."""
    with Folder(str(source)) as there, Folder(str(target), create=True, is_ours=True) as here:
        items, scan = generation.items(there)
        for item in items:
            item.digest = generation.digest(there, item.path)
            generation.describe(item, os.lstat(source / os.fsdecode(item.path)))
        old = Folder(str(previous)) if previous is not None else None
        lent: dict[bytes, Entry] = generation.present(old, {}, read=True) if old is not None else {}
        todo = plan(items, generation.present(here, {}, read=True), lent)
        generation.apply(here, todo, lambda item: (there.read(item.path)[0],), scan.directories, old)
        if old is not None:
            old.__exit__(None, None, None)


def rsync(*args: object) -> None:
    subprocess.run(("rsync", *map(str, args)), check=True, capture_output=True)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@example({b"a": ("link", b"a", 0)}, {b"a": ("link", b"a", 1)})  # a link that only has another time
@given(TOP, TOP)
def test_the_copier_does_what_rsync_does(first: dict[bytes, tuple], second: dict[bytes, tuple]) -> None:  # type: ignore[type-arg]
    needs("rsync")
    place = Path(tempfile.mkdtemp(prefix="memgit-oracle-"))
    try:
        for number, tree in (("1", first), ("2", second)):
            os.mkdir(place / number)
            for name, node in tree.items():
                build(os.fsencode(place / number) + b"/" + name, node)
        one, two = place / "1", place / "2"
        # a first copy
        bring(one, place / "ours")
        rsync("-a", "--prune-empty-dirs", f"{one}/", place / "theirs/")
        assert shape(place / "ours") == shape(place / "theirs")
        # a second state, linked against the first
        bring(two, place / "ours-2", place / "ours")
        rsync("-a", "--prune-empty-dirs", f"--link-dest={place}/theirs", f"{two}/", place / "theirs-2/")
        assert shape(place / "ours-2") == shape(place / "theirs-2")
        assert shape(place / "ours") == shape(place / "theirs"), "the first copy was touched"
        # the first directory made into the second state
        bring(two, place / "ours")
        rsync("-a", "--delete", "--prune-empty-dirs", "--checksum", f"{two}/", place / "theirs/")
        assert shape(place / "ours") == shape(place / "theirs")
        subprocess.run(("diff", "-r", "--no-dereference", place / "ours", place / "ours-2"), check=True)
    finally:
        shutil.rmtree(place)


def test_a_sparse_file_stays_sparse(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    with open(source / "sparse", "wb") as file:
        file.write(b"begin")
        file.seek(40 << 20)
        file.write(b"end")
    bring(source, tmp_path / "target")
    copied = (tmp_path / "target/sparse").stat()
    assert copied.st_size == (40 << 20) + 3
    assert copied.st_blocks * 512 < 1 << 20
    subprocess.run(("cmp", source / "sparse", tmp_path / "target/sparse"), check=True)
