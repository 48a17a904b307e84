"""Talking to a remote with nobody there to answer: no prompts, no hooks, an end to every wait.

Source: git(1) GIT_TERMINAL_PROMPT, GIT_SSH_COMMAND; git-config(1) core.askPass, credential.interactive,
http.lowSpeedLimit; ssh_config(5) BatchMode, ConnectTimeout, ServerAliveInterval.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping, Sequence

from memgit.core import retry
from memgit.core.objects import ZERO, Oid, RefName
from memgit.core.retry import Failure
from memgit.core.values import dataclass
from memgit.errors import NetworkError
from memgit.git.command import DURABLE, Git, environment
from memgit.process import Child, Result, TimedOut

Config = Mapping[str, list[str]]

_UNATTENDED = (
    "-c",
    "credential.interactive=false",
    "-c",
    "core.askPass=true",
    "-c",
    "http.lowSpeedLimit=1000",
    "-c",
    "http.lowSpeedTime=30",
    "-c",
    "protocol.ext.allow=never",
    "-c",
    "push.followTags=false",
    "-c",
    "push.pushOption=",
    "-c",
    "push.negotiate=false",
)
_SSH_OPTIONS = "-o BatchMode=yes -o ConnectTimeout=15 -o ServerAliveInterval=15 -o ServerAliveCountMax=3"
_PUTTY = ("plink", "putty", "tortoiseplink")
_LONGEST = 30  # times the silence that is allowed; a remote that talks for ever is stopped, too
_MISSING = re.compile(r"couldn't find remote ref (\S+)")
_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]+@")


class RemoteFailed(NetworkError):
    """A remote did not take or give. failure: of which class. said: all messages, without credentials."""

    def __init__(self, remote: str, failure: Failure, said: str) -> None:
        super().__init__(f"{remote}: {failure.value}: {retry.reason(said)}", retry.RULES[failure].hint)
        self.remote = remote
        self.failure = failure
        self.said = said


@dataclass(frozen=True, slots=True)
class Target:
    """The branch of a remote that a local branch exchanges commits with."""

    remote: str
    branch: RefName  # on the remote
    tracking: RefName  # here
    is_upstream: bool  # git's own configuration says so; else memgit chose it


@dataclass(frozen=True, slots=True)
class Update:
    """A ref to move on the remote; ZERO takes it away. lease: replace it if it is still there (ZERO: if it does not
    exist); else only forward.
    """

    ref: RefName
    new: Oid
    lease: Oid | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What the remote made of one update. failure: None if it is there now."""

    ref: RefName
    failure: Failure | None
    said: str


class Line:
    """A way to the remotes of a repository. silence_s: how long a remote may say nothing before it is given up."""

    def __init__(self, git: Git, config: Config, silence_s: float) -> None:
        self._git = git
        self.config = config
        self._silence_s = silence_s

    def of(self, git: Git) -> Line:
        """The same line, its programs started by another git."""
        return Line(git, self.config, self._silence_s)

    def fetch(self, target: Target, *, forced: bool = False) -> bool:
        """Bring the tracking ref to where the remote's branch is; False if the remote has no such branch.

        Unless `forced`, a tracking ref only moves forward: Failure.REJECTED says that the remote was rewritten.
        Raises RemoteFailed.
        """
        with self.ask(target, forced=forced) as question:
            return self.heard(target, question)

    def ask(self, target: Target, *, forced: bool = False) -> Child:
        """The same without waiting for the answer, which `heard` takes: most of the time goes by on the way."""
        refspec = f"{'+' if forced else ''}{target.branch}:{target.tracking}"
        return self._start(
            "fetch", "--progress", "--no-tags", "--no-prune", "--no-auto-maintenance", "--refmap=",
            "--no-recurse-submodules", "--no-write-fetch-head", "--end-of-options", target.remote, refspec,
        )  # fmt: skip

    def heard(self, target: Target, question: Child) -> bool:
        """What the remote answered. Raises as `fetch` does."""
        done = self._finish(target.remote, question)
        said = _said(done)
        if done.status:
            missing = _MISSING.search(said)
            if missing and missing[1] == target.branch:
                return False
            raise RemoteFailed(target.remote, retry.classify(said, done.status), said)
        return True

    def may_wait(self, question: Child) -> bool:
        """Whether an answer that is not there yet is worth waiting for; `heard` raises once it is not."""
        return question.left_s(self._silence_s, self._silence_s * _LONGEST) > 0

    def push(self, remote: str, updates: Sequence[Update]) -> tuple[Answer, ...]:
        """Offer refs to a remote; its answer to each. Raises RemoteFailed where no answer came."""
        leases = [f"--force-with-lease={u.ref}:{_lease(u.lease)}" for u in updates if u.lease is not None]
        sources = ["" if u.new == ZERO else u.new.decode() for u in updates]
        refspecs = [f"{'+' if u.lease and new else ''}{new}:{u.ref}" for new, u in zip(sources, updates, strict=True)]
        done = self._run(
            remote, "push", "--porcelain", "--progress", "--no-follow-tags", "--recurse-submodules=no", *leases,
            "--end-of-options", remote, *refspecs,
        )  # fmt: skip
        said = _said(done)
        answers = tuple(_answers(done.stdout.decode("utf-8", "surrogateescape"), said))
        answered = {answer.ref for answer in answers}
        if any(update.ref not in answered for update in updates):
            raise RemoteFailed(remote, retry.classify(said, done.status), said)
        return answers

    def read(self, remote: str, ref: RefName) -> Oid | None:
        """Where a ref of the remote is, None if it is not there. Raises RemoteFailed."""
        done = self._run(remote, "ls-remote", "--end-of-options", remote, ref)
        if done.status:
            raise RemoteFailed(remote, retry.classify(_said(done), done.status), _said(done))
        for line in done.stdout.splitlines():
            oid, _, name = line.partition(b"\t")
            if name.decode("utf-8", "surrogateescape") == ref:
                return oid
        return None

    def _run(self, remote: str, *args: str) -> Result:
        with self._start(*args) as child:
            return self._finish(remote, child)

    def _start(self, *args: str) -> Child:
        env = environment({"GIT_SSH_COMMAND": ssh_command(self.config, os.environ), "SSH_ASKPASS_REQUIRE": "never"})
        return Child(
            self._git.argv(*_UNATTENDED, *DURABLE, *args),
            cwd=self._git.directory,
            env=env,
            keep_fds=self._git.keep_fds,
        )

    def _finish(self, remote: str, child: Child) -> Result:
        try:
            return child.finish_within(self._silence_s, self._silence_s * _LONGEST)
        except TimedOut as error:
            raise RemoteFailed(remote, Failure.TIMEOUT, error.message) from None


def ssh_command(config: Config, environ: Mapping[str, str]) -> str:
    """The user's own ssh command, made to ask nothing and to give up; for a shell, as git wants it."""
    command = environ.get("GIT_SSH_COMMAND") or (config.get("core.sshcommand") or [""])[-1]
    if not command:
        command = shlex.quote(environ["GIT_SSH"]) if environ.get("GIT_SSH") else "ssh"
    try:
        program = os.path.basename(shlex.split(command)[0]).lower().removesuffix(".exe")
    except (ValueError, IndexError):
        program = ""
    variant = (config.get("ssh.variant") or [program])[-1]
    return f"{command} -batch" if variant in _PUTTY or program in _PUTTY else f"{command} {_SSH_OPTIONS}"


def target_of(config: Config, branch: RefName, wanted: str | None) -> Target | None:
    """Where a branch is pushed to and fetched from: `wanted` if given, else its upstream, else the remote called
    `remote.pushDefault`, `origin`, or the only one. None if that leaves none, or more than one.
    """
    name = branch.removeprefix("refs/heads/")
    remotes = remotes_of(config)
    upstream = (config.get(f"branch.{name}.remote") or [""])[-1]
    merge = (config.get(f"branch.{name}.merge") or [""])[-1]
    is_upstream = upstream in remotes and merge.startswith("refs/heads/")
    if is_upstream and wanted in (None, upstream):
        return Target(upstream, merge, _tracking(config, upstream, merge), True)
    default = (config.get("remote.pushdefault") or [""])[-1]
    for choice in (wanted, upstream, default, "origin", remotes[0] if len(remotes) == 1 else None):
        if choice and choice in remotes:
            return Target(choice, branch, _tracking(config, choice, branch), False)
        if choice and choice == wanted:
            return None
    return None


def remotes_of(config: Config) -> list[str]:
    """The names of all remotes."""
    return sorted({key[7:-4] for key in config if key.startswith("remote.") and key.endswith(".url")})


def _tracking(config: Config, remote: str, branch: RefName) -> RefName:
    """Where the configured refspecs put a branch of a remote, if that is below refs/remotes."""
    for refspec in config.get(f"remote.{remote}.fetch", []):
        source, _, destination = refspec.removeprefix("+").partition(":")
        head, star, tail = source.partition("*")
        if star and branch.startswith(head) and branch.endswith(tail) and len(branch) >= len(head) + len(tail):
            found = destination.replace("*", branch[len(head) : len(branch) - len(tail)], 1)
        elif source == branch:
            found = destination
        else:
            continue
        if found.startswith("refs/remotes/"):
            return found
    return f"refs/remotes/{remote}/{branch.removeprefix('refs/heads/')}"


def _lease(expected: Oid) -> str:
    return "" if expected == ZERO else expected.decode()


def _said(done: Result) -> str:
    """The messages, without progress, credentials and the blanks that git pads remote lines with."""
    text = done.stderr.decode("utf-8", "surrogateescape")
    lines = [line.rstrip().rpartition("\r")[2] for line in text.split("\n")]
    return _CREDENTIALS.sub("", "\n".join(line for line in lines if line))


def _answers(porcelain: str, said: str) -> list[Answer]:
    """Source: git-push(1), --porcelain: flag, from:to and summary, with tabs in between."""
    answers = []
    for line in porcelain.split("\n"):
        parts = line.split("\t")
        if len(parts) != 3 or len(parts[0]) != 1:
            continue
        ref = parts[1].rpartition(":")[2]
        if parts[0] != "!":
            answers.append(Answer(ref, None, parts[2]))
            continue
        # A hook's words stand in the messages of the whole push; a plain rejection explains itself.
        text = parts[2] if parts[2].startswith("[rejected]") else f"{said}\n{parts[2]}"
        answers.append(Answer(ref, retry.classify(text), text))
    return answers
