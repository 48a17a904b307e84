"""Every provider's format is found, wherever it stands."""

from __future__ import annotations

import json
import random

import pytest

from memgit.core.secrets.scan import scan
from memgit.core.secrets.search import SHAPES
from memgit.core.secrets.shapes import Shape
from support import fakes

# Their format alone has too little chance in it for a drawn sample to be like a real one.
_NEEDS_MORE_THAN_FORMAT = {"private-key-base64", "discord-bot-token"}
FORMATS = [one for one in SHAPES if one.rule not in _NEEDS_MORE_THAN_FORMAT]
formats = pytest.mark.parametrize("one", FORMATS, ids=[f"{one.rule}-{n}" for n, one in enumerate(FORMATS)])

PLACES = {
    "sentence": "Remember that the login is {} until Monday.",
    "end of sentence": "The new one is {}.",
    "bold": "it is **{}** now",
    "code": "- use `{}` for it",
    "table": "| prod | {} | added today |",
    "shell": "export SOME_NAME={}",
    "quoted": "x = '{}'",
    "json": '{{"role": "user", "content": "take\\n{}\\nplease"}}',
    "comment": "<!-- {} -->",
    "query": "https://api.example.com/v1/x?value={}&page=2",
    "chat": "user> here: {}",
}


def samples(one: Shape, count: int) -> list[str]:
    rnd = random.Random(one.rule + one.pattern.pattern.decode())
    drawn = [fakes.matching(one.pattern, rnd) for _ in range(count * 3)]
    return [token.decode() for token in drawn if one.is_token(token)][:count]


@formats
def test_format_is_found_in_every_place(one: Shape) -> None:
    for token in samples(one, 3):
        for name, place in PLACES.items():
            findings = scan(("# Notes\n\n" + place.format(token) + "\n").encode(), b"notes.md")
            assert findings, (one.rule, name)
            assert findings[0].line == 3


@formats
def test_random_tokens_of_a_format_are_taken_for_real(one: Shape) -> None:
    assert len(samples(one, 30)) == 30


@formats
def test_stand_ins_of_a_format_are_not(one: Shape) -> None:
    prefix = one.anchors[0].decode()
    for stand_in in (
        prefix + "x" * 40,
        prefix + "...",
        prefix + "EXAMPLE" * 5,
        f"{prefix}<your-key>",
        prefix + "*" * 30,
    ):
        assert scan(f"it looks like {stand_in} in the docs\n".encode(), b"a.md") == ()


@formats
def test_every_match_holds_an_anchor(one: Shape) -> None:
    rnd = random.Random(3)
    for _ in range(50):
        token = fakes.matching(one.pattern, rnd)
        assert any(anchor in token for anchor in one.anchors), one.rule


def test_json_strings_inside_json_strings_are_read() -> None:
    rnd = random.Random(1)
    token = "gh" + "p_" + fakes.letters(rnd, 36)
    text = json.dumps({"a": json.dumps({"b": json.dumps({"c": f"x\n{token}\ny"})})})
    assert [one.rule for one in scan(text.encode(), b"log.jsonl")] == ["github-token"]
