"""Signing commits as git is configured to, without ever asking for a passphrase."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from memgit import process
from memgit.core.objects import split_commit
from memgit.errors import CommandFailed, MemgitError, UsageError
from memgit.git.command import environment

_TIMEOUT_S = 60.0
_PROGRAMS = {"openpgp": "gpg", "x509": "gpgsm", "ssh": "ssh-keygen"}
_TRUE = ("true", "yes", "on", "1", "")


class CannotSign(MemgitError):
    """Commits are to be signed, but that does not work without somebody at the keyboard."""


Signer = Callable[[bytes], bytes]


def signer(config: Mapping[str, list[str]], scratch: str) -> Signer | None:
    """Turns a raw commit into a signed one, or None where commit.gpgSign does not ask for it.

    scratch: a private directory for the file that ssh-keygen wants to be given.
    Source: git-config(1), gpg.format, gpg.program, user.signingKey; git's gpg-interface.c.
    """

    def last(key: str) -> str | None:
        values = config.get(key)
        return values[-1] if values else None

    if (last("commit.gpgsign") or "false").lower() not in _TRUE:
        return None
    form = (last("gpg.format") or "openpgp").lower()
    if form not in _PROGRAMS:
        raise UsageError(f"gpg.format is {form}, which memgit does not know.", "Use openpgp, x509 or ssh.")
    program = last(f"gpg.{form}.program") or (last("gpg.program") if form == "openpgp" else None) or _PROGRAMS[form]
    key = last("user.signingkey")

    def sign(raw: bytes) -> bytes:
        if form == "ssh":
            if key is None:
                raise UsageError("Commits are to be signed by ssh but user.signingKey is not set.")
            signature = _by_ssh(program, key, raw, scratch)
        else:
            who = key or _committer(raw)
            quiet = ("--batch", "--pinentry-mode=error") if form == "openpgp" else ("--batch",)
            signature = _run((program, "--status-fd=2", *quiet, "-bsau", who), raw)
        return _insert(raw, signature)

    return sign


def _run(argv: tuple[str, ...], payload: bytes | None) -> bytes:
    env = environment()
    env.pop("GPG_TTY", None)
    env["SSH_ASKPASS_REQUIRE"] = "never"
    try:
        return process.run(argv, env=env, stdin=payload, timeout_s=_TIMEOUT_S).stdout
    except CommandFailed as failure:
        raise CannotSign(
            f"Signing failed: {failure.message}",
            "Commits are to be signed (commit.gpgSign) but that does not work unattended. Unlock the key, or pass"
            " `--drop-signatures` to consolidate unsigned.",
        ) from None


def _by_ssh(program: str, key: str, raw: bytes, scratch: str) -> bytes:
    os.makedirs(scratch, mode=0o700, exist_ok=True)
    payload, literal = os.path.join(scratch, "to-sign"), os.path.join(scratch, "signing-key.pub")
    made = [payload, payload + ".sig"]
    _remove(made)  # ssh-keygen asks before it writes over a signature that a killed run left
    try:
        with open(payload, "wb") as file:
            file.write(raw)
        if key.startswith(("ssh-", "key::", "ecdsa-")):
            with open(literal, "w") as file:
                file.write(key.removeprefix("key::") + "\n")
            made.append(literal)
            key = literal
        _run((program, "-Y", "sign", "-n", "git", "-f", os.path.expanduser(key), payload), None)
        with open(payload + ".sig", "rb") as file:
            return file.read()
    finally:
        _remove(made)


def _remove(paths: list[str]) -> None:
    for path in paths:
        if os.path.exists(path):
            os.unlink(path)


def _committer(raw: bytes) -> str:
    line = next(field for field in split_commit(raw)[0] if field.startswith(b"committer "))
    return line[len(b"committer ") :].rpartition(b">")[0].decode("utf-8", "surrogateescape") + ">"


def _insert(raw: bytes, signature: bytes) -> bytes:
    head, separator, message = raw.partition(b"\n\n")
    lines = signature.replace(b"\r", b"").removesuffix(b"\n").replace(b"\n", b"\n ")
    return head + b"\ngpgsig " + lines + separator + message
