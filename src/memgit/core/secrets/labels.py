"""The words people put before a secret, in notes, settings and code; looked for in lower-cased text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum


class Kind(Enum):
    """What kind of value a label announces, which decides how random it must look."""

    PASSWORD = "chosen by a person, may be short"
    TOKEN = "drawn by a machine"
    LOOSE = "drawn by a machine, but the label also names harmless things"
    BARE = "like a password, but the label is also a verb"
    PAIR = "a user name and a password"
    PIN = "four to eight digits"


# A line without any of these is never looked at closer. Cheap to search, so broader than the labels themselves.
ROOTS: tuple[bytes, ...] = (
    *b"pass pw secret token key cred auth cookie psk bearer login curl mysql".split(),
    *b"kennwort senha wachtwoord parola contrase".split(),
    b" pin",
)
_FOREIGN_WORDS = ("lösenord", "hasło", "пароль", "парол", "密码", "密碼", "パスワード", "비밀번호", "口令")
# Each holds bytes beyond ASCII.
FOREIGN_ROOTS: tuple[bytes, ...] = tuple(word.encode() for word in _FOREIGN_WORDS)
SEED_ROOTS: tuple[bytes, ...] = (b"seed", b"mnemonic", b"phrase")

_FOREIGN = b"|".join(FOREIGN_ROOTS)
_KEY_OWNERS = (
    rb"api|app|application|access|secret|private|auth|account|master|root|admin|signing|signature|encryption|encrypt"
    rb"|decryption|aes|hmac|service(?:[ _-]role)?|(?:pre[ _-]?)?shared|storage|deploy|license|licence|activation"
    rb"|session|webhook|consumer|subscription|client|ssh|rsa|gpg|pgp|ssl|tls|project|server|host|integration|ingest(?:ion)?"
    rb"|write|management|personal|user|developer|live|prod|merchant|bot|jwt|cookie|security|symmetric|wallet|function"
    rb"|anon|recovery|backup|vault|unseal|hec|rest|rpc|tenant|org|team|workspace|device|agent|data|registration"
)

LABEL = re.compile(
    rb"(?P<password>(?<!(?<![a-z0-9])1)pass(?:word|wd|wort|phrase|code)"  # 1Password is a program
    rb"|kennwort|contrase(?:\xc3\xb1|\xf1|n)a|mot de passe|senha(?![a-z])|wachtwoord|parola(?![a-z])|"
    + _FOREIGN
    + rb"|(?<![a-z])(?:db|smtp|imap|mail|email|mysql|pg|sql|ftp|ssh|ldap|redis|user|root"
    rb"|admin|wifi|vpn|key|store|keystore|http|proxy|vnc|rdp|app)(?:[ _.-]?pass|pwd|pw)(?![a-z])"
    rb"|(?<![a-z])(?:pwd|pw|psk)(?![a-z]))"
    rb"|(?P<bare>(?<![a-z])pass(?![a-z]))"
    rb"|(?P<pair>(?<![a-z])(?:credentials?|creds?|log[ -]?in)(?![a-z]))"
    rb"|(?P<pin>(?<![a-z])pin(?:[ _-]code)?(?![a-z]))"
    rb"|(?P<token>secret|token|(?:" + _KEY_OWNERS + rb")[ _.-]?key"
    rb"|(?:jsession|phpsess|connect\.s)id(?![a-z])|cookie|bearer|credential)"
    rb"|(?P<loose>(?:key|(?<![a-z])auth(?:orization)?)(?![a-z]))"
)

# What follows or precedes a label when the value is not the secret itself.
HARMLESS_SUFFIX = re.compile(
    rb"[a-z0-9_-]*?(?:(?<![a-z])|[_-]|(?<=token)|(?<=secret)|(?<=password)|(?<=key))"
    rb"(?:id|ids|name|names|file|files|filename|path|dir|url|uri|endpoint|env|var|count|counts|budget|limit|limits|length"
    rb"|len|type|ttl|age|expir[a-z]+|policy|field|hash|hashes|digest|checksum|reset|manager|hint|label|usage|size|rate"
    rb"|rotation|format|prefix|regex|pattern|store|ref|arn|strength|version|provider|source|scope|scopes|status|index"
    rb"|position|embedding|embeddings|window|cost|price|ring|ed|fingerprint|pair|board|word|words|frame|note|point|points)s?$"
)
HARMLESS_PREFIX = re.compile(
    rb"(?:request|lock|starting|resume|upload|import|public|pub|cache|primary|foreign|partition|sort|idempotency|idempotent|dedup|dedupe|page|next|continuation"
    rb"|csrf|xsrf|sync|cancel|cancellation|pagination|cursor|commit|object|row|index|lookup|hash|map|group|routing"
    rb"|bucket|s3|translation|i18n|sort|config|json|dict|registry|storage[ _]object|build|chunk|doc|document|file"
    rb"|memory|event|message|trace|host[ _-]public|known[ _-]hosts?|publishable|fingerprint|of|ssh[ _-]public|etag"
    rb"|artifact)[ _.-]?$"
)
SEED_LABEL = re.compile(rb"(?:seed|mnemonic|(?:recovery|backup|secret|wallet)[ _-](?:phrase|words|seed|mnemonic))")


_LONG = 256  # bytes of a line that is not looked through as a whole
_LONGEST = 40  # bytes of a label on either side of its root
# With the labels that a line with some other root may hold as well: "log in", and "pin" after whatever sign.
_ROOT = re.compile(b"|".join(map(re.escape, (*ROOTS, *FOREIGN_ROOTS))) + rb"|pin|log[ -]in")


def labels_in(lower: bytes, start: int, end: int) -> Iterator[re.Match[bytes]]:
    """The labels in `lower[start:end]`, from left to right.

    The expression of all labels costs some 250 ns a byte: of a long line only the neighbourhood of roots is searched.
    """
    if end - start <= _LONG:
        yield from LABEL.finditer(lower, start, end)
        return
    begin = stop = start
    for root in _ROOT.finditer(lower, start, end):
        if root.start() - _LONGEST > stop:
            yield from LABEL.finditer(lower, begin, stop)
            begin = root.start() - _LONGEST
        stop = min(end, root.end() + _LONGEST)
    yield from LABEL.finditer(lower, begin, stop)


def kind_of(label: re.Match[bytes]) -> Kind:
    """What a label says of the value behind it. label: a match of the expression of all labels."""
    return _KINDS[label.lastgroup or ""]


_KINDS = {
    "password": Kind.PASSWORD,
    "bare": Kind.BARE,
    "pair": Kind.PAIR,
    "pin": Kind.PIN,
    "token": Kind.TOKEN,
    "loose": Kind.LOOSE,
}
