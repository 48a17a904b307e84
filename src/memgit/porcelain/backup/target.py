"""Targets: which there are, how each is reached, and what is remembered of it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable

from memgit.core.backup import manifest
from memgit.core.backup.manifest import DamagedManifest, Manifest
from memgit.core.setting_rows import Target
from memgit.core.values import dataclass
from memgit.errors import ConfigError, UsageError
from memgit.git.repository import Repository
from memgit.host import files
from memgit.host.local_place import LocalPlace
from memgit.host.place import BASE, MANIFEST, MARKER, MIRROR, Generation, Place, TargetError

_SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Marker:
    """Whose backups lie at a place."""

    target: str  # told apart from other disks mounted at the same place
    workspace: str


def choose(targets: tuple[Target, ...], name: str | None) -> Target:
    """The target of that name, or the only one. Raises UsageError."""
    if not targets:
        raise UsageError(
            "No backup target is configured.",
            "Add one to the memgit/config.toml below the git directory, or to your user file:\n"
            '[[target]]\nname = "disk"\npath = "/media/backup/workspace"',
        )
    known = [target.name for target in targets]
    if len(set(known)) != len(known):
        raise ConfigError(f"Two backup targets are called {max(known, key=known.count)}.")
    if name is None and len(targets) > 1:
        raise UsageError("Which target?", f"Name one of {', '.join(known)}.")
    for target in targets:
        if name in (None, target.name):
            return target
    raise UsageError(f"There is no backup target {name}.", f"There are {', '.join(known)}.")


def reach(target: Target, repo: Repository | None) -> Place:
    """The place of a target. Raises ConfigError for one that makes no sense, TargetError if a program is missing."""
    given = [kind for kind in ("path", "host", "rclone") if getattr(target, kind) is not None]
    if len(given) != 1:
        raise ConfigError(
            f"The backup target {target.name} has {' and '.join(given) or 'no place'}.",
            "Give it exactly one of path, host and rclone.",
        )
    if target.options:
        _refuse_options(target)
    if target.write_only and (target.host is None or target.mode == "mirror"):
        raise ConfigError(
            f"The backup target {target.name} can't be write_only.",
            "Only snapshots on another machine can: give it a host, and no other mode.",
        )
    if target.path is not None:
        path = os.path.expanduser(target.path)
        if not os.path.isabs(path):
            raise ConfigError(f"The path of the backup target {target.name} must be absolute, not {target.path}.")
        if repo is not None:
            refuse_inside(path, repo, f"The backup target {target.name}")
        if target.bwlimit is None and not target.options:
            return LocalPlace(path)
        from memgit.host import rsync  # not needed where everything stays on this machine

        return rsync.RsyncPlace(rsync.Link(path, bwlimit=target.bwlimit, options=target.options))
    if target.rclone is not None:
        from memgit.host.rclone import RclonePlace

        return RclonePlace(_not_an_option(target.rclone, target.name), target.bwlimit)
    assert target.host is not None
    host = _not_an_option(target.host, target.name)
    if ":" not in host or host.partition(":")[2].startswith(":") or host.startswith("rsync://"):
        raise ConfigError(
            f"The backup target {target.name} must be reached over ssh, as in user@host:path, not {target.host}."
        )
    from memgit.host import rsync

    link = rsync.Link(host, target.identity, target.port, target.bwlimit, target.options, target.known_hosts)
    if target.write_only and repo is not None:
        from memgit.host.write_only import WriteOnlyPlace

        return WriteOnlyPlace(link, os.path.join(Memo(repo, target).directory, "sent"))
    return rsync.RsyncPlace(link)


def _refuse_options(target: Target) -> None:
    from memgit.core.backup.rsync_rules import ALLOWED, refusal

    for option in target.options:
        if why := refusal(option):
            raise ConfigError(
                f"The backup target {target.name} can't have that option: {why}.", f"Allowed: {', '.join(ALLOWED)}."
            )


def _not_an_option(place: str, name: str) -> str:
    if place.startswith("-"):
        raise ConfigError(f"The place of the backup target {name} begins like an option: {place}.")
    return place


def refuse_inside(path: str, repo: Repository, what: str) -> None:
    """Raise ConfigError for a place in the workspace, or around it: it would take itself in, and go with it."""
    real = os.path.realpath(path) + "/"
    for other in (repo.work_tree, repo.common_dir):
        if other is not None:
            own = os.path.realpath(other) + "/"
            if real.startswith(own) or own.startswith(real):
                raise ConfigError(f"{what} and the repository lie inside one another: {path}.")


class Memo:
    """What this clone remembers of a target."""

    def __init__(self, repo: Repository, target: Target) -> None:
        self.directory = os.path.join(repo.private_dir, "backup", target.name)
        self._shared = os.path.join(repo.private_dir, "backup")
        self._path = os.path.join(self.directory, "state.json")
        self._values: dict[str, str] = {}
        try:
            held = json.loads(files.read(self._path) or b"{}")
            self._values = {str(key): str(value) for key, value in held.items() if key != "schema"}
        except (ValueError, AttributeError):
            self._values = {}  # it only says which disk was used last; the place itself says what it holds

    def get(self, name: str) -> str | None:
        """A remembered value."""
        return self._values.get(name)

    def set(self, **values: str | None) -> None:
        """Remember, or with None forget."""
        merged = {**self._values, **{key: value for key, value in values.items() if value is not None}}
        merged = {key: value for key, value in merged.items() if key not in values or values[key] is not None}
        if merged != self._values:
            self._values = merged
            files.replace(self._path, json.dumps({"schema": _SCHEMA, **merged}).encode())

    def clear_unfinished(self) -> None:
        """Take away what killed runs left half written here."""
        for directory in (self.directory, self._shared):
            files.remove_unfinished(directory)

    def doubt(self, generation: str, paths: Iterable[bytes]) -> None:
        """Remember that a generation was found damaged, and at which paths: the next run copies them anew."""
        self.set(damaged="\n".join([generation, *(manifest.quote(path).decode() for path in paths)]))

    def trust(self, generation: str) -> None:
        """Forget what was wrong with a generation."""
        if self.doubted(generation) is not None:
            self.set(damaged=None)

    def doubted(self, generation: str) -> frozenset[bytes] | None:
        """The paths at which a generation was found damaged; None if nothing is known against it."""
        name, *paths = (self.get("damaged") or "").split("\n")
        return frozenset(manifest.unquote(path.encode()) for path in paths) if name == generation else None

    def index_path(self, git_dir: str, *, with_held: bool) -> str:
        """Where digests of files are kept, for all targets of a work tree that may have the same files."""
        name = "index." + manifest.digest_of(os.fsencode(git_dir))[:12].decode()
        return os.path.join(self._shared, name + (".all" if with_held else ""))

    def workspace(self) -> str:
        """The name by which targets know this workspace, made up on first use."""
        path = os.path.join(self._shared, "workspace")
        held = files.read(path)
        if held is None:
            held = os.urandom(16).hex().encode()
            files.replace(path, held)
        return held.decode()

    def adopt(self, workspace: str) -> None:
        """From now on be the workspace that a target knows."""
        files.replace(os.path.join(self._shared, "workspace"), workspace.encode())


def read_marker(place: Place) -> Marker | None:
    """The marker of a place; None if there is none."""
    held = place.read(MARKER)
    if held is None:
        return None
    try:
        record = json.loads(held)
        if record["schema"] != _SCHEMA:
            raise TargetError(f"{place.where} was set up by a newer memgit.", "Update memgit.")
        return Marker(str(record["target"]), str(record["workspace"]))
    except (ValueError, KeyError, TypeError):
        raise TargetError(f"{place.where}/{MARKER} can't be read by this version of memgit.") from None


def check_marker(place: Place, memo: Memo, *, new_target: bool, dry_run: bool) -> None:
    """Make sure that this is the place we mean; set up a new one. Raises TargetError."""
    marker = read_marker(place)
    known = memo.get("target")
    if marker is None:
        if known is not None and not new_target:
            raise TargetError(
                f"{place.where} is not the place that was backed up to before: its {MARKER} file is missing.",
                "Is the disk mounted? If it really is a new one, run again with --new-target.",
            )
        if dry_run:
            place.look()
        else:
            made = Marker(os.urandom(8).hex(), memo.workspace())
            place.claim(
                json.dumps({"schema": _SCHEMA, "target": made.target, "workspace": made.workspace}).encode() + b"\n"
            )
            memo.set(target=made.target)
        return
    if marker.workspace != memo.workspace():
        raise TargetError(
            f"{place.where} holds the backups of another workspace.",
            "Name another directory. `memgit init --from-backup` makes a clone that stands in for a lost one.",
        )
    if marker.target != known and not dry_run:
        memo.set(target=marker.target)


@dataclass(frozen=True, slots=True)
class Held:
    """A generation whose manifest and completion marker fit."""

    name: str
    manifest: Manifest


@dataclass(frozen=True, slots=True)
class AtHand:
    """Manifest and base of a generation that lie on this machine, too."""

    manifest: bytes | None
    base: bytes | None


def load(place: Place, generation: Generation, at_hand: AtHand | None = None) -> Held | None:
    """The manifest of a generation; None if it is not complete. Raises DamagedManifest if the two do not fit.

    at_hand: is not fetched if it is the very one that was completed.
    """
    if generation.complete is None:
        return None
    where = f"{place.where}/{generation.name}/{MANIFEST}"
    if at_hand is not None and manifest.is_completed_by(at_hand.manifest, generation.complete):
        return Held(generation.name, manifest.read(at_hand.manifest or b"", at_hand.base, where))
    text = place.read(f"{generation.name}/{MANIFEST}")
    if text is None or not manifest.is_completed_by(text, generation.complete):
        raise DamagedManifest(f"{where} is not the one that was completed.")
    return Held(generation.name, manifest.read(text, place.read(f"{generation.name}/{BASE}"), where))


def newest(
    place: Place, generations: tuple[Generation, ...], *, is_mirror: bool, at_hand: AtHand | None = None
) -> tuple[Held | None, list[str]]:
    """The newest usable generation, and what is wrong with newer ones. at_hand: see `load`."""
    wrong = []
    for generation in reversed(generations):
        if (generation.name == MIRROR) == is_mirror:
            try:
                held = load(place, generation, at_hand)
            except DamagedManifest as error:
                wrong.append(error.message)
                continue
            if held is not None:
                return held, wrong
    return None, wrong
