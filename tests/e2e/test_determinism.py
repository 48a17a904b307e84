"""Two machines with the same raw history and policy write the same commits."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.repo import DAY_S, Oid, Repo, memgit, run

HERE = {"TZ": "UTC", "LANG": "C", "LC_ALL": "C", "USER": "one"}
THERE = {
    "TZ": "Pacific/Kiritimati",
    "LANG": "tr_TR.UTF-8",
    "LC_ALL": "de_DE.UTF-8",
    "USER": "other",
    "LOGNAME": "other",
    "EMAIL": "other@example.invalid",
    "COLUMNS": "20",
    "PYTHONHASHSEED": "1",
    "GIT_AUTHOR_NAME": "Other",
    "GIT_AUTHOR_DATE": "1999-01-01T00:00:00Z",
    "GIT_COMMITTER_EMAIL": "other@example.invalid",
}
CONFIG = """\
[user]
\tname = Other
\temail = other@example.invalid
\tuseConfigOnly = true
[i18n]
\tcommitEncoding = ISO-8859-1
\tlogOutputEncoding = UTF-16
[core]
\tabbrev = 4
\tquotePath = false
\tcompression = 9
\tcommitGraph = false
\tpackedGitLimit = 1m
[diff]
\trenames = copies
\tignoreSubmodules = all
\tnoprefix = true
\trelative = true
\talgorithm = patience
[log]
\tshowSignature = true
\tdate = relative
\tmailmap = true
[color]
\tui = always
[pack]
\tthreads = 1
\tindexVersion = 1
[format]
\tpretty = oneline
[column]
\tui = always
"""


def workspace(path: Path) -> Repo:
    """People and agents in several zones, merges, odd bytes."""
    repo = Repo(path)
    repo.commit("start", {"README": "x", "MEMORY.md": "0"})
    for day in range(3):
        for number in range(6):
            if number % 3 == 2:
                repo.commit(b"work \xe9", {f"src/{day}": f"{number}"}, headers=b"encoding ISO-8859-1\n")
            repo.commit(
                f"auto {number}",
                {"MEMORY.md": f"# Day {day}\n- {number}\n", f"memory/ü{number}": f"{day}"},
                at=repo.time_s + day * DAY_S,
                zone=(b"+0900", b"-0330")[number % 2],
                author="Ágent <agent@example.invalid>".encode(),
            )
        side = [repo.head()]
        for number in range(3):
            side.append(repo.commit(f"auto side {number}", {f"memory/side{day}": f"{number}"}, parents=side[-1:],
                                    branch=None, at=repo.time_s + day * DAY_S))  # fmt: skip
        repo.commit(f"merge {day}", parents=[repo.head(), side[-1]])
    return repo


@pytest.mark.parametrize("how", ["keep", "commute"])
def test_two_clones_write_the_same_commits(how: str, tmp_path: Path) -> None:
    repo = workspace(tmp_path / "one")
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / ".gitconfig").write_text(CONFIG)
    there = tmp_path / "other"
    run("git", "clone", "-q", "--no-hardlinks", "--bare", str(repo.path), str(there))
    run("git", "-C", str(there), "gc", "-q")
    args = ("consolidate", "--auto-subject", "^auto", "--interleaved", how, "--branch", "main", "--json")
    one = memgit(repo.path, *args, env=HERE).json
    other = memgit(there, *args, env={**THERE, "HOME": str(tmp_path / "home")}).json
    assert one["new_tip"] == other["new_tip"]
    assert one["created"] == other["created"]
    assert len(one["created"]) >= 6


def test_steps_or_all_at_once(tmp_path: Path) -> None:
    """The remembered place of the last run changes nothing about the result."""
    results: list[Oid] = []
    for forget in (False, True):
        repo = workspace(tmp_path / str(forget))
        repo.consolidate()
        for day in range(5, 8):
            for number in range(4):
                repo.commit(f"auto {number}", {"MEMORY.md": f"{day} {number}"}, at=repo.time_s + day * DAY_S)
            repo.commit("work", {"src/x": f"{day}"}, at=repo.time_s + day * DAY_S)
            repo.commit("auto late", {"memory/late": f"{day}"}, at=repo.time_s + (day - 1) * DAY_S)
            if forget:
                (repo.git_dir / "memgit" / "settled.json").unlink()
            repo.consolidate()
        results.append(repo.head())
    assert results[0] == results[1]


@pytest.mark.parametrize(
    "damage", ["", "{", "[]", '{"refs/heads/main": 1}', '{"refs/heads/main": {"commit": "HEAD"}}', "\0"]
)
def test_a_damaged_shortcut_is_none(damage: str, tmp_path: Path) -> None:
    repo = workspace(tmp_path / "repo")
    (repo.git_dir / "memgit").mkdir()
    (repo.git_dir / "memgit" / "settled.json").write_text(damage)
    assert len(repo.consolidate("--json").json["created"]) >= 6


def test_a_shortcut_that_names_a_revision_is_none(tmp_path: Path) -> None:
    repo = workspace(tmp_path / "repo")
    repo.consolidate()
    repo.memgit("undo")
    place = repo.git_dir / "memgit" / "settled.json"
    text = place.read_text()
    start = text.index('"commit": "') + len('"commit": "')
    place.write_text(text[:start] + "main" + text[start + 40 :])
    assert len(repo.consolidate("--json").json["created"]) >= 6
