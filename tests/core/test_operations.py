"""Entries of the operation log, written and read back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memgit.core.objects import EMPTY_TREE, ZERO, Oid, hash_object
from memgit.core.operations import (
    Created,
    Operation,
    RefChange,
    created_blob,
    read,
    read_created,
    taken_back,
    write,
)
from memgit.core.values import replace
from memgit.errors import MemgitError

oids = st.integers(1, 2**160 - 1).map(lambda number: b"%040x" % number)
names = st.text(max_size=6).map(
    lambda name: "refs/heads/" + name.encode("utf-8", "surrogatepass").decode("utf-8", "surrogateescape")
)
changes = st.builds(RefChange, names, st.one_of(oids, st.just(ZERO)), oids)
created = st.lists(
    st.builds(Created, oids, st.sampled_from(("2024-01-01", "2024-W05")), st.integers(1, 99), oids, oids), max_size=3
)


@given(
    st.lists(changes, min_size=1, max_size=3, unique_by=lambda change: change.ref),
    created,
    st.one_of(st.none(), oids),
    st.one_of(st.none(), oids),
    st.lists(st.tuples(oids, oids), max_size=2).map(tuple),
)
def test_what_is_written_is_read_back(
    moved: list[RefChange],
    made: list[Created],
    previous: Oid | None,
    undoes: Oid | None,
    pinned: tuple[tuple[Oid, Oid], ...],
) -> None:
    operation = Operation("consolidate", 1_700_000_000, tuple(moved), "consolidate x", "digest", undoes, pinned)
    objects = write(operation, previous, made)
    by_id = {hash_object(kind, raw): raw for kind, raw in objects}
    kind, raw = objects[-1]
    assert kind == b"commit"
    found, before = read(hash_object(kind, raw), raw)
    touched = {oid for change in moved for oid in (change.old, change.new)}
    assert before == (previous if previous not in touched else None)
    assert replace(found, oid=ZERO, created_tree=EMPTY_TREE) == operation
    assert found.branch == moved[0]
    blob = created_blob(by_id[found.created_tree])
    assert (read_created(by_id[blob]) if blob else ()) == tuple(made)


@given(st.lists(changes, min_size=1, max_size=3))
def test_both_ends_of_every_move_are_parents(moved: list[RefChange]) -> None:
    """Nothing an operation replaced is ever unreachable."""
    raw = write(Operation("undo", 0, tuple(moved), "x"), b"f" * 40, ())[-1][1]
    parents = [line[7:] for line in raw.split(b"\n\n")[0].split(b"\n") if line.startswith(b"parent ")]
    assert parents[0] == b"f" * 40
    assert len(set(parents)) == len(parents)
    assert {oid for change in moved for oid in (change.old, change.new)} - {ZERO} <= set(parents)


def test_golden() -> None:
    change = RefChange("refs/heads/main", b"1" * 40, b"2" * 40)
    made = Created(b"3" * 40, "2024-01-29", 4, b"4" * 40, b"5" * 40)
    objects = write(
        Operation("consolidate", 1_700_000_000, (change,), "consolidate main: 5 -> 2 commits", "d"), None, [made]
    )
    assert objects[0] == (b"blob", b"%s %s..%s 4 2024-01-29\n" % (b"3" * 40, b"4" * 40, b"5" * 40))
    one, two = "1" * 40, "2" * 40
    refs = f'[["refs/heads/main", "{one}", "{two}"]]'
    expected = f"""\
tree {hash_object(b"tree", objects[1][1]).decode()}
parent {"1" * 40}
parent {"2" * 40}
author memgit <memgit@localhost> 1700000000 +0000
committer memgit <memgit@localhost> 1700000000 +0000

consolidate main: 5 -> 2 commits

{{"digest": "d", "kind": "consolidate", "refs": {refs}, "schema": 1, "time": 1700000000}}
"""
    assert objects[-1][1].decode() == expected


@pytest.mark.parametrize(
    "message", ["", "x", "x\n\n[]", "x\n\n{}", 'x\n\n{"schema": 1}', "x\n\nnull", 'x\n\n{"schema": 1, "refs": 5}']
)
def test_other_commits_are_none(message: str) -> None:
    raw = b"tree %s\nauthor a <b> 1 +0000\ncommitter a <b> 1 +0000\n\n%s" % (EMPTY_TREE, message.encode())
    with pytest.raises(MemgitError, match="no operation that this memgit can read"):
        read(b"1" * 40, raw)


def chain(*undoes: int | None) -> list[Operation]:
    """Operations oldest first, each undoing the one at an index; newest first."""
    change = (RefChange("refs/heads/main", b"1" * 40, b"2" * 40),)
    made = [
        Operation(
            "x", at, change, "", undoes=None if target is None else b"%040x" % (target + 1), oid=b"%040x" % (at + 1)
        )
        for at, target in enumerate(undoes)
    ]
    return made[::-1]


@pytest.mark.parametrize(
    ("undoes", "expected"),
    [
        ((), set()),
        ((None, None), set()),
        ((None, 0), {0}),
        ((None, 0, 1), {1}),
        ((None, 0, 1, 0), {0, 1}),
        ((None, 0, 1, 2), {0, 2}),
        ((None, None, 1, 0), {0, 1}),
    ],
)
def test_what_is_taken_back(undoes: tuple[int | None, ...], expected: set[int]) -> None:
    assert taken_back(chain(*undoes)) == {b"%040x" % (at + 1) for at in expected}
