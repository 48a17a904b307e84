"""What memgit writes into git's own files, as text: configuration, attributes, ignore lines, the scope of the hooks.

Source of the forms: git-config(1), gitattributes(5), gitignore(5), "pathspec" in gitglossary(7).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from memgit.core.setting_rows import MergeRule

DRIVER = "memgit"
INCLUDED = "memgit/gitconfig"  # below the directory of git's own configuration file
MANIFEST = "manifest.json"  # in memgit's own directory: what init made, to be taken back
ATTRIBUTES = "memgit.attributes"  # the setting in it that says `none` where a person wanted no attributes
IGNORED = (
    "# secrets, and what editors leave behind, never belong into a workspace's history",
    ".env",
    ".env.*",
    "!.env.example",
    "*.pem",
    "*.key",
    ".netrc",
    ".git-credentials",
    ".DS_Store",
    "*.swp",
    "*~",
)
_NOTHING_SPECIAL = ":(top)"


def include_section(path: str) -> tuple[bytes, ...]:
    """Lines for a git configuration file that include another. path: absolute, or relative to that file."""
    return (b"[include]", b"\tpath = " + _value(path))


def gitconfig(
    driver_line: str, hook_files: Sequence[tuple[str, str]] = (), *, without_attributes: bool = False
) -> bytes:
    """The whole included configuration file. hook_files: (hook, absolute path), for git that reads hooks from here.

    without_attributes: a person wanted none, which nothing else would tell from attributes that were lost.
    """
    lines = [
        b"# Written by memgit. `memgit uninstall` takes it away, `memgit doctor --fix` writes it anew.",
        b'[merge "%s"]' % DRIVER.encode(),
        b"\tname = memory files, by memgit",
        b"\tdriver = " + _value(driver_line),
    ]
    if without_attributes:
        lines += [b"[memgit]", b"\tattributes = none"]
    for name, path in hook_files:
        command = _shell_word(path).decode("utf-8", "surrogateescape")
        lines += [
            b'[hook "memgit-%s"]' % name.encode(),
            b"\tevent = " + name.encode(),
            b"\tcommand = " + _value(command),
        ]
    return b"".join(line + b"\n" for line in lines)


def _value(text: str) -> bytes:
    """A value quoted for a configuration file."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return b'"' + escaped.encode("utf-8", "surrogateescape") + b'"'


def attributes(
    include: Iterable[str], exclude: Iterable[str], rules: Sequence[MergeRule], workspace: str
) -> list[bytes]:
    """Attribute lines that give memory files, and what `[[merge]]` rules name, the merge driver.

    workspace: where the lines' paths start below the directory of the attribute file, "" or ending in a slash.
    An excluded file gets its `merge` back. Lines that attribute files have no form for (`!`) are left out: a driver
    too many is what `.memgit.toml` itself then decides, per path.
    """
    lines = [
        *((pattern, f"merge={DRIVER}") for pattern in include),
        *((rule.glob, f"merge={DRIVER}") for rule in rules),
        *((pattern, "!merge") for pattern in exclude),
    ]
    out: dict[bytes, None] = {}
    for pattern, value in lines:
        for form in _attribute_patterns(pattern, workspace):
            out[_quoted(form) + b" " + value.encode()] = None
    return list(out)


def _attribute_patterns(pattern: str, workspace: str) -> tuple[str, ...]:
    """A pattern of .gitignore as attribute files have it, where nothing matches through a directory."""
    parts = _parts(pattern)
    if parts is None:
        return ()
    text, anchored, only_directory = parts
    base = f"/{_literal(workspace)}"
    own = f"{base}{text}" if anchored else f"{base}**/{text}" if workspace else text
    below = f"{own}/**" if anchored or workspace else f"**/{text}/**"
    if text.endswith(("**", "/*", ".jsonl", ".json", ".md")):
        return (own,)
    return (below,) if only_directory else (own, below)


def pathspecs(include: Iterable[str], workspace: str) -> tuple[str, ...]:
    """Pathspecs that select every file that `include` could, and perhaps more; for a first, cheap look.

    Patterns with `!` only take away, so they are left out.
    """
    out: dict[str, None] = {}
    base = _literal(workspace)
    for pattern in include:
        parts = _parts(pattern)
        if parts is None:
            continue
        text, anchored, only_directory = parts
        own = f":(top,glob){base}{'' if anchored else '**/'}{text}"
        if "\n" in own:
            return (_NOTHING_SPECIAL,)
        if not only_directory:
            out[own] = None
        if not text.endswith("/**"):
            out[f"{own}/**"] = None
    return tuple(out)


def _parts(pattern: str) -> tuple[str, bool, bool] | None:
    """(text, tied to the workspace, directories only); None for comments, empty lines and negations."""
    text = pattern if pattern.endswith("\\ ") else pattern.rstrip(" ")
    if not text or text.startswith(("#", "!")):
        return None
    only_directory = text.endswith("/")
    text = text.removesuffix("/")
    anchored = "/" in text
    return text.removeprefix("/"), anchored, only_directory


def _literal(path: str) -> str:
    return "".join("\\" + char if char in "*?[\\" else char for char in path)


def _quoted(pattern: str) -> bytes:
    """A pattern at the start of an attribute line: in quotes where it holds blanks or would mean something else."""
    raw = pattern.encode("utf-8", "surrogateescape")
    if not any(char in b' \t"' for char in raw) and not pattern.startswith(("[attr]", "#")):
        return raw
    return b'"' + raw.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\t", b"\\t") + b'"'


def shim(template: bytes, hook: str, policy: str, *, inside: bool = False) -> bytes:
    """A hook file with the program's absolute path, and that of the policy file below the top, written in.

    inside: it will lie in memgit's own directory, not beside it.
    """
    text = template.replace(b"@HOOK@", _shell_word(hook)).replace(b"@POLICY@", _shell_word(policy))
    return text.replace(b"/../memgit", b"/..") if inside else text


def _shell_word(text: str) -> bytes:
    return b"'" + text.replace("'", "'\\''").encode("utf-8", "surrogateescape") + b"'"
