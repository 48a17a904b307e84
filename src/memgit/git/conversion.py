"""What `git add` would store for a file: filters, encodings and line ends applied by git, nothing written yet."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence

from memgit.core.objects import Oid
from memgit.errors import CommandFailed
from memgit.git.command import Git

_ASKED = ("filter", "working-tree-encoding", "ident", "text", "eol", "crlf")
_OFF = ("unspecified", "unset")


class NotConvertible(Exception):
    """git refuses to convert the file; `reason` is what it said."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def attributes(git: Git, paths: Sequence[bytes]) -> dict[bytes, dict[str, str]]:
    """The attributes that change what is stored, path by path; a path without any is left out."""
    if not paths:
        return {}
    stdin = b"".join(path + b"\0" for path in paths)
    out = git.run("check-attr", "-z", "--stdin", *_ASKED, stdin=stdin).stdout.split(b"\0")[:-1]
    found: dict[bytes, dict[str, str]] = {}
    for path, name, value in zip(out[0::3], out[1::3], out[2::3], strict=True):
        if value.decode() != "unspecified":
            found.setdefault(path, {})[name.decode()] = value.decode("utf-8", "replace")
    return found


def is_needed(content: bytes, attrs: Mapping[str, str], autocrlf: str) -> bool:
    """Whether git would store other bytes than these. autocrlf: the value of core.autocrlf.

    Source: gitattributes(5); convert.c: line ends change only where there is a CR, ident only where there is an $Id.
    """
    if any(attrs.get(name, "unset") not in _OFF for name in ("filter", "working-tree-encoding")):
        return True
    if attrs.get("ident") == "set" and b"$Id" in content:
        return True
    text = any(attrs.get(name, "unset") not in _OFF for name in ("text", "eol", "crlf"))
    return b"\r" in content and (text or autocrlf.lower() in ("true", "input", "yes", "on", "1"))


def converted(git: Git, objects_dir: str, scratch: str, path: bytes, content: bytes) -> bytes:
    """The bytes git would store for this content at this path. Raises NotConvertible.

    They are made in an object directory of their own that is thrown away, so that nothing unchecked gets into
    the repository. git: runs at the top of the work tree.
    """
    os.makedirs(scratch, mode=0o700, exist_ok=True)
    place = tempfile.mkdtemp(prefix="objects.", dir=scratch)
    env = {"GIT_OBJECT_DIRECTORY": place, "GIT_ALTERNATE_OBJECT_DIRECTORIES": objects_dir}
    try:
        oid: Oid = git.run(
            "hash-object", "-w", "--stdin", "--path=" + os.fsdecode(path), stdin=content, env=env
        ).stdout.strip()
        return git.run("cat-file", "blob", oid.decode(), env=env).stdout
    except CommandFailed as failure:
        if failure.status < 0:
            raise
        said = [line for line in failure.stderr.strip().splitlines() if line]
        raise NotConvertible(said[-1].removeprefix("fatal: ") if said else "git failed") from None
    finally:
        shutil.rmtree(place, ignore_errors=True)


def ignored(git: Git, paths: Sequence[bytes]) -> frozenset[bytes]:
    """Which of these untracked paths `.gitignore` and its like keep out."""
    if not paths:
        return frozenset()
    # check-ignore can't be told to take paths literally; the dot keeps a colon at the start from meaning anything.
    stdin = b"".join(b"./" + path + b"\0" for path in paths)
    env = {"GIT_LITERAL_PATHSPECS": "0"}
    out = git.run("check-ignore", "-z", "--stdin", stdin=stdin, env=env, ok=(0, 1)).stdout
    return frozenset(path.removeprefix(b"./") for path in out.split(b"\0")[:-1])
