"""Attributes as git itself reads them; attribute files are never parsed here."""

from __future__ import annotations

from collections.abc import Iterable

from memgit.git.command import Git
from memgit.git.repository import Repository


def check(git: Git, name: str, paths: Iterable[str]) -> dict[str, str]:
    """The value of one attribute for each path, which need not exist; "unspecified" where there is none."""
    return {path: values[name] for path, values in check_all(git, (name,), paths).items()}


def check_all(git: Git, names: tuple[str, ...], paths: Iterable[str]) -> dict[str, dict[str, str]]:
    """The values of several attributes for each path."""
    given = "".join(f"{path}\0" for path in paths).encode("utf-8", "surrogateescape")
    if not given:
        return {}
    out = git.run("check-attr", "-z", "--stdin", *names, stdin=given).stdout
    words = out.decode("utf-8", "surrogateescape").split("\0")
    found: dict[str, dict[str, str]] = {}
    for path, name, value in zip(words[0::3], words[1::3], words[2::3], strict=False):
        found.setdefault(path, {})[name] = value
    return found


def tracked(repo: Repository, ending: str) -> list[str]:
    """Tracked files whose name ends so, relative to the top, in order; none in a bare repository."""
    if repo.work_tree is None:
        return []
    out = repo.git.run("ls-files", "-z", "--full-name", "--", ":/").stdout.decode("utf-8", "surrogateescape")
    return [path for path in out.split("\0") if path.endswith(ending)]
