"""What a push is asked to do, and what it did."""

from __future__ import annotations

from memgit.core.objects import Oid, RefName
from memgit.core.settings import Config
from memgit.core.values import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:  # loaded when there is something to send
    from memgit.core.consolidation.policy import Policy
    from memgit.porcelain.guard import Found


@dataclass(frozen=True, slots=True)
class Plan:
    """What a push is asked to do. create: make a branch that is gone on the remote anew."""

    config: Config
    workspace: bytes
    machine: str
    open_windows: bool = False
    raw: bool = True
    create: bool = False
    dry_run: bool = False

    @classmethod
    def of(cls, config: Config, workspace: bytes, machine: str, *, create: bool = False, dry_run: bool = False) -> Plan:
        """As the settings say."""
        return cls(config, workspace, machine, config.push.open_windows, config.push.raw, create, dry_run)

    @property
    def policy(self) -> Policy:
        """How commits are consolidated, which tells what can be sent."""
        from memgit.core.consolidation.policy import Policy

        return Policy.of(self.config)


@dataclass(frozen=True, slots=True)
class Pushed:
    """What a push did, or in a dry run would do."""

    remote: str
    branch: RefName  # on the remote
    tip: Oid | None  # what the remote's branch is now; None if it has none
    sent: int  # commits
    waiting: int  # commits of windows that are still open, or not sent for a secret in them or below
    raw: Oid | None  # on the private ref
    raw_refused: str  # why the remote did not take the private ref
    is_new: bool  # the branch was not there before
    dry_run: bool
    withheld: tuple[str, ...] = ()  # files the remote refused for a secret in them; held from now on
    stopped: tuple[Found, ...] = ()  # secrets in commits, which are not sent for that
