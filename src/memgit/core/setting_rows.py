"""Rows of the settings that are lists of tables: `[[auto]]`, `[[merge]]`, `[[target]]`, `[[folder]]`, `[[policy]]`.

A field without default must be given.
"""

from __future__ import annotations

from memgit.core.kinds import Choice, Counts, Duration, Name, Pace, Regex, Size, Text, Texts, Truth, Whole
from memgit.core.setting import setting
from memgit.core.values import dataclass


@dataclass(frozen=True, slots=True)
class AutoRule:
    """How to recognise the automatic commits of another script. Commits of `memgit commit` need no rule."""

    subject: str = setting(
        ..., Regex(), "A Python regular expression, searched in the first line of the message.", sample="^auto-backup"
    )
    author: str | None = setting(
        None, Regex(), 'One searched in "Name <email>"; a commit has to match both.', sample="bot@example\\.com"
    )
    mixed: bool = setting(False, Truth(), "Whether commits that also change other files count.")


@dataclass(frozen=True, slots=True)
class MergeRule:
    """How files are merged. The first rule whose glob fits decides."""

    glob: str = setting(..., Text(), "Files, as a .gitignore pattern.", sample="/memory/*.md")
    policy: str = setting(
        "markers",
        Choice(("markers", "keep-both", "newest", "ours", "theirs")),
        "What happens where two changes can't be joined.",
    )
    kind: str = setting(
        "auto", Choice(("auto", "log", "list", "document", "jsonl", "json")), "What the file is; auto looks at it."
    )
    order: str = setting(
        "shared",
        Choice(("shared", "ours-first")),
        'Of additions without times at one place: "shared" is the same on all machines, "ours-first" is git\'s habit.',
    )


_KEEP_WORDS = ("hourly", "daily", "weekly", "monthly")


@dataclass(frozen=True, slots=True)
class Target:
    """A place that backups go to. It has exactly one of `path`, `host` and `rclone`."""

    name: str = setting(..., Name(), "What commands call it.", sample="disk")
    path: str | None = setting(None, Text(), "A directory of this machine.", sample="/media/backup/workspace")
    host: str | None = setting(
        None, Text(), "A directory of another machine, reached by rsync over ssh.", sample="user@host:backup/workspace"
    )
    rclone: str | None = setting(None, Text(), "A directory of a remote that rclone knows.", sample="drive:workspace")
    mode: str = setting(
        "snapshots",
        Choice(("snapshots", "mirror")),
        '"snapshots" keeps dated generations, "mirror" only the newest state.',
    )
    source: str = setting(
        "tree", Choice(("tree", "commit")), 'The memory files as they lie in the "tree", or those of the last "commit".'
    )
    include_held: bool = setting(False, Truth(), "Whether files go along that the guard holds back.")
    max_shrink: int = setting(
        30, Whole(0, 100), "Per cent of the files that may be gone since the last run before one has to confirm it."
    )
    keep: tuple[int, ...] = setting(
        (24, 7, 5, 12), Counts(_KEEP_WORDS), "How many hours, days, weeks and months keep their newest snapshot."
    )
    bwlimit: int | None = setting(None, Size(), "Bytes a second that rsync or rclone may send.", sample=2**20)
    options: tuple[str, ...] = setting(
        (), Texts(), "Further options for rsync, from a list of harmless ones.", sample=("--compress",)
    )
    identity: str | None = setting(None, Text(), "The private key for ssh.", sample="~/.ssh/memgit-backup")
    known_hosts: str | None = setting(
        None, Text(), "The file that ssh checks the other machine's key against.", sample="~/.ssh/memgit-known-hosts"
    )
    port: int | None = setting(None, Whole(1, 65535), "The port of ssh.", sample=22)
    write_only: bool = setting(
        False,
        Truth(),
        "Whether the key may only add snapshots; `memgit backup setup-ssh` shows how to make one.",
    )

    @property
    def can_prune(self) -> bool:
        """Whether old snapshots can be let go from this machine."""
        return self.mode == "snapshots" and not self.write_only


@dataclass(frozen=True, slots=True)
class MirroredFolder:
    """A folder that `memgit mirror` and the workspace share: each side's changes go to the other."""

    name: str = setting(..., Name(), "What commands call it.", sample="vault")
    path: str = setting(
        "", Text(), "A directory of this machine, such as a vault or a synced folder.", sample="~/Vault"
    )
    engine: str = setting(
        "own",
        Choice(("own", "unison")),
        '"own" merges what both sides changed; "unison" lets that program do the work, which merges nothing.',
    )
    prefer: str = setting(
        "keep-both",
        Choice(("keep-both", "ours", "theirs", "newest")),
        "Who wins where changes can't be joined; what loses is kept aside. [[merge]] rules come first.",
    )
    keep_deleted: int = setting(30 * 86400, Duration(), "How long deleted and losing files are kept aside.")
    max_shrink: int = setting(
        30, Whole(0, 100), "Per cent of the files that may be gone from one side before one has to confirm it."
    )
    include_held: bool = setting(False, Truth(), "Whether files go to the folder that the guard holds back.")


@dataclass(frozen=True, slots=True)
class PolicyRule:
    """How soon a file is captured. The first rule whose glob fits decides."""

    glob: str = setting(..., Text(), "Files, as a .gitignore pattern.", sample="/memory/*.md")
    capture: str = setting(..., Pace(), 'How soon: "immediate", or a duration such as "30m".', sample="30m")
