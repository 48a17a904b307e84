"""What memgit made in a clone, and what was there before: enough to take everything back to the byte."""

from __future__ import annotations

import base64
import hashlib
import json

from memgit.core.values import dataclass, replace

_SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Change:
    """A file to write, remove or move aside.

    before: what was read when the change was planned; None: there was no file. after: None takes the file away.
    """

    path: str  # absolute
    before: bytes | None
    after: bytes | None
    about: str  # what it is for, as a sentence goes on
    mode: int = 0o644  # of a file that is created
    aside: str | None = None  # the file that is there is renamed to this first, and not read
    is_region: bool = False  # the file belongs to somebody else; only a region in it is ours


@dataclass(frozen=True, slots=True)
class Made:
    """One file that memgit made or changed. place: its path as `places` names it."""

    place: str
    before: bytes | None  # None: there was no file
    after: str  # SHA-256 of what we left
    is_region: bool
    aside: str | None = None  # place of the file that stood there
    about: str = ""


@dataclass(frozen=True, slots=True)
class Manifest:
    """Everything made so far, and what a run that has not ended yet has done."""

    made: tuple[Made, ...] = ()
    directories: tuple[str, ...] = ()  # places of directories we created, outermost first
    run: tuple[Made, ...] = ()  # the steps of a run in progress, oldest first, each with what was before that step
    held: tuple[Made, ...] = ()  # with `run`: `made` as it was before
    is_leaving: bool = False  # an uninstall was taking it all back when this was written

    def of(self, place: str) -> Made | None:
        """The record of a file."""
        return next((made for made in self.made if made.place == place), None)

    def with_made(self, made: Made) -> Manifest:
        """The same with this record; what was there before the first change of a file is kept."""
        known = self.of(made.place)
        if known is None:
            return replace(self, made=(*self.made, made))
        merged = replace(made, before=known.before, aside=known.aside)
        return replace(self, made=tuple(merged if other is known else other for other in self.made))


def digest(content: bytes) -> str:
    """How a file's content is remembered."""
    return hashlib.sha256(content).hexdigest()


def write(manifest: Manifest) -> bytes:
    """As the file's content."""
    return json.dumps(
        {
            "schema": _SCHEMA,
            "made": [_row(made) for made in manifest.made],
            "run": [_row(made) for made in manifest.run],
            "held": [_row(made) for made in manifest.held],
            "directories": list(manifest.directories),
            "leaving": manifest.is_leaving,
        },
        indent=1,
    ).encode()


def read(content: bytes) -> Manifest:
    """From the file's content. Raises ValueError for what another version wrote."""
    try:
        raw = json.loads(content)
        if raw["schema"] != _SCHEMA:
            raise ValueError("written by another version")
        made, run, held = (tuple(_made(row) for row in raw[name]) for name in ("made", "run", "held"))
        return Manifest(made, tuple(raw["directories"]), run, held, bool(raw["leaving"]))
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"no manifest: {error}") from None


def _row(made: Made) -> dict[str, object]:
    before = None if made.before is None else base64.b64encode(made.before).decode()
    return {
        "file": made.place,
        "before": before,
        "after": made.after,
        "region": made.is_region,
        "aside": made.aside,
        "about": made.about,
    }


def _made(row: dict[str, str | bool | None]) -> Made:
    before = row["before"]
    return Made(
        str(row["file"]),
        None if before is None else base64.b64decode(str(before)),
        str(row["after"]),
        bool(row["region"]),
        None if row["aside"] is None else str(row["aside"]),
        str(row["about"]),
    )
