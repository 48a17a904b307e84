"""The merge driver git runs: `memgit-merge %O %A %B %L %P %S %X %Y`.

Leaves the result in %A. Exit status 0: clean. 3: the result has conflict markers (the registered line
makes it 1). Anything else: nothing was written, and the registered line falls back to `git merge-file`.

Standard library and `core.merge` only, and from those as little as possible: git starts this once per file.
"""

from __future__ import annotations

import os
import sys

from memgit.core.merge.api import MergeResult, merge
from memgit.core.merge.policy import Markers, MergePolicy

CLEAN, FAILED, MARKED = 0, 2, 3
_USAGE = "usage: memgit-merge BASE OURS THEIRS [MARKER-SIZE [PATH [BASE-LABEL [OURS-LABEL [THEIRS-LABEL]]]]]"
_CONFIG = ".memgit.toml"


def main(argv: list[str] | None = None) -> int:
    """Merge as git asks, and answer with the exit status."""
    arguments = sys.argv[1:] if argv is None else argv
    if not 3 <= len(arguments) <= 8:
        print(_USAGE, file=sys.stderr)
        return FAILED
    base_file, ours_file, theirs_file = arguments[:3]
    size, path, *labels = [*arguments[3:], *[""] * (8 - len(arguments))]
    try:
        base, ours, theirs = _read(base_file), _read(ours_file), _read(theirs_file)
        markers = _markers(size, *labels)
        try:
            result = _merged(base, ours, theirs, _given(path), markers)
        except Exception as fault:
            result = MergeResult(_plainly_marked(ours, theirs, markers), False, fault=type(fault).__name__)
        if result.fault:
            print(f"memgit-merge: {path}: {result.fault} inside; the conflict is left to you.", file=sys.stderr)
        _write(ours_file, result.content)
    except OSError as error:
        print(f"memgit-merge: {error}", file=sys.stderr)
        return FAILED
    return CLEAN if result.clean else MARKED


def _merged(base: bytes, ours: bytes, theirs: bytes, path: str, markers: Markers) -> MergeResult:
    policy = _policy(path)
    result = merge(base, ours, theirs, path, policy, markers)
    if result.clean or b"\0" in ours:
        return result
    # git tells its drivers the marker size but not the style, so ask, and only now that it matters.
    style = _conflict_style()
    if style == markers.style:
        return result
    markers.style = style
    return merge(base, ours, theirs, path, policy, markers)


def _given(argument: str) -> str:
    """git before 2.44 leaves `%S %X %Y` as they stand: a placeholder is no value."""
    return "" if len(argument) == 2 and argument[0] == "%" else argument


def _markers(size: str, base: str, ours: str, theirs: str) -> Markers:
    names = [_given(label) or default for label, default in ((base, "base"), (ours, "ours"), (theirs, "theirs"))]
    base_label, ours_label, theirs_label = (os.fsencode(name) for name in names)
    return Markers(int(size) if size.isdigit() else 7, "merge", ours_label, base_label, theirs_label)


def _policy(path: str) -> MergePolicy:
    """The rule for this path in the work tree's configuration; a broken file never stands in the way of a merge."""
    try:
        document = _read(_CONFIG)
    except OSError:
        return MergePolicy()
    if b"merge" not in document:
        return MergePolicy()
    import tomllib  # costs as much as starting Python; only repositories with rules pay for it

    from memgit.core.merge import rules

    try:
        return rules.policy_for(path, rules.parse(tomllib.loads(document.decode())))
    except ValueError as error:
        print(f"memgit-merge: {_CONFIG}: {error}; merging {path} by the defaults.", file=sys.stderr)
        return MergePolicy()


def _conflict_style() -> str:
    """What merge.conflictStyle says; `merge` if git can't be asked."""
    try:
        reader, writer = os.pipe()
        command = ["git", "config", "--get", "merge.conflictStyle"]
        actions = [(os.POSIX_SPAWN_DUP2, writer, 1), (os.POSIX_SPAWN_CLOSE, reader)]
        child = os.posix_spawnp("git", command, os.environ, file_actions=actions)
        os.close(writer)
        with os.fdopen(reader, "rb") as answer:
            style = answer.read().decode("ascii", "replace").strip()
        os.waitpid(child, 0)
    except OSError:
        return "merge"
    return style if style in ("diff3", "zdiff3") else "merge"


def _plainly_marked(ours: bytes, theirs: bytes, markers: Markers) -> bytes:
    """Both sides whole, with markers: what is left when the merge itself failed."""
    ours, theirs = (side if side.endswith(b"\n") or not side else side + b"\n" for side in (ours, theirs))
    size = markers.size
    head, middle, tail = b"<" * size + b" " + markers.ours, b"=" * size, b">" * size + b" " + markers.theirs
    return head + b"\n" + ours + middle + b"\n" + theirs + tail + b"\n"


def _read(name: str) -> bytes:
    with open(name, "rb") as file:
        return file.read()


def _write(name: str, content: bytes) -> None:
    """Through a sibling: whoever is killed half-way leaves the old content, and the fallback has its input."""
    sibling = f"{name}.memgit"
    try:
        with open(sibling, "wb") as file:
            file.write(content)
        os.replace(sibling, name)
    except OSError:
        if os.path.exists(sibling):
            os.unlink(sibling)
        raise


if __name__ == "__main__":
    sys.exit(main())
