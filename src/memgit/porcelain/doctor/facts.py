"""What every check of doctor starts from, gathered once."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from memgit.core.memory import Patterns
from memgit.core.problems import Problem
from memgit.core.settings import DEFAULTS
from memgit.git import gitconfig
from memgit.git.gitconfig import Value
from memgit.git.repository import Repository
from memgit.porcelain.hooked import Workspace


@dataclass(frozen=True)
class Facts:
    """A clone, its workspaces and the machine. spaces: empty where the configuration can't be read."""

    repo: Repository
    spaces: tuple[Workspace, ...]
    environ: Mapping[str, str]
    now_s: int

    @cached_property
    def values(self) -> tuple[Value, ...]:
        """git's configuration."""
        return gitconfig.read(self.repo.git)

    @cached_property
    def memory(self) -> tuple[Patterns, ...]:
        """The memory of every workspace."""
        return tuple(space.memory for space in self.spaces) or (DEFAULTS.memory.patterns(),)

    @cached_property
    def tracked_memory(self) -> tuple[str, ...]:
        """Memory files that git tracks here."""
        if self.repo.work_tree is None:
            return ()
        out = self.repo.git.run("ls-files", "-z", "--full-name", "--", self.repo.work_tree).stdout
        return tuple(os.fsdecode(path) for path in out.split(b"\0")[:-1] if self.is_memory(path))

    def is_memory(self, path: bytes) -> bool:
        """Whether a path of the repository is memory of some workspace."""
        return any(patterns.matches(path) for patterns in self.memory)


@dataclass(frozen=True, slots=True)
class Check:
    """A thing that can be wrong. mend: puts it right; only where a problem says that it can."""

    id: str
    about: str
    look: Callable[[Facts], Iterator[Problem]]
    mend: Callable[[Facts], None] | None = None
