"""See the registered driver merge something, through real git and this clone's own configuration.

Objects go to a place of their own and nothing points at them: refs, index, work tree and object store stay untouched.
"""

from __future__ import annotations

import os
import shutil

from memgit.core.footprint import DRIVER
from memgit.core.values import dataclass
from memgit.git import attributes
from memgit.git.command import Git
from memgit.git.repository import Repository

LIKELY = ("MEMORY.md", "memory/2026-01-01.md", "AGENTS.md", "CLAUDE.md", "memory-bank/notes.md", ".claude/memory/a.md")
_BASE = b"# Proof\n\n- 10:00 one\n"
_OURS = _BASE + b"- 10:05 two\n"
_THEIRS = _BASE + b"- 10:10 three\n"


@dataclass(frozen=True, slots=True)
class Proof:
    """Whether a merge that git alone can't make came out right."""

    works: bool
    path: str
    evidence: str


def merge(repo: Repository, workspace: str = "") -> Proof | None:
    """Merge two additions to one place of a memory file; None where no path is given to the driver."""
    path = _path(repo, workspace)
    if path is None:
        return None
    scratch = os.path.join(repo.private_dir, f"proof-{os.getpid()}")
    os.makedirs(scratch, mode=0o700)
    try:
        return _merged(repo, path, scratch)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def forget_interrupted(repo: Repository) -> None:
    """Take away what a killed proof left. The caller holds memgit's lock."""
    for name in os.listdir(repo.private_dir):
        if name.startswith("proof-"):
            shutil.rmtree(os.path.join(repo.private_dir, name), ignore_errors=True)


def _path(repo: Repository, workspace: str) -> str | None:
    """A path, there or not, that git hands to the driver."""
    for names in ([workspace + name for name in LIKELY], attributes.tracked(repo, ".md")):
        found = attributes.check(repo.git, "merge", names)
        path = next((name for name in names if found.get(name) == DRIVER), None)
        if path is not None:
            return path
    return None


def _merged(repo: Repository, path: str, scratch: str) -> Proof:
    env = {
        "GIT_OBJECT_DIRECTORY": os.path.join(scratch, "objects"),
        "GIT_ALTERNATE_OBJECT_DIRECTORIES": os.path.join(repo.common_dir, "objects"),
        "GIT_INDEX_FILE": os.path.join(scratch, "index"),
        **{f"GIT_{who}_{what}": "memgit@invalid" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    }
    os.mkdir(env["GIT_OBJECT_DIRECTORY"])
    # git puts a driver's files into the work tree, and leaves them there if it is killed: so give it another one.
    tree = os.path.join(scratch, "tree")
    os.mkdir(tree)
    if repo.work_tree is not None:
        env["GIT_WORK_TREE"] = tree
        _copy_attributes(repo.work_tree, tree, path)
    git = Git(tree, repo.git_dir)

    def commit(content: bytes, *parents: str) -> str:
        blob = _word(git.run("hash-object", "-w", "--stdin", stdin=content, env=env).stdout)
        entry = f"100644 {blob}\t{path}\0".encode("utf-8", "surrogateescape")
        git.run("update-index", "-z", "--index-info", stdin=entry, env=env)
        files = _word(git.run("write-tree", env=env).stdout)
        links = [word for parent in parents for word in ("-p", parent)]
        return _word(git.run("commit-tree", files, *links, stdin=b"proof\n", env=env).stdout)

    base = commit(_BASE)
    sides = commit(_OURS, base), commit(_THEIRS, base)
    done = git.run("merge-tree", "--write-tree", "--no-messages", *sides, env=env, ok=None, timeout_s=60)
    if done.status not in (0, 1):
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        return Proof(False, path, said[-1] if said else "git merge-tree failed")
    result = _word(done.stdout.split(b"\n")[0])
    merged = git.run("cat-file", "blob", f"{result}:{path}", env=env).stdout
    if done.status == 0 and sorted(merged.splitlines()) == sorted(set((_OURS + _THEIRS).splitlines())):
        return Proof(True, path, f"two additions to {path} were merged into one file")
    said = done.stderr.decode("utf-8", "replace").strip().splitlines()
    return Proof(False, path, f"two additions to {path} came out as a conflict{': ' + said[-1] if said else ''}")


def _copy_attributes(source: str, target: str, path: str) -> None:
    """The attribute files that git reads for this path."""
    parts = path.split("/")[:-1]
    for depth in range(len(parts) + 1):
        place = os.path.join(*parts[:depth], ".gitattributes")
        if os.path.isfile(os.path.join(source, place)):
            os.makedirs(os.path.dirname(os.path.join(target, place)), exist_ok=True)
            shutil.copyfile(os.path.join(source, place), os.path.join(target, place))


def _word(output: bytes) -> str:
    return output.decode().strip()
