"""Passwords in URLs and credentials in request headers and command lines."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator

from memgit.core.secrets.shapes import Hit
from memgit.core.secrets.words import (
    class_changes,
    is_address,
    is_filler,
    is_password,
    is_placeholder,
    is_random_token,
    is_reference,
    is_wordy,
)

# The first part has no "@", so the match ends at the first one after the password: linear, and right for all but
# passwords with a bare "@", which RFC 3986 forbids.
_CREDENTIALS = re.compile(rb"//([^\s/:@\"'`<>|\\?#]{0,120}):([^\s/@\"'`<>|\\]{3,300})@([^\s/:?#\"'`<>|\\]{1,120})")
_TOKEN_AS_USER = re.compile(rb"https?://([A-Za-z0-9_-]{20,255})@[a-z0-9.-]{3,120}")
_HEADER = re.compile(
    rb"(?<![\w-])(Bearer|Basic|Token|ApiKey|Api-Key|Bot|GenieKey|DSN|SSWS|Negotiate)[\s:=]{1,8}[\"'`*]{0,3}(?:token=[\"']?)?([A-Za-z0-9._~+/%-]{8,4000}=*)",
    re.IGNORECASE,
)
_AUTHORIZATION = re.compile(
    rb"authorization[\"'`*\\]*\s*[:=,]\s*[\"'`*\\]*(?:[A-Za-z-]{2,12}\s+)?([A-Za-z0-9._~+/%-]{16,4000}=*)",
    re.IGNORECASE,
)
_COMMAND_LINE = re.compile(
    rb"(?:\bcurl\b[^\n]{0,300}?\s(?:-u|--user|--proxy-user)[\s=]*|\bsshpass\s+-p\s*|\bmysql(?:dump|admin)?\b[^\n]{0,200}?\s-p"
    rb"|\b(?:docker|podman|helm|az|oc|skopeo)\b[^\n]{0,200}?\blogin\b[^\n]{0,200}?\s(?:-p|--password)[\s=]+"
    rb"|\bsmbclient\b[^\n]{0,200}?\s-U\s+[^\s%]{1,60}%|\bredis-cli\b[^\n]{0,200}?\s-a\s+|\bldap\w{3,8}\b[^\n]{0,200}?\s-w\s+)"
    rb"[\"']?([^\s\"'`|;&]{4,200})"
)
_NETRC = re.compile(rb"\bmachine\s+\S{1,120}\s+login\s+\S{1,120}\s+password\s+(\S{4,200})")
_LOCAL_HOST = re.compile(rb"^(?:localhost|127\.|0\.0\.0\.0|\[::1|host\.docker\.internal|example\.(?:com|org|net))")


def url_credentials(text: bytes) -> Iterator[Hit]:
    """`scheme://user:password@host`. A host that sounds like an example excuses only passwords that do, too."""
    for match in _CREDENTIALS.finditer(text):
        user, password, host = match[1], match[2], match[3]
        if is_placeholder(password) or (is_reference(password) and not is_random_token(password)):
            continue
        if b"{" in password or b"$" in password[:1] or password == b"%s" or b"&lt;" in password or password.isdigit():
            continue
        if password.lower() == user.lower() or (len(password) < 8 and password.isalpha()):
            continue
        if (
            is_wordy(password)
            and class_changes(password) < 0.2
            and (_LOCAL_HOST.match(host) or b"." not in host or password.isalpha())
        ):
            continue
        if not is_filler(password) or len(password) < 12:
            yield Hit("url-password", match.start(2), match.end(2), password, guessable=True)
    for match in _TOKEN_AS_USER.finditer(text):
        if is_random_token(match[1], at_least=20):
            yield Hit("url-token", match.start(1), match.end(1), match[1], guessable=True)


def authorization_headers(text: bytes) -> Iterator[Hit]:
    """Values after `Bearer`, `Basic` and the like, and after an `Authorization` header's name."""
    for match in _HEADER.finditer(text):
        scheme, value = match[1].lower(), match[2].rstrip(b".")
        if scheme == b"basic":
            if _is_basic(value):
                yield Hit("basic-header", match.start(2), match.end(2), value, guessable=True)
        elif is_random_token(value, at_least=20) and not is_reference(value) and not is_address(value):
            yield Hit("bearer-header", match.start(2), match.end(2), value, guessable=True)
    for match in _AUTHORIZATION.finditer(text):
        if is_random_token(match[1], at_least=20) and not is_reference(match[1]):
            yield Hit("authorization-header", match.start(1), match.end(1), match[1], guessable=True)


def command_lines(text: bytes) -> Iterator[Hit]:
    """Passwords handed to well-known programs, and lines of a .netrc."""
    for match in _COMMAND_LINE.finditer(text):
        value = match[1].partition(b":")[2] or match[1]
        if is_password(value):
            yield Hit("command-line-password", match.start(1), match.end(1), value, guessable=True)
    for match in _NETRC.finditer(text):
        if is_password(match[1]):
            yield Hit("netrc-password", match.start(1), match.end(1), match[1], guessable=True)


def _is_basic(value: bytes) -> bool:
    try:
        plain = binascii.a2b_base64(value + b"=" * (-len(value) % 4))
    except binascii.Error:
        return False
    _, colon, password = plain.partition(b":")
    return bool(colon) and plain.isascii() and len(password) >= 3 and not is_placeholder(password)
