"""Checks of the machine: identity, signing, programs, disk, limits, clock."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

from memgit.core.problems import Problem, Severity, clock_off, low_disk
from memgit.errors import MemgitError
from memgit.git import signing, versions
from memgit.host.watch import NoWatch, Watcher, directories
from memgit.porcelain.doctor.facts import Check, Facts

_PROBE = b"tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\ncommitter %s\n\nprobe\n"


def _git_version(facts: Facts) -> Iterator[Problem]:
    said = facts.repo.git.text("version")
    try:
        found = versions.parse(said)
    except ValueError:
        return
    if found < versions.MERGE_TREE:
        wanted = ".".join(str(part) for part in versions.MERGE_TREE)
        yield Problem("git-version", Severity.ERROR, f"This is {said}; memgit needs {wanted} or newer.", "Update git.")


def _identity(facts: Facts) -> Iterator[Problem]:
    names = [f"GIT_{who}_{what}" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")]
    env = {name: facts.environ[name] for name in names if name in facts.environ}
    done = facts.repo.git.run("-c", "user.useConfigOnly=true", "var", "GIT_COMMITTER_IDENT", env=env, ok=None)
    if done.status or b"<>" in done.stdout:
        yield Problem(
            "identity",
            Severity.ERROR,
            "git does not know who commits here: user.name or user.email is not set.",
            "git config user.name NAME; git config user.email EMAIL.",
        )


def _signing(facts: Facts) -> Iterator[Problem]:
    made = not os.path.isdir(facts.repo.private_dir)
    try:
        sign = signing.signer(facts.repo.config(), facts.repo.private_dir)
        if sign is not None:
            ident = facts.repo.git.run("var", "GIT_COMMITTER_IDENT", ok=None).stdout.strip()
            sign(_PROBE % ident)
    except MemgitError as error:
        yield Problem(
            "signing",
            Severity.WARNING,
            f"commit.gpgSign is on, but signing does not work without asking: {error.message.rstrip('.')}.",
            "Unlock the key in the agent, use a key without passphrase for this repository, or switch signing off.",
        )
    finally:
        if made and os.path.isdir(facts.repo.private_dir) and not os.listdir(facts.repo.private_dir):
            os.rmdir(facts.repo.private_dir)


def _programs(name: str, use: str) -> Check:
    def look(facts: Facts) -> Iterator[Problem]:
        if shutil.which(name, path=facts.environ.get("PATH")) is None:
            yield Problem(
                f"{name}-missing",
                Severity.INFO,
                f"{name} is not on PATH; {use} need it.",
                f"Install {name} if you want that.",
            )

    return Check(f"{name}-missing", f"{name} is installed", look)


def _disk(facts: Facts) -> Iterator[Problem]:
    free = os.statvfs(facts.repo.common_dir)
    said = low_disk(free.f_bavail * free.f_frsize, free.f_blocks * free.f_frsize)
    if said is not None:
        yield Problem("disk", Severity.WARNING, said, "Make room; a capture that does not fit is not made.")


def _inotify(facts: Facts) -> Iterator[Problem]:
    """Tried, not calculated: what others watch counts against the same limits, and no file says how much that is."""
    if facts.repo.work_tree is None:
        return
    top = os.fsencode(facts.repo.work_tree)
    try:
        watcher = Watcher()
        try:
            watcher.watch(top, directories(top, lambda path: any(one.may_contain(path) for one in facts.memory)))
        finally:
            watcher.close()
    except NoWatch as refused:
        if refused.limit:
            yield Problem(
                "inotify",
                Severity.WARNING,
                f"The directories of memory can't be watched: {refused}.",
                f"Raise {refused.limit} with sysctl. Until then `memgit run` looks every few seconds.",
            )


def _clock(facts: Facts) -> Iterator[Problem]:
    newest = facts.repo.git.run("log", "-1", "--format=%ct", "--all", ok=(0, 128)).stdout.strip()
    said = clock_off(facts.now_s, int(newest)) if newest else None
    if said is not None:
        yield Problem(
            "clock", Severity.WARNING, said, "Set the clock; windows are judged closed by it, and orders go by it."
        )


CHECKS = (
    Check("git-version", "git is new enough", _git_version),
    Check("identity", "git knows who commits", _identity),
    Check("signing", "signing works unattended", _signing),
    _programs("rsync", "backups to other machines"),
    _programs("ssh", "backups and remotes over ssh"),
    Check("disk", "there is room on the disk", _disk),
    Check("inotify", "enough directories can be watched", _inotify),
    Check("clock", "the clock is right", _clock),
)
