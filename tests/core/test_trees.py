"""Trees as values, against flat lists of files and git mktree."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memgit.core.objects import EMPTY_TREE, Oid
from memgit.core.trees import Trees, changes, entry, file_at, graft, meeting, mode_of, oid_of
from support.model import Files, Objects, apply, clash
from support.model import changes as model_changes
from support.repo import Repo, hash_of

NAMES = (b"a", b"a-b", b"a.b", b"a0", b"b", b"\xff", b"n\nl", b"-x")
MODES = (b"100644", b"100755", b"120000", b"160000")
paths = st.lists(st.sampled_from(NAMES), min_size=1, max_size=3).map(b"/".join)
entries = st.tuples(st.sampled_from(MODES), st.integers(0, 5).map(lambda n: hash_of(b"blob", b"%d" % n)))


def no_clash(files: dict[bytes, tuple[bytes, Oid]]) -> Files:
    """Without files that lie below another file."""
    return {path: one for path, one in files.items() if not any(path.startswith(other + b"/") for other in files)}


trees = st.dictionaries(paths, entries, max_size=8).map(no_clash)
quick = settings(max_examples=150, deadline=None)


def reader(objects: Objects, limit: int = 5_000) -> Trees:
    return Trees(lambda oids: (objects.trees[oid] for oid in oids), limit)


@quick
@given(trees, trees, st.sampled_from((2, 5_000)))
def test_changes_are_those_of_the_flat_lists(one: Files, other: Files, limit: int) -> None:
    objects = Objects()
    old, new = objects.tree(one), objects.tree(other)
    found = [
        (path, was and (mode_of(was), oid_of(was)), now and (mode_of(now), oid_of(now)))
        for path, was, now in changes(reader(objects, limit), old, new)
    ]
    assert sorted(found, key=lambda item: item[0]) == [(c.path, c.old, c.new) for c in model_changes(one, other)]


@quick
@given(trees, trees, trees, trees, st.sampled_from((2, 5_000)))
def test_changes_meet_where_they_clash(old: Files, new: Files, was: Files, now: Files, limit: int) -> None:
    objects = Objects()
    pairs = [((objects.tree(old), objects.tree(new)), (objects.tree(was), objects.tree(now)))]
    known = reader(objects, limit)
    met = False
    while pairs and not met:
        found = meeting(known, *pairs.pop())
        met = found is None
        pairs += found or []
    assert met == clash(model_changes(old, new), model_changes(was, now))


@quick
@given(trees, trees, trees, st.sampled_from((2, 5_000)))
def test_graft_makes_a_change_somewhere_else(base: Files, mine: Files, theirs: Files, limit: int) -> None:
    own = model_changes(base, mine)
    foreign = [change for change in model_changes(base, theirs) if not clash([change], own)]
    theirs = apply(base, foreign)
    objects = Objects()
    expected = objects.tree(apply(theirs, own))
    known = reader(objects, limit)
    made = graft(known, objects.tree(base), objects.tree(mine), objects.tree(theirs))
    assert made == expected
    assert known.made.keys() <= objects.trees.keys()


@quick
@given(trees)
def test_file_at_finds_files_and_no_directories(files: Files) -> None:
    objects = Objects()
    tree, known = objects.tree(files), reader(objects)
    for path in [*files, b"a", b"b/a", b"a/b/a", b"nothing/at/all"]:
        found = file_at(known, tree, path)
        assert (found and (mode_of(found), oid_of(found))) == files.get(path)


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    """A repository whose configuration would hide or rename changes in git diff."""
    repo = Repo(tmp_path_factory.mktemp("trees") / "repo")
    for key, value in (
        ("diff.ignoreSubmodules", "all"),
        ("diff.renames", "copies"),
        ("diff.relative", "true"),
        ("diff.orderFile", "/nowhere"),
        ("core.quotePath", "true"),
        ("core.ignoreCase", "true"),
        ("submodule.a.ignore", "all"),
        ("submodule.a.path", "a"),
    ):
        repo.git("config", key, value)
    return repo


def test_git_mktree_makes_the_same_tree(repo: Repo) -> None:
    blob = repo.store(b"blob", b"x")
    inner = {name: entry(b"100644", name, blob) for name in NAMES}
    known = Trees(lambda oids: iter(()))
    below = known.make(inner)
    repo.store(b"tree", known.made[below])
    outer = dict(inner)
    for name in (b"a", b"a0"):
        outer[name] = entry(b"40000", name, below)
    top = known.make(outer)
    lines = [
        b"%s %s %s\t%s\0" % (mode_of(one), b"tree" if one.startswith(b"40000") else b"blob", oid_of(one), name)
        for name, one in outer.items()
    ]
    assert repo.git("mktree", "-z", stdin=b"".join(lines)).strip() == top
    assert known.make({}) == EMPTY_TREE
