"""What init finds out about a workspace: its memory, its automatic commits, what stands in memgit's way."""

from __future__ import annotations

import os
from collections.abc import Iterable

from memgit.core import layout, learn, policy_text
from memgit.core.layout import Layout
from memgit.core.learn import Learned, Seen
from memgit.core.memory import Patterns
from memgit.core.presets import Preset
from memgit.core.settings import ALWAYS_EXCLUDED, DEFAULT_INCLUDE
from memgit.core.values import dataclass
from memgit.git.repository import Repository
from memgit.host.config_files import TRACKED_NAME

_FURTHEST_BACK = 20_000  # commits; what a script wrote before that says little about today


@dataclass(frozen=True, slots=True)
class Proposal:
    """What was found. policy: the file to write; None where there is one already."""

    layout: Layout
    memory_files: int
    learned: tuple[Learned, ...]
    commits: int  # looked at
    window: str
    policy: bytes | None
    nested: tuple[str, ...]  # directories in memory that are repositories of their own
    links: tuple[tuple[str, str], ...]  # memory paths that lead elsewhere, and where to


def look(repo: Repository, workspace: str | None, preset: Preset | None = None) -> Proposal:
    """Look at work tree and history. workspace: where `.memgit.toml` lies already, or None to find out."""
    paths = _paths(repo)
    found = layout.detect(paths)
    if workspace is not None:
        found = layout.detect(path[len(workspace) :] for path in paths if path.startswith(os.fsencode(workspace)))
        found = Layout(workspace, found.kinds, found.include) if not found.workspace else found
    patterns = Patterns.compile(found.include or DEFAULT_INCLUDE, ALWAYS_EXCLUDED).under(os.fsencode(found.workspace))
    seen, days = _history(repo, patterns)
    learned = learn.learn(seen)
    automatic = sum(one.matches for one in learned)
    window = "week" if automatic and automatic <= days else "day"
    window = preset.window or window if preset else window
    present = repo.work_tree is not None and os.path.lexists(
        os.path.join(repo.work_tree, found.workspace, TRACKED_NAME)
    )
    return Proposal(
        found,
        sum(patterns.matches(path) for path in paths),
        learned,
        len(seen),
        window,
        None if present else policy_text.compose(found, learned, window, preset.text if preset else ""),
        nested(repo, patterns),
        links(repo, filter(patterns.matches, paths), found.workspace),
    )


def _paths(repo: Repository) -> tuple[bytes, ...]:
    """Every file that is tracked, or could be."""
    if repo.work_tree is None:
        out = repo.git.run("ls-tree", "-r", "--name-only", "-z", "HEAD", ok=(0, 128)).stdout
    else:
        out = repo.git.run(
            "ls-files", "-z", "--full-name", "--cached", "--others", "--exclude-standard", "--", ":/",
            env={"GIT_LITERAL_PATHSPECS": "0"},
        ).stdout  # fmt: skip
    return tuple(dict.fromkeys(out.split(b"\0")[:-1]))


def _history(repo: Repository, patterns: Patterns) -> tuple[tuple[Seen, ...], int]:
    """Commits of every branch that memgit did not make, and on how many days they were made."""
    out = repo.git.run(
        "log", "--all", "--no-merges", f"--max-count={_FURTHEST_BACK}", "--no-renames", "--name-only", "-z",
        "--format=%x01%(trailers:key=Memgit-Auto)%(trailers:key=Memgit-Window)%x02%ad%x02%s",
        "--date=format:%Y-%m-%d",
    ).stdout  # fmt: skip
    seen, days = [], set()
    for record in out.split(b"\x01")[1:]:
        own, date, rest = record.split(b"\x02", 2)
        subject, _, names = rest.partition(b"\0")
        if own.strip():
            continue
        others = any(not patterns.matches(name) for name in names.strip(b"\n\0").split(b"\0") if name)
        seen.append(Seen(subject.decode("utf-8", "replace").rstrip(), others))
        days.add(date)
    return tuple(seen), len(days)


def nested(repo: Repository, patterns: Patterns) -> tuple[str, ...]:
    """Directories inside memory with a `.git` of their own: git does not see what is in them."""
    if repo.work_tree is None:
        return ()
    found = []
    for directory, names, files in os.walk(repo.work_tree):
        place = os.path.relpath(directory, repo.work_tree)
        inside = b"" if place == "." else os.fsencode(place)
        if inside and (".git" in names or ".git" in files):
            names.clear()
            found.append(place)
            continue
        names[:] = [
            name
            for name in sorted(names)
            if name != ".git" and patterns.may_contain(os.path.join(inside, os.fsencode(name)))
        ]
    return tuple(found)


def links(repo: Repository, memory: Iterable[bytes], workspace: str) -> tuple[tuple[str, str], ...]:
    """Symbolic links, among memory files and at their usual places, that lead out of the work tree, and where to."""
    if repo.work_tree is None:
        return ()
    top = os.path.realpath(repo.work_tree)
    usual = {line.strip("/").partition("/")[0] for line in DEFAULT_INCLUDE}
    names = {os.path.join(workspace, name) for name in usual} | {os.fsdecode(path) for path in memory}
    found = []
    for name in sorted(names):
        path = os.path.join(repo.work_tree, name)
        if os.path.islink(path):
            target = os.path.realpath(path)
            if target != top and not target.startswith(top + "/"):
                found.append((name, target))
    return tuple(found)
