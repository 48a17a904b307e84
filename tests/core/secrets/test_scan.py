"""What the guard promises about any bytes: it never raises, never shows a value, and nothing can switch it off."""

from __future__ import annotations

import base64
import json
import random
import re
import sys
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memgit.core import findings as shown
from memgit.core.secrets import assignments, keys, labels, listings, shapes, urls, words
from memgit.core.secrets import search as search_module
from memgit.core.secrets import views as views_module
from memgit.core.secrets.finding import Finding, fingerprint
from memgit.core.secrets.scan import MAX_FINDINGS, scan, scan_added
from memgit.core.secrets.views import plain, views
from support import fakes

KEY = b"the machine's own random bytes"


MODULES = (assignments, keys, labels, listings, shapes, urls, views_module, words)


def token(seed: int = 1) -> str:
    return "gh" + "p_" + fakes.letters(random.Random(seed), 36)


def rules(text: str | bytes, path: bytes = b"memory/a.md") -> list[str]:
    return [one.rule for one in scan(text if isinstance(text, bytes) else text.encode(), path)]


# Pieces that begin, end, hide and look like secrets; a drawn text of these reaches the odd corners.
_PIECES = st.sampled_from(
    [
        *(
            b"password",
            b": ",
            b"=",
            b" is ",
            b"\n",
            b"\\\n",
            b"\\n",
            b'"',
            b"'",
            b"`",
            b"|",
            b"token",
            b"api_key",
            b"key",
        ),
        *(b"-----BEGIN ", b"PRIVATE " + b"KEY-----", b"-----END", b"//", b"user:", b"@", b"eyJ", b"seed phrase", b"\0"),
        *(b"gh" + b"p_", b"sk-" + b"ant-", b"AK" + b"IA", b"aB3dE6", b"\\u0041", b"%41", b"&amp;", b"\xe2\x80\x8b"),
        *(b"Bearer ", b"\xff\xfe", b" ", b","),
    ]
)
TEXTS = st.lists(st.one_of(_PIECES, st.binary(max_size=12)), max_size=40).map(b"".join)


@given(TEXTS, st.binary(max_size=60))
def test_any_bytes_are_scanned_without_an_error(data: bytes, path: bytes) -> None:
    for one in scan(data, path, key=KEY):
        assert 0 <= one.line <= one.end_line <= data.count(b"\n") + 1 or data.startswith((b"\xff\xfe", b"\xfe\xff"))


@given(TEXTS)
def test_scanning_twice_says_the_same(data: bytes) -> None:
    assert scan(data, b"a.md", key=KEY) == scan(data, b"a.md", key=KEY)


@given(TEXTS)
def test_allowing_every_fingerprint_leaves_nothing_new(data: bytes) -> None:
    first = scan(data, b"a.md", key=KEY)
    rest = scan(data, b"a.md", frozenset(one.fingerprint for one in first), key=KEY)
    assert rest == () or len(first) >= MAX_FINDINGS


@given(TEXTS, TEXTS)
def test_findings_of_added_lines_are_findings_on_added_lines(old: bytes, new: bytes) -> None:
    some = scan_added(old, new, b"a.md", key=KEY)
    assert set(some) <= set(scan(new, b"a.md", key=KEY))
    before, lines = plain(old).split(b"\n"), plain(new).split(b"\n")
    for one in some:
        touched = lines[one.line - 1 : one.end_line] if not one.is_in_name else [b""]
        assert not old or any(lines.count(line) > before.count(line) for line in touched)


@given(TEXTS)
def test_nothing_added_is_nothing_found(data: bytes) -> None:
    assert scan_added(data, data, b"a.md", key=KEY) == () or not data


@given(st.binary(max_size=300))
def test_views_never_grow_beyond_a_few_times_the_text(data: bytes) -> None:
    text = plain(data)
    assert sum(len(view.text) for view in views(text)) <= 40 * (len(text) + 10)


@settings(max_examples=60)
@given(st.integers(0, 10**6))
def test_no_finding_shows_a_value(seed: int) -> None:
    rnd = random.Random(seed)
    secret, chosen = token(seed), fakes.password(rnd)
    text = f"a {secret}\npassword: {chosen}\nhttps://me:{chosen}x7Q@host.example/\n".encode()
    path = f"memory/{secret}.md".encode()
    found = scan(text, path, key=KEY)
    assert {one.line for one in found} == {0, 1, 2, 3}
    everything = "".join(
        (
            repr(found),
            str(found),
            shown.as_text(found),
            shown.as_lines(found),
            json.dumps(shown.as_json(found)),
            json.dumps(shown.as_sarif(found, "0")),
            "".join(str(getattr(one, name)) for one in found for name in Finding.__slots__),
        )
    )
    for value in (secret, chosen):
        assert value not in everything
        assert not any(value[i : i + 6] in everything for i in range(4, len(value) - 6))


def test_internal_values_do_not_print_either() -> None:
    text = f"a {token()}\n".encode()
    for view in views(text):
        assert token() not in repr(view)
        for hit in search_module.hits(view):
            assert token() not in repr(hit)
            assert token() not in str(hit)


def test_a_guessable_value_is_named_only_under_a_key() -> None:
    text = b"password: Xk39" + b"!fk2\n"
    (bare,) = scan(text, b"a.md")
    (keyed,) = scan(text, b"a.md", key=KEY)
    (other,) = scan(text, b"a.md", key=b"another machine")
    assert bare.fingerprint == ""
    assert len({bare.fingerprint, keyed.fingerprint, other.fingerprint}) == 3


def test_an_empty_fingerprint_allows_nothing() -> None:
    text = b"password: Xk39" + b"!fk2\n"
    assert len(scan(text, b"a.md", frozenset({""}))) == 1


def test_a_random_token_has_one_name_everywhere() -> None:
    text = f"a {token()}\n".encode()
    assert scan(text, b"a.md")[0].fingerprint == scan(text, b"b/c.md", key=KEY)[0].fingerprint
    assert scan(text, b"a.md")[0].fingerprint == fingerprint(token().encode(), guessable=False, key=b"")


def test_an_allowed_value_is_allowed_under_every_rule_that_sees_it() -> None:
    text = f"GITHUB_TOKEN={token()}\n".encode()
    (one,) = scan(text, b"a.md", key=KEY)
    assert one.rule == "github-token"
    assert scan(text, b"a.md", frozenset({one.fingerprint}), key=KEY) == ()


def test_allowing_one_value_allows_no_other() -> None:
    text = f"{token(1)}\n{token(2)}\n".encode()
    first, second = scan(text, b"a.md")
    assert scan(text, b"a.md", frozenset({first.fingerprint})) == (second,)


HIDDEN: dict[str, Callable[[str], bytes]] = {
    "backslash at the line end": lambda v: f"key: {v[:18]}\\\n{v[18:]}".encode(),
    "concatenated": lambda v: f'x = "{v[:18]}" +\n    "{v[18:]}"'.encode(),
    "adjacent strings": lambda v: f"(\n    '{v[:18]}'\n    '{v[18:]}'\n)".encode(),
    "quoted-printable": lambda v: f"{v[:18]}=\n{v[18:]}".encode(),
    "hard wrap": lambda v: f"> key {v[:18]}\n> {v[18:]}".encode(),
    "blanks": lambda v: f"{v[:8]} {v[8:16]} {v[16:]}".encode(),
    "base64": lambda v: base64.b64encode(f"user {v}".encode()),
    "base64 for URLs": lambda v: b"x=" + base64.urlsafe_b64encode(v.encode()),
    "zero width space": lambda v: f"{v[:6]}\u200b{v[6:]}".encode(),
    "soft hyphens": lambda v: "\u00ad".join(v).encode(),
    "word joiner": lambda v: f"{v[:9]}\u2060{v[9:]}".encode(),
    "UTF-16 with a mark": lambda v: f"key {v}".encode("utf-16"),
    "UTF-16 little endian": lambda v: f"the key {v} is here".encode("utf-16-le"),
    "UTF-16 big endian": lambda v: f"the key {v} is here".encode("utf-16-be"),
    "UTF-32": lambda v: f"key {v}".encode("utf-32"),
    "Latin-1": lambda v: f"clé {v} déjà".encode("latin-1"),
    "long line": lambda v: b"lorem ipsum " * 30_000 + v.encode() + b" dolor" * 1000,
    "HTML comment": lambda v: f"<!-- {v} -->".encode(),
    "entity": lambda v: f"&#{ord(v[0])};{v[1:]}".encode(),
    "percent": lambda v: "".join(f"%{ord(c):02x}" for c in v).encode(),
    "unicode escapes": lambda v: "".join(f"\\u{ord(c):04x}" for c in v).encode(),
    "between NULs": lambda v: b"\0\0" + v.encode() + b"\0 x",
    "binary": lambda v: b"\x89PNG\r\n\x1a\n\0\0" + v.encode() + b"\xff\xd8",
    "allow comments": lambda v: f"{v}  # gitleaks:allow pragma: allowlist secret nosec noqa memgit:allow".encode(),
    "allow comment above": lambda v: f"<!-- memgit-ignore-next-line -->\n{v}".encode(),
    "called an example": lambda v: f"EXAMPLE ONLY, fake, dummy, not a secret: {v} (placeholder)".encode(),
    "CRLF": lambda v: f"a\r\nkey: {v}\r\nb\r\n".encode(),
    "old Mac line ends": lambda v: f"a\rkey {v}\rb".encode(),
}


@pytest.mark.parametrize("how", HIDDEN)
def test_hiding_does_not_help(how: str) -> None:
    for seed in range(5):
        assert rules(HIDDEN[how](token(seed)))


def test_compressed_data_raises_no_alarm() -> None:
    drawn = random.Random(1).randbytes(2**20)  # as much as a capture takes
    assert rules(drawn, b"memory/photo.jpg") == []


def test_colours_and_old_encodings_do_not_hide_a_password() -> None:
    assert rules("pass" + "word: \x1b[1mBlue-Horse7!Staple\x1b[0m") == ["password-beside-label"]
    assert rules(("pass" + "word: Größe-7!Straße").encode("latin-1")) == ["password-beside-label"]


def test_a_secret_in_the_name_is_found_and_not_shown() -> None:
    (one,) = scan(b"nothing here", f"memory/{token()}.md".encode())
    assert one.is_in_name
    assert one.path == "memory/<github-token>.md"


def test_lines_are_those_of_the_file() -> None:
    pem = "-----BEGIN RSA PRIV" + "ATE KEY-----\n"
    body = "\n".join(fakes.letters(random.Random(n), 64) for n in range(5))
    text = f"one\ntwo\n{pem}{body}\n-----END RSA PRIVATE KEY-----\n\nx {token()}\n"
    assert [(one.line, one.end_line, one.rule) for one in scan(text.encode(), b"a")] == [
        (3, 9, "private-key"),
        (11, 11, "github-token"),
    ]


def test_a_key_block_counts_as_added_when_any_of_its_lines_is() -> None:
    head = "-----BEGIN PRIV" + "ATE KEY-----\n"
    lines = [fakes.letters(random.Random(n), 64) + "\n" for n in range(4)]
    old = ("x\n" + head + "".join(lines[:2])).encode()
    new = ("x\n" + head + "".join(lines)).encode()
    assert [one.rule for one in scan_added(old, new, b"a")] == ["private-key"]


def test_a_label_put_above_an_old_value_makes_it_a_finding() -> None:
    value = fakes.letters(random.Random(8), 12) + "7!x"
    old = f"# notes\n{value}\n".encode()
    assert [one.line for one in scan_added(old, f"# notes\nthe password:\n{value}\n".encode(), b"a")] == [2]


def test_an_old_secret_does_not_hold_new_lines() -> None:
    old = f"key {token()}\n".encode()
    assert scan_added(old, old + b"a new line\n", b"a") == ()
    assert len(scan_added(old, b"first\n" + old + f"again {token()}\n".encode(), b"a")) == 1


def test_a_hostile_file_has_a_bounded_report() -> None:
    text = "\n".join(token(n) for n in range(MAX_FINDINGS + 50)).encode()
    assert len(scan(text, b"a")) == MAX_FINDINGS


HOSTILE = [
    *(b"token=token=a", b"eyJ", b"eyJhbGciOiJIUzI1NiJ9.", b"password,a,b\nx,y,z\n", b"| password |\n", b"password is "),
    *(b"seed phrase abandon ", b"-----BEGIN PRIV" + b"ATE KEY-----", b"//a:b", b"\\", b"\\\n", b'"\n', b"gh" + b"p_"),
    *(b"AK" + b"IA ab ", b"a=\n", b"%41", b"&amp;", b"password:\n", b"TWFyeSBoYWQg", b"\0a"),
]


@pytest.mark.parametrize("unit", HOSTILE)
def test_steps_grow_with_the_length_and_not_with_its_square(unit: bytes) -> None:
    def steps(size: int) -> int:
        count = 0

        def tick(_frame: object, event: str, _argument: object) -> None:
            nonlocal count
            count += event in ("call", "c_call")

        before = sys.getprofile()
        sys.setprofile(tick)
        try:
            scan((unit * (size // len(unit) + 1))[:size], b"x", key=KEY)
        finally:
            sys.setprofile(before)
        return count

    assert steps(12_000) <= 4.5 * steps(3_000) + 2_000


def patterns() -> list[re.Pattern[bytes]]:
    found = [one.pattern for one in search_module.SHAPES]
    for module in MODULES:
        found += [value for value in vars(module).values() if isinstance(value, re.Pattern)]
    return found


@pytest.mark.parametrize("pattern", patterns(), ids=lambda one: one.pattern.decode("latin-1")[:40])
def test_no_pattern_repeats_a_repetition_without_end(pattern: re.Pattern[bytes]) -> None:
    """Nested unbounded repetitions are what makes a backtracking matcher explode."""
    assert not fakes.has_nested_repetition(pattern)
