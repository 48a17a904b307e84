"""Every way in which git runs the driver gives what the rules promise; clones that merge each other agree."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from support.merging import Clone, merge

BASE = "# Memory\n\n## Facts\n\n- one\n- two\n- three\n\n## Log\n\n- 09:00 started\n"
OURS = BASE + "- 10:00 from here\n"
THEIRS = BASE + "- 10:05 from there\n"
BOTH = BASE + "- 10:00 from here\n- 10:05 from there\n"


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    made = Clone.create(tmp_path / "w")
    made.diverge("MEMORY.md", BASE, OURS, THEIRS)
    return made


def test_merge_and_the_function_agree(clone: Clone) -> None:
    clone.git("merge", "-q", "other")
    answer = merge(BASE.encode(), OURS.encode(), THEIRS.encode(), "MEMORY.md")
    assert answer.clean
    assert clone.read("MEMORY.md").encode() == answer.content == BOTH.encode()


def test_rebase_swaps_the_sides_and_gives_the_same(clone: Clone) -> None:
    clone.git("rebase", "-q", "other")
    assert clone.read("MEMORY.md") == BOTH


def test_cherry_pick(clone: Clone) -> None:
    clone.git("cherry-pick", "other")
    assert clone.read("MEMORY.md") == BOTH


def test_stash_pop(clone: Clone) -> None:
    clone.write("MEMORY.md", OURS.replace("- one\n", "- one\n- one and a half\n") + "- 10:10 not committed\n")
    clone.git("stash", "-q")
    clone.git("merge", "-q", "other")
    clone.git("stash", "pop", "-q")
    assert clone.read("MEMORY.md") == BOTH.replace("- one\n", "- one\n- one and a half\n") + "- 10:10 not committed\n"


def test_revert_takes_a_line_out_although_others_were_added_beside_it(clone: Clone) -> None:
    added = clone.git("rev-parse", "HEAD").stdout.strip()
    clone.commit("MEMORY.md", OURS + "- 10:20 later\n")
    clone.git("revert", "--no-edit", added)
    assert clone.read("MEMORY.md") == BASE + "- 10:20 later\n"


def test_merge_tree_writes_the_same_without_a_work_tree(clone: Clone) -> None:
    tree = clone.git("merge-tree", "--write-tree", "main", "other").stdout.strip()
    assert clone.git("show", f"{tree}:MEMORY.md").stdout == BOTH


def test_linked_worktree(clone: Clone, tmp_path: Path) -> None:
    clone.git("worktree", "add", "-q", str(tmp_path / "linked tree's"), "-b", "third", "main")
    linked = Clone(tmp_path / "linked tree's")
    linked.git("merge", "-q", "other")
    assert linked.read("MEMORY.md") == BOTH


def test_a_deleted_fact_stays_gone_beside_an_addition(tmp_path: Path) -> None:
    clone = Clone.create(tmp_path / "w")
    clone.diverge("MEMORY.md", BASE, BASE.replace("- two\n", ""), BASE.replace("- two\n", "- two\n- two and a half\n"))
    clone.git("merge", "-q", "other")
    assert clone.read("MEMORY.md") == BASE.replace("- two\n", "- two and a half\n")


def test_both_create_the_same_daily_file(tmp_path: Path) -> None:
    clone = Clone.create(tmp_path / "w")
    clone.commit("README.md", "x\n")
    clone.git("checkout", "-q", "-b", "other")
    clone.commit("memory/2026-03-01.md", "# 2026-03-01\n\n## 10:05\nfrom there\n")
    clone.git("checkout", "-q", "main")
    clone.commit("memory/2026-03-01.md", "# 2026-03-01\n\n## 10:00\nfrom here\n")
    clone.git("merge", "-q", "other")
    assert clone.read("memory/2026-03-01.md") == "# 2026-03-01\n\n## 10:00\nfrom here\n\n## 10:05\nfrom there\n"


def test_criss_cross_with_conflict_in_the_bases_still_ends_in_one_text(tmp_path: Path) -> None:
    clone = Clone.create(tmp_path / "w")
    clone.diverge("MEMORY.md", BASE, BASE.replace("- two", "- 2"), BASE.replace("- two", "- second"))
    for branch, other in (("main", "other"), ("other", "main~0")):
        tip = clone.git("rev-parse", "main~0" if branch == "main" else "main~1").stdout.strip()
        clone.git("checkout", "-q", branch)
        clone.git("merge", other if branch == "main" else tip, check=False)
        clone.commit("MEMORY.md", BASE.replace("- two", "- 2 or second") + f"- 11:0{len(branch)} on {branch}\n")
    clone.git("merge", "-q", "main", check=False)
    text = clone.read("MEMORY.md")
    assert text.count("- 11:04 on main") == 1
    assert text.count("- 11:05 on other") == 1


def test_two_clones_that_merge_each_other_have_the_same_tree(clone: Clone) -> None:
    clone.git("checkout", "-q", "-b", "there", "other")
    clone.git("merge", "-q", "main")
    there = clone.git("rev-parse", "HEAD^{tree}").stdout
    clone.git("checkout", "-q", "main")
    clone.git("merge", "-q", "other")
    assert clone.git("rev-parse", "HEAD^{tree}").stdout == there


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.slow), pytest.param(3, marks=pytest.mark.slow)])
@pytest.mark.parametrize("how", ["merge", "rebase"])
def test_three_clones_converge(tmp_path: Path, seed: int, how: str) -> None:
    """Appends, edits, deletions and toggles on three machines, pulled in random order, end in the same bytes."""
    rng = random.Random(seed)
    names = ("a", "b", "c")
    todo = "".join(f"- [ ] {name}{n} task of {name} number {n}\n" for n in range(3) for name in names)
    facts = "".join(f"- fact {name}{n} is kept by {name}\n" for n in range(3) for name in names)
    text = f"# Memory\n\n## Todo\n\n{todo}\n## Facts\n\n{facts}\n## Log\n\n- 09:00 started\n"
    first = Clone.create(tmp_path / "a")
    first.commit("MEMORY.md", text)
    clones = {"a": first}
    for name in names[1:]:
        first.git("clone", "-q", ".", str(tmp_path / name))
        clones[name] = Clone(tmp_path / name)
        clones[name].register(first.git("config", "merge.memgit.driver").stdout.strip())
        (clones[name].path / ".git" / "info" / "attributes").write_text("*.md merge=memgit\n")
    minute = 0
    gone: set[str] = set()
    added: set[str] = set()
    for step in range(12):
        name = rng.choice(names)
        clone, lines = clones[name], clones[name].read("MEMORY.md").splitlines()
        for _ in range(rng.randint(1, 2)):
            own = [n for n, line in enumerate(lines) if f" {name}" in line[:8]]
            what = rng.choice(["append", "append", "edit", "toggle", "delete"])
            at = rng.choice(own) if own else None
            if at is not None and what == "toggle" and "[ ]" in lines[at]:
                lines[at] = lines[at].replace("[ ]", "[x]")
            elif at is not None and what == "edit":
                lines[at] += f" (step {step})"
            elif at is not None and what == "delete" and "fact" in lines[at]:
                gone.add(lines.pop(at).split(" is ")[0])
            else:
                minute += 1
                added.add(f"- 10:{minute:02} {name} did step {step}")
                lines.append(f"- 10:{minute:02} {name} did step {step}")
        clone.commit("MEMORY.md", "\n".join(lines) + "\n")
        other = rng.choice([n for n in names if n != name])
        strategy = "--rebase" if how == "rebase" else "--no-rebase"
        clone.git("pull", "-q", "--no-edit", strategy, str(clones[other].path), "main")
    for name, other in (("a", "b"), ("a", "c"), ("b", "a"), ("c", "a")):
        clones[name].git("pull", "-q", "--no-rebase", "--no-edit", str(clones[other].path), "main")
    texts = {clone.read("MEMORY.md") for clone in clones.values()}
    assert len(texts) == 1
    lines = texts.pop().splitlines()
    assert sorted(line for line in lines if line in added) == sorted(added)
    assert not [line for line in lines if any(line.startswith(fact + " ") for fact in gone)]
    log = [line for line in lines if line.startswith("- 10:")]
    assert log == sorted(log)
