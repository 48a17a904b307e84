"""Change files of a clone so that all of it can be taken back: the manifest is written first, then the file.

A run that fails half-way takes back what it did; one that was killed is taken back by the next.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from memgit.core import footprint, regions
from memgit.core import manifest as records
from memgit.core.manifest import Change, Made, Manifest
from memgit.core.values import replace
from memgit.errors import Busy, MemgitError
from memgit.git import gitconfig, leftovers
from memgit.git.repository import Repository
from memgit.host import files
from memgit.host.config_files import TRACKED_NAME

_Proof = TypeVar("_Proof")
_COMMON, _TREE, _ELSEWHERE = "git:", "tree:", "path:"


def path_of_manifest(repo: Repository) -> str:
    """Where the manifest lies."""
    return os.path.join(repo.private_dir, footprint.MANIFEST)


def load(repo: Repository) -> Manifest:
    """The manifest; an empty one where nothing was ever made."""
    path = path_of_manifest(repo)
    content = files.read(path)
    if content is None:
        return Manifest()
    try:
        return records.read(content)
    except ValueError as error:
        raise MemgitError(f"{path} can't be read: {error}.", "Update memgit, or take the file away.") from None


def apply(repo: Repository, changes: Sequence[Change], prove: Callable[[], _Proof]) -> _Proof:
    """Make all changes or none; what `prove` gives, which is asked once all are made. The caller holds memgit's lock.

    Raises Busy where a file is no longer as it was planned on, and what `prove` raises; everything is taken back first.
    """
    manifest = load(repo)
    if manifest.run:
        raise Busy("An earlier run was interrupted and not taken back yet.", "Run the command again.")
    manifest = replace(manifest, held=manifest.made)
    try:
        for change in changes:
            manifest = _step(repo, manifest, change)
        proof = prove()
    except BaseException:
        roll_back(repo)
        raise
    _save(repo, replace(manifest, run=(), held=()))
    return proof


def is_interrupted(repo: Repository) -> bool:
    """Whether a run was killed before it ended."""
    return bool(load(repo).run)


def recover(repo: Repository) -> bool:
    """Take back what a killed run did, and the lock it held on git's configuration; whether there was one."""
    files.remove_unfinished(repo.private_dir)
    manifest = load(repo)
    if manifest.run:
        _clear_config_lock(repo, manifest.run)
    return roll_back(repo)


def roll_back(repo: Repository) -> bool:
    """Take back what a run of this process did; whether it did anything."""
    manifest = load(repo)
    if not manifest.run:
        return False
    for step in reversed(manifest.run):
        _revert(repo, step)
    manifest = Manifest(manifest.held, manifest.directories)
    if manifest.made:
        _save(repo, manifest)
    else:
        _remove_directories(repo, manifest)
        files.remove(path_of_manifest(repo))
    return True


def take_back(repo: Repository) -> tuple[str, ...]:
    """Undo everything the manifest knows; what could not be undone, as sentences. The manifest goes last."""
    recover(repo)
    manifest = load(repo)
    if manifest.is_leaving:
        _clear_config_lock(repo, manifest.made)
    elif manifest.made:
        _save(repo, replace(manifest, is_leaving=True))
    left = [said for made in reversed(manifest.made) if (said := _revert(repo, made))]
    _remove_directories(repo, manifest)
    if files.read(path_of_manifest(repo)) is not None:
        files.remove(path_of_manifest(repo))
    return tuple(left)


def pending(repo: Repository, changes: Iterable[Change]) -> tuple[Change, ...]:
    """Those changes that would change something."""
    return tuple(change for change in changes if change.before != change.after or change.aside is not None)


def read(path: str) -> bytes | None:
    """The file as a change needs it: None if there is none, MemgitError where it is no plain file."""
    if os.path.islink(path):
        raise MemgitError(f"{path} is a symbolic link, which memgit does not write through.")
    try:
        return files.read(path)
    except IsADirectoryError:
        raise MemgitError(f"{path} is a directory.") from None
    except NotADirectoryError:
        return None


def shown(repo: Repository, made: Made) -> str:
    """A place of the manifest as people know it: below the work tree, if it is there."""
    path = _path(repo, made.place)
    top = _tree_beside(repo)
    return os.path.relpath(path, top) if top is not None and path.startswith(top + "/") else path


def workspaces_made(repo: Repository) -> list[str]:
    """Where init has set a workspace up in this clone, "" or ending in a slash; committed or not, but still there."""
    name, top = TRACKED_NAME, repo.work_tree or ""
    made = (one.place.removeprefix(_TREE) for one in load(repo).made if one.place.startswith(_TREE))
    places = (place.removesuffix(name) for place in made if place == name or place.endswith("/" + name))
    return [place for place in places if os.path.lexists(os.path.join(top, place, name))]


def _step(repo: Repository, manifest: Manifest, change: Change) -> Manifest:
    directories = []
    parent = os.path.dirname(change.path)
    while not os.path.isdir(parent):
        directories.append(_place(repo, parent))
        parent = os.path.dirname(parent)
    aside = _place(repo, change.aside) if change.aside is not None else None
    after = "" if change.after is None else records.digest(change.after)
    step = Made(_place(repo, change.path), change.before, after, change.is_region, aside, change.about)
    manifest = replace(
        manifest.with_made(step),
        run=(*manifest.run, step),
        directories=(*manifest.directories, *reversed(directories)),
    )
    if change.aside is None and read(change.path) != change.before:
        raise Busy(f"{change.path} changed during the run.", "Run the command again.")
    _save(repo, manifest)
    for place in reversed(directories):
        os.makedirs(_path(repo, place), exist_ok=True)
    if change.aside is not None:
        os.rename(change.path, change.aside)
    _put(repo, change.path, change.after, change.mode, expected=change.before)
    return manifest


def _put(repo: Repository, path: str, content: bytes | None, mode: int, *, expected: bytes | None) -> None:
    if content is None:
        files.remove(path)
    elif path == os.path.join(repo.common_dir, "config"):

        def change(found: bytes) -> bytes:
            if found != expected:
                raise Busy(f"{path} changed during the run.", "Run the command again.")
            return content

        gitconfig.edit(path, change)
    else:
        files.rewrite(path, content, mode, repo.private_dir)


def _clear_config_lock(repo: Repository, steps: Sequence[Made]) -> None:
    """Take away the lock that a killed run left on git's configuration; proven by what it holds and since when."""
    path = os.path.join(repo.common_dir, "config")
    step = next((step for step in steps if step.place == f"{_COMMON}config"), None)
    if step is None or step.before is None:
        return
    after = regions.put(step.before, footprint.include_section(footprint.INCLUDED))
    since_s = os.stat(path_of_manifest(repo)).st_mtime
    leftovers.clear_lock(path + ".lock", (step.before, after, regions.take(files.read(path) or b"")), since_s)


def _revert(repo: Repository, made: Made) -> str | None:
    """Put back what was before; a sentence where somebody else has changed the file since, and it is left."""
    path = _path(repo, made.place)
    found = None if os.path.islink(path) else files.read(path)
    said = None
    if found is not None and records.digest(found) == made.after:
        _put(repo, path, made.before, 0o644, expected=found)
    elif found is not None and made.is_region:
        rest = regions.take(regions.take(found), name=b"memgit-hook-types")
        if rest != found:
            _put(repo, path, rest or made.before, 0o644, expected=found)
    elif found != made.before and not (found is None and made.aside is not None):
        said = f"{path} is no longer as memgit left it, so it stays."
    if made.aside is not None:
        kept = _path(repo, made.aside)
        if os.path.lexists(kept):
            if os.path.lexists(path):
                return f"{path} is not memgit's; what stood there before memgit is {kept}."
            os.rename(kept, path)
    return said


def _remove_directories(repo: Repository, manifest: Manifest) -> None:
    for place in reversed(manifest.directories):
        try:
            os.rmdir(_path(repo, place))
        except OSError:  # somebody else keeps something there, or took it away
            continue


def _save(repo: Repository, manifest: Manifest) -> None:
    files.replace(path_of_manifest(repo), records.write(manifest))


def _place(repo: Repository, path: str) -> str:
    """A path as the manifest names it, so that a clone can be moved."""
    for prefix, root in ((_COMMON, repo.common_dir), (_TREE, _tree_beside(repo))):
        if root is not None and path.startswith(root + "/"):
            return prefix + os.path.relpath(path, root)
    return _ELSEWHERE + path


def _path(repo: Repository, place: str) -> str:
    if place.startswith(_COMMON):
        return os.path.join(repo.common_dir, place.removeprefix(_COMMON))
    if place.startswith(_TREE):
        return os.path.join(os.path.dirname(repo.common_dir), place.removeprefix(_TREE))
    return place.removeprefix(_ELSEWHERE)


def _tree_beside(repo: Repository) -> str | None:
    """The main work tree, if it is where `.git` lies."""
    return os.path.dirname(repo.common_dir) if os.path.basename(repo.common_dir) == ".git" else None
