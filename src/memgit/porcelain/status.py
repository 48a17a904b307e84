"""memgit status: facts about one workspace, gathered without changing anything."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

from memgit.core.capture import Held
from memgit.core.objects import Oid, RefName
from memgit.core.operations import LOG_REF, Operation
from memgit.core.settings import Config
from memgit.git import refs
from memgit.git.objects import ObjectReader
from memgit.git.repository import Repository
from memgit.porcelain import memo, oplog, place


@dataclass(frozen=True, slots=True)
class Status:
    """How a workspace stands."""

    branch: RefName | None
    why: str | None  # why captures do not go to the branch
    held: tuple[Held, ...]
    waiting: tuple[tuple[RefName, Oid], ...]  # private refs of all work trees
    operations: tuple[Operation, ...]  # newest first


def look(repo: Repository, config: Config, operations: int) -> Status:
    """The state of this work tree. operations: how many of the last ones to tell."""
    everything = refs.read_all(repo.git)
    where = None if repo.work_tree is None else place.choose(repo, config.capture.exclude_branches)
    log = next((ref.oid for ref in everything if ref.name == LOG_REF), None)
    with ObjectReader(repo.git) as reader:
        last = tuple(islice(oplog.walk(reader, log), operations))
    return Status(
        repo.current_branch(),
        where.why if where is not None else "the repository is bare",
        memo.held_in(repo),
        tuple((ref.name, ref.oid) for ref in everything if ref.name.startswith(place.CAPTURES)),
        last,
    )
