"""Trees as values, against git mktree and git diff-tree."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memgit.core.objects import EMPTY_TREE, Oid
from memgit.core.trees import Paths, Trees, changes, entry, file_at, graft, mode_of, oid_of
from memgit.git.command import Git
from memgit.git.diff import changed_paths
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
@given(trees, trees, trees)
def test_paths_meet_where_changes_clash(one: Files, other: Files, third: Files) -> None:
    first, second = model_changes(one, other), model_changes(other, third)
    left, right = Paths(c.path for c in first), Paths(c.path for c in second)
    assert left.meeting(right) == {c.path for c in first if clash([c], second)}
    assert bool(left.meeting(right)) == bool(right.meeting(left))
    grown = Paths(c.path for c in first[:1])
    grown.update(Paths(c.path for c in first[1:]))
    assert grown.meeting(right) == left.meeting(right)


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


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(trees, min_size=2, max_size=12))
def test_git_sees_the_same_trees_and_the_same_changes(repo: Repo, states: list[Files]) -> None:
    objects = Objects()
    ids = [objects.tree(files) for files in states]
    for raw in objects.trees.values():
        repo.store(b"tree", raw)
    for files, tree in zip(states, ids, strict=True):
        listed = repo.git("ls-tree", "-r", "-z", tree.decode()).split(b"\0")[:-1]
        assert {line.partition(b"\t")[2] for line in listed} == files.keys()
    pairs = [(old, new) for old in ids for new in ids]
    found = list(changed_paths(Git(str(repo.path)), pairs))
    expected = [[c.path for c in model_changes(old, new)] for old in states for new in states]
    assert [sorted(one.meeting(one)) for one in found] == expected


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


def test_no_pairs_and_pairs_without_a_difference(repo: Repo) -> None:
    blob = repo.store(b"blob", b"x")
    one, other = (repo.store(b"tree", entry(b"100644", name, blob)) for name in (b"p", b"q"))
    git = Git(str(repo.path))
    assert list(changed_paths(git, [])) == []
    same, differs = (one, one), (one, other)
    wanted = [same, same, differs, same, differs, differs, same]
    found = [sorted(paths.meeting(paths)) for paths in changed_paths(git, wanted)]
    assert found == [[], [], [b"p", b"q"], [], [b"p", b"q"], [b"p", b"q"], []]
