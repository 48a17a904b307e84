"""Three machines, one remote, a line that breaks: in the end all hold the same, and nothing that was written is lost.

Real processes and real connections, cut by a seeded generator.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from support import remotes
from support.remotes import Cutter, Served
from support.repo import memgit_program, run

NAMES = ("laptop", "desktop", "phone")
FILES = ("MEMORY.md", "memory/2026-02-04.md", "memory/notes.md")


class Machine:
    """A clone, and what its agent does to the files."""

    def __init__(self, place: Path, name: str, url: str, env: dict[str, str]) -> None:
        self.path = place / name
        self.name = name
        self.said = ""
        self.env = {**env, "MEMGIT_MACHINE": name, "MEMGIT_REMOTE_TIMEOUT": "2s"}
        run("git", "clone", "-q", url, str(self.path), env=env)

    def lines(self, name: str) -> list[str]:
        place = self.path / name
        return place.read_text().splitlines() if place.exists() else []

    def put(self, name: str, lines: list[str]) -> None:
        place = self.path / name
        place.parent.mkdir(exist_ok=True)
        place.write_text("".join(f"{line}\n" for line in lines))

    def sync(self) -> bool:
        """One sync; whether it got through. A broken line is no surprise, anything else is."""
        import subprocess

        child = subprocess.run(
            [memgit_program(), "-C", str(self.path), "sync", "--now", "-q"],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, env={**os.environ, **self.env}, timeout=120,
        )  # fmt: skip
        assert "Traceback" not in child.stderr, child.stderr
        assert child.returncode in (0, 7), f"{self.name}: {child.returncode} {child.stderr}"
        self.said = child.stderr
        return child.returncode == 0

    def tree(self) -> bytes:
        return run("git", "-C", str(self.path), "rev-parse", "HEAD^{tree}")


class World:
    """All machines, and what must be true of them."""

    def __init__(self, place: Path, served: Served, seed: int) -> None:
        self.dice = random.Random(seed)
        self.hub = place / "served" / "hub.git"
        parts = urlsplit(served.url)
        assert parts.port is not None
        self.cutter = Cutter(parts.port)
        url = served.url.replace(f":{parts.port}", f":{self.cutter.port}") + "hub.git"
        self._start(place)
        self.machines = [Machine(place, name, url, dict(served.env)) for name in NAMES]
        self.written: set[str] = set()
        self.deleted: set[str] = set()
        self.tips = [self.tip()]

    def _start(self, place: Path) -> None:
        first = place / "first"
        run("git", "clone", "-q", str(self.hub), str(first))
        (first / "MEMORY.md").write_text("# Memory\n\n## Facts\n\n")
        run("git", "-C", str(first), "add", "-A")
        run("git", "-C", str(first), "commit", "-q", "-m", "Start")
        run("git", "-C", str(first), "push", "-q", "origin", "HEAD:main")

    def tip(self) -> str:
        return run("git", "-C", str(self.hub), "rev-parse", "main").decode().strip()

    def step(self, number: int) -> None:
        """One machine writes something and syncs, over a line in some state."""
        machine = self.dice.choice(self.machines)
        for _ in range(self.dice.randrange(3)):
            name = self.dice.choice(FILES)
            lines = machine.lines(name)
            mine = [line for line in lines if line in self.written]
            if mine and self.dice.random() < 0.2:
                gone = self.dice.choice(mine)
                lines.remove(gone)
                self.deleted.add(gone)
            else:
                line = f"- {10 + number % 12:02d}:{self.dice.randrange(60):02d} {machine.name} fact {len(self.written)}"
                self.written.add(line)
                at = len(lines) if self.dice.random() < 0.7 else self.dice.randint(min(4, len(lines)), len(lines))
                lines.insert(at, line)
            machine.put(name, lines)
        self.cutter.mode = self.dice.choice(("pass", "pass", "pass", "refuse", "cut", "cut", "stall"))
        self.cutter.bytes = self.dice.choice((1, 200, 700, 1500, 3000, 6000))
        machine.sync()
        self.cutter.mode = "pass"
        self.note_tip()

    def note_tip(self) -> None:
        """The remote's branch only ever moves forward."""
        tip = self.tip()
        if tip != self.tips[-1]:
            run("git", "-C", str(self.hub), "merge-base", "--is-ancestor", self.tips[-1], tip)
            self.tips.append(tip)

    def heal(self) -> None:
        """The line is whole again: everybody syncs, and then once more to hear of the others.

        A server on a busy machine may be silent for the two seconds that are allowed, or turn somebody away.
        """
        for _ in range(2):
            for machine in self.machines:
                assert any(machine.sync() for _ in range(3)), f"{machine.name}: {machine.said}"
                self.note_tip()

    def check(self) -> None:
        assert len({machine.tree() for machine in self.machines}) == 1
        for machine in self.machines:
            here = [line for name in FILES for line in machine.lines(name)]
            kept = self.written - self.deleted
            assert kept <= set(here), f"lost on {machine.name}: {sorted(kept - set(here))}"
            assert not (self.deleted & set(here)), f"back on {machine.name}: {sorted(self.deleted & set(here))}"
            facts = [line for line in here if line in self.written]
            assert len(facts) == len(set(facts)), "a line stands twice"
            assert not any(line.startswith(("<<<<<<<", ">>>>>>>")) for line in here)
            assert run("git", "-C", str(machine.path), "status", "--porcelain") == b""
            run("git", "-C", str(machine.path), "fsck", "--strict")
        assert self.cutter.mode == "pass"


@contextmanager
def world(place: Path, transport: str, seed: int) -> Iterator[World]:
    root = place / "served"
    remotes.bare(root / "hub.git")
    server = remotes.git_daemon(root) if transport == "daemon" else remotes.sshd(root, place / "ssh")
    with server as served:
        made = World(place, served, seed)
        try:
            yield made
        finally:
            made.cutter.close()


def test_machines_converge_over_a_line_that_breaks(tmp_path: Path) -> None:
    with world(tmp_path, "daemon", 7) as made:
        for number in range(20):
            made.step(number)
        made.heal()
        made.check()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_machines_converge_over_ssh_for_long(tmp_path: Path, seed: int) -> None:
    with world(tmp_path, "ssh", seed) as made:
        for number in range(100):
            made.step(number)
            if number % 25 == 24:
                made.heal()
                made.check()
