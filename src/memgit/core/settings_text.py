"""The settings as text: the commented example file, and the rows of `memgit config`. Both come from the table."""

from __future__ import annotations

from memgit.core.kinds import Tables, Texts, toml
from memgit.core.setting import Origin, Scope, Setting
from memgit.core.settings import DEFAULTS, TABLE, Config
from memgit.core.values import dataclass, fields

_LIST_WIDTH = 80


@dataclass(frozen=True, slots=True)
class Entry:
    """One setting as it is in force."""

    key: str
    value: str  # as TOML
    origin: Origin
    doc: str


def entries(config: Config) -> tuple[Entry, ...]:
    """Every setting in the order of the table."""
    return tuple(
        Entry(key, setting.kind.show(config.value(key)), config.origin(key), setting.doc)
        for key, setting in TABLE.items()
    )


def example(*, local: bool = False) -> str:
    """A whole configuration file in which every setting stands as a comment with its default or a sample.

    local: the file of one clone or user, with the settings that can't travel; else `.memgit.toml`.
    """
    lines = [_LOCAL_HEAD if local else _TRACKED_HEAD]
    section = ""
    for key, setting in TABLE.items():
        if setting.scope is Scope.LOCAL and not local:
            continue
        name, _, inner = key.partition(".")
        if not inner:
            lines += ["", *_table(name, setting)]
        else:
            if name != section:
                doc = (type(getattr(DEFAULTS, name)).__doc__ or "").strip()
                lines += ["", f"# {doc}", f"[{name}]"]
                section = name
            lines += _setting(inner, setting, DEFAULTS.value(key))
    return "\n".join(lines) + "\n"


_TRACKED_HEAD = """\
# How memgit keeps this workspace. This file belongs into the repository: clones on all machines follow it.
# A name right after a # has its default, or an example, beside it; take the # away to set it."""
_LOCAL_HEAD = """\
# How memgit works for this user, or for this clone alone. Nothing here travels with a repository.
# A name right after a # has its default, or an example, beside it; take the # away to set it."""


def _setting(name: str, setting: Setting, default: object) -> list[str]:
    value = default if setting.sample is None else setting.sample
    if isinstance(setting.kind, Texts) and isinstance(value, tuple):
        return [f"# {setting.doc}", *_list(name, value)]
    return [f"# {setting.doc}", f"#{name} = {setting.kind.show(value)}"]


def _list(name: str, items: tuple[str, ...]) -> list[str]:
    whole = f"#{name} = {toml(items)}"
    if len(whole) <= _LIST_WIDTH:
        return [whole]
    lines = [f"#{name} = ["]
    for item in items:
        text = f"{toml(item)},"
        if len(lines) > 1 and len(lines[-1]) + 1 + len(text) <= _LIST_WIDTH:
            lines[-1] += " " + text
        else:
            lines.append("#    " + text)
    return [*lines, "#]"]


def _table(name: str, setting: Setting) -> list[str]:
    assert isinstance(setting.kind, Tables)
    lines = [f"# {setting.doc}", f"#[[{name}]]"]
    for field in fields(setting.kind.row):
        inner: Setting = field.metadata["setting"]
        value = field.default if inner.sample is None else inner.sample
        lines += [f"# {inner.doc}", f"#{field.name} = {inner.kind.show(value)}"]
    return lines
