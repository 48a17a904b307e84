"""The driver's reader of [[merge]] tables and the settings table agree."""

from __future__ import annotations

import itertools

import pytest

from memgit.core.merge import rules
from memgit.core.setting_rows import MergeRule
from memgit.core.values import fields

TABLE = {"glob": "/memory/*.md", "policy": "keep-both", "kind": "log", "order": "ours-first"}


def test_keys_are_those_of_the_settings() -> None:
    assert {field.name for field in fields(MergeRule)} == set(TABLE)
    assert len(rules.parse({"merge": [TABLE]})) == 1


def test_every_value_of_the_settings_is_known_here() -> None:
    choices = {field.name: field.metadata["setting"].kind.words for field in fields(MergeRule) if field.name != "glob"}
    for policy, kind, order in itertools.product(choices["policy"], choices["kind"], choices["order"]):
        rules.parse({"merge": [{"glob": "x", "policy": policy, "kind": kind, "order": order}]})


@pytest.mark.parametrize(
    ("path", "policy"),
    [("memory/a.md", "keep-both"), ("memory/deep/a.md", "newest"), ("MEMORY.md", "newest"), ("notes.txt", "markers")],
)
def test_the_first_glob_that_selects_decides(path: str, policy: str) -> None:
    found = rules.parse({"merge": [TABLE, {"glob": "*.md", "policy": "newest"}]})
    assert rules.policy_for(path, found).on_conflict == policy


def test_an_unknown_key_is_named() -> None:
    with pytest.raises(ValueError, match=r"merge\.colour: unknown key"):
        rules.parse({"merge": [{"glob": "x", "colour": "red"}]})
