"""memgit backup run: bring the memory files to a target, and prove what arrived."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, nullcontext

from memgit.core.backup import manifest, shrink
from memgit.core.backup import names as snapshots
from memgit.core.backup.manifest import Entry, Manifest
from memgit.core.backup.plan import Item, Plan, plan
from memgit.core.memory import Patterns
from memgit.core.objects import Oid
from memgit.core.setting_rows import Target
from memgit.core.values import dataclass, field, replace
from memgit.errors import Busy, MemgitError, UsageError
from memgit.git import refs
from memgit.git.objects import ObjectReader
from memgit.git.repository import Repository
from memgit.host import files, generation
from memgit.host.folder import Folder
from memgit.host.local_place import LocalPlace, refused
from memgit.host.lock import Lock
from memgit.host.place import BASE, COMPLETE, FILES, MANIFEST, MIRROR, PARTIAL, Advance, Generation, Place, Sender
from memgit.porcelain.backup import source as sources
from memgit.porcelain.backup import target as targets
from memgit.porcelain.backup.rest import Rest
from memgit.porcelain.backup.source import Gathered, IndexFile, Screen, Source
from memgit.porcelain.backup.target import AtHand, Held, Memo

_LOCK_S = 5.0


class Shrunk(MemgitError):
    """The source lost so much that the backup does not follow it without a word."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a person asked for on the command line."""

    dry_run: bool = False
    confirm_shrink: bool = False
    new_target: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """What a run did, or in a dry run would do. Paths are relative to the workspace."""

    target: str
    where: str
    mode: str
    generation: str | None  # where the files lie now; None in a dry run that would make a new one
    commit: Oid | None
    copied: tuple[bytes, ...]
    deleted: tuple[bytes, ...]
    linked: int  # shared with the snapshot before
    unchanged: int
    files: int
    bytes_copied: int
    held: tuple[sources.Held, ...]
    notes: tuple[str, ...]
    is_new: bool  # False if everything was there already
    dry_run: bool


@dataclass(slots=True)
class _Job:
    """All that the steps of one run share."""

    target: Target
    place: Place
    memo: Memo
    request: Request
    rules: bytes  # what decides whether a file goes along
    now_ns: int
    advance: Advance
    notes: list[str] = field(default_factory=list)
    is_doubted: bool = False  # whether the generation before was found damaged

    @property
    def is_mirror(self) -> bool:
        return self.target.mode == "mirror"

    @property
    def now_s(self) -> int:
        return self.now_ns // 10**9


def run(
    repo: Repository,
    workspace: str,
    target: Target,
    patterns: Patterns,
    screen: Screen | None,
    rules: bytes,
    request: Request,
    now_ns: int,
    advance: Advance = lambda count: None,
) -> Report:
    """Back the workspace up to one target.

    screen: the guard; None where held files may go along. rules: stands for the guard's rules, so that what they let
    pass once is not searched again.
    Raises Shrunk, TargetError, NetworkError, ConfigError, Busy while another run to this target is at work.
    """
    decides = _rules(target, patterns, rules)
    job = _Job(target, targets.reach(target, repo), Memo(repo, target), request, decides, now_ns, advance)
    with _alone(job.memo) if not request.dry_run else nullcontext():
        targets.check_marker(job.place, job.memo, new_target=request.new_target, dry_run=request.dry_run)
        path = job.memo.index_path(repo.git_dir, with_held=target.include_held)
        index_file = IndexFile(path, job.rules)
        with _source(repo, workspace, target, patterns, index_file) as source:
            return _deliver(job, Gathered(source, None if target.include_held else screen, index_file, now_ns))


@contextmanager
def _alone(memo: Memo) -> Iterator[None]:
    with ExitStack() as held:
        try:
            held.enter_context(Lock(memo.directory, _LOCK_S))
        except Busy as error:
            raise Busy("Another run to this backup target is at work.", error.hint) from None
        memo.clear_unfinished()
        yield


def _rules(target: Target, patterns: Patterns, guard: bytes) -> bytes:
    """Changes with all that decides whether a file goes along: what one target may have counts for no other."""
    lines = [guard.decode(), str(target.include_held), *patterns.include.lines, "-", *patterns.exclude.lines]
    return manifest.digest_of("\n".join(lines).encode("utf-8", "surrogateescape"))


@contextmanager
def _source(
    repo: Repository, workspace: str, target: Target, patterns: Patterns, index_file: IndexFile
) -> Iterator[Source]:
    if target.source == "commit":
        commit = refs.resolve(repo.git, "HEAD")
        if commit is None:
            raise UsageError("There is no commit to back up yet.")
        with ObjectReader(repo.git) as reader:
            yield sources.of_commit(repo, reader, commit, os.fsencode(workspace), patterns)
        return
    folder = sources.open_workspace(repo, workspace)
    with folder if folder is not None else nullcontext():
        yield sources.of_tree(folder, patterns, index_file.known)


def _deliver(job: _Job, gathered: Gathered) -> Report:
    generations = job.place.generations()
    if isinstance(job.place, LocalPlace) and _is_on_same_disk(job.place, gathered.source):
        job.notes.append("the target is on the same file system as the workspace")
    rest = _rest(job, gathered.source, generations)
    if rest is not None and rest.is_as_left():
        gathered.items = gathered.source.items
        return _report(job, gathered, rest.generation, None)
    report = _bring(job, gathered, generations)
    if rest is not None and not (report.is_new or report.held or report.dry_run):
        rest.remember()
    return report


def _rest(job: _Job, source: Source, generations: tuple[Generation, ...]) -> Rest | None:
    """What tells that there is nothing to do; None where only a comparison does."""
    made = [one for one in generations if one.complete is not None and (one.name == MIRROR) == job.is_mirror]
    if not made or not isinstance(job.place, LocalPlace) or source.commit is not None or source.skipped:
        return None
    if job.memo.doubted(made[-1].name) is not None:
        return None
    path = os.path.join(job.memo.directory, "rest")
    return Rest(path, job.place, made[-1], job.rules, source.items, job.now_ns)


def _bring(job: _Job, gathered: Gathered, generations: tuple[Generation, ...]) -> Report:
    staged = None if isinstance(job.place, LocalPlace) else _at_hand(_stage(job))
    previous, wrong = targets.newest(job.place, generations, is_mirror=job.is_mirror, at_hand=staged)
    job.notes += wrong
    before = previous.manifest.entries if previous is not None else {}
    _guard(job, before, gathered.source.items)
    doubted = job.memo.doubted(previous.name) if previous is not None else None
    if previous is not None and doubted is not None:
        job.is_doubted = True
        job.notes.append(f"{previous.name} was found damaged; not taken from it: {len(doubted):,}")
        before = {path: entry for path, entry in before.items() if path not in doubted}
        previous = replace(previous, manifest=replace(previous.manifest, entries=before))
    gathered.learn(before, job.advance)
    if not gathered.items:
        raise MemgitError(
            "There are no memory files to back up.", "`memgit config memory.include` lists what is memory."
        )
    if isinstance(job.place, LocalPlace):
        return _to_directory(job, job.place, gathered, previous, tuple(item.name for item in generations))
    assert isinstance(job.place, Sender)
    return _through_stage(job, job.place, gathered, previous, tuple(item.name for item in generations))


def _guard(job: _Job, before: Mapping[bytes, Entry], items: list[Item]) -> None:
    lost = shrink.check(before, {item.path: item.size for item in items}, job.target.max_shrink)
    if lost is None:
        return
    told = f"{lost.gone:,} of {lost.before:,} files are gone and {lost.emptied:,} are empty now"
    if job.request.confirm_shrink:
        job.notes.append(f"followed although {told}")
        return
    raise Shrunk(
        f"{job.target.name}: {lost.reason}: {told}. Nothing was backed up.",
        "If that is right, run again with --confirm-shrink.",
    )


def _to_directory(
    job: _Job, place: LocalPlace, gathered: Gathered, previous: Held | None, names: tuple[str, ...]
) -> Report:
    if job.is_mirror:
        return _mirror(job, place, gathered, previous)
    if previous is not None and not _differs(job, gathered.items, previous):
        if not job.request.dry_run:
            gathered.remember()
        return _report(job, gathered, previous.name, None)
    resumed = max((name for name in names if name.endswith(PARTIAL)), default=None)
    if resumed is not None and (previous is None or resumed > previous.name):
        name = resumed.removesuffix(PARTIAL)
        job.notes.append(f"resumed {resumed}")
    else:
        name = _new_name(job, names)
    partial = place.inside(name + PARTIAL)
    try:
        if job.request.dry_run:
            return _report(job, gathered, None, _plan_snapshot(os.path.join(partial, FILES), gathered, previous))
        with Folder(os.path.join(partial, FILES), create=True, is_ours=True) as folder:
            todo = _plan_snapshot(folder.path, gathered, previous)
            with Folder(place.inside(previous.name, FILES)) if previous is not None else nullcontext() as old:
                generation.apply(folder, todo, gathered.content, gathered.source.directories, old, job.advance)
        old_place = place.inside(previous.name) if previous is not None else None
        _complete(job, gathered, partial, previous.manifest if previous else None, old_place)
        os.rename(partial, place.inside(name))
        _flush(place.path)
    except OSError as error:
        raise refused(error, place.path) from None
    gathered.remember()
    job.memo.set(damaged=None)
    return _report(job, gathered, name, todo)


def _plan_snapshot(path: str, gathered: Gathered, previous: Held | None) -> Plan:
    before = previous.manifest.entries if previous is not None else {}
    if not os.path.isdir(path):
        return plan(gathered.items, {}, before)
    with Folder(path) as folder:
        return plan(gathered.items, generation.present(folder, {}, read=True), before)


def _mirror(job: _Job, place: LocalPlace, gathered: Gathered, previous: Held | None) -> Report:
    top = place.inside(MIRROR)
    if job.request.dry_run and not os.path.isdir(os.path.join(top, FILES)):
        return _report(job, gathered, None, plan(gathered.items, {}, {}))
    try:
        with Folder(os.path.join(top, FILES), create=True, is_ours=True) as folder:
            there = generation.present(folder, previous.manifest.entries if previous else {}, read=previous is None)
            todo = plan(gathered.items, there, {})
            if job.request.dry_run:
                return _report(job, gathered, MIRROR if previous else None, todo)
            if previous is None or not todo.is_empty or _differs(job, gathered.items, previous):
                files.remove(os.path.join(top, COMPLETE))
                generation.apply(folder, todo, gathered.content, gathered.source.directories, None, job.advance)
                _complete(job, gathered, top, previous.manifest if previous else None, top)
    except OSError as error:
        raise refused(error, place.path) from None
    gathered.remember()
    job.memo.set(damaged=None)
    return _report(job, gathered, MIRROR, todo)


def _through_stage(
    job: _Job, place: Sender, gathered: Gathered, previous: Held | None, names: tuple[str, ...]
) -> Report:
    """Make a directory of our own hold exactly what is sent, then send that: it can't change on the way."""
    if previous is not None and not _differs(job, gathered.items, previous):
        if not job.request.dry_run:
            gathered.remember()
        return _report(job, gathered, previous.name, None)
    before = previous.manifest.entries if previous is not None else {}
    todo = plan(gathered.items, before if job.is_mirror else {}, {} if job.is_mirror else before)
    if job.request.dry_run:
        return _report(job, gathered, None, todo)
    top = _stage(job)
    with Folder(os.path.join(top, FILES), create=True, is_ours=True) as folder:
        staged = _staged(top)
        staging = plan(gathered.items, generation.present(folder, staged.entries if staged else {}), {})
        files.remove(os.path.join(top, COMPLETE))
        generation.apply(folder, staging, gathered.content, gathered.source.directories)
    _complete(job, gathered, top, staged, top)
    resumed = job.memo.get("partial")
    if job.is_mirror:
        name = MIRROR
    elif resumed in names and (previous is None or resumed > previous.name):
        name = resumed
        job.notes.append(f"resumed {name}")
    else:
        name = _new_name(job, names)
        job.memo.set(partial=name)
    place.send(top, name, previous.name if previous is not None and not job.is_mirror else None, job.advance)
    gathered.remember()
    job.memo.set(partial=None, damaged=None)
    return _report(job, gathered, name, todo)


def _stage(job: _Job) -> str:
    return os.path.join(job.memo.directory, "stage")


def _at_hand(top: str) -> AtHand:
    return AtHand(files.read(os.path.join(top, MANIFEST)), files.read(os.path.join(top, BASE)))


def _staged(top: str) -> Manifest | None:
    """What the stage holds according to its own manifest; None if the last run did not finish it."""
    held, complete = _at_hand(top), files.read(os.path.join(top, COMPLETE))
    if held.manifest is None or not manifest.is_completed_by(held.manifest, complete):
        return None
    return manifest.read(held.manifest, held.base, top)


def _differs(job: _Job, items: list[Item], previous: Held) -> bool:
    if job.is_doubted or len(items) != len(previous.manifest.entries):
        return True
    return any(item.kept is None for item in items)


def _complete(job: _Job, gathered: Gathered, top: str, previous: Manifest | None, previous_top: str | None) -> None:
    """Write the manifest, then the marker that says it is all there.

    previous: its base, which lies in `previous_top`, is shared if it still serves.
    """
    files.remove_unfinished(top)
    gathered.items = [item for item in gathered.items if item.digest]
    held = manifest.manifest((item.entry() for item in gathered.items), gathered.source.commit, job.now_s)
    base = previous.base if previous is not None else None
    text, base_text = manifest.write(held, base)
    is_shared = base is not None and base_text is base.text and previous_top is not None
    if not is_shared or not _share(os.path.join(str(previous_top), BASE), os.path.join(top, BASE)):
        files.replace(os.path.join(top, BASE), base_text, 0o644)
    files.replace(os.path.join(top, MANIFEST), text, 0o644)
    files.replace(os.path.join(top, COMPLETE), manifest.completion(text), 0o644)


def _share(old: str, new: str) -> bool:
    """Give a file a second name; False where that can't be done."""
    if old == new:
        return True
    try:
        files.remove(new)
        os.link(old, new)
    except OSError:
        return False
    return True


def _report(job: _Job, gathered: Gathered, name: str | None, todo: Plan | None) -> Report:
    copied = [item for item in todo.copy if item.digest] if todo is not None else []
    return Report(
        job.target.name,
        job.place.where,
        job.target.mode,
        name,
        gathered.source.commit,
        tuple(item.path for item in copied),
        todo.delete if todo is not None else (),
        len(todo.link) if todo is not None else 0,
        todo.unchanged if todo is not None else len(gathered.items),
        len(gathered.items),
        sum(item.size for item in copied),
        tuple(gathered.held),
        tuple(job.notes),
        todo is not None and not (job.is_mirror and todo.is_empty),
        job.request.dry_run,
    )


def _new_name(job: _Job, names: tuple[str, ...]) -> str:
    return snapshots.new(job.now_ns, snapshots.newest(names), os.urandom(3).hex())


def _is_on_same_disk(place: LocalPlace, source: Source) -> bool:
    try:
        device = os.stat(place.path).st_dev
    except FileNotFoundError:
        return False
    return any(directory.stat.st_dev == device for directory in source.directories[:1])


def _flush(directory: str) -> None:
    with Folder(directory) as folder:
        folder.flush()
