"""One filter decides what is memory, for capture, backup, folders and export alike."""

from __future__ import annotations

from pathlib import Path

from support import clone
from support.clone import git
from support.repo import memgit

POLICY = """\
[memory]
include = ["/MEMORY.md", "/memory/**", "notes/*.md", "*.journal", "/bank/", "/data/[ab]?.jsonl"]
exclude = ["/memory/drafts/", "*.bak", "/memory/**/private.md"]
"""
IS_MEMORY = """
MEMORY.md                        memory/a.md                   memory/deep/er/a.md
memory/with space.md             memory/ünïcode.md             memory/-dash.md
memory/.hidden.md                memory/draft.md               memory/UPPER.MD
notes/a.md                       x.journal                     far/away/x.journal
bank/a.txt                       bank/deep/a.md                data/a1.jsonl
data/b2.jsonl                    memory/notes/b.md             memory/drafts.md
memory/deep/drafts/a.md          memory/(brackets).md
"""
IS_NOT = """
README.md                        app.py                        sub/MEMORY.md
memory2/a.md                     mem/a.md                      memory/drafts/a.md
memory/drafts/deep/a.md          memory/a.md.bak               bank/a.bak
memory/private.md                memory/deep/private.md        notes/a.txt
notes/deep/a.md                  journal                       sub/bank/a.txt
data/c1.jsonl                    data/a10.jsonl                data/a1.json
memory/.env                      memory/a.swp                  x.journal~
memory/server.key                memory/.memgit-new-4194305
"""


def names(table: str) -> set[str]:
    return {name.strip() for line in table.splitlines() for name in line.split("  ") if name.strip()}


def below(place: Path) -> set[str]:
    return {str(path.relative_to(place)) for path in place.rglob("*") if path.is_file()}


def test_the_same_files_are_captured_backed_up_shared_and_exported(tmp_path: Path) -> None:
    repo = clone.make(tmp_path / "work")
    git(repo, "rm", "-rq", ".")
    git(repo, "commit", "-q", "-m", "nothing")
    (repo / ".memgit.toml").write_text(POLICY)
    (repo / ".git/memgit").mkdir()
    (repo / ".git/memgit/config.toml").write_text(
        f'[[target]]\nname = "disk"\nmode = "mirror"\npath = "{tmp_path}/disk"\n'
        f'[[folder]]\nname = "vault"\npath = "{tmp_path}/vault"\n'
    )
    memory = names(IS_MEMORY)
    assert len(memory | names(IS_NOT)) >= 40
    for name in memory | names(IS_NOT):
        (repo / name).parent.mkdir(parents=True, exist_ok=True)
        (repo / name).write_text("{}\n")
    memgit(repo, "commit")
    assert set(git(repo, "ls-tree", "-rz", "--name-only", "HEAD").stdout.split("\0")[:-1]) == memory
    memgit(repo, "backup", "run")
    assert below(tmp_path / "disk/current/files") == memory
    memgit(repo, "mirror")
    assert below(tmp_path / "vault") == memory
    memgit(repo, "export", "--to", str(tmp_path / "exported"))
    assert below(tmp_path / "exported") == memory
    for name in memory | names(IS_NOT):  # and each of them again, when it changes
        (repo / name).write_text("[]\n")
    memgit(repo, "run", "--once")
    assert set(git(repo, "diff", "-z", "--name-only", "HEAD~1").stdout.split("\0")[:-1]) == memory
