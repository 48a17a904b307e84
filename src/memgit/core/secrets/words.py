"""Tell random values from words, placeholders and references."""

from __future__ import annotations

import re

_CLASSES = bytes(97 if 97 <= c <= 122 else 65 if 65 <= c <= 90 else 48 if 48 <= c <= 57 else 45 for c in range(256))
_RUNS = re.compile(rb"a+|A+|0+|-+")
_NO_TEXT = bytes(byte for byte in (*range(32), 127) if byte not in b"\t\n\r\x1b")
_FILLER = re.compile(
    rb"(.)\1{6,}|\.\.\.|\*\*\*|\xe2\x80\xa6|<[^>]*>"
    rb"|example|placeholder|redacted|change[-_]?me|dummy|insert|replace[-_]?(?:me|with)|sample|masked|removed"
    rb"|your[-_]?(?:api|key|token|secret|pass|own|client|access|app|org|project|account|bot)|[-_]here\b|abcdefgh"
    rb"|12345678|01234567|98765432|qwertyui|deadbeef|abcd1234|1234abcd|foobar|lorem|ipsum"
    rb"|(?:^|[-_./])(?:your|fake|demo|todo|test(?:ing)?|mock|none|null|some|abc123|foo|bar|x{4,})(?:$|[-_./])",
    re.IGNORECASE,
)

# Words a placeholder is made of; what is left of it without them is nearly nothing.
_FILLER_WORDS = re.compile(
    rb"(?:placeholder|password|passwort|passwd|passphrase|credentials?|example|changeme|change|default|sample|secret"
    rb"|hidden|masked|redacted|private|access|client|string|insert|replace|update|token|dummy|admin|guest|postgres"
    rb"|mysql|redis|root|user(?:name)?|login|test(?:ing)?|fake|demo|mock|value|your|here|pass|auth|bearer|some|with"
    rb"|this|that|none|null|todo|tbd|enter|real|super|strong|very|key|api|app|new|old|the|pwd|foo|bar|baz|abc|xyz"
    rb"|123(?:4(?:5(?:6(?:7(?:89?0?)?)?)?)?)?|x{2,}|my|me|pw|db|go|id)",
    re.IGNORECASE,
)
_REFERENCE = re.compile(
    rb"^HTTP/\d|^(?:[$%@]|\{\{|\$\{|<|\[|\(|\.\.\.|--|//|\\\$)"
    rb"|^(?:op|vault|secret|secrets|keychain|env|file|ref|arn|ssm|gcp|awssm|azkv|bws|pass|doppler|sops|https?|s3|git)://"
    rb"|^(?:application|audio|font|image|multipart|text|video)/[a-z]"
    rb"|^(?:env|vault|secretref|ref|arn|sops|keyring|keychain|sha1|sha256|sha512|md5|urn|data|file):"
    rb"|^(?:os\.|process\.|self\.|this\.|config\.|settings\.|secrets?\.|env\.|args?\.|ENC\[|AQICAH|CiQA)"
    rb"|[({]\)?$|\(\)|\w\(|\{\{|\$\{|\$\(|%\(|\]$|=>$|\w\[|[Aa]-[Zz][a0]-|0-9[a-f+/_]|\(\?|^\{|\":|&#?\w{2,8};",
    re.IGNORECASE,
)
_IDENTIFIER = re.compile(rb"^[A-Za-z_]\w{0,60}(?:(?:\.|::|->)[A-Za-z_]\w{0,60}){1,8}$")
_ADDRESS = re.compile(
    rb"[A-Za-z][a-z_-]{1,30}:[A-Za-z_-]{1,30}\d{0,4}(?::(?:[A-Za-z_-]{1,30}\d{0,4}|[+-]?\d{1,20}|[\dx.]{7,15}"
    rb"|[a-z0-9]{1,12}|[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})){1,8}$"
)
_MODEL = re.compile(rb"[a-z][a-z0-9-]{1,30}/[a-z]{2,20}-[a-z0-9.-]{1,40}$")  # openai/gpt-5.2-codex
_ON_A_CHAIN = re.compile(rb"0x[0-9a-fA-F]{40}$")  # where a contract or an account is; keys have 64 digits
_ENUMERATION = re.compile(rb"[A-Za-z]{2,30}\d{0,3}(?:[/+][A-Za-z]{2,30}\d{0,3}){2,20}$")
_COUNTED = re.compile(rb"[@#:_.-]?\d{1,20}$")
_NUMBERISH = re.compile(
    rb"^[-+~<>=#v$\xe2\x82\xac]*\d[\d.,:_/TZ+-]*\s?(?:[a-zA-Z]{1,6}(?:/\w{1,8})?|%|\xc2\xb5s|days?|hours?|minutes?|chars?"
    rb"|characters|tokens|bytes|bits?)?$"
)
_ROOTED = re.compile(rb"(?:~|\.{0,2})/|[A-Za-z]:\\")
_FILE_NAME = re.compile(
    rb"\.(?:py|ts|tsx|js|jsx|mjs|go|rs|rb|java|kt|md|txt|json|ya?ml|toml|ini|cfg|conf|env|pem|key|pub|crt|sh|sql|html"
    rb"|css|log|csv|lock|c|h|cc|cpp|php|xml|pdf|docx?|xlsx?|pptx?|png|jpe?g|gif|svg|webp|ico|mp[34]|wav|zip|gz|tgz|tar|db"
    rb"|sqlite|pyc|so|exe|jsonl|bak|tsv|ipynb|com|org|net|io|dev|app|local|internal)(?:[:#?]\S*)?$"
)
_WORD_PARTS = re.compile(rb"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
# Letters that follow each other in no word of English, or hardly.
_UNSPEAKABLE = re.compile(
    rb"[bcdfghjklmnpqrstvwxz]{5}|q[^u]|[jqz][bcdfghjklmnpqrstvwxz]|x[bdfgjkmnqrsvwxz]|[bcdfghjkmpqstvwz][xqz]|[cdfghjkmpqstvwz]j|[bcdfgjkmpqtvwxz]{4}|[aeiou]{4}"
    rb"|[jqvw][jqvwxz]|y[jqy]|uu|ii|[aiouy]{2}y|h[bcdfghjkpqvxz]|w[bcfgjmpqtvxz]",
)
_HEX = re.compile(rb"^(?:0x)?[0-9a-fA-F]+$")
_UUID = re.compile(rb"^[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$")
_CODE = frozenset(b"(){}[]<>$&:,;\"'")
_JUDGED = 96  # bytes that tell whether a value is random; bounds the cost of a long one
_ABBREVIATED = frozenset(
    b"Http Https Html Sql Xml Css Tcp Dns Ssh Ssl Tls http https html sql xml css str btn msg ctx cfg".split()
)
_VOWELS = frozenset(b"aeiouyAEIOUY")


def class_changes(value: bytes) -> float:
    """How often neighbours differ in kind (lower, upper, digit, other), 0 to 1.

    About 0.6 for random letters and digits, 0.45 for random hex, below 0.15 for words, even joined ones.
    """
    if len(value) < 2:
        return 0.0
    kinds = value[:_JUDGED].translate(_CLASSES)
    return (len(_RUNS.findall(kinds)) - 1) / (len(kinds) - 1)


def is_filler(value: bytes) -> bool:
    """Is this an obvious stand-in for a random token: repeated, counted up, or saying so?

    Only the value is looked at, never its surroundings: no remark beside a secret excuses it. A random token reads
    as one of these about once in 100,000.
    """
    value = value[:_JUDGED]
    return len(set(value)) < min(7, max(2, len(value) // 3)) or _FILLER.search(value) is not None


def is_placeholder(value: bytes) -> bool:
    """Is this short value only a stand-in ("changeme", "<your key>", "********", "my-secret-token")?"""
    if (
        len(set(value)) <= 2
        or b"..." in value
        or b"***" in value
        or b"\xe2\x80\xa6" in value
        or b"xxxx" in value.lower()
    ):
        return True
    rest = _FILLER_WORDS.sub(b"", value)
    return sum(1 for c in rest if 48 <= c <= 57 or 65 <= c <= 90 or 97 <= c <= 122 or c >= 128) < 4 and (
        len(rest) < len(value) or len(rest) < 4
    )


def is_reference(value: bytes) -> bool:
    """Does this name where a secret is instead of being one: a variable, call, path, attribute or store address?"""
    marks = sum(1 for c in value if c in b"/._-")
    if (
        class_changes(value) >= 0.4
        and marks * 7 <= len(value)
        and not _CODE.intersection(value)
        and not (b"/" in value and _FILE_NAME.search(value))
        and is_random_token(value, at_least=24)
    ):
        return False  # base 64 may begin with "/" and end like a file name
    return (
        _REFERENCE.search(value) is not None
        or _ROOTED.match(value) is not None
        or _FILE_NAME.search(value) is not None
        or (_IDENTIFIER.match(value) is not None and class_changes(value) < 0.3)
    )


def is_address(value: bytes) -> bool:
    """Is this a name that leads somewhere: `agent:main:telegram:direct:1`, a vendor's model, an account of a chain?"""
    return any(form.match(value) for form in (_ADDRESS, _MODEL, _ON_A_CHAIN))


def is_text(value: bytes) -> bool:
    """Is this no single value: words joined by signs, or text made fit for a URL?"""
    return b"%20" in value or _ENUMERATION.match(value) is not None


def is_word(value: bytes) -> bool:
    """Is this one word in small letters of whatever script?"""
    text = value.decode("utf-8", "replace")
    return text.isalpha() and text.islower()


def is_counted(value: bytes) -> bool:
    """Is this a name with a number behind it: `rate_high@1772752679331`?"""
    stem = _COUNTED.sub(b"", value)
    return stem != value and is_identifier(stem)


def is_number(value: bytes) -> bool:
    """Is this a number, date, time, version or amount?"""
    return _NUMBERISH.match(value) is not None


def is_noise(value: bytes) -> bool:
    """Is this no text at all: control characters, or mostly bytes that no encoding of text joins?

    Compressed data holds every short label by chance. Colours of a terminal and the letters of Latin-1 are text.
    """
    if value.isascii() and value.isalnum():
        return False
    if value.translate(None, _NO_TEXT) != value:
        return True
    return (len(value) - len(value.decode("utf-8", "ignore").encode())) * 4 > len(value)


def is_wordy(value: bytes) -> bool:
    """Is this made of words and small numbers: `refresh-flow`, `at_least_12`, `getUserToken`, `Required`?"""
    letters = 0
    for part in _WORD_PARTS.findall(value):
        if part.isdigit():
            if len(part) > 4:
                return False
            continue
        letters += len(part)
        if len(part) > 3 and not _VOWELS.intersection(part):
            return False
    if not letters:
        return False
    plain = sum(1 for c in value if 48 <= c <= 57 or 65 <= c <= 90 or 97 <= c <= 122 or c in b"-_.'/=")
    if plain < len(value.rstrip(b"?!.,;:)")):
        return False
    parts = _WORD_PARTS.findall(value)
    return letters >= 3 * max(1, sum(1 for p in parts if not p.isdigit()) - 1) and (
        not any(p.isdigit() for p in parts) or any(c in b"-_./" for c in value)
    )


def is_identifier(value: bytes) -> bool:
    """Is this a name in code: words joined by capitals, `_` or `-`, hardly a digit, every longer word with a vowel?

    Random letters change their kind so often that their "words" are one or two long.
    """
    if len(value) < 10 or any(c in b"+/=%!~@" for c in value):
        return False
    parts = _WORD_PARTS.findall(value)
    words = [part for part in parts if not part.isdigit()]
    letters = sum(map(len, words))
    digits = sum(len(part) for part in parts if part.isdigit())
    if letters < 3.3 * max(1, len(words)) or digits * 12 > len(value):
        return False
    return all(
        _VOWELS.intersection(word) or len(word) <= 3 or word.isupper() or word in _ABBREVIATED for word in words
    ) and not (_UNSPEAKABLE.search(value))


def is_random_token(value: bytes, *, at_least: int = 16) -> bool:
    """Could a machine have drawn this: one unbroken run, mixed well, neither words nor a stand-in?"""
    if len(value) < at_least or is_filler(value):
        return False
    if _HEX.match(value):
        return any(48 <= c <= 57 for c in value) and any(c > 57 for c in value)
    if not any(65 <= c <= 90 or 97 <= c <= 122 for c in value):
        return False
    if any(48 <= c <= 57 for c in value):
        return class_changes(value) >= 0.2
    return class_changes(value) >= 0.35 and not value.islower() and not value.isupper()


def is_uuid(value: bytes) -> bool:
    """Is the value written as a UUID?"""
    return _UUID.match(value) is not None


def is_hex(value: bytes) -> bool:
    """Is the value hex digits alone, with or without `0x` before them?"""
    return _HEX.match(value) is not None


def is_password(value: bytes) -> bool:
    """Could a person have chosen this as a password and not as a word of a sentence?"""
    if not 5 <= len(value) <= 200:
        return False
    if is_placeholder(value) or is_reference(value) or is_number(value):
        return False
    if is_wordy(value) and (not value.isalnum() or is_identifier(value) or not is_random_token(value, at_least=12)):
        return False
    digits = sum(1 for c in value if 48 <= c <= 57)
    letters = sum(1 for c in value if 65 <= c <= 90 or 97 <= c <= 122 or c >= 128)
    others = len(value) - digits - letters
    if letters == 0:
        return digits >= 6 and others > 0
    signs = others - sum(1 for c in value if c in b"-_.")  # these join words
    return digits > 0 or signs > 0 or class_changes(value) >= 0.3
