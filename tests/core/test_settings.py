"""The table of settings, the layers above it, and the text made from it."""

from __future__ import annotations

import re
from itertools import combinations

import pytest
import tomli
from hypothesis import given
from hypothesis import strategies as st

from memgit.core.kinds import toml
from memgit.core.layers import Layer, environment, flag, resolve
from memgit.core.setting import Origin, OriginKind, Scope
from memgit.core.setting_rows import AutoRule, MergeRule
from memgit.core.settings import ALWAYS_EXCLUDED, DEFAULTS, TABLE, Config
from memgit.core.settings_text import entries, example
from memgit.core.values import fields
from memgit.errors import ConfigError, UntrustedConfig

NAMES = {
    OriginKind.LOCAL_FILE: "local.toml",
    OriginKind.TRACKED_FILE: ".memgit.toml",
    OriginKind.USER_FILE: "user.toml",
}


def _file(kind: OriginKind, text: str) -> Layer:
    return Layer(kind, NAMES[kind], tomli.loads(text), text)


def _window(kind: OriginKind, value: str) -> Layer:
    if kind is OriginKind.FLAG:
        return flag("--window", "consolidate.window", value)
    if kind is OriginKind.ENVIRONMENT:
        return environment({"MEMGIT_CONSOLIDATE_WINDOW": value})[0]
    return _file(kind, f'[consolidate]\nwindow = "{value}"\n')


LAYERS = [kind for kind in OriginKind if kind is not OriginKind.DEFAULT]


@pytest.mark.parametrize("pair", list(combinations(LAYERS, 2)), ids=lambda pair: "-".join(kind.name for kind in pair))
def test_the_stronger_layer_wins_in_any_order(pair: tuple[OriginKind, OriginKind]) -> None:
    strong, weak = _window(pair[0], "week"), _window(pair[1], "hour")
    for layers in ((strong, weak), (weak, strong)):
        config = resolve(layers)
        assert config.consolidate.window == "week"
        assert config.origin("consolidate.window").kind is pair[0]


def test_every_value_remembers_where_it_came_from() -> None:
    config = resolve(
        (
            flag("--keep-empty", "consolidate.keep_empty", True),
            *environment({"MEMGIT_CONSOLIDATE_WINDOW": "6h", "MEMGIT_AGENT": "a", "MEMGIT_OPS_KEEP": "", "HOME": "/"}),
            _file(OriginKind.TRACKED_FILE, '# policy\n\n[consolidate]\ninterleaved = "keep"\n'),
            _file(OriginKind.USER_FILE, 'ops.keep = "30d"\n[[merge]]\nglob = "*.md"\n'),
        )
    )
    assert {key: str(config.origin(key)) for key in TABLE if config.origin(key).kind is not OriginKind.DEFAULT} == {
        "consolidate.keep_empty": "--keep-empty",
        "consolidate.window": "MEMGIT_CONSOLIDATE_WINDOW",
        "consolidate.interleaved": ".memgit.toml:4",
        "ops.keep": "user.toml:1",
        "merge": "user.toml:2",
    }
    assert config.origin("guard.allow") == Origin(OriginKind.DEFAULT)
    assert str(config.origin("guard.allow")) == "default"


def test_values_arrive_as_memgit_uses_them() -> None:
    text = """\
[memory]
include = ["/MEMORY.md"]
exclude = ["drafts/"]
[[auto]]
subject = "^auto"
[[auto]]
subject = "^sync"
author = "bot"
mixed = true
[consolidate]
window = "week"
timezone = "+05:30"
keep_empty = true
[ops]
keep = "2w"
[capture]
max_file = "512KiB"
max_commit = 4096
[[merge]]
glob = "/memory/*.md"
kind = "log"
"""
    config = resolve((_file(OriginKind.TRACKED_FILE, text),))
    assert config.memory.include == ("/MEMORY.md",)
    assert config.memory.exclude == (*ALWAYS_EXCLUDED, "drafts/")
    assert config.auto == (AutoRule("^auto"), AutoRule("^sync", "bot", True))
    assert (config.consolidate.window, config.consolidate.timezone, config.consolidate.keep_empty) == (
        "week",
        "+05:30",
        True,
    )
    assert (config.ops.keep, config.capture.max_file, config.capture.max_commit) == (14 * 86400, 2**19, 4096)
    assert config.merge == (MergeRule("/memory/*.md", "markers", "log"),)


def test_variables_are_read_as_text() -> None:
    config = resolve(
        environment(
            {
                "MEMGIT_MEMORY_INCLUDE": "/MEMORY.md\n/memory/**\n",
                "MEMGIT_CONSOLIDATE_KEEP_EMPTY": "yes",
                "MEMGIT_CAPTURE_MAX_FILE": "4096",
            }
        )
    )
    assert config.memory.include == ("/MEMORY.md", "/memory/**")
    assert (config.consolidate.keep_empty, config.capture.max_file) == (True, 4096)


def test_a_travelling_file_can_tighten_a_limit_but_not_loosen_what_the_user_set() -> None:
    tracked = _file(OriginKind.TRACKED_FILE, '[capture]\nmax_file = "100KiB"\n')
    assert resolve((tracked,)).capture.max_file == 100 * 1024
    stricter = resolve((tracked, _file(OriginKind.USER_FILE, '[capture]\nmax_file = "1KiB"\n')))
    assert (stricter.capture.max_file, str(stricter.origin("capture.max_file"))) == (1024, "user.toml:2")
    looser = resolve((tracked, _file(OriginKind.USER_FILE, '[capture]\nmax_file = "5MiB"\n')))
    assert looser.capture.max_file == 100 * 1024
    own = resolve((tracked, _file(OriginKind.LOCAL_FILE, '[capture]\nmax_file = "5MiB"\n')))
    assert own.capture.max_file == 5 * 2**20


@pytest.mark.parametrize("key", [key for key, row in TABLE.items() if row.scope is Scope.LOCAL])
def test_local_settings_are_refused_in_a_travelling_file_and_taken_elsewhere(key: str) -> None:
    section, _, name = key.partition(".")
    row = TABLE[key]
    values: dict[str, object]
    if name:
        shown = row.kind.show(DEFAULTS.value(key) if row.sample is None else row.sample)
        values = tomli.loads(f"[{section}]\n{name} = {shown}\n")
    else:
        values = {section: [{"name": "disk", "path": "/media/disk"}]}
    with pytest.raises(UntrustedConfig):
        resolve((Layer(OriginKind.TRACKED_FILE, ".memgit.toml", values),))
    assert resolve((Layer(OriginKind.USER_FILE, "user.toml", values),)).origin(key).kind is OriginKind.USER_FILE


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('[schedule]\npush = "sometimes"\n', "schedule.push must be a schedule such as every 30m"),
        ('[schedule]\ntimezone = "author"\n', 'schedule.timezone must be "local"'),
        ('[[policy]]\nglob = "*"\ncapture = "soon"\n', 'policy[1].capture must be "immediate" or a duration'),
    ],
)
def test_times_that_are_none_are_refused(text: str, expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        resolve((_file(OriginKind.USER_FILE, text),))
    assert expected in caught.value.message


def test_the_table_has_every_field_of_the_config() -> None:
    expected = []
    for section in fields(Config):
        if section.name == "origins":
            continue
        held = getattr(DEFAULTS, section.name)
        expected += [section.name] if isinstance(held, tuple) else [f"{section.name}.{f.name}" for f in fields(held)]
    assert list(TABLE) == expected


@pytest.mark.parametrize("key", [key for key in TABLE if key != "memory.exclude"])
def test_every_default_is_valid_and_shown_as_it_would_be_written(key: str) -> None:
    kind = TABLE[key].kind
    assert kind.read(tomli.loads(f"value = {kind.show(DEFAULTS.value(key))}")["value"]) == DEFAULTS.value(key)


def test_no_layer_is_the_defaults() -> None:
    assert resolve(()) == DEFAULTS == Config()


@pytest.mark.parametrize(
    ("path", "is_memory"),
    [
        ("MEMORY.md", True),
        ("memory/2026-02-04.md", True),
        ("memory-bank/a/b.md", True),
        (".beads/issues.jsonl", True),
        ("memory/work-journal/a.md", True),
        ("src/MEMORY.md", False),
        ("README.md", False),
        ("memory/.env", False),
        ("memory/a/server.key", False),
        ("memory/index.sqlite-wal", False),
        ("memory/.a.md.swp", False),
        ("memory/.merge_file_a1b2c3", False),
        ("memory/nested/.git/config", False),
    ],
)
def test_default_patterns_select_the_usual_layouts(path: str, is_memory: bool) -> None:
    assert DEFAULTS.memory.patterns().matches(path.encode()) is is_memory


def test_an_exclude_of_ones_own_can_bring_a_file_back() -> None:
    config = resolve((_file(OriginKind.TRACKED_FILE, '[memory]\nexclude = ["!/memory/notes.tmp", "/memory/x/"]\n'),))
    names = (b"memory/notes.tmp", b"memory/other.tmp", b"memory/x/y")
    assert [config.memory.patterns().matches(name) for name in names] == [True, False, False]


def _uncommented(text: str) -> str:
    """The example with every setting switched on."""
    return re.sub(r"^#(?=[a-z_]+ = |\[\[|    \"|\])", "", text, flags=re.MULTILINE)


@pytest.mark.parametrize("local", [False, True])
def test_the_example_is_a_valid_file_that_changes_nothing(local: bool) -> None:
    kind = OriginKind.LOCAL_FILE if local else OriginKind.TRACKED_FILE
    assert resolve((_file(kind, example(local=local)),)) == DEFAULTS


@pytest.mark.parametrize("local", [False, True])
def test_the_example_switched_on_sets_everything(local: bool) -> None:
    kind = OriginKind.LOCAL_FILE if local else OriginKind.TRACKED_FILE
    text = _uncommented(example(local=local))
    config = resolve((_file(kind, text),))
    shown = {key for key, row in TABLE.items() if local or row.scope is not Scope.LOCAL}
    assert set(config.origins) == shown
    assert config.consolidate == DEFAULTS.consolidate
    assert config.memory.include == DEFAULTS.memory.include
    assert config.auto == (AutoRule("^auto-backup", "bot@example\\.com", False),)
    for line in text.splitlines():
        assert len(line) <= 120


def test_entries_show_every_setting_as_toml_with_its_origin() -> None:
    config = resolve(
        (_file(OriginKind.TRACKED_FILE, '[ops]\nkeep = "2w"\n[[auto]]\nsubject = "^a\\\\d"\nauthor = "\\""\n'),)
    )
    shown = {entry.key: (entry.value, str(entry.origin)) for entry in entries(config)}
    assert list(shown) == list(TABLE)
    assert shown["ops.keep"] == ('"2w"', ".memgit.toml:2")
    assert shown["auto"] == ('[{ subject = "^a\\\\d", author = "\\"", mixed = false }]', ".memgit.toml:3")
    assert shown["capture.max_file"] == ('"1MiB"', "default")


@given(st.text())
def test_texts_are_written_so_that_toml_reads_them_back(text: str) -> None:
    text = text.encode("utf-8", "ignore").decode()
    assert tomli.loads(f"value = {toml(text)}")["value"] == text
