"""Secrets with a standard's form: private keys, signed tokens, one-time-password seeds, wallet keys."""

from __future__ import annotations

import binascii
import json
import re
from collections.abc import Iterator

from memgit.core.secrets.shapes import Hit, Shape, is_left_edge, shape
from memgit.core.secrets.words import is_filler, is_random_token


def unbase64(part: bytes) -> bytes:
    """Either alphabet, with or without padding; raises ValueError."""
    part = part.rstrip(b"=")
    return binascii.a2b_base64(part.replace(b"-", b"+").replace(b"_", b"/") + b"=" * (-len(part) % 4))


def _is_encoded_block(value: bytes) -> bool:
    try:
        return b"PRIVATE KEY" in unbase64(value[:96])
    except ValueError:
        return False


SHAPES: tuple[Shape, ...] = (
    shape("age-key", "AGE-SECRET-KEY- AGE-PLUGIN-", rb"AGE-(?:SECRET-KEY|PLUGIN)-(?:[A-Z0-9]{1,20}-)?1[0-9A-Z]{50,}"),
    shape("nostr-key", "nsec1", rb"nsec1[02-9ac-hj-np-z]{58}"),
    shape("wallet-key", "xprv yprv zprv tprv", rb"[xyzt]prv[1-9A-HJ-NP-Za-km-z]{100,112}"),
    shape(
        "pgp-key",
        "lQOYB lQPGB lQcYB lQVYB lQWGB lQdGB lFgEY lIYEY",
        rb"l(?:Q(?:OY|PG|cY|VY|WG|dG)B|FgEY|IYEY)[A-Za-z0-9+/]{50,}",
    ),
    # DER of PKCS 8, PKCS 1 and SEC 1, and the OpenSSH container, without their lines: kubeconfig, .env files, JSON.
    shape("private-key", "IBADANBgkqhkiG9w0", rb"MI[A-Za-z0-9+/]{4,6}IBADANBgkqhkiG9w0[A-Za-z0-9+/=]{40,}"),
    shape("private-key", "IBAAKC", rb"MI[A-Za-z0-9+/]{4,6}IBAAKC[A-Za-z0-9+/=]{40,}"),
    shape("private-key", "MC4CAQAwBQYDK2V", rb"MC4CAQAwBQYDK2V[A-Za-z0-9+/=]{30,}"),
    shape("private-key", "MIGHAgEAMBMGByqGSM49 MHcCAQEEI", rb"(?:MIGHAgEAMBMGByqGSM49|MHcCAQEEI)[A-Za-z0-9+/=]{40,}"),
    shape("private-key", "b3BlbnNzaC1rZXktdjE", rb"b3BlbnNzaC1rZXktdjE[A-Za-z0-9+/=]{60,}"),
    shape(
        "private-key-base64",
        "LS0tLS1CRUdJTi",
        rb"LS0tLS1CRUdJTi[A-Za-z0-9+/=]{80,}",
        _is_encoded_block,
    ),
)

_PEM = re.compile(rb"-----\s?BEGIN ([A-Z0-9 ]{0,40}?)PRIVATE KEY(?: BLOCK)?\s?-----")
_PUTTY = re.compile(rb"Private-Lines: \d+\s+([A-Za-z0-9+/=\s]{40,4000})")
_JWT = re.compile(
    rb"eyJ[A-Za-z0-9_-]{8,2000}+\.[A-Za-z0-9_-]{8,16000}+\.[A-Za-z0-9_-]{0,2000}+"
    rb"(?:\.[A-Za-z0-9_-]{8,16000}+\.[A-Za-z0-9_-]{8,100}+)?"
)
_OTPAUTH = re.compile(rb"otpauth(?:-migration)?://[^\s\"'`<>|]{1,300}?(?:secret|data)=([A-Za-z2-7%+/=-]{10,400})")
_JWK_PRIVATE = re.compile(rb"\"d\"\s*:\s*\"([A-Za-z0-9_-]{40,800})\"")
_BODY_LIMIT = 16384
_LINE_END = re.compile(rb"\\+(?:[nrt]|u000[adAD]|\n)")
_BODY_RUN = re.compile(rb"[A-Za-z0-9+/=]{16,}")


def private_key_blocks(text: bytes) -> Iterator[Hit]:
    """Armoured private keys, whole or cut off, with real or escaped line ends; a header without a body is only talk."""
    for match in _PEM.finditer(text):
        # Up to the next dashes, so a file full of headers costs no more than its length.
        start, limit = match.end(), min(len(text), match.end() + _BODY_LIMIT)
        end = text.find(b"-----", start, limit)
        stop = end if end >= 0 else limit
        runs = _BODY_RUN.findall(_LINE_END.sub(b"\n", text[start:stop]))
        if any(is_random_token(run) for run in runs[:8]):
            last = (
                end + len(b"-----END") if end >= 0 else max(run.end() for run in _BODY_RUN.finditer(text, start, stop))
            )
            yield Hit("private-key", match.start(), last, b"".join(runs))


def putty_keys(text: bytes) -> Iterator[Hit]:
    """The private halves in files of PuTTY."""
    for match in _PUTTY.finditer(text):
        yield Hit("private-key", match.start(), match.end(), b"".join(match[1].split()))


def signed_tokens(text: bytes) -> Iterator[Hit]:
    """JSON web tokens: a header that decodes to JSON with an algorithm. Unsigned samples of the tutorials pass."""
    start = text.find(b"eyJ")
    while start >= 0:
        # Only at the edge of a word: a run of "eyJeyJ..." is looked at once.
        match = _JWT.match(text, start) if is_left_edge(text, start) else None
        start = text.find(b"eyJ", match.end() if match else start + 3)
        if match is None:
            continue
        header, payload = match[0].split(b".")[:2]
        try:
            fields = json.loads(unbase64(header))
        except (ValueError, RecursionError):
            continue
        if not isinstance(fields, dict) or not fields.keys() & {"alg", "enc", "typ", "kid"}:
            continue
        try:
            claims = unbase64(payload)
        except ValueError:
            claims = b""
        if b"John Doe" in claims or (b'"1234567890"' in claims and len(claims) < 80):
            continue  # jwt.io's and RFC 7519's readers' sample
        yield Hit("json-web-token", match.start(), match.end(), match[0])


def one_time_password_seeds(text: bytes) -> Iterator[Hit]:
    """Seeds in `otpauth://` addresses, as QR codes hold them."""
    for match in _OTPAUTH.finditer(text):
        if not is_filler(match[1]) and match[1].rstrip(b"=").upper() != b"JBSWY3DPEHPK3PXP":  # everyone's sample
            yield Hit("otpauth-seed", match.start(), match.end(), match[1])


def key_fields(text: bytes) -> Iterator[Hit]:
    """Private numbers in JSON web keys."""
    for match in _JWK_PRIVATE.finditer(text):
        if b'"kty"' in text[max(0, match.start() - 4000) : match.end() + 4000] and not is_filler(match[1]):
            yield Hit("json-web-key", match.start(), match.end(), match[1])
