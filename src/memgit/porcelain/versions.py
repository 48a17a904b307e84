"""Memory files held open: a checkout replaces what stands at a place, but not what is open."""

from __future__ import annotations

import os
import resource
from collections.abc import Sequence

from memgit.core.memory import Patterns
from memgit.core.values import dataclass, field
from memgit.git.command import Git
from memgit.git.repository import Repository

_SPARE_DESCRIPTORS = 64


@dataclass(slots=True)
class HeldOpen:
    """A memory file, with every version of it that stood at its place."""

    path: str  # below the top of the work tree
    oid: str  # of the stashed version
    descriptors: list[int] = field(default_factory=list)
    inodes: list[tuple[int, int]] = field(default_factory=list)
    noted: tuple[int, int, int] | None = None  # which version, its size and time, as last looked at

    def look(self, top: str) -> None:
        """Open what stands at the place, if it is not open yet."""
        try:
            status = os.stat(os.path.join(top, self.path), follow_symlinks=False)
            if (status.st_dev, status.st_ino) in self.inodes[-1:]:
                return
            descriptor = os.open(
                os.path.join(top, self.path), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            )
        except OSError:
            return
        status = os.fstat(descriptor)
        self.descriptors.append(descriptor)
        self.inodes.append((status.st_dev, status.st_ino))

    def note(self) -> bool:
        """Whether the newest version has changed since the last call."""
        if not self.descriptors:
            return False
        status = os.fstat(self.descriptors[-1])
        before, self.noted = self.noted, (len(self.descriptors), status.st_size, status.st_mtime_ns)
        return before not in (None, self.noted)

    def versions(self) -> list[bytes]:
        """All versions as they are now, oldest first."""
        return [content_of(descriptor) for descriptor in self.descriptors]


def tracked(repo: Repository, memory: Sequence[Patterns], index_file: str | None) -> list[HeldOpen]:
    """The memory files an index holds, not open yet; the freshest of them where a process may not have so many open."""
    env = {"GIT_INDEX_FILE": os.path.abspath(index_file)} if index_file else None
    out = Git(repo.work_tree, repo.git_dir).run("ls-files", "--stage", "-z", env=env).stdout
    found = []
    for entry in out.split(b"\0")[:-1]:
        head, _, path = entry.partition(b"\t")
        mode, oid, stage = head.split()
        if mode.startswith(b"100") and stage == b"0" and any(patterns.matches(path) for patterns in memory):
            found.append(HeldOpen(os.fsdecode(path), oid.decode()))
    room = _descriptors() - _SPARE_DESCRIPTORS
    if len(found) > room // 2 and repo.work_tree is not None:  # those that an agent is most likely to write to
        found.sort(key=lambda one: _time_ns(os.path.join(repo.work_tree or "", one.path)), reverse=True)
        del found[room // 2 :]
    return found


def _descriptors() -> int:
    """How many files this process may have open, after asking for as many as it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 65536 if hard == resource.RLIM_INFINITY else min(hard, 65536)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return max(soft, wanted)


def _time_ns(path: str) -> int:
    try:
        return os.stat(path, follow_symlinks=False).st_mtime_ns
    except OSError:
        return 0


def content_of(descriptor: int) -> bytes:
    """All of an open file, whatever has become of its name."""
    pieces, at = [], 0
    while piece := os.pread(descriptor, 1 << 20, at):
        pieces.append(piece)
        at += len(piece)
    return b"".join(pieces)
