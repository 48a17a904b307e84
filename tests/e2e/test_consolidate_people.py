"""What people did stays as they did it: every byte, their notes, their order; and undo brings all of it back."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.repo import AGENT, DAY_S, PERSON, Commit, Oid, Repo, run

MESSAGES = {
    "latin-1": (b"r\xe9sum\xe9\n\nbody \xff\xfe\n", b"encoding ISO-8859-1\n"),
    "utf-8 unmarked": ("größe 記憶 ✅\n".encode(), b""),
    "invalid utf-8": (b"bad \xc3\x28 \xff bytes\n", b""),
    "trailing blanks": (b"subject  \t\n\nline  \n\n\n\t\n", b""),
    "no final newline": (b"subject", b""),
    "empty": (b"", b""),
    "only blank lines": (b"\n\n\n", b""),
    "leading blank lines": (b"\n\n  subject\n", b""),
    "indented": (b"    four\n        eight\n", b""),
    "carriage returns": (b"subject\r\n\r\nbody\r\n", b""),
    "control bytes": (b"\x01\x02\x1b[31m\x7f\x85\n", b""),
    "looks like a header": (b"tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\nparent x\n\nauthor y\n", b""),
    "unknown header": (b"subject\n", b"x-tool one\n two\n three\nHG:extra k:v\n"),
    "mergetag": (b"subject\n", b"mergetag object 1\n type commit\n tag v1\n \n author x\n gpgsig no\n"),
    "trailer of ours in the middle": (b"subject\n\nMemgit-Auto: here\n\nmore text\n", b""),
}


def by_people(repo: Repo) -> list[Commit]:
    """The commits that people made."""
    return [commit for commit in repo.history() if b"\nauthor " + PERSON in commit.raw]


def two_autos(repo: Repo, name: str) -> None:
    repo.commit(f"auto {name} 1", {"MEMORY.md": f"{name} 1\n"})
    repo.commit(f"auto {name} 2", {"MEMORY.md": f"{name} 2\n"})


@pytest.mark.parametrize("how", ["keep", "commute"])
def test_every_byte_of_a_persons_commit_survives(how: str, tmp_path: Path) -> None:
    repo = Repo(tmp_path / "repo")
    two_autos(repo, "first")
    for number, (text, headers) in enumerate(MESSAGES.values()):
        repo.commit(
            text,
            {f"src/{number}": "x"},
            author=PERSON,
            headers=headers,
            raw_message=True,
            zone=b"-0730",
            committed_at=repo.time_s + 5000,
        )
        two_autos(repo, str(number))
    repo.commit("odd dates", {"src/odd": "x"}, zone=b"+9999", at=7, committed_at=2**40)
    two_autos(repo, "last")
    old, people = repo.head(), by_people(repo)
    repo.consolidate("--interleaved", how)
    new = by_people(repo)
    assert [commit.person for commit in new] == [commit.person for commit in people]
    windows = 2 if how == "commute" else len(people) + 1  # the run that holds the root stays where it is
    assert len(repo.history()) == len(people) + windows
    if how == "keep":
        assert [commit.tree for commit in new] == [commit.tree for commit in people]
    assert repo.read_commits([repo.head()])[0].tree == repo.read_commits([old])[0].tree
    assert run("git", "-C", str(repo.path), "fsck", "--no-dangling", "--connectivity-only") == b""
    repo.memgit("undo")
    assert repo.head() == old


def test_a_person_without_email_name_or_date_survives(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "repo")
    two_autos(repo, "a")
    tip = repo.read_commits([repo.head()])[0]
    raw = b"tree %s\nparent %s\nauthor  <> 1706500000 +0000\ncommitter x <y\n\nodd person\n" % (tip.tree, tip.oid)
    repo.point("refs/heads/main", repo.store(b"commit", raw))
    two_autos(repo, "b")
    repo.consolidate()
    assert [c.person for c in repo.history() if c.subject == "odd person"] == [raw[raw.index(b"\nauthor ") :]]


def test_merges_keep_their_shape_and_each_side_is_consolidated(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "repo")
    base = repo.commit("start", {"README": "x"})
    for machine in ("one", "two"):
        repo.point(f"refs/heads/{machine}", base)
        for number in range(3):
            repo.commit(f"auto {number}", {f"memory/{machine}.md": f"{number}\n"}, branch=machine)
    one, two = repo.head("one"), repo.head("two")
    theirs = repo.files(two)[b"memory/two.md"]
    merge = repo.commit("Merge branch 'two'", {"memory/two.md": theirs}, parents=[one, two])
    for name in ("one", "two"):
        (repo.git_dir / "refs/heads" / name).unlink()
    two_autos(repo, "after")
    repo.consolidate()
    history = repo.history()
    assert [len(commit.parents) for commit in history] == [0, 1, 1, 2, 1]
    new_merge = history[3]
    assert (new_merge.subject, new_merge.tree) == ("Merge branch 'two'", repo.read_commits([merge])[0].tree)
    assert [repo.files(parent) for parent in new_merge.parents] == [repo.files(one), repo.files(two)]


def test_octopus_and_criss_cross_merges_keep_their_shape(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "repo")
    base = repo.commit("start", {"README": "x"})
    sides = []
    for side in "abc":
        first = repo.commit(f"auto {side}1", {f"memory/{side}": "1"}, parents=[base], branch=None)
        sides.append(repo.commit(f"auto {side}2", {f"memory/{side}": "2"}, parents=[first], branch=None))
    octopus = repo.commit("octopus", parents=sides, branch=None)
    left = repo.commit("left", parents=[octopus, sides[1]], branch=None)
    right = repo.commit("right", parents=[octopus, sides[2]], branch=None)
    repo.commit("cross", parents=[left, right])
    before = shape(repo)
    repo.consolidate()
    assert shape(repo) == [entry for entry in before if entry[0] not in ("auto a1", "auto b1", "auto c1")]


def shape(repo: Repo) -> list[tuple[str, int, bytes]]:
    """Subjects (sources of a window by their last), parent counts, trees; sorted."""
    found = []
    for commit in repo.history():
        subject = commit.subject
        if b"Memgit-Sources: " in commit.raw:
            last = commit.raw.partition(b"Memgit-Sources: ")[2].split(b"\n")[0].partition(b"..")[2]
            subject = repo.read_commits([last])[0].subject
        found.append((subject, len(commit.parents), commit.tree))
    return sorted(found)


@pytest.mark.parametrize("glob", ["refs/notes/*", "refs/notes/commits"])
def test_notes_follow_and_come_back(glob: str, tmp_path: Path) -> None:
    repo = Repo(tmp_path / "repo")
    repo.commit("start", {"README": "x"})
    two_autos(repo, "a")
    repo.commit("auto a 3", {"MEMORY.md": "3"})
    person = repo.commit("by a person", {"src": "x"})
    two_autos(repo, "b")
    start, first, second, third = (commit.oid for commit in repo.history()[:4])
    for commit, text in ((start, "zero"), (first, "one"), (second, "two"), (third, "three"), (person, "mine")):
        repo.git("notes", "add", "-m", text, commit.decode())
    repo.git("config", "notes.rewriteRef", glob)
    notes = repo.refs()["refs/notes/commits"]
    report = repo.consolidate("--interleaved", "keep", "--json").json

    new = {commit.subject: commit.oid for commit in repo.history()}
    assert note(repo, new["by a person"]) == b"mine\n"
    assert note(repo, report["created"][0]["commit"].encode()) == b"one\n\ntwo\n\nthree\n"
    assert note(repo, start) == b"zero\n"
    assert {ref for ref in repo.refs() if ref.startswith("refs/memgit/")} == {"refs/memgit/ops"}
    assert not (repo.git_dir / "memgit" / "notes").exists()
    repo.memgit("undo")
    assert repo.refs()["refs/notes/commits"] == notes


def note(repo: Repo, commit: Oid) -> bytes:
    return repo.git("notes", "show", commit.decode())


@pytest.mark.parametrize("config", [{}, {"notes.rewriteRef": "refs/notes/*", "notes.rewrite.rebase": "false"}])
def test_notes_stay_where_nobody_asked_for_them(config: dict[str, str], tmp_path: Path) -> None:
    repo = Repo(tmp_path / "repo")
    two_autos(repo, "a")
    repo.commit("by a person", {"src": "x"})
    repo.git("notes", "add", "-m", "mine")
    for key, value in config.items():
        repo.git("config", key, value)
    notes = repo.refs()["refs/notes/commits"]
    repo.consolidate()
    assert repo.refs()["refs/notes/commits"] == notes


def test_undo_leaves_notes_alone_that_moved_on(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "repo")
    two_autos(repo, "a")
    repo.commit("by a person", {"src": "x"})
    repo.git("notes", "add", "-m", "mine")
    repo.git("config", "notes.rewriteRef", "refs/notes/*")
    repo.consolidate("--interleaved", "keep")
    repo.git("notes", "append", "-m", "more")
    notes = repo.refs()["refs/notes/commits"]
    assert "left refs/notes/commits alone, which has moved since" in repo.memgit("undo").out
    assert repo.refs()["refs/notes/commits"] == notes


def test_a_window_is_gathered_across_people_who_touch_other_files(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "repo")
    repo.commit("start", {"MEMORY.md": "0\n", "src/app": "0\n"})
    for number in range(3):
        two_autos(repo, str(number))
        repo.commit(f"work {number}", {"src/app": f"{number}\n"})
    report = repo.consolidate("--json").json
    assert [made["sources"] for made in report["created"]] == [6]
    assert repo.subjects() == [
        "start",
        "work 0",
        "work 1",
        "memory: 2024-01-29, 6 auto-commits, 1 file (+1 -1)",
        "work 2",
    ]
    contents = [repo.files(commit.oid)[b"MEMORY.md"] for commit in repo.history()]
    assert contents == [repo.file("0\n")] * 3 + [repo.file("2 2\n")] * 2


def test_a_person_who_touches_the_same_file_keeps_a_window_in_pieces(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "repo")
    repo.commit("start", {"MEMORY.md": "0\n"})
    two_autos(repo, "a")
    repo.commit("work", {"MEMORY.md": "mine\n"})
    two_autos(repo, "b")
    assert [made["sources"] for made in repo.consolidate("--json").json["created"]] == [2, 2]


def test_a_window_that_comes_to_nothing_leaves_no_commit(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "repo")
    start = repo.commit("start", {"MEMORY.md": "0\n"}, at=repo.time_s - DAY_S)
    repo.commit("auto 1", {"MEMORY.md": "1\n"})
    repo.commit("auto 2", {"MEMORY.md": "0\n"})
    old = repo.head()
    report = repo.consolidate("--json").json
    assert (report["dropped"], report["new_tip"]) == (1, start.decode())
    assert repo.memgit("undo", "--json").json["new_tip"] == old.decode()
    assert repo.consolidate("--keep-empty", "--json").json["dropped"] == 0
    assert len(repo.history()) == 2


def test_mixed_windows_grow_in_later_runs(tmp_path: Path) -> None:
    """What was consolidated holds code beside memory, as its sources did; it still belongs to its window."""
    repo = Repo(tmp_path / "repo")
    for number in range(3):
        repo.commit(f"auto {number}", {"MEMORY.md": f"{number}", "src/app": f"{number}"})
    repo.consolidate("--now")
    for number in range(3, 6):
        repo.commit(f"auto {number}", {"MEMORY.md": f"{number}", "src/app": f"{number}"})
    repo.consolidate("--now")
    history = repo.history()
    assert len(history) == 1
    assert b"\nMemgit-Squashed: 6\n" in history[0].raw
    repo.consolidate("--window", "week")
    assert len(repo.history()) == 1


def test_windows_of_two_kinds_nest(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "repo")
    for day in range(3):
        for number in range(2):
            repo.commit(f"auto {number}", {"MEMORY.md": f"{day} {number}"}, at=repo.time_s + day * DAY_S)
    first = repo.history()[0].oid
    repo.consolidate("--window", "day")
    assert len(repo.history()) == 3
    report = repo.consolidate("--window", "week", "--json").json
    assert [(made["window"], made["sources"]) for made in report["created"]] == [("2024-W05", 3)]
    assert b"\nMemgit-Squashed: 6\n" in repo.history()[0].raw
    assert b"\nMemgit-Sources: " + first in repo.history()[0].raw


def test_forged_counts_do_no_harm(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "repo")
    forged = f"auto x\n\nMemgit-Window: w\nMemgit-Squashed: {'9' * 5000}\nMemgit-Sources: {'z' * 40}..{'z' * 40}"
    repo.commit(forged, {"MEMORY.md": "1"}, author=AGENT)
    repo.commit("auto 2", {"MEMORY.md": "2"})
    repo.consolidate()
    assert b"\nMemgit-Squashed: 2\n" in repo.history()[0].raw


def test_a_persons_commit_with_our_trailer_that_changes_other_files_is_not_folded(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "repo")
    repo.commit("forged 1\n\nMemgit-Auto: true", {"src/app": "1"})
    repo.commit("forged 2\n\nMemgit-Auto: true", {"src/app": "2"})
    report = repo.memgit("consolidate", "--json").json
    assert (report["created"], report["dropped"]) == ([], 0)
    assert len(repo.history()) == 2
