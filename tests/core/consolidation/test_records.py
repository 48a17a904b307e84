"""The output of git rev-list, cut into commits: fast and slow reader agree with git's own objects."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memgit.core.consolidation import records
from memgit.core.objects import Oid, is_signed, rewrite_commit, split_commit
from memgit.git.command import Git
from memgit.git.history import stream
from support.repo import Repo, hash_of

TREE = hash_of(b"tree", b"")
WHO = b"A <a@example.invalid> 1706486400 +0130"
ODD_HEADS = {
    "plain": b"author %s\ncommitter %s\n" % (WHO, WHO),
    "no name": b"author  <> 1 +0000\ncommitter  <> 1 +0000\n",
    "angles in the name": b"author a > 5 +0000 <x> 7 -0830\ncommitter %s\n" % WHO,
    "no date": b"author A <a@example.invalid>\ncommitter %s\n" % WHO,
    "no email": b"author A\ncommitter %s\n" % WHO,
    "negative date": b"author A <a> -5 +0000\ncommitter %s\n" % WHO,
    "huge date": b"author A <a> 99999999999999999999 +99999\ncommitter %s\n" % WHO,
    "header behind": b"author %s\ncommitter %s\nx-tool author B <b> 3 +0000\n more > 4 +0000\n" % (WHO, WHO),
    "signature": b"author %s\ncommitter %s\ngpgsig -----BEGIN-----\n \n abc\n -----END-----\nlast x\n" % (WHO, WHO),
}
MESSAGES = (
    b"",
    b"\n",
    b"x",
    b"x\n",
    b"\n\nx\n",
    b"x  \n\n\n",
    b"    x\n        y\n",
    b"\xff\xfe\n",
    b"a\r\n\tb\n\n",
    b"a\n \nb",
)


def commit_of(head: bytes, message: bytes, parents: tuple[Oid, ...] = ()) -> bytes:
    return b"tree %s\n%s%s\n%s" % (TREE, b"".join(b"parent %s\n" % p for p in parents), head, message)


def read_all(repo: Repo, tip: Oid) -> list[tuple[bytes, ...]]:
    chunks = stream(Git(str(repo.path)), tip, ())
    return [record for found in records.read(chunks) for record in found]


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> tuple[Repo, list[bytes]]:
    """One history with every odd head and message; raw commits, newest first."""
    repo = Repo(tmp_path_factory.mktemp("records") / "repo")
    repo.store(b"tree", b"")
    raws: list[bytes] = []
    tip: tuple[Oid, ...] = ()
    for head in ODD_HEADS.values():
        for message in MESSAGES:
            raws.append(commit_of(head, message, tip))
            tip = (repo.store(b"commit", raws[-1]),)
    repo.point("refs/heads/main", tip[0])
    return repo, raws[::-1]


def test_every_commit_is_found_with_its_header(odd: tuple[Repo, list[bytes]]) -> None:
    repo, raws = odd
    found = read_all(repo, repo.head())
    assert [record[0] for record in found] == [hash_of(b"commit", raw) for raw in raws]
    assert [records.header_of(record) for record in found] == [raw.partition(b"\n\n")[0] + b"\n" for raw in raws]
    assert {records.tree_of(record) for record in found} == {TREE}
    assert [records.parents_of(record[2]) for record in found] == [
        (hash_of(b"commit", raws[at + 1]),) if at + 1 < len(raws) else () for at in range(len(raws))
    ]


def test_the_last_parent_stands_by_itself(odd: tuple[Repo, list[bytes]]) -> None:
    repo, _ = odd
    for record in read_all(repo, repo.head()):
        assert record[3] == (records.parents_of(record[2]) or (b"",))[-1]


def test_dates_are_those_git_reads(odd: tuple[Repo, list[bytes]]) -> None:
    repo, raws = odd
    dates = {name: set() for name in ODD_HEADS}  # type: dict[str, set[tuple[bytes, bytes]]]
    for record, raw in zip(read_all(repo, repo.head()), raws, strict=True):
        name = next(name for name, head in ODD_HEADS.items() if raw.partition(b"\n\n")[0].endswith(b"\n" + head[:-1]))
        dates[name].add((record[4], record[5]))
    assert dates["plain"] == dates["header behind"] == dates["signature"] == {(b"1706486400", b"+0130")}
    assert dates["no date"] == dates["no email"] == {(b"0", b"+0000")}
    assert dates["negative date"] == {(b"-5", b"+0000")}


def test_restore_is_exact_or_nothing(odd: tuple[Repo, list[bytes]]) -> None:
    repo, raws = odd
    restored = [records.restore(record) for record in read_all(repo, repo.head())]
    assert all(found in (None, raw) for found, raw in zip(restored, raws, strict=True))
    plain = [found for found, raw in zip(restored, raws, strict=True) if raw.partition(b"\n\n")[2] in (b"x", b"x\n")]
    assert None not in plain


@given(st.integers(1, 400))
@settings(max_examples=40, deadline=None)
def test_chunks_may_be_cut_anywhere(size: int) -> None:
    raws = [commit_of(head, message) for head in ODD_HEADS.values() for message in (b"x\n", b"")]
    whole = b"".join(hash_of(b"commit", raw) + b"\n" + raw.partition(b"\n\n")[0] + b"\n\n    x\n\0" for raw in raws)

    def chunks() -> Iterator[bytes]:
        for start in range(0, len(whole), size):
            yield whole[start : start + size]

    found = [record[0] for part in records.read(chunks()) for record in part]
    assert found == [hash_of(b"commit", raw) for raw in raws]


def test_headers_that_look_like_another_commit_fool_nobody() -> None:
    inner = b"1" * 40 + b"\n" + commit_of(ODD_HEADS["plain"], b"")[:-1]
    shown = b"2" * 40 + b"\ntree %s\nauthor A\ncommitter B\nx " % TREE + inner + b"\n    x\n\0"
    assert [record[0] for part in records.read([shown]) for record in part] == [b"2" * 40]


def test_a_history_that_breaks_off_is_noticed() -> None:
    with pytest.raises(ValueError, match="in the middle"):
        list(records.read([b"0123"]))


@pytest.mark.parametrize("head", ODD_HEADS)
@pytest.mark.parametrize("message", MESSAGES)
def test_rewriting_a_commit_changes_tree_and_parents_only(head: str, message: bytes) -> None:
    raw = commit_of(ODD_HEADS[head], message, (b"1" * 40, b"2" * 40))
    new = rewrite_commit(raw, b"3" * 40, (b"4" * 40,))
    rest = raw[raw.index(b"\nauthor ") :]
    if head == "signature":
        assert is_signed(raw)
        rest = rest.replace(b"gpgsig -----BEGIN-----\n \n abc\n -----END-----\n", b"")
    assert new == b"tree %s\nparent %s" % (b"3" * 40, b"4" * 40) + rest
    assert not is_signed(new)
    fields, text = split_commit(new)
    assert b"\n".join(fields) + b"\n\n" + text == new


def test_signatures_at_the_end_and_of_both_hashes_go() -> None:
    for name in (b"gpgsig", b"gpgsig-sha256"):
        raw = commit_of(b"author %s\ncommitter %s\n%s a\n b\n c\n" % (WHO, WHO, name), b"x\n")
        assert rewrite_commit(raw, TREE, ()) == commit_of(b"author %s\ncommitter %s\n" % (WHO, WHO), b"x\n")
