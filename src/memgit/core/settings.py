"""Every setting of memgit, in one table: a field below is a setting, and adding one is adding a line.

`Config()` is what holds where nothing is configured. `memgit.core.layers.resolve` makes a Config from files,
environment and flags; nothing else in memgit knows where a value came from.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from memgit.core import windows
from memgit.core.kinds import (
    Choice,
    Duration,
    LocalZone,
    Place,
    Size,
    Tables,
    Template,
    Text,
    Texts,
    Times,
    Truth,
    Zone,
)
from memgit.core.memory import Patterns
from memgit.core.setting import DEFAULT, Origin, Scope, Setting, setting
from memgit.core.setting_rows import AutoRule, MergeRule, MirroredFolder, PolicyRule, Target
from memgit.core.values import dataclass, field, fields

DEFAULT_INCLUDE = (
    "/MEMORY.md",
    "/AGENTS.md",
    "/SOUL.md",
    "/USER.md",
    "/IDENTITY.md",
    "/TOOLS.md",
    "/HEARTBEAT.md",
    "/CLAUDE.md",
    "/memory/**",
    "/memory-bank/**",
    "/.claude/memory/**",
    "/.beads/*.jsonl",
)
DEFAULT_SUBJECT = "memory: {window}, {commits}{files}{lines}"
ALWAYS_EXCLUDED = (
    # what editors and git leave behind
    "*.tmp",
    "*.swp",
    "*.swo",
    "*~",
    ".#*",
    "\\#*#",
    ".DS_Store",
    "*.lock",
    ".merge_file_*",
    # what memgit leaves behind where it is killed
    ".memgit-new-*",
    # what databases keep beside their file
    "*.db-*",
    "*.sqlite-*",
    "*.sqlite3-*",
    # what usually is a secret
    ".env",
    ".env.*",
    "*.key",
    "*.pem",
    "*.p12",
    "*.pfx",
    "id_rsa",
    "id_ecdsa",
    "id_ed25519",
    ".netrc",
    ".git-credentials",
)


@dataclass(frozen=True, slots=True)
class Memory:
    """Which files are memory. Patterns as in .gitignore, relative to the workspace; `/` at the start ties one to it."""

    include: tuple[str, ...] = setting(DEFAULT_INCLUDE, Texts(), "Files that are memory.")
    exclude: tuple[str, ...] = setting(
        ALWAYS_EXCLUDED,
        Texts(ALWAYS_EXCLUDED),
        'Files that are not, besides editor droppings and *.key and the like; "!name" brings one of those back.',
        sample=("/memory/drafts/",),
    )

    def patterns(self) -> Patterns:
        """The selection, ready to be asked."""
        return Patterns.compile(self.include, self.exclude)


@dataclass(frozen=True, slots=True)
class Consolidate:
    """How automatic commits become one per window."""

    window: str = setting("day", Choice(windows.KINDS), "The length of a window: hour, 6h, day or week.")
    interleaved: str = setting(
        "commute",
        Choice(("commute", "keep")),
        'With commits of people in between: "commute" gathers the window where paths are disjoint, "keep" does not.',
    )
    timezone: str = setting(
        windows.AUTHOR_ZONE, Zone(), 'Where a day begins: "author" (as each commit says), "Europe/Berlin" or "+05:30".'
    )
    keep_empty: bool = setting(False, Truth(), "Whether a window whose changes cancel out leaves an empty commit.")
    template: str = setting(
        DEFAULT_SUBJECT,
        Template(("window", "commits", "files", "lines")),
        "The subject of a consolidated commit.",
    )


@dataclass(frozen=True, slots=True)
class Separate:
    """A workspace without a `.git` of its own, such as a home directory kept in a bare repository."""

    path: str = setting("", Place(), "The directory that holds the memory.", scope=Scope.LOCAL, sample="~/assistant")
    git_dir: str = setting(
        "", Place(), "The repository that keeps it, somewhere else.", scope=Scope.LOCAL, sample="~/.assistant.git"
    )


@dataclass(frozen=True, slots=True)
class Ops:
    """The log of what memgit did, which undo and restore rely on."""

    keep: int = setting(90 * 86400, Duration(), "How long `memgit prune` leaves replaced commits within reach.")


@dataclass(frozen=True, slots=True)
class Capture:
    """What `memgit commit` takes."""

    exclude_branches: tuple[str, ...] = setting(
        (),
        Texts(),
        "Branches, as globs, that get no automatic commits; captures wait on a private ref.",
        sample=("wip/*",),
    )
    max_file: int = setting(2**20, Size(), "A larger file is held back.", scope=Scope.TIGHTEN)
    max_commit: int = setting(10 * 2**20, Size(), "A larger commit is held back.", scope=Scope.TIGHTEN)
    nested: str = setting(
        "skip",
        Choice(("skip", "include")),
        "Files of a repository inside a memory directory, which git itself does not see.",
    )


@dataclass(frozen=True, slots=True)
class Guard:
    """The check that keeps secrets out of commits."""

    allow: tuple[str, ...] = setting((), Texts(), "Fingerprints of findings that are no secrets.", scope=Scope.LOCAL)
    external: str = setting(
        "none",
        Choice(("none", "gitleaks", "betterleaks")),
        "A scanner to ask for a second opinion, if it is installed.",
        scope=Scope.LOCAL,
    )


@dataclass(frozen=True, slots=True)
class Remote:
    """The remote that `memgit sync` and `memgit push` exchange commits with."""

    default: str = setting(
        "origin", Text(), "The remote of a branch that has no upstream.", scope=Scope.LOCAL, sample="backup"
    )
    timeout: int = setting(
        120, Duration(), "How long a remote may say nothing before it is given up.", scope=Scope.LOCAL
    )


@dataclass(frozen=True, slots=True)
class Push:
    """What is sent."""

    open_windows: bool = setting(
        False, Truth(), "Whether windows that have not ended are consolidated and sent, too, instead of waiting."
    )
    raw: bool = setting(
        True,
        Truth(),
        "Whether the raw tip goes to refs/memgit/raw/<machine>/ on the remote, so that two disks hold it.",
    )


@dataclass(frozen=True, slots=True)
class Watch:
    """How `memgit run` notices changes."""

    debounce: int = setting(2, Duration(), "How long files must be quiet before they are captured.")
    max_wait: int = setting(30, Duration(), "How long files that are never quiet wait at most.")
    method: str = setting(
        "auto", Choice(("auto", "poll")), "poll: look every few seconds, for network shares that report no changes."
    )
    scan: int = setting(60, Duration(), "How often everything is looked at, whatever the system reported.")


@dataclass(frozen=True, slots=True)
class Run:
    """What `memgit run` looks after."""

    workspaces: tuple[str, ...] = setting(
        (), Texts(), "Workspaces, where none is named and none is here.", scope=Scope.LOCAL, sample=("~/agent",)
    )


@dataclass(frozen=True, slots=True)
class Schedule:
    """When `memgit run` does what: `every 30m`, `daily 02:00`, `mon-fri 09:00`, a cron line of five fields, `never`."""

    capture: str = setting("every 10m", Times(), "Capture everything, whatever was noticed.")
    consolidate: str = setting("daily 00:30", Times(), "Consolidate the windows that have ended.")
    sync: str = setting("never", Times(), "Capture, fetch, join, consolidate and push.", sample="every 30m")
    push: str = setting("every 30m", Times(), "Push what is ready.")
    backup: str = setting("daily 01:00", Times(), "Back up to every configured target.")
    backup_prune: str = setting("weekly sun 05:00", Times(), "Let old snapshots go at every target, as its keep says.")
    mirror: str = setting("every 10m", Times(), "Bring every configured folder and the workspace in step.")
    prune: str = setting("weekly sun 04:00", Times(), "Forget operations older than the retention.")
    timezone: str = setting("local", LocalZone(), 'Where the day begins: "local", "Europe/Berlin" or "+05:30".')
    jitter: int = setting(120, Duration(), "Machines run a job up to this much later, each at its own moment.")


@dataclass(frozen=True, slots=True)
class Notify:
    """What is told about trouble that needs a person. Each gets JSON on its standard input or as its body."""

    command: tuple[str, ...] = setting(
        (),
        Texts(),
        "A program and its arguments, run without a shell.",
        scope=Scope.LOCAL,
        sample=("mail-me", "memgit"),
    )
    webhook: str = setting(
        "none", Text(), "An address that takes a POST.", scope=Scope.LOCAL, sample="https://example.invalid/hook"
    )
    desktop: bool = setting(False, Truth(), "Whether notify-send shows a note.", scope=Scope.LOCAL)
    file: str = setting(
        "none",
        Text(),
        "A file for agents to read, below the workspace; never captured, and gone when all is well.",
        scope=Scope.LOCAL,
        sample="MEMGIT-NOTICE.md",
    )
    timeout: int = setting(10, Duration(), "A program or webhook that takes longer is stopped.", scope=Scope.LOCAL)
    every: int = setting(6 * 3600, Duration(), "The same trouble is told again after this long.", scope=Scope.LOCAL)


@dataclass(frozen=True, slots=True)
class Config:
    """All settings, and where each one came from."""

    memory: Memory = Memory()
    auto: tuple[AutoRule, ...] = setting(
        (),
        Tables(
            AutoRule, "the author alone never makes a commit automatic, since people often share it with their agent"
        ),
        "How to recognise the automatic commits of other scripts; those of memgit need no rule.",
    )
    consolidate: Consolidate = Consolidate()
    workspace: Separate = Separate()
    ops: Ops = Ops()
    capture: Capture = Capture()
    guard: Guard = Guard()
    merge: tuple[MergeRule, ...] = setting(
        (), Tables(MergeRule, "it would apply to no file"), "How files are merged; the first rule that fits decides."
    )
    target: tuple[Target, ...] = setting(
        (), Tables(Target, "commands could not name it"), "The places backups go to.", scope=Scope.LOCAL
    )
    folder: tuple[MirroredFolder, ...] = setting(
        (),
        Tables(MirroredFolder, "commands could not name it"),
        "Folders that are kept in step with the workspace.",
        scope=Scope.LOCAL,
    )
    remote: Remote = Remote()
    push: Push = Push()
    run: Run = Run()
    watch: Watch = Watch()
    policy: tuple[PolicyRule, ...] = setting(
        (),
        Tables(PolicyRule, "it would apply to no file"),
        "How soon a file is captured; the first rule that fits decides.",
    )
    schedule: Schedule = Schedule()
    notify: Notify = Notify()
    origins: Mapping[str, Origin] = field(default_factory=dict, compare=False)  # of what is not a default

    def origin(self, key: str) -> Origin:
        """Where the value of `consolidate.window` and the like came from."""
        return self.origins.get(key, DEFAULT)

    def value(self, key: str) -> object:
        """The value of `consolidate.window` and the like, which must be in `TABLE`."""
        section, _, name = key.partition(".")
        held = getattr(self, section)
        return getattr(held, name) if name else held


def _rows() -> Iterator[tuple[str, Setting]]:
    for section in fields(Config):
        if "setting" in section.metadata:
            yield section.name, section.metadata["setting"]
        elif section.name != "origins":
            for inner in fields(section.default):  # type: ignore[arg-type]
                yield f"{section.name}.{inner.name}", inner.metadata["setting"]


TABLE: Mapping[str, Setting] = MappingProxyType(dict(_rows()))
"""Every setting by its key, in the order of the documentation."""

DEFAULTS = Config()
