"""Every command of memgit, as data."""

from __future__ import annotations

from memgit.cli.params import Command, argument, arguments, flag, many, number, text

_WINDOWS = ("hour", "6h", "day", "week")
_DRY_RUN = flag("dry_run", "Show what would happen and change nothing.")

_TARGET = argument("target", "The target's name; not needed where there is only one.", "[TARGET]", required=False)

GROUPS: dict[str, str] = {"backup": "Keep proven copies of the memory elsewhere, and get it back from there."}

COMMANDS: tuple[Command, ...] = (
    Command(
        "demo",
        "Show on a throw-away workspace what memgit does: a noisy week, consolidated and taken back.",
        "memgit.cli.demo:run",
        (text("keep", "Build the demo here and leave it there.", "DIR"),),
        ("memgit demo",),
    ),
    Command(
        "consolidate",
        "Squash auto-commits into one commit per closed window; the files stay as they are.",
        "memgit.cli.consolidate:run",
        (
            _DRY_RUN,
            flag("now", "Consolidate windows that have not ended yet, too."),
            text("window", "The period whose auto-commits become one.", "WINDOW", choices=_WINDOWS),
            text(
                "interleaved",
                "commute: gather a window across people's commits that touch other files; keep: neighbours only.",
                "HOW",
                choices=("commute", "keep"),
            ),
            text("branch", "Work on this branch instead of the one checked out.", "NAME"),
            text("since", "Leave this commit and everything below it alone.", "REV"),
            many("auto_subject", "Commits whose subject matches are automatic, whatever they change.", "REGEX"),
            many("auto_author", "... but only if `Name <email>` matches this.", "REGEX"),
            flag("published", "Also rewrite what remotes, tags or other branches hold; says who is affected."),
            flag("keep_empty", "Leave an empty commit for a window whose changes cancel out."),
            flag("drop_signatures", "Let people's commits lose their signature where they get a new parent."),
        ),
        ("memgit consolidate --dry-run", "memgit consolidate --window week --auto-subject '^auto-backup'"),
    ),
    Command(
        "undo",
        "Take back memgit's last operation on this branch, or the one named.",
        "memgit.cli.history:undo",
        (
            _DRY_RUN,
            text("branch", "Work on this branch instead of the one checked out.", "NAME"),
            arguments("operation", "The operation to take back, as `memgit log` shows it.", "[OPERATION]"),
        ),
        ("memgit undo",),
    ),
    Command(
        "log",
        "Show what memgit did: operations, newest first, with the windows they made and their sources.",
        "memgit.cli.history:log",
        (
            flag("windows", "List every window of every operation with its source commits."),
            text("branch", "Only operations on this branch.", "NAME"),
        ),
        ("memgit log", "memgit log --windows"),
    ),
    Command(
        "prune",
        "Forget operations older than the retention; git may then drop the commits only they held.",
        "memgit.cli.history:prune",
        (_DRY_RUN, text("keep", "Keep operations younger than this, such as 90d; [ops] keep by default.", "AGE")),
        ("memgit prune --dry-run", "memgit prune --keep 30d"),
    ),
    Command(
        "config",
        "Show the settings in force and where each comes from.",
        "memgit.cli.config:run",
        (
            flag("show_origin", "Name the place each value comes from."),
            flag("validate", "Only check the configuration files."),
            flag("example", "Print a commented .memgit.toml with every setting that may stand in it."),
            arguments("key", "Show only these settings.", "[KEY]..."),
        ),
        ("memgit config --show-origin", "memgit config consolidate.window"),
    ),
    Command(
        "backup run",
        "Copy the memory files to the backup targets, or to one of them; what did not change costs nothing.",
        "memgit.cli.backup:run",
        (
            _DRY_RUN,
            flag("confirm_shrink", "Go on although many files are gone or empty since the last run."),
            flag("new_target", "Accept that the place is new, although this target was used before."),
            argument("target", "The target's name; all of them by default.", "[TARGET]", required=False),
        ),
        ("memgit backup run --dry-run", "memgit backup run disk"),
    ),
    Command(
        "backup list",
        "Show what lies at a target, and whether it is complete.",
        "memgit.cli.backups:list_all",
        (_TARGET,),
        ("memgit backup list disk",),
    ),
    Command(
        "backup verify",
        "Compare a backup with its manifest: every byte, or that of a few files chosen by chance.",
        "memgit.cli.backups:verify",
        (
            number("sample", "Read only so many files.", "COUNT"),
            text("snapshot", "Check this one instead of the newest.", "NAME"),
            _TARGET,
        ),
        ("memgit backup verify disk", "memgit backup verify --sample 100 disk"),
    ),
    Command(
        "backup restore",
        "Bring files of a backup into a directory, each checked against the manifest before anything is written.",
        "memgit.cli.backups:restore",
        (
            _DRY_RUN,
            text("source", "The target, or TARGET/SNAPSHOT for an older state.", "TARGET", "--from"),
            text("to", "The directory; what else lies in it stays.", "DIR"),
            flag("overwrite", "Replace files that have other content there."),
            arguments("path", "Only these files and directories.", "[PATH]..."),
        ),
        ("memgit backup restore --from disk --to /tmp/memory", "memgit backup restore MEMORY.md --from disk --to ."),
    ),
    Command(
        "backup prune",
        "Let old snapshots go as the target's `keep` says, once the newest has been proven sound.",
        "memgit.cli.backups:prune",
        (_DRY_RUN, _TARGET),
        ("memgit backup prune --dry-run disk",),
    ),
    Command(
        "backup drill",
        "Restore the newest backup into a scratch directory and compare every byte.",
        "memgit.cli.backups:drill",
        (_TARGET,),
        ("memgit backup drill disk",),
    ),
    Command(
        "backup setup-ssh",
        "Show how to give a target a key of its own that reaches one directory and can do nothing else.",
        "memgit.cli.backups:setup_ssh",
        (
            text("remote_directory", "The backup directory on the other machine.", "DIR", "--directory"),
            text("rrsync", "How the other machine calls rrsync.", "PROGRAM"),
            _TARGET,
        ),
        ("memgit backup setup-ssh --directory /home/backup/workspace server",),
    ),
    Command(
        "export",
        "Write the memory of a commit into a directory, as plain files without git.",
        "memgit.cli.export:run",
        (
            _DRY_RUN,
            text("to", "The directory; what else lies in it stays.", "DIR"),
            flag("all", "Export all files of the workspace, not the memory alone."),
            flag("overwrite", "Replace files that have other content there."),
            argument("ref", "The commit; HEAD by default.", "[REF]", required=False),
        ),
        ("memgit export --to /tmp/memory", "memgit export v1.0 --to site --all"),
    ),
    Command(
        "mirror",
        "Keep a folder and the workspace in step: changes of either go to the other, changes of both are merged.",
        "memgit.cli.mirror:run",
        (
            _DRY_RUN,
            flag("confirm_shrink", "Go on although many files are gone or empty on one side."),
            argument("folder", "The folder's name; all of them by default.", "[FOLDER]", required=False),
        ),
        ("memgit mirror --dry-run", "memgit mirror vault"),
    ),
)
