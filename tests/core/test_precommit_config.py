"""Our entry in a pre-commit configuration: put in as text, understood by its owner, taken out to the byte."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from memgit.core import precommit_config

CONFIGS = {
    "empty": b"",
    "plain": b"repos:\n- repo: local\n  hooks: []\n",
    "indented": b"repos:\n  - repo: local\n    hooks: []\n",
    "commented": b"# ours\n---\nfail_fast: true\nrepos: # all\n\n    # first\n    - repo: local\n      hooks: []\n",
    "hook types set": b"default_install_hook_types: [pre-commit]\nrepos:\n- repo: local\n  hooks: []\n",
    "no newline": b"repos:\n- repo: local\n  hooks: []",
    "crlf": b"repos:\r\n- repo: local\r\n  hooks: []\r\n",
    "keys behind": b"repos:\n- repo: local\n  hooks: []\nminimum_pre_commit_version: 3.0.0\n",
}


@pytest.mark.parametrize("name", CONFIGS)
def test_the_entry_is_understood_and_comes_out_to_the_byte(tmp_path: Path, name: str) -> None:
    before = CONFIGS[name]
    after = precommit_config.put(before)
    assert after is not None
    assert precommit_config.put(after) == after
    assert precommit_config.mentions_memgit(after)
    (tmp_path / "config.yaml").write_bytes(after)
    program = Path(sys.executable).with_name("pre-commit")
    done = subprocess.run(
        [program, "validate-config", tmp_path / "config.yaml"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    assert precommit_config.take(after) == before or name == "empty"
    assert after.index(b"memgit-guard") < (after.find(b"hooks: []") % (len(after) + 1)), "it runs first"


@pytest.mark.parametrize("text", [b"repos: []\n", b"repos: [{repo: local, hooks: []}]\n", b"fail_fast: true\n"])
def test_a_form_that_text_can_not_be_put_into_is_left_alone(text: bytes) -> None:
    assert precommit_config.put(text) is None
