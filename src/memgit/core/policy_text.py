"""The `.memgit.toml` that init proposes: only what this workspace needs, each part with its reason."""

from __future__ import annotations

from collections.abc import Sequence

from memgit.core.kinds import toml
from memgit.core.layout import Layout
from memgit.core.learn import Learned
from memgit.core.settings import DEFAULT_INCLUDE

_HEAD = """\
# How memgit keeps this workspace's memory. Commit this file: clones on all machines follow it.
# `memgit config --example` shows every setting there is.
"""


def compose(layout: Layout, learned: Sequence[Learned], window: str, more: str = "") -> bytes:
    """The file's content. more: what a preset adds, whole tables."""
    parts = [_HEAD]
    include = layout.include or DEFAULT_INCLUDE
    found = ", ".join(layout.kinds) or "nothing recognised yet, so the usual places"
    lines = "".join(f"    {toml(line)},\n" for line in include)
    parts.append(f"[memory]\n# Found: {_plain(found)}.\ninclude = [\n{lines}]\n")
    parts.append(f"[consolidate]\nwindow = {toml(window)}\n")
    if more:
        parts.append(more)
    for one in learned:
        mixed = f", {one.mixed} of them with other files" if one.mixed else ""
        parts.append(
            f"# {one.matches} commits{mixed}, such as {toml(_plain(one.example))}\n"
            f"[[auto]]\nsubject = {_expression(one.rule.subject)}\n" + ("mixed = true\n" if one.rule.mixed else "")
        )
    return "\n".join(parts).encode()


def _expression(text: str) -> str:
    """Between single quotes, where a backslash is a backslash, if that is possible."""
    plain = "'" not in text and all(char >= " " and char != "\x7f" for char in text)
    return f"'{text}'" if plain else toml(text)


def _plain(text: str) -> str:
    """Fit for a comment: one line of valid UTF-8 without control characters."""
    return "".join(char if char.isprintable() else "?" for char in text)
