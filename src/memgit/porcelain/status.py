"""memgit status: facts about one workspace, gathered without changing anything."""

from __future__ import annotations

from itertools import islice

from memgit.core import windows
from memgit.core.capture import Counted, Held
from memgit.core.consolidation.policy import Policy
from memgit.core.consolidation.policy import Request as Consolidation
from memgit.core.consolidation.report import KeptReason
from memgit.core.objects import Oid, RefName
from memgit.core.operations import Operation
from memgit.core.settings import Config
from memgit.core.values import dataclass
from memgit.errors import MemgitError
from memgit.git import refs
from memgit.git.objects import ObjectReader
from memgit.git.refs import Ref
from memgit.git.repository import Repository
from memgit.host.scan import Skipped
from memgit.porcelain import automatic, commit, consolidate, oplog, place, window
from memgit.porcelain.automatic import Automatic


@dataclass(frozen=True, slots=True)
class Unpushed:
    """What the upstream does not have yet. oldest_s: when the oldest of it was committed; None if there is none."""

    upstream: RefName
    commits: int
    oldest_s: int | None


@dataclass(frozen=True, slots=True)
class Status:
    """How a workspace stands."""

    branch: RefName | None
    why: str | None  # why captures do not go to the branch
    captured_s: int | None  # when the newest capture was made, on the branch or beside it
    changed: tuple[Counted, ...]  # memory files that a capture would take now
    uncovered: tuple[Skipped, ...]  # links, nested repositories, devices: what git can't take from there
    held: tuple[Held, ...]
    waiting: tuple[tuple[RefName, Oid], ...]  # private refs of all work trees that belong on a branch
    aside: tuple[tuple[RefName, Oid], ...]  # those of branches that the settings exclude, where they stay
    lost_writes: int  # stash windows of which something was not merged back yet
    in_open_window: int  # automatic commits
    due: int  # automatic commits of closed windows that consolidation would join
    next_window_s: int | None  # when the open window ends; None where nothing is in it
    unpushed: Unpushed | None  # None without an upstream
    operations: tuple[Operation, ...]  # newest first
    automatic: Automatic


def look(
    repo: Repository, config: Config, workspace: bytes, version: str, now_s: int, zone: bytes, operations: int
) -> Status:
    """The state of this work tree. zone: here and now, `+0100`. operations: how many of the last ones to tell."""
    everything = refs.read_all(repo.git)
    excluded = config.capture.exclude_branches
    where = None if repo.work_tree is None else place.choose(repo, excluded)
    private = [(ref.name, ref.oid) for ref in everything if ref.name.startswith(place.CAPTURES)]
    log = oplog.newest(everything)
    with ObjectReader(repo.git) as reader:
        last = tuple(islice(oplog.walk(reader, log), operations))
    branch = repo.current_branch()
    tip = next((ref for ref in everything if ref.name == branch), None)
    is_open, due = _windows(repo, config, workspace, tip, now_s)
    capture = commit.Request(dry_run=True)
    ahead = commit.run(repo, config, workspace, version, capture, now_s) if repo.work_tree is not None else None
    calendar = windows.Calendar(config.consolidate.window, config.consolidate.timezone)
    return Status(
        branch,
        where.why if where is not None else "the repository is bare",
        _captured_s(repo, {oid for oid in (tip and tip.oid, where and where.tip) if oid}),
        ahead.files if ahead is not None else (),
        ahead.skipped if ahead is not None else (),
        ahead.held if ahead is not None else (),
        tuple(ref for ref in private if not place.stays_aside(ref[0], excluded)),
        tuple(ref for ref in private if place.stays_aside(ref[0], excluded)),
        window.unsettled(repo),
        is_open,
        due,
        calendar.window(now_s, zone).end_s if is_open else None,
        _unpushed(repo, tip),
        last,
        automatic.look(repo, now_s),
    )


def _windows(repo: Repository, config: Config, workspace: bytes, tip: Ref | None, now_s: int) -> tuple[int, int]:
    """How many automatic commits are in the open window, and how many could be joined."""
    if tip is None:
        return 0, 0
    try:
        request = Consolidation(dry_run=True, branch=tip.name)
        report = consolidate.run(repo, Policy.of(config), workspace, request, now_s)
    except MemgitError:  # in the middle of a merge or rebase nothing is due
        return 0, 0
    return sum(kept.count for kept in report.kept if kept.reason is KeptReason.OPEN), report.squashed


def _captured_s(repo: Repository, tips: set[Oid]) -> int | None:
    if not tips:
        return None
    newest = (
        "log",
        "-1",
        "--format=%ct",
        "--extended-regexp",
        "--grep=^Memgit-(Auto|Window): ",
        *(tip.decode() for tip in tips),
        "--",
    )
    found = repo.git.run(*newest).stdout.strip()
    return int(found) if found else None


def _unpushed(repo: Repository, tip: Ref | None) -> Unpushed | None:
    if tip is None:
        return None
    upstream = repo.git.text("for-each-ref", "--format=%(upstream)", tip.name)
    if not upstream or refs.resolve(repo.git, upstream) is None:
        return None
    times = repo.git.text("log", "--format=%ct", f"{upstream}..{tip.name}", "--").split()
    return Unpushed(upstream, len(times), min(map(int, times), default=None))
