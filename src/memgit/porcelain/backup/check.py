"""memgit backup list and verify: what lies at a target, and whether it is what it should be."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Mapping
from enum import Enum

from memgit.core.backup import manifest
from memgit.core.backup.manifest import DamagedManifest, Difference, Entry
from memgit.core.backup.names import made_s
from memgit.core.objects import Oid
from memgit.core.setting_rows import Target
from memgit.core.values import dataclass
from memgit.errors import UsageError
from memgit.git.repository import Repository
from memgit.host import generation
from memgit.host.folder import Folder
from memgit.host.local_place import LocalPlace
from memgit.host.place import FILES, MARKER, Advance, Place, TargetError
from memgit.porcelain.backup import target as targets
from memgit.porcelain.backup.target import Held, Memo


class State(Enum):
    """What a generation is good for."""

    COMPLETE = "complete"
    INTERRUPTED = "interrupted"
    DAMAGED = "its manifest is damaged"


@dataclass(frozen=True, slots=True)
class Listed:
    """A generation as `list` shows it."""

    name: str
    state: State
    made_s: int | None
    files: int
    size: int  # bytes in all files
    commit: Oid | None


@dataclass(frozen=True, slots=True)
class Problem:
    """A file that is not what the manifest says."""

    path: bytes
    what: Difference


@dataclass(frozen=True, slots=True)
class Verified:
    """What checking a generation found. checked: files whose content was read."""

    target: str
    generation: str
    files: int
    checked: int
    problems: tuple[Problem, ...]


def reach(repo: Repository, target: Target) -> Place:
    """The place of a target that was used before. Raises TargetError if there is nothing of ours, or not to be read."""
    if target.write_only:
        from memgit.host.write_only import READ_ELSEWHERE

        raise TargetError(f"The backup target {target.name} can only be written.", READ_ELSEWHERE)
    place = targets.reach(target, repo)
    marker = targets.read_marker(place)
    if marker is None:
        raise TargetError(
            f"{place.where} holds no backups: there is no {MARKER} file.",
            "Is the disk mounted? `memgit backup run` makes the first backup.",
        )
    if marker.workspace != Memo(repo, target).workspace():
        raise TargetError(f"{place.where} holds the backups of another workspace.")
    return place


def list_all(repo: Repository, target: Target) -> tuple[Listed, ...]:
    """Every generation, oldest first."""
    place = reach(repo, target)
    found = []
    for item in place.generations():
        try:
            held = targets.load(place, item)
        except DamagedManifest:
            found.append(Listed(item.name, State.DAMAGED, made_s(item.name), 0, 0, None))
            continue
        if held is None:
            found.append(Listed(item.name, State.INTERRUPTED, made_s(item.name), 0, 0, None))
            continue
        entries = held.manifest.entries.values()
        size = sum(entry.size for entry in entries)
        found.append(
            Listed(item.name, State.COMPLETE, held.manifest.made_s, len(entries), size, held.manifest.commit)
        )  # fmt: skip
    return tuple(found)


def choose(place: Place, name: str | None) -> Held:
    """The generation of that name, or the newest complete one, the mirror only if there is no other."""
    generations = place.generations()
    if name is None:
        for is_mirror in (False, True):
            newest, _ = targets.newest(place, generations, is_mirror=is_mirror)
            if newest is not None:
                return newest
        raise UsageError(f"{place.where} holds no complete backup.", "`memgit backup list` shows what is there.")
    for item in generations:
        if item.name == name:
            held = targets.load(place, item)
            if held is None:
                raise UsageError(f"{name} was interrupted and is not complete.", "`memgit backup list` shows others.")
            return held
    raise UsageError(f"{place.where} holds no {name}.", "`memgit backup list` shows what is there.")


def verify(
    repo: Repository, target: Target, name: str | None, sample: int | None, advance: Advance = lambda count: None
) -> Verified:
    """Compare a generation with its manifest. sample: read only so many files, chosen by chance.

    A directory of this machine is read in place, and listed in full even for a sample; from elsewhere what is checked
    is fetched, so only checking everything finds an extra file. The next run goes by what was found: it takes nothing
    damaged over.
    """
    place = reach(repo, target)
    held = choose(place, name)
    found = _check(target.name, place, held, sample, advance)
    memo = Memo(repo, target)
    if found.problems:
        memo.doubt(held.name, [problem.path for problem in found.problems])
    elif found.checked == found.files:
        memo.trust(held.name)
    return found


def check_held(target: Target, place: Place, held: Held) -> Verified:
    """Compare a whole generation with its manifest."""
    return _check(target.name, place, held, None, lambda count: None)


def _check(target: str, place: Place, held: Held, sample: int | None, advance: Advance) -> Verified:
    entries = held.manifest.entries
    chosen = entries if sample is None or sample >= len(entries) else _sampled(entries, sample)
    if isinstance(place, LocalPlace):
        try:
            with Folder(place.inside(held.name, FILES)) as folder:
                return compare(target, held, folder, chosen, whole=True, advance=advance)
        except FileNotFoundError:
            return Verified(target, held.name, len(entries), 0, _problems(manifest.compare(entries, {})))
    with tempfile.TemporaryDirectory(prefix="memgit-verify-") as scratch:
        place.fetch(held.name, None if chosen is entries else list(chosen), scratch, advance)
        with Folder(scratch) as folder:
            return compare(target, held, folder, chosen, whole=chosen is entries, advance=advance, fetched=True)


def compare(
    target: str,
    held: Held,
    folder: Folder,
    chosen: Mapping[bytes, Entry],
    *,
    whole: bool,
    advance: Advance,
    fetched: bool = False,
) -> Verified:
    """Read the files of `chosen` in a folder and compare; if it is the `whole` folder, see that no other is there."""
    found = {}
    for file in folder.scan().files:
        status = file.stat
        entry = Entry(file.path, status.st_mode, status.st_size, status.st_mtime_ns, b"")
        if file.path in chosen:
            entry.digest = generation.digest(folder, file.path) or b"unreadable"
            advance(1)
        found[file.path] = entry
    expected = held.manifest.entries if whole else chosen
    problems = _problems(manifest.compare(expected, found))
    if fetched:  # what travels through other file systems is told by the manifest, and set when it is restored
        problems = tuple(item for item in problems if item.what not in (Difference.MODE, Difference.TIME))
    return Verified(target, held.name, len(held.manifest.entries), len(chosen), problems)


def _problems(found: tuple[tuple[bytes, Difference], ...]) -> tuple[Problem, ...]:
    return tuple(Problem(path, what) for path, what in found)


def _sampled(entries: Mapping[bytes, Entry], count: int) -> Mapping[bytes, Entry]:
    chance = secrets.SystemRandom()
    return {path: entries[path] for path in sorted(chance.sample(list(entries), count))}
