"""memgit merge-file: the driver's merge by hand, with the arguments of git merge-file."""

from __future__ import annotations

import os
import sys

from memgit.cli import render
from memgit.cli.context import text, texts
from memgit.cli.params import Values
from memgit.core.merge.api import merge
from memgit.core.merge.policy import Decision, Markers, MergePolicy
from memgit.errors import UsageError
from memgit.host import files

CONFLICT = 5
_SIDES = {"ours": "ours", "theirs": "theirs", "union": "keep-both"}


def run(values: Values) -> int:
    """Merge three files; the result replaces the first, or goes to standard output."""
    names = [text(values, name) for name in ("ours_file", "base_file", "theirs_file")]
    contents = [_read(name) for name in names if name is not None]
    ours_name = names[0]
    assert ours_name is not None
    ours, base, theirs = contents
    path = text(values, "path") or ours_name
    result = merge(base, ours, theirs, os.fsencode(path), _policy(values), _markers(values, names))
    if any(b"\0" in content for content in contents) and not result.clean:
        raise UsageError(f"Cannot merge binary files: {ours_name} and {names[2]} differ and hold NUL bytes.")
    if values["stdout"]:
        sys.stdout.buffer.write(result.content)
    elif result.content != ours:
        files.replace(os.path.realpath(ours_name), result.content, os.stat(ours_name).st_mode & 0o7777)
    if values["json"] and not values["stdout"]:
        render.emit_json({"clean": result.clean, "decisions": [_as_dict(decision) for decision in result.decisions]})
    elif not values["quiet"]:
        for decision in result.decisions if values["verbose"] else ():
            render.note(f"{ours_name}: base lines {decision.first}-{decision.last}: {decision.reason}")
        if result.conflicts:
            render.note(f"{ours_name}: {render.plural(result.conflicts, 'conflict')} left between markers.")
        elif not result.clean:
            render.note(f"{ours_name}: conflict markers of an earlier merge are still there; resolve them.")
    return 0 if result.clean else CONFLICT


def _policy(values: Values) -> MergePolicy:
    chosen = [on_conflict for name, on_conflict in _SIDES.items() if values[name]]
    if len(chosen) > 1:
        raise UsageError("--ours, --theirs and --union exclude each other.")
    return MergePolicy(text(values, "kind") or "auto", chosen[0] if chosen else "markers")


def _markers(values: Values, names: list[str | None]) -> Markers:
    labels = texts(values, "label")
    if len(labels) > 3:
        raise UsageError("At most three labels can be given: for OURS, BASE and THEIRS.")
    ours, base, theirs = (
        os.fsencode(labels[at] if at < len(labels) else name or "") for at, name in enumerate(names)
    )  # fmt: skip
    style = "zdiff3" if values["zdiff3"] else "diff3" if values["diff3"] else "merge"
    size = values["marker_size"]
    return Markers(size if isinstance(size, int) else 7, style, ours, base, theirs)


def _read(name: str) -> bytes:
    content = files.read(name)
    if content is None:
        raise UsageError(f"{name} does not exist.", "Arguments are OURS BASE THEIRS, as for git merge-file.")
    return content


def _as_dict(decision: Decision) -> dict[str, object]:
    return {"first": decision.first, "last": decision.last, "clean": decision.clean, "reason": decision.reason}
