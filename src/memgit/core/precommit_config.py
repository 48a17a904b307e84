"""Our entry in a `.pre-commit-config.yaml`, put in as text, so that the rest keeps its form and comments.

It stands first: hooks run in order, and what memgit watches over while the tree is stashed has to start early.
"""

from __future__ import annotations

import re

from memgit.core import regions

FILE = ".pre-commit-config.yaml"
STAGES = ("pre-commit", "pre-merge-commit", "pre-push", "prepare-commit-msg")
POST_STAGES = ("post-commit", "post-merge", "post-rewrite", "post-checkout")
WATCHED = ("commit-msg", "pre-rebase")  # memgit has nothing to do there but that others' hooks stash the tree, too
_TYPES = b"memgit-hook-types"
_HOOKS = (
    ("memgit-guard", "guard", STAGES[:2]),
    ("memgit-guard-push", "guard-push", STAGES[2:3]),
    ("memgit-message", "message", STAGES[3:]),
    ("memgit-watch", "watch", WATCHED),
    ("memgit-post", "post", POST_STAGES),
)
_REPOS = re.compile(
    rb"^repos:[ \t]*(?:#[^\r\n]*)?\r?\n(?P<between>(?:[ \t]*(?:#[^\r\n]*)?\r?\n)*)(?P<indent> *)-", re.M
)


def entry(indent: str = "  ") -> tuple[bytes, ...]:
    """The lines of our entry, for an installed memgit."""
    lines = ["- repo: local", "  hooks:"]
    for name, command, stages in _HOOKS:
        lines += [
            f"  - id: {name}",
            f"    name: {name}",
            f"    entry: memgit-hook {command}",
            "    language: system",
            f"    pass_filenames: {'true' if command == 'message' else 'false'}",
            "    always_run: true",
            "    require_serial: true",
            f"    stages: [{', '.join(stages)}]",
        ]
        if command in ("guard", "post"):
            lines.append("    verbose: true")
    return tuple((indent + line).encode() for line in lines)


def put(text: bytes) -> bytes | None:
    """The configuration with our entry; None if its form is one that text can't be put into safely."""
    if not text.strip():
        text = text + b"repos:\n"
        text = regions.put(text, entry(), indent=b"  ")
    elif regions.inside(text) is not None or (found := _REPOS.search(text)) is None:
        if regions.inside(text) is None:
            return None
        indent = re.search(rb"^( *)# >>> memgit: ", text, re.M)
        text = regions.put(text, entry(indent[1].decode() if indent else ""), indent=indent[1] if indent else b"")
    else:
        indent_text = found["indent"]
        text = regions.put(text, entry(indent_text.decode()), at=found.start("between"), indent=indent_text)
    if regions.inside(text, _TYPES) is not None or not re.search(rb"^default_install_hook_types:", text, re.M):
        types = b"default_install_hook_types: [" + ", ".join((*STAGES, *POST_STAGES)).encode() + b"]"
        text = regions.put(text, (types,), _TYPES, at=_top(text))
    return text


def take(text: bytes) -> bytes:
    """The configuration without our entry."""
    return regions.take(regions.take(text), name=_TYPES)


def mentions_memgit(text: bytes) -> bool:
    """Whether some entry runs memgit's hooks, ours or one that a person wrote."""
    return re.search(rb"^[ -]*id: *['\"]?memgit-(?:guard|post)", text, re.M) is not None


def _top(text: bytes) -> int:
    """Behind a byte order mark, opening comments and the document marker."""
    found = re.match(rb"(?:\xef\xbb\xbf)?(?:#[^\n]*\n|---[^\n]*\n|[ \t\r]*\n)*", text)
    return found.end() if found else 0
