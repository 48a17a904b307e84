"""Every command of memgit, as data."""

from __future__ import annotations

from memgit.cli.params import Command, argument, arguments, flag, many, number, text

_WINDOWS = ("hour", "6h", "day", "week")
_DRY_RUN = flag("dry_run", "Show what would happen and change nothing.")

_EXCHANGE = (
    _DRY_RUN,
    text("remote", "The remote, instead of the branch's upstream.", "NAME"),
    flag("now", "Also send windows that have not ended, consolidated."),
    flag("create", "Make the branch anew that was deleted on the remote."),
)

_EVERY_TARGET = argument("target", "The target's name; all of them by default.", "TARGET", required=False)
_TARGET = argument("target", "The target's name; not needed where there is only one.", "TARGET", required=False)

GROUPS: dict[str, str] = {
    "service": "Have memgit started at log-in or on a timer.",
    "guard": "Find secrets, and say which findings are none.",
    "backup": "Keep proven copies of the memory elsewhere, and get it back from there.",
}

COMMANDS: tuple[Command, ...] = (
    Command(
        "demo",
        "Show on a throw-away workspace what memgit does: a noisy week, consolidated and taken back.",
        "memgit.cli.demo:run",
        (text("keep", "Build the demo here and leave it there.", "DIR"),),
        ("memgit demo",),
    ),
    Command(
        "init",
        "Set up this workspace: look at it, propose a policy, hooks and the merge driver, show, ask, do, prove.",
        "memgit.cli.install:init",
        (
            _DRY_RUN,
            flag("yes", "Do it without asking."),
            text(
                "preset",
                "Begin with a way of working: one machine, cadences by file, or several machines.",
                "NAME",
                choices=("solo", "hybrid", "team"),
            ),
            flag("driver_only", "Only register the merge driver and its attributes."),
            text(
                "from_backup",
                "First bring back the memory of a backup: a directory, user@host:path, or rclone:remote:path.",
                "PLACE",
            ),
            text(
                "hooks",
                "How git is to call memgit; auto: pre-commit where it is in use, else native.",
                "HOW",
                choices=("auto", "pre-commit", "native", "none"),
            ),
            text(
                "attributes",
                "local: .git/info/attributes, the default; tracked: .gitattributes, for every clone; none.",
                "WHERE",
                choices=("local", "tracked", "none"),
            ),
        ),
        ("memgit init --dry-run", "memgit init --yes --hooks pre-commit"),
    ),
    Command(
        "doctor",
        "Look for everything that can be wrong here, say how to mend it, or mend it.",
        "memgit.cli.doctor:run",
        (
            flag("fix", "Mend what can be mended without losing anything."),
            many("check", "Only look at this; may be given several times.", "ID"),
        ),
        ("memgit doctor", "memgit doctor --fix --check stale-lock"),
    ),
    Command(
        "uninstall",
        "Take back what init made, to the byte; memgit's refs stay unless --purge.",
        "memgit.cli.install:uninstall",
        (
            _DRY_RUN,
            flag("purge", "Also delete refs/memgit and memgit's private files, with all that only they hold."),
            flag("yes", "Do it without asking."),
        ),
        ("memgit uninstall --dry-run", "memgit uninstall"),
    ),
    Command(
        "commit",
        "Commit the memory files that changed; never anything else, and never what the guard holds back.",
        "memgit.cli.commit:run",
        (
            _DRY_RUN,
            text("message", "Begin the commit message with this instead of what changed.", "TEXT", "-m", "--message"),
            flag("confirm_deletions", "Record that many memory files at once, or a whole directory, are gone."),
            text("agent", "Name the agent in a trailer; MEMGIT_AGENT by default.", "NAME"),
            text("session", "Name the session in a trailer; MEMGIT_SESSION by default.", "ID"),
            arguments("paths", "Only these files and directories.", "PATHS"),
        ),
        ("memgit commit", "memgit commit --dry-run", "memgit commit -m 'Before the move' memory/2026-02-04.md"),
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
        "sync",
        "Capture, fetch, join what both sides did, consolidate and push; what is published only moves forward.",
        "memgit.cli.sync:sync",
        _EXCHANGE,
        ("memgit sync", "memgit sync --now"),
    ),
    Command(
        "push",
        "Send the closed part of the branch, and the raw tip to a private ref, so that a second disk has it.",
        "memgit.cli.sync:push",
        _EXCHANGE,
        ("memgit push", "memgit push --remote backup"),
    ),
    Command(
        "run",
        "Watch workspaces, capture what changes, and consolidate, sync, push and prune when each is due.",
        "memgit.cli.run:run",
        (
            flag("once", "Do what is due now and end; for timers and containers."),
            arguments("paths", "The workspaces; else the one here, else [run] workspaces.", "PATH"),
        ),
        ("memgit run", "memgit run --once ~/agent ~/other"),
    ),
    Command(
        "pause",
        "Hold every automatic action of this workspace.",
        "memgit.cli.run:pause",
        (text("duration", "End by itself after this long, such as 30m.", "DURATION", "--for"),),
        ("memgit pause --for 30m",),
    ),
    Command(
        "resume",
        "Let automatic actions go on after a pause.",
        "memgit.cli.run:resume",
        (),
        ("memgit resume",),
    ),
    Command(
        "service install",
        "Have this workspace looked after: a systemd user unit, a crontab line, a launchd agent or a Windows task.",
        "memgit.cli.service:install",
        (
            _DRY_RUN,
            text(
                "scheduler",
                "Which one, instead of what fits this machine best.",
                "NAME",
                choices=("systemd", "cron", "launchd", "schtasks"),
            ),
        ),
        ("memgit service install", "memgit service install --scheduler cron --dry-run"),
    ),
    Command(
        "service remove",
        "Look after this workspace no more; what memgit did not make stays.",
        "memgit.cli.service:remove",
        (_DRY_RUN, flag("all", "Look after no workspace any more.")),
        ("memgit service remove",),
    ),
    Command(
        "service status",
        "Show what is installed, and whether it outlives the log-in.",
        "memgit.cli.service:status",
        (),
        ("memgit service status",),
    ),
    Command(
        "undo",
        "Take back memgit's last operation on this branch, or the one named.",
        "memgit.cli.history:undo",
        (
            _DRY_RUN,
            text("branch", "Work on this branch instead of the one checked out.", "NAME"),
            argument("operation", "The operation to take back, as `memgit log` shows it.", "OPERATION", required=False),
        ),
        ("memgit undo", "memgit undo 7942400a1d --dry-run"),
    ),
    Command(
        "log",
        "Show what memgit did: operations, newest first, with the windows they made and their sources.",
        "memgit.cli.history:log",
        (
            text("raw", "List every state of this file that `memgit restore` can reach, newest first.", "PATH"),
            flag("windows", "List every window of every operation with its source commits."),
            text("branch", "Only operations on this branch.", "NAME"),
        ),
        ("memgit log", "memgit log --windows", "memgit log --raw memory/2026-02-04.md"),
    ),
    Command(
        "restore",
        "Bring a memory file back as it was at a time or in a commit; what is there now is captured first.",
        "memgit.cli.restore:run",
        (
            _DRY_RUN,
            text("at", "A date as git reads it, or a commit.", "TIME"),
            arguments("paths", "Files, or directories with all memory in them.", "PATHS", required=True),
        ),
        (
            "memgit restore MEMORY.md --at 'yesterday 18:00'",
            "memgit restore memory/2026-02-04.md --at 1b2c3d4 --dry-run",
        ),
    ),
    Command(
        "guard scan",
        "Look for secrets in memory files, in what is staged, in a range of commits, or in standard input.",
        "memgit.cli.guard:scan",
        (
            flag("staged", "What is staged, on lines that HEAD does not have."),
            text("range", "What the commits of this range add.", "A..B"),
            flag("stdin", "Standard input."),
            text("format", "How findings are printed.", "FORMAT", choices=("text", "json", "sarif", "lines")),
            arguments("paths", "These files and directories, memory or not.", "PATHS"),
        ),
        (
            "memgit guard scan",
            "memgit guard scan --staged",
            "memgit guard scan --range origin/main..HEAD --format sarif",
        ),
    ),
    Command(
        "guard allow",
        "Let a finding pass that is no secret, in this clone.",
        "memgit.cli.guard:allow",
        (arguments("fingerprint", "As `memgit guard scan` shows it.", "FINGERPRINT", required=True),),
        ("memgit guard allow s0123456789abcdef0123",),
    ),
    Command(
        "status",
        "Show on one screen what is captured, held back, waiting, due and not pushed. Exit 4: held, 6: waiting.",
        "memgit.cli.status:run",
        (),
        ("memgit status", "memgit status -q || echo something waits"),
    ),
    Command(
        "prune",
        "Forget operations older than the retention; git may then drop the commits only they held.",
        "memgit.cli.history:prune",
        (_DRY_RUN, text("keep", "Keep operations younger than this, such as 90d; [ops] keep by default.", "AGE")),
        ("memgit prune --dry-run", "memgit prune --keep 30d"),
    ),
    Command(
        "merge-file",
        "Merge two versions of a memory file as the merge driver does; the result replaces OURS. Exit 5: conflicts.",
        "memgit.cli.merge_file:run",
        (
            flag("stdout", "Print the result and leave OURS alone.", "-p", "--stdout"),
            flag("ours", "Take our side where the two can't be joined."),
            flag("theirs", "Take their side where the two can't be joined."),
            flag("union", "Take both sides where the two can't be joined."),
            flag("diff3", "Show the base between the markers, too."),
            flag("zdiff3", "The same, with what both sides begin and end alike moved out."),
            many("label", "Name in the markers, for OURS, BASE and THEIRS in turn.", "LABEL", "-L"),
            number("marker_size", "Length of the markers.", "N"),
            text("kind", "What the files are.", "KIND", choices=("auto", "log", "list", "document", "jsonl", "json")),
            text("path", "Guess the kind by this name instead of OURS.", "PATH"),
            argument("ours_file", "Our version; the result goes here.", "OURS"),
            argument("base_file", "The version both started from.", "BASE"),
            argument("theirs_file", "Their version.", "THEIRS"),
        ),
        ("memgit merge-file -p mine.md base.md theirs.md",),
    ),
    Command(
        "config",
        "Show the settings in force and where each comes from.",
        "memgit.cli.config:run",
        (
            flag("show_origin", "Name the place each value comes from."),
            flag("validate", "Only check the configuration files."),
            flag("example", "Print a commented .memgit.toml with every setting that may stand in it."),
            arguments("key", "Show only these settings.", "KEY"),
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
            _EVERY_TARGET,
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
        "Bring files of a backup back, each checked against its manifest first; in the workspace it can be undone.",
        "memgit.cli.backups:restore",
        (
            _DRY_RUN,
            text("source", "The target, or TARGET/SNAPSHOT for an older state.", "TARGET", "--from"),
            text("to", "Into this directory instead of the workspace; what else lies in it stays.", "DIR"),
            flag("overwrite", "Replace files that have other content there."),
            arguments("path", "Only these files and directories.", "PATH"),
        ),
        ("memgit backup restore --from disk --to /tmp/memory", "memgit backup restore MEMORY.md --from disk"),
    ),
    Command(
        "backup prune",
        "Let old snapshots go as each target's `keep` says, once its newest has been proven sound.",
        "memgit.cli.backups:prune",
        (_DRY_RUN, _EVERY_TARGET),
        ("memgit backup prune --dry-run", "memgit backup prune disk"),
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
            argument("ref", "The commit; HEAD by default.", "REF", required=False),
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
            argument("folder", "The folder's name; all of them by default.", "FOLDER", required=False),
        ),
        ("memgit mirror --dry-run", "memgit mirror vault"),
    ),
)
