"""memgit backup restore: files of a backup back into a directory, each one checked against the manifest first."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

from memgit.core.backup.manifest import Entry, digest_of
from memgit.core.setting_rows import Target
from memgit.core.values import dataclass
from memgit.errors import MemgitError, UsageError
from memgit.git.repository import Repository
from memgit.host import generation, tree
from memgit.host.folder import Folder
from memgit.host.local_place import LocalPlace
from memgit.host.place import FILES, Advance, Place
from memgit.porcelain.backup import check
from memgit.porcelain.backup.target import Held, Memo


class DamagedBackup(MemgitError):
    """A file of a backup is not what its manifest says."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did, or in a dry run would do. Paths are relative to the destination."""

    where: str
    generation: str
    to: str
    created: tuple[bytes, ...]
    replaced: tuple[bytes, ...]
    unchanged: int
    dry_run: bool


def run(
    repo: Repository,
    target: Target,
    name: str | None,
    paths: Iterable[bytes],
    to: str,
    *,
    dry_run: bool,
    replace: bool,
    advance: Advance = lambda count: None,
) -> Restored:
    """Bring files of a target's snapshot, by default the newest, into the directory `to`. See `into`."""
    place = check.reach(repo, target)
    held = check.choose(place, name)
    scratch = os.path.join(Memo(repo, target).directory, "fetched", held.name)
    return into(place, held, paths, to, scratch, dry_run=dry_run, replace=replace, advance=advance)


def select(held: Held, paths: Iterable[bytes]) -> Mapping[bytes, Entry]:
    """The entries at or below these paths; all of them for none. Raises UsageError for a path that is not there."""
    wanted = [path.strip(b"/") for path in paths]
    entries = held.manifest.entries
    if not wanted:
        return entries
    chosen = {}
    for path in wanted:
        below = {name: entry for name, entry in entries.items() if name == path or name.startswith(path + b"/")}
        if not below:
            raise UsageError(f"{held.name} holds no {os.fsdecode(path)}.", "With --dry-run and no path all is listed.")
        chosen.update(below)
    return dict(sorted(chosen.items()))


def into(
    place: Place,
    held: Held,
    paths: Iterable[bytes],
    to: str,
    scratch: str,
    *,
    dry_run: bool = False,
    replace: bool = False,
    advance: Advance = lambda count: None,
) -> Restored:
    """Put files of a backup into the directory `to`. What lies there besides stays.

    scratch: where files of a distant target are collected; kept after an interruption, so that the next call goes on.
    replace: whether files with other content may be overwritten; else UsageError names them and nothing is written.
    Raises DamagedBackup before anything is written if one of the files is not what the manifest says, and what
    `Folder.refuse_obstacles` raises.
    """
    chosen = select(held, paths)
    if os.path.isdir(to):
        with Folder(to) as folder:
            folder.refuse_obstacles(chosen)
    created, replaced, unchanged = _compare(chosen, to)
    report = Restored(place.where, held.name, to, tuple(created), tuple(replaced), unchanged, dry_run)
    if dry_run:
        return report
    if replaced and not replace:
        names = ", ".join(os.fsdecode(path) for path in replaced[:5])
        more = f" and {len(replaced) - 5:,} more" if len(replaced) > 5 else ""
        raise UsageError(
            f"{_files(len(replaced))} in {to} would be overwritten: {names}{more}.",
            "Restore into an empty directory, or add --overwrite.",
        )
    if os.path.isdir(to):
        with Folder(to) as folder:
            folder.clear_leftovers(chosen)
    todo = {path: chosen[path] for path in (*created, *replaced)}
    if not todo:
        return report
    if isinstance(place, LocalPlace):
        with Folder(place.inside(held.name, FILES)) as source:
            _put(source, todo, to, advance)
        return report
    place.fetch(held.name, list(todo), scratch, advance)
    with Folder(scratch) as source:
        _put(source, todo, to, advance)
    tree.remove(scratch)
    return report


def _compare(chosen: Mapping[bytes, Entry], to: str) -> tuple[list[bytes], list[bytes], int]:
    created, replaced, unchanged = [], [], 0
    if not os.path.isdir(to):
        return list(chosen), [], 0
    with Folder(to) as folder:
        for path, entry in chosen.items():
            status = folder.lstat(path)
            if status is None:
                created.append(path)
            elif (
                status.st_mode == entry.mode
                and status.st_size == entry.size
                and (status.st_mtime_ns == entry.mtime_ns or entry.is_link)
                and generation.digest(folder, path) == entry.digest
            ):
                unchanged += 1
            else:
                replaced.append(path)
    return created, replaced, unchanged


def _put(source: Folder, todo: Mapping[bytes, Entry], to: str, advance: Advance) -> None:
    bad = [path for path, entry in todo.items() if generation.digest(source, path) != entry.digest]
    if bad:
        names = ", ".join(os.fsdecode(path) for path in bad[:5])
        raise DamagedBackup(
            f"Damaged or missing in the backup: {_files(len(bad))}, {names}. Nothing was restored.",
            "`memgit backup list` shows other snapshots; or name only the paths you need.",
        )
    with Folder(to, create=True) as folder:
        for path, entry in todo.items():
            content, _ = source.read(path) if entry.is_link or entry.size < 1 << 25 else (None, None)
            if entry.is_link:
                assert content is not None
                folder.symlink(path, content, entry.mtime_ns)
            elif content is None:
                folder.write(path, source.chunks(path), entry.mode, entry.mtime_ns)
            elif digest_of(content) != entry.digest:
                raise DamagedBackup(f"{os.fsdecode(path)} changed in the backup while it was restored.")
            else:
                folder.write(path, (content,), entry.mode, entry.mtime_ns)
            advance(1)
        folder.flush()


def _files(count: int) -> str:
    return f"{count:,} file{'' if count == 1 else 's'}"
