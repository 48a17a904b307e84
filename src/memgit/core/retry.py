"""What went wrong between here and a remote, from what git said, and when to try again.

git tells failures apart in its messages only, so a table of real messages decides. Everything here is a function of
text, counts and times.
"""

from __future__ import annotations

import re
from enum import Enum
from functools import cache

from memgit.core.values import dataclass


class Failure(Enum):
    """Why a remote did not take or give."""

    SECRET = "the remote found a secret in a commit"
    PROTECTED = "the remote protects the branch"
    HOOK = "a hook of the remote declined"
    REJECTED = "the remote has moved on"
    DISK = "a disk is full or can't be written"
    TIMEOUT = "the remote did not answer in time"
    AUTH = "the remote refused access"
    NETWORK = "the remote could not be reached"
    OTHER = "git failed"


@dataclass(frozen=True, slots=True)
class Rule:
    """When to try again after a failure of one class.

    first_s: the wait after the first failure; it doubles with each further one up to cap_s. person_after: from this
    many failures in a row on, a person is needed. hint: what that person can do.
    """

    first_s: int
    cap_s: int
    person_after: int
    hint: str


RULES: dict[Failure, Rule] = {
    Failure.SECRET: Rule(3600, 86400, 1, "Take the secret out of the file, and change it where it is in use."),
    Failure.PROTECTED: Rule(3600, 86400, 1, "Allow this account to push to the branch, or choose another branch."),
    Failure.HOOK: Rule(900, 86400, 2, "The hook's own message says what it wants."),
    Failure.REJECTED: Rule(5, 600, 6, "`memgit sync` joins both sides and pushes again."),
    Failure.DISK: Rule(300, 21600, 2, "Make room, or mend the permissions of the repository."),
    Failure.TIMEOUT: Rule(60, 3600, 6, "Try `git fetch` by hand; a slow link may need a larger [remote] timeout."),
    Failure.AUTH: Rule(300, 21600, 1, "Try `git fetch` by hand: a key or password is missing, or needs typing in."),
    Failure.NETWORK: Rule(30, 1800, 12, "Nothing is lost; memgit tries again by itself."),
    Failure.OTHER: Rule(60, 3600, 3, "Try `git fetch` and `git push` by hand."),
}

# The first class with a message that is found decides: a refusal is followed by "the remote end hung up", too.
_MESSAGES: tuple[tuple[Failure, str], ...] = (
    (
        Failure.SECRET,
        (
            r"push cannot contain secrets|github push protection|secret push protection|secrets? detected in"
            r"|contains? (?:a )?secrets?\b|secret(?:s)? (?:was |were )?found|gitleaks|secret[- ]scanning"
            r"|leaked? credentials"
        ),
    ),
    (
        Failure.PROTECTED,
        (
            r"protected branch|gh006|gh013|repository rule violations|not allowed to push code to protected"
            r"|refusing to update checked out branch|deny updating a hidden ref|prohibited by gerrit|tf402455"
            r"|denying (?:ref creation|non-fast-forward)|funny refname"
        ),
    ),
    (
        Failure.DISK,
        (
            r"no space left on device|disk quota exceeded|read-only file system|unpacker error|remote unpack failed"
            r"|insufficient permission for adding an object|unable to create temporary|file too large"
            r"|exceeds.*size limit"
            r"|storage (?:limit|quota)"
        ),
    ),
    (Failure.TIMEOUT, r"operation too slow|timeout, server .* not responding|did not end within|operation timed out"),
    (Failure.HOOK, r"hook declined"),
    (
        Failure.REJECTED,
        (
            r"\[rejected\]|non-fast-forward|fetch first|stale info|failed to update ref|cannot lock ref"
            r"|incorrect old value"
            r"|failed to lock|atomic push fail"
        ),
    ),
    (
        Failure.AUTH,
        (
            r"permission denied \(|permission denied, please|authentication failed|could not read (?:username|password)"
            r"|terminal prompts disabled|invalid username or (?:password|token)|access denied|returned error: 40[13]"
            r"|host key verification failed|permission to .* denied|write access to repository not granted"
            r"|repository '?.*'? ?not found|repository not found|does not appear to be a git repository"
            r"|too many authentication failures|no such identity|deploy key|access not granted|repository not exported"
            r"|support for password authentication was removed|load key .* (?:invalid|error)|returned error: 404"
            r"|service not enabled|access denied or repository"
        ),
    ),
    (
        Failure.NETWORK,
        (
            r"could not resolve|name or service not known|temporary failure in name resolution"
            r"|connection (?:refused|reset"
            r"|timed out|closed)|network is (?:unreachable|down)|no route to host|hung up unexpectedly"
            r"|early eof|rpc failed"
            r"|unexpected disconnect|kex_exchange|failed to connect|unable to connect|couldn't connect|broken pipe"
            r"|returned error: (?:408|429|5\d\d)|ssl|gnutls|tls|empty reply from server|recv failure|send failure"
            r"|unable to look up|bad line length|invalid index-pack output|index-pack failed|fetch-pack: |proxy"
            r"|could not read from remote repository|unexpected eof|early end of file|protocol error"
            r"|expected 'packfile'"
            r"|remote end said|unable to access"
        ),
    ),
)


@cache
def _table() -> tuple[tuple[Failure, re.Pattern[str]], ...]:
    """Compiled when something has failed: that takes 3 ms, which a run that goes well need not pay."""
    return tuple((failure, re.compile(pattern)) for failure, pattern in _MESSAGES)


def classify(stderr: str, status: int = 128) -> Failure:
    """The class of a failed fetch or push from its messages in the C locale. status: git's; negative for a signal."""
    text = stderr.lower()
    for failure, pattern in _table():
        if pattern.search(text):
            return failure
    return Failure.NETWORK if status in (-13, 141) else Failure.OTHER


_COMMIT = re.compile(r"\bcommit:? ([0-9a-f]{7,40})\b")
_LOCATIONS = (
    re.compile(r"^path: (.+?)(?::(\d+))?(?::\d+)*$"),  # GitHub
    re.compile(r"^-- (.+?):(\d+) \|"),  # GitLab
    re.compile(r"^File:\s+(.+?)()$"),  # gitleaks
)


@dataclass(frozen=True, slots=True)
class Location:
    """A place that a remote's push protection named. commit: as far as it was told. line: counted from 1."""

    path: str
    line: int | None
    commit: str | None


def secret_locations(stderr: str) -> tuple[Location, ...]:
    """Where the remote found secrets, in its order, each place once."""
    found = []
    commit = None
    for raw in stderr.splitlines():
        line = raw.strip().removeprefix("remote:").strip()
        if named := _COMMIT.search(line):
            commit = named[1]
        for pattern in _LOCATIONS:
            if match := pattern.match(line):
                found.append(Location(match[1], int(match[2]) if match[2] else None, commit))
                break
    return tuple(dict.fromkeys(found))


def reason(stderr: str) -> str:
    """The line of the messages that says most, without git's and the remote's prefixes."""
    lines = [line.strip() for line in stderr.splitlines()]
    lines = [re.sub(r"^(?:remote: )?(?:fatal: |error: |ERROR: )?", "", line).strip() for line in lines]
    lines = [line for line in lines if line and not line.startswith(("hint:", "To ", "remote:", "Please make sure"))]
    for failure, pattern in _table():
        for line in lines:
            if pattern.search(line.lower()) and failure is classify(stderr):
                return line
    return lines[-1] if lines else "no message"


@dataclass(frozen=True, slots=True)
class Backoff:
    """How a remote has failed lately; without failures all is well."""

    failures: int = 0
    failure: Failure | None = None
    message: str = ""
    since_s: int | None = None  # of the first failure in a row
    next_s: int = 0  # not before

    @property
    def needs_person(self) -> bool:
        """True where trying again will hardly help."""
        return self.failure is not None and self.failures >= RULES[self.failure].person_after

    def may_try(self, now_s: int) -> bool:
        """True unless it is too early. A clock that was set back does not hold anything up for longer than the wait."""
        if self.failure is None:
            return True
        return now_s >= self.next_s or now_s + RULES[self.failure].cap_s < self.next_s


def failed(before: Backoff, failure: Failure, message: str, now_s: int, dice: float) -> Backoff:
    """One more failure. dice: at random from [0, 1), spreads the machines that one outage has stopped."""
    failures = before.failures + 1 if before.failure is failure else 1
    since_s = before.since_s if before.since_s is not None else now_s
    return Backoff(failures, failure, message, since_s, now_s + wait_s(RULES[failure], failures, dice))


def wait_s(rule: Rule, failures: int, dice: float) -> int:
    """How long to wait after that many failures in a row: doubling, capped, between half and all of it."""
    full = min(rule.cap_s, rule.first_s * 2 ** min(failures - 1, 30))
    return max(1, int(full * (0.5 + dice / 2)))
