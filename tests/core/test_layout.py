"""Layouts as agents and people leave them, and the patterns proposed for each."""

from __future__ import annotations

import pytest

from memgit.core.layout import detect
from memgit.core.memory import Patterns

FILE_MEMORY = (
    "/MEMORY.md",
    "/AGENTS.md",
    "/SOUL.md",
    "/USER.md",
    "/IDENTITY.md",
    "/TOOLS.md",
    "/HEARTBEAT.md",
    "/memory/**",
)

WORKSPACES = {
    "file memory": (
        "AGENTS.md SOUL.md USER.md MEMORY.md memory/2026-02-04.md memory/state.json skills/x/SKILL.md tool.py",
        "",
        FILE_MEMORY,
    ),
    "one file for Claude": ("CLAUDE.md src/app.py README.md", "", ("/CLAUDE.md",)),
    "memory bank": (
        "memory-bank/projectbrief.md memory-bank/activeContext.md src/a.ts",
        "",
        ("/memory-bank/**",),
    ),
    "beads": (".beads/issues.jsonl .beads/config.yaml AGENTS.md main.go", "", ("/AGENTS.md", "/.beads/*.jsonl")),
    "Obsidian vault": (
        ".obsidian/app.json .obsidian/workspace.json Daily/2026-02-04.md Board.canvas img.png",
        "",
        ("/**/*.md", "/**/*.canvas"),
    ),
    "in a sub-directory": (
        "README.md infra/main.tf home/agent/MEMORY.md home/agent/SOUL.md home/agent/memory/2026-02-04.md",
        "home/agent/",
        FILE_MEMORY,
    ),
}


@pytest.mark.parametrize("name", WORKSPACES)
def test_a_workspace_gives_the_expected_policy(name: str) -> None:
    paths, workspace, include = WORKSPACES[name]
    found = detect(path.encode() for path in paths.split())
    assert (found.workspace, found.include) == (workspace, include)


def test_several_workspaces_become_patterns_at_the_top() -> None:
    found = detect([b"agents/[a]/SOUL.md", b"agents/[a]/memory/2026-01-01.md", b"agents/b/MEMORY.md", b"x.py"])
    assert found.workspace == ""
    patterns = Patterns.compile(found.include, ())
    assert patterns.matches(b"agents/[a]/SOUL.md")
    assert patterns.matches(b"agents/b/memory/x.md")
    assert not patterns.matches(b"agents/a/SOUL.md")
    assert not patterns.matches(b"x.py")


def test_nothing_is_proposed_where_nothing_is_recognised() -> None:
    assert detect([b"README.md", b"src/memory.c", b"docs/a.md"]).include == ()


def test_the_top_wins_over_what_lies_below() -> None:
    found = detect([b"MEMORY.md", b"examples/one/MEMORY.md", b"examples/one/SOUL.md"])
    assert (found.workspace, found.include) == ("", FILE_MEMORY)
