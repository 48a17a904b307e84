"""What refs of any kind point at: never lost, never inside a window, and published commits never touched."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.repo import DAY_S, Repo, run

FOREIGN = ("refs/dolt/data", "refs/notes/commits-of-a-tool", "refs/pull/1/head", "refs/stash", "refs/original/x")
PUBLISHED = ("refs/remotes/origin/main", "refs/tags/v1", "refs/heads/other", "refs/memgit/offered/origin/main")


def six_autos(tmp_path: Path) -> Repo:
    """A person's commit and six auto-commits of one day."""
    repo = Repo(tmp_path / "repo")
    repo.commit("start", {"README": "x"}, at=repo.time_s - DAY_S)
    for number in range(6):
        repo.commit(f"auto {number}", {"MEMORY.md": f"{number}\n"})
    return repo


@pytest.mark.parametrize("ref", FOREIGN)
def test_refs_of_other_tools_keep_resolving_and_keep_their_commit_apart(ref: str, tmp_path: Path) -> None:
    repo = six_autos(tmp_path)
    old = repo.history()
    repo.point(ref, old[3].oid)
    report = repo.consolidate("--json").json
    assert [made["sources"] for made in report["created"]] == [3, 3]
    assert repo.refs()[ref] == old[3].oid
    assert [commit.tree for commit in repo.history()] == [old[0].tree, old[3].tree, old[6].tree]


@pytest.mark.parametrize("shortcut", [True, False])
def test_a_pinned_place_stays_apart_in_later_runs(shortcut: bool, tmp_path: Path) -> None:
    repo = six_autos(tmp_path)
    repo.point("refs/pull/1/head", repo.history()[3].oid)
    repo.consolidate()
    tip = repo.head()
    if not shortcut:
        (repo.git_dir / "memgit" / "settled.json").unlink()
    assert repo.consolidate("--json").json["created"] == []
    assert (repo.head(), repo.operations()) == (tip, 1)


def test_a_pinned_place_stays_apart_whatever_operation_came_between(tmp_path: Path) -> None:
    repo = six_autos(tmp_path)
    repo.git("checkout", "-q", "main")
    first = repo.history()[1].oid.decode()
    repo.point("refs/pull/1/head", repo.history()[3].oid)
    repo.consolidate()
    before = [commit.oid for commit in repo.history()]
    repo.memgit("restore", "MEMORY.md", "--at", first)
    (repo.git_dir / "memgit" / "settled.json").unlink()
    repo.consolidate()
    assert [commit.oid for commit in repo.history()][: len(before)] == before


def test_a_pin_that_is_gone_holds_nothing_apart(tmp_path: Path) -> None:
    repo = six_autos(tmp_path)
    repo.point("refs/pull/1/head", repo.history()[3].oid)
    repo.consolidate()
    (repo.git_dir / "refs/pull/1/head").unlink()
    assert [made["sources"] for made in repo.consolidate("--json").json["created"]] == [2]
    assert len(repo.history()) == 2


def test_a_pinned_empty_tip_stays(tmp_path: Path) -> None:
    repo = six_autos(tmp_path)
    repo.point("refs/pull/1/head", repo.commit("auto nothing", at=repo.time_s + DAY_S))
    repo.consolidate()
    assert repo.subjects()[-1] == "auto nothing"


@pytest.mark.parametrize("ref", PUBLISHED)
def test_published_commits_are_never_touched(ref: str, tmp_path: Path) -> None:
    repo = six_autos(tmp_path)
    published = repo.history()[3].oid
    repo.point(ref, published)
    report = repo.consolidate("--json").json
    assert (report["stop_reason"], report["stopped_at"]) == ("published", published.decode())
    assert [commit.oid for commit in repo.history()][:4][-1] == published
    assert len(repo.history()) == 5


def test_annotated_tags_publish_the_commit_behind_them(tmp_path: Path) -> None:
    repo = six_autos(tmp_path)
    published = repo.history()[3].oid
    repo.git("tag", "-a", "-m", "v1", "v1", published.decode())
    assert repo.consolidate("--json").json["stopped_at"] == published.decode()


def test_a_range_that_is_all_published_is_left_alone(tmp_path: Path) -> None:
    repo = six_autos(tmp_path)
    repo.point("refs/remotes/origin/main", repo.head())
    refs = repo.refs()
    report = repo.consolidate("--json").json
    assert (report["created"], report["operation"], report["stop_reason"]) == ([], None, "published")
    assert repo.refs() == refs


def test_a_remote_head_that_stands_for_a_branch_of_the_remote_publishes(tmp_path: Path) -> None:
    repo = six_autos(tmp_path)
    repo.point("refs/remotes/origin/main", repo.history()[3].oid)
    (repo.git_dir / "refs/remotes/origin/HEAD").write_text("ref: refs/remotes/origin/main\n")
    assert len(repo.consolidate("--json").json["created"]) == 1


def test_published_rewrites_all_and_names_those_affected(tmp_path: Path) -> None:
    repo = six_autos(tmp_path)
    commits = repo.history()
    repo.point("refs/remotes/origin/main", commits[5].oid)
    repo.point("refs/tags/start", commits[0].oid)
    elsewhere = repo.commit("elsewhere", {"a": "b"}, branch="side", parents=[])
    refs = repo.refs()
    report = repo.consolidate("--published", "--json").json
    assert report["affected"] == ["refs/remotes/origin/main"]
    assert [made["sources"] for made in report["created"]] == [5]
    assert {ref: oid for ref, oid in repo.refs().items() if ref in refs and ref != "refs/heads/main"} == {
        "refs/remotes/origin/main": commits[5].oid,
        "refs/tags/start": commits[0].oid,
        "refs/heads/side": elsewhere,
    }
    said = repo.memgit("undo").out
    assert "refs/" not in said
    again = repo.consolidate("--published")
    assert "the old commits are also held by: refs/remotes/origin/main" in again.out


def test_published_with_nothing_to_do_affects_nobody(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "repo")
    repo.point("refs/remotes/origin/main", repo.commit("by a person", {"a": "b"}))
    assert repo.consolidate("--published", "--json").json["affected"] == []


def test_the_head_of_another_work_tree_publishes(tmp_path: Path) -> None:
    repo = six_autos(tmp_path)
    published = repo.history()[3].oid
    run("git", "-C", str(repo.path), "worktree", "add", "-q", "--detach", str(tmp_path / "wt"), published.decode())
    assert repo.consolidate("--json").json["stopped_at"] == published.decode()


def test_since_leaves_what_lies_below_alone(tmp_path: Path) -> None:
    repo = six_autos(tmp_path)
    since = repo.history()[3].oid
    report = repo.consolidate("--since", "HEAD~3", "--json").json
    assert (report["stop_reason"], report["stopped_at"]) == ("since", since.decode())
    assert [made["sources"] for made in report["created"]] == [3]
    assert repo.history()[3].oid == since


def test_published_later_is_published_although_a_run_was_here(tmp_path: Path) -> None:
    repo = six_autos(tmp_path)
    repo.point("refs/remotes/origin/main", repo.history()[3].oid)
    repo.consolidate()
    (repo.git_dir / "refs/remotes/origin/main").unlink()
    report = repo.consolidate("--json").json
    assert [made["sources"] for made in report["created"]] == [4], "the shortcut of the first run hides the rest"
