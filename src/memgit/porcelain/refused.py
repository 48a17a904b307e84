"""What a remote refused for a secret in it, so that captures leave it out until the secret is gone.

Of the secret's line a digest is kept, under this clone's own key; where no line is known, the id of the content.
"""

from __future__ import annotations

import hashlib
import json
import os

from memgit.core.objects import hash_object
from memgit.core.values import dataclass
from memgit.git.repository import Repository
from memgit.host import files

_SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Held:
    """lines: digests of lines the file must not have. blob: the content refused, where no line is known."""

    lines: tuple[str, ...]
    blob: str


def holds(held: dict[bytes, Held], path: bytes, content: bytes, key: bytes) -> bool:
    """Whether a file still is what the remote refused."""
    item = held.get(path)
    if item is None:
        return False
    if item.blob:
        return hash_object(b"blob", content).decode() == item.blob
    return any(digest(key, line) in item.lines for line in content.split(b"\n"))


def load(repo: Repository) -> dict[bytes, Held]:
    """What is held, by path."""
    try:
        record = json.loads(files.read(_path(repo)) or b"")
        return {
            os.fsencode(path): Held(tuple(map(str, item["lines"])), str(item["blob"]))
            for path, item in record["held"].items()
        }
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}


def save(repo: Repository, held: dict[bytes, Held]) -> None:
    """Keep it."""
    record = {
        "schema": _SCHEMA,
        "held": {os.fsdecode(path): {"lines": list(item.lines), "blob": item.blob} for path, item in held.items()},
    }
    files.replace(_path(repo), json.dumps(record, sort_keys=True).encode())


def _path(repo: Repository) -> str:
    return os.path.join(repo.private_dir, "refused.json")


def digest(key: bytes, line: bytes) -> str:
    """Of a line, without the blanks around it."""
    return hashlib.blake2b(line.strip(), digest_size=16, key=key[:64], person=b"memgit-refused").hexdigest()
