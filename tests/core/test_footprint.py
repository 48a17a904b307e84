"""What memgit writes into git's files means there what `.gitignore` patterns mean to memgit."""

from __future__ import annotations

import subprocess
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memgit.core import footprint
from memgit.core.memory import Patterns
from memgit.core.setting_rows import MergeRule
from memgit.core.settings import DEFAULT_INCLUDE
from support.repo import run

PATTERNS = st.sampled_from(
    [
        *DEFAULT_INCLUDE,
        "*.md",
        "/notes",
        "notes/",
        "a/*.md",
        "**/log",
        "/a/**/z.md",
        "with space.md",
        "[ab]/x.md",
        "!/a/b.md",
    ]
)
PATHS = [
    *("MEMORY.md", "x/MEMORY.md", "memory/a.md", "memory/a/b.md", "notes/deep/x.md", "notes", "a/b.md", "a/c/b.md"),
    *("a/log", "log/x", "a/q/r/z.md", "with space.md", "b/x.md", ".beads/i.jsonl", ".beads/d/i.jsonl", "z.txt"),
]


def paths(repo: Path) -> None:
    run("git", "init", "-q", str(repo))
    entries = "".join(f"100644 {'1' * 40}\t{path}\n" for path in PATHS if path not in ("notes",))
    run("git", "-C", str(repo), "update-index", "--index-info", stdin=entries.encode())


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(PATTERNS, min_size=1, max_size=4, unique=True))
def test_the_scope_covers_every_file_that_could_be_memory(tmp_path: Path, include: list[str]) -> None:
    repo = tmp_path / "repo"
    if not repo.exists():
        paths(repo)
    specs = footprint.pathspecs(include, "")
    out = run("git", "-C", str(repo), "ls-files", "-z", "--", *specs).split(b"\0")[:-1] if specs else []
    memory = Patterns.compile(include, ())
    assert [path for path in PATHS if memory.matches(path.encode()) and path != "notes"] == [
        path for path in PATHS if memory.matches(path.encode()) and path.encode() in out
    ]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(PATTERNS.filter(lambda line: not line.startswith("!")), min_size=1, max_size=4, unique=True))
def test_attributes_say_of_each_path_what_the_patterns_say(tmp_path: Path, include: list[str]) -> None:
    repo = tmp_path / "repo"
    if not repo.exists():
        paths(repo)
    lines = footprint.attributes(include, (), (), "")
    (repo / ".gitattributes").write_bytes(b"\n".join(lines) + b"\n")
    out = run("git", "-C", str(repo), "check-attr", "-z", "merge", *PATHS).split(b"\0")
    given_to_driver = {path.decode() for path, value in zip(out[0::3], out[2::3], strict=False) if value == b"memgit"}
    memory = Patterns.compile(include, ())
    assert given_to_driver == {path for path in PATHS if memory.matches(path.encode())}


def test_attributes_of_a_workspace_in_a_sub_directory_name_it(tmp_path: Path) -> None:
    run("git", "init", "-q", str(tmp_path))
    lines = footprint.attributes(("/MEMORY.md", "*.log"), ("*.tmp",), (MergeRule("/x.json"),), "a b/")
    (tmp_path / ".gitattributes").write_bytes(b"\n".join(lines) + b"\n")
    names = ["a b/MEMORY.md", "MEMORY.md", "a b/c/d.log", "d.log", "a b/x.json", "a b/c.tmp"]
    out = subprocess.run(
        ["git", "check-attr", "merge", *names], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert [line.endswith("memgit") for line in out.stdout.splitlines()] == [True, False, True, False, True, False]


def test_values_survive_gits_own_reading(tmp_path: Path) -> None:
    line = "'/a \"quoted\" place/py' -I %O && echo \\ ; # not a comment"
    (tmp_path / "gitconfig").write_bytes(footprint.gitconfig(line))
    out = run("git", "config", "--file", str(tmp_path / "gitconfig"), "merge.memgit.driver")
    assert out.decode().removesuffix("\n") == line
