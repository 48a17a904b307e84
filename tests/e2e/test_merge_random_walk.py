"""Three clones that change one file and exchange it in every way git has end with the same bytes, and the right ones.

Each machine edits, toggles and deletes only what it added itself, so nothing has to be decided by a person:
every step must merge clean, and at the end each entry stands once with all its edits, or is gone.
"""

from __future__ import annotations

import random
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from support.merging import Clone

NAME = "MEMORY.md"
TABLE = "| name | who | state |\n|---|---|---|\n| e000 | nobody | open |\n"
LOG = "## Log\n\n- 09:00 start\n"
BASE = f"# Memory\n\n## Facts\n\n- e000 fact\n\n## Todo\n\n- [ ] e000 task\n\n## Table\n\n{TABLE}\n{LOG}"
FORMS = {
    "Facts": ["- {name} fact kept by {who}", "- {name} topic of {who}\n  - detail of {name}"],
    "Todo": ["- [ ] {name} task of {who}"],
    "Table": ["| {name} | {who} | open |"],
    "Log": ["- 1{hour}:{minute:02} {name} {who} did something"],
}


@dataclass
class Entry:
    """What one machine added: by which clone, in which commits, and whether others may hold copies of it."""

    who: str
    edits: list[str] = field(default_factory=list)
    copied: bool = False


class Walk:
    """The three clones and what their file must hold in the end."""

    def __init__(self, place: Path, seed: int) -> None:
        self.rng = random.Random(seed)
        first = Clone.create(place / "a")
        first.commit(NAME, BASE)
        self.clones = {"a": first}
        for who in "bc":
            first.git("clone", "-q", ".", str(place / who))
            self.clones[who] = Clone(place / who)
            self.clones[who].register(first.git("config", "merge.memgit.driver").stdout.strip())
            (self.clones[who].path / ".git" / "info" / "attributes").write_text("*.md merge=memgit\n")
        self.alive: dict[str, Entry] = {}
        self.gone: set[str] = set()
        self.added_in: dict[str, list[tuple[str, list[str]]]] = {who: [] for who in "abc"}  # commits of additions only
        self.count = 0

    def step(self) -> None:
        who = self.rng.choice("abc")
        clone, other = self.clones[who], self.rng.choice([w for w in "abc" if w != who])
        added = self.change(who)
        if added is not None:
            clone.git("commit", "-q", "-a", "-m", "edit")
            if added:
                self.added_in[who].append((clone.git("rev-parse", "HEAD").stdout.strip(), added))
        clone.git("fetch", "-q", str(self.clones[other].path), "main")
        ways = [self.merge, self.merge, self.rebase, self.rebase, self.pick, self.stash, self.revert, self.criss_cross]
        self.rng.choice(ways)(who, other)

    def change(self, who: str) -> list[str] | None:
        """Write one or two changes; the ids added, none if something else was changed, None if nothing was."""
        clone = self.clones[who]
        lines = clone.read(NAME).splitlines()
        before, added, only_added = list(lines), [], True
        for _ in range(self.rng.randint(1, 2)):
            own = [name for name, entry in self.alive.items() if entry.who == who and not entry.copied]
            name = self.rng.choice(own) if own and self.rng.random() < 0.4 else ""
            if not name:
                added.append(self.add(who, lines))
                continue
            only_added = False
            at = next(n for n, line in enumerate(lines) if name in line)
            if self.rng.random() < 0.4:
                lines[:] = [line for line in lines if name not in line]
                self.gone.add(name)
                del self.alive[name]
            elif "[ ]" in lines[at] or "open" in lines[at]:
                lines[at] = lines[at].replace("[ ]", "[x]").replace("open", "done")
                self.alive[name].edits.append("[x]" if "[x]" in lines[at] else "done")
            elif "|" not in lines[at]:
                self.count += 1
                lines[at] += f" (n{self.count:03})"
                self.alive[name].edits.append(f"(n{self.count:03})")
        if lines == before:
            return None
        clone.write(NAME, "\n".join(lines) + "\n")
        return added if only_added else []

    def add(self, who: str, lines: list[str]) -> str:
        self.count += 1
        name = f"e{self.count:03}"
        section = self.rng.choice([*FORMS, "Log"])
        text = self.rng.choice(FORMS[section])
        text = text.format(name=name, who=who, hour=self.count // 60, minute=self.count % 60)
        end = lines.index(f"## {section}") + 1
        while end < len(lines) and not lines[end].startswith("## "):
            end += 1
        while not lines[end - 1]:
            end -= 1
        lines[end:end] = text.split("\n")
        self.alive[name] = Entry(who)
        return name

    def merge(self, who: str, other: str) -> None:
        self.clones[who].git("merge", "-q", "--no-edit", "FETCH_HEAD")

    def rebase(self, who: str, other: str) -> None:
        """Only what nobody else has: a commit that was rebased comes back from whoever has the old one."""
        clone = self.clones[who]
        mine = clone.git("rev-list", "FETCH_HEAD..HEAD").stdout.split()
        others = [c for label, c in self.clones.items() if label != who]
        if any(c.git("cat-file", "-e", commit, check=False).returncode == 0 for c in others for commit in mine):
            return
        clone.git("rebase", "-q", "FETCH_HEAD")
        self.added_in[who] = [(commit, ids) for commit, ids in self.added_in[who] if commit not in mine]

    def pick(self, who: str, other: str) -> None:
        """The newest commit of the other clone, if it added entries; these are not touched again."""
        newest = self.clones[who].git("rev-parse", "FETCH_HEAD").stdout.strip()
        known = self.added_in[other][-1:]
        if not known or known[0][0] != newest:
            return
        for name in known[0][1]:
            if name in self.alive:
                self.alive[name].copied = True
        if self.clones[who].git("cherry-pick", newest, check=False).returncode:
            self.clones[who].git("cherry-pick", "--skip")  # everything is here already

    def stash(self, who: str, other: str) -> None:
        clone = self.clones[who]
        if self.change(who) is None:
            return
        clone.git("stash", "-q")
        clone.git("merge", "-q", "--no-edit", "FETCH_HEAD")
        clone.git("stash", "pop", "-q")
        if clone.git("diff", "--quiet", check=False).returncode:
            clone.git("commit", "-q", "-a", "-m", "stashed")

    def revert(self, who: str, other: str) -> None:
        """An addition that nobody edited or copied."""
        for commit, ids in self.added_in[who]:
            entries = [self.alive.get(name) for name in ids]
            if all(entry and not entry.edits and not entry.copied for entry in entries):
                self.clones[who].git("revert", "--no-edit", commit)
                self.added_in[who].remove((commit, ids))
                self.gone.update(ids)
                for name in ids:
                    del self.alive[name]
                return

    def criss_cross(self, who: str, other: str) -> None:
        one, two = self.clones[who], self.clones[other]
        two.git("fetch", "-q", str(one.path), "main")
        for clone in (one, two):
            clone.git("merge", "-q", "--no-edit", "FETCH_HEAD")
        assert one.read(NAME) == two.read(NAME)

    def settle(self) -> str:
        """Everybody has everything; the one text that all have then."""
        for who, other in (("a", "b"), ("a", "c"), ("b", "a"), ("c", "a")):
            self.clones[who].git("pull", "-q", "--no-rebase", "--no-edit", str(self.clones[other].path), "main")
        texts = {clone.read(NAME) for clone in self.clones.values()}
        assert len(texts) == 1
        return texts.pop()


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 12))])
def test_three_clones_that_exchange_their_changes_in_every_way_converge(tmp_path: Path, seed: int) -> None:
    walk = Walk(tmp_path, seed)
    for _ in range(20):
        walk.step()
    lines = walk.settle().splitlines()
    for name, entry in walk.alive.items():
        found = [line for line in lines if name in line and "detail" not in line]
        assert len(found) == 1, name
        assert all(edit in found[0] for edit in entry.edits), name
    assert not [name for name in walk.gone if any(name in line for line in lines)]
    assert subprocess.run(["git", "fsck"], cwd=tmp_path / "a", capture_output=True, check=False).returncode == 0
