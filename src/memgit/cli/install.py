"""memgit init and memgit uninstall."""

from __future__ import annotations

import os
import sys

from memgit.cli import render
from memgit.cli.context import Context, find_repository, find_top, open_repository, text
from memgit.cli.params import Values
from memgit.cli.progress import Progress
from memgit.cli.service import job
from memgit.core.presets import PRESETS
from memgit.core.setting import OriginKind
from memgit.core.settings import Config
from memgit.core.values import replace
from memgit.errors import MemgitError, UsageError
from memgit.git.repository import Repository
from memgit.host import config_files, programs
from memgit.host.timers import Timers
from memgit.porcelain import install, new_repository, propose, service
from memgit.porcelain.backup import bootstrap
from memgit.porcelain.backup.bootstrap import Bootstrapped
from memgit.porcelain.install import Installed, Plan, Request
from memgit.porcelain.propose import Proposal
from memgit.porcelain.service import Home


def init(values: Values) -> int:
    """Look, show, ask, do, prove."""
    if values["driver_only"] and (more := [name for name in ("preset", "hooks") if values[name] is not None]):
        raise UsageError(
            f"--driver-only writes no policy and no hooks, so --{more[0]} would do nothing.", "Leave one of them out."
        )
    dry_run = bool(values["dry_run"])
    directory = text(values, "directory")
    place = text(values, "from_backup")
    brought = _bring_back(values, place, directory or os.curdir, dry_run=dry_run) if place is not None else None
    if place is not None and brought is None:
        return 0
    new = _offer_repository(values, directory, dry_run=dry_run)
    if new is None:
        return 0
    context = open_repository(values)
    repo = find_top(directory)
    if brought is not None:
        bootstrap.adopt(repo, brought)
    if not dry_run:
        install.recover(repo)
    found = None
    request = Request(text(values, "hooks") or "auto", text(values, "attributes"))
    workspace, config = context.workspace, context.config
    if values["driver_only"]:
        request = replace(request, hooks="keep")
    else:
        wanted = text(values, "preset")
        if wanted is not None and _has_policy(context):
            raise UsageError(
                "This workspace has a .memgit.toml already, and a preset would be another one.",
                "Change it by hand, or remove it first.",
            )
        found = propose.look(repo, workspace if _has_policy(context) else None, PRESETS[wanted] if wanted else None)
        workspace = found.layout.workspace
        config = _to_hold(context, found)
        request = replace(request, policy=found.policy, ignore=repo.work_tree is not None)
    planned = install.plan(repo, config, workspace, request, programs.installed())
    if not values["json"] and not values["quiet"]:
        _show(repo, found, planned)
    if dry_run:
        if values["json"]:
            _emit(repo, found, planned, None, dry_run=True)
        return 0
    if planned.changes and not _agreed(values, "Do this?"):
        render.note("Nothing was changed.")
        return 0
    done = install.apply(repo, planned)
    if values["json"]:
        _emit(repo, found, planned, done, dry_run=False)
    elif not values["quiet"]:
        _tell(repo, done)
    return 0


def uninstall(values: Values) -> int:
    """Take back what init made."""
    repo = find_top(text(values, "directory"))
    purge, dry_run = bool(values["purge"]), bool(values["dry_run"])
    if purge and not dry_run and not _agreed(values, "This also deletes what only memgit's refs hold. Go on?"):
        render.note("Nothing was changed.")
        return 0
    stopped, still = _stop_service(repo, dry_run=dry_run)  # first: what runs by itself would make some of it again
    done = install.remove(repo, purge=purge, dry_run=dry_run)
    done = replace(done, service=stopped, left=(*still, *done.left))
    if values["json"]:
        render.emit_json(done)
        return 0
    if values["quiet"]:
        return 0
    verb = "would be taken back" if dry_run else "taken back"
    if not done.files and not done.refs and not done.service:
        render.say("memgit init has made nothing here.")
    for path in done.service:
        render.say(f"service of {path}: {verb}")
    for name in done.files:
        render.say(f"{name}: {verb}")
    for name in done.refs:
        render.say(f"{name}: {'would be deleted' if dry_run else 'deleted'}")
    for sentence in done.left:
        render.note(sentence)
    if done.refs_kept:
        render.say(
            f"{render.plural(done.refs_kept, 'ref')} below refs/memgit kept; `memgit uninstall --purge` deletes."
        )
    if done.files and not dry_run:
        render.say("To set it up again: memgit init")
    return 0


def _stop_service(repo: Repository, *, dry_run: bool) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Have the repository's workspaces looked after no more: which, and what stands in the way, as sentences."""
    if not (os.environ.get("HOME") or os.environ.get("USERPROFILE")):
        return (), ()
    home = Home.of(os.environ)
    looked_after = service.of_repository(home, repo)
    try:
        if looked_after:
            service.remove(Timers(os.environ), home, job(), looked_after, dry_run=dry_run)
    except MemgitError as error:
        return (), (f"The service still looks after {', '.join(looked_after)}: {error.message}",)
    return looked_after, ()


def _bring_back(values: Values, place: str, directory: str, *, dry_run: bool) -> Bootstrapped | None:
    """The memory of a backup, brought into the directory; None if the person said no, or in a dry run."""
    planned = bootstrap.run(place, directory, dry_run=True).restored
    count = render.plural(len(planned.created), "file")
    if not values["json"] and not values["quiet"]:
        render.say(f"{planned.where} holds {planned.generation}: {count} to bring to {planned.to}")
    if dry_run:
        return None
    if not _agreed(values, "Bring them back?"):
        render.note("Nothing was changed.")
        return None
    with Progress("Bringing back", quiet=bool(values["quiet"])) as progress:
        return bootstrap.run(place, directory, dry_run=False, advance=progress.advance)


def _offer_repository(values: Values, directory: str | None, *, dry_run: bool) -> bool | None:
    """Make a repository where there is none, if wanted. True: it is new; None: the person said no, or a dry run."""
    try:
        find_repository(directory)
        return False
    except UsageError:
        place = os.path.abspath(directory or os.curdir)
        if not os.path.isdir(place):
            raise
        if dry_run:
            render.say(f"{place} is in no git repository. memgit init would make one there, then look again.")
            return None
        if not _agreed(values, f"{place} is in no git repository. Make one there?"):
            render.note("Nothing was changed.")
            return None
        new_repository.make(place)
        return True


def _has_policy(context: Context) -> bool:
    top = context.repo.work_tree
    return top is not None and os.path.lexists(os.path.join(top, context.workspace, config_files.TRACKED_NAME))


def _to_hold(context: Context, found: Proposal) -> Config:
    """The settings that will hold in the workspace that was found, with the policy that is proposed for it."""
    repo = context.repo
    where = config_files.places(repo.common_dir, repo.work_tree, found.layout.workspace, os.environ)
    if found.policy is None:
        return config_files.load(where, os.environ)
    proposed = config_files.parse(OriginKind.TRACKED_FILE, where.tracked or "", found.policy)
    return config_files.load(where, os.environ, (proposed,))


def _agreed(values: Values, question: str) -> bool:
    if values["yes"]:
        return True
    if not sys.stdin.isatty():
        raise UsageError("Nobody is there to ask.", "Pass --yes to do it, or --dry-run to see what would be done.")
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _show(repo: Repository, found: Proposal | None, planned: Plan) -> None:
    if found is not None:
        _show_findings(found)
    if not planned.changes:
        render.say("Everything is set up already.")
    else:
        render.say("To be done:")
        width = max(len(_shown(repo, change.path)) for change in planned.changes)
        for change in planned.changes:
            verb = "new" if change.before is None and change.aside is None else "changed"
            verb = "removed" if change.after is None else verb
            render.say(f"  {_shown(repo, change.path).ljust(width)}  {verb:7}  {change.about}")
    for change in planned.changes:
        if found is not None and found.policy is not None and change.after == found.policy:
            render.say(f"{_shown(repo, change.path)} would say:")
            for line in found.policy.decode("utf-8", "replace").splitlines():
                render.say(f"  | {line}".rstrip())
    for sentence in planned.notes:
        render.note(sentence)


def _show_findings(found: Proposal) -> None:
    place = found.layout.workspace or "the top of the repository"
    kinds = ", ".join(found.layout.kinds) or "no memory yet"
    render.say(f"Workspace: {place} ({kinds}), {render.plural(found.memory_files, 'memory file')}.")
    if found.learned:
        render.say(f"Automatic commits, learned from {render.plural(found.commits, 'commit')}:")
        rows = [
            (str(one.matches), str(one.mixed), "yes" if one.rule.mixed else "no", one.rule.subject)
            for one in found.learned
        ]
        render.table(rows, ("  commits", "with other files", "counted with them", "subject"), right=(0, 1))
        render.say(f"They would become one commit per {found.window}.")
    for place in found.nested:
        render.note(
            f"{place} is a repository of its own: git does not see what is in it. Set capture.nested to take it."
        )
    for name, target in found.links:
        render.note(f"{name} is a link to {target}, outside of this repository: the link is kept, not what is there.")


def _shown(repo: Repository, path: str) -> str:
    root = repo.work_tree or os.path.dirname(repo.common_dir)
    return os.path.relpath(path, root) if path.startswith(root + "/") else path


def _tell(repo: Repository, done: Installed) -> None:
    if done.proven:
        render.say(f"Proof: {done.evidence}.")
    elif done.proven is None:
        render.say("Nothing to prove: attributes give no Markdown file to the merge driver.")
    top, private = (repo.work_tree or "") + "/", repo.common_dir + "/"
    paths = [change.path for change in done.plan.changes if change.after is not None]
    if travelling := [path for path in paths if path.startswith(top) and not path.startswith(private)]:
        names = " and ".join(_shown(repo, path) for path in travelling)
        render.say(f"To be committed by you, for other clones to follow: {names}")
    if done.plan.changes:
        render.say("Undo: memgit uninstall")


def _emit(repo: Repository, found: Proposal | None, planned: Plan, done: Installed | None, *, dry_run: bool) -> None:
    changes = [
        {
            "path": _shown(repo, change.path),
            "about": change.about,
            "created": change.before is None and not change.aside,
        }
        for change in planned.changes
    ]
    proposal = None
    if found is not None:
        proposal = {
            "workspace": found.layout.workspace,
            "kinds": found.layout.kinds,
            "include": found.layout.include,
            "memory_files": found.memory_files,
            "window": found.window,
            "auto": [
                {"subject": one.rule.subject, "mixed": one.rule.mixed, "matches": one.matches, "with_others": one.mixed}
                for one in found.learned
            ],
            "nested": found.nested,
            "links": [list(link) for link in found.links],
        }
    render.emit_json(
        {
            "proposal": proposal,
            "changes": changes,
            "notes": planned.notes,
            "hooks": planned.hooks,
            "proven": done.proven if done else None,
            "evidence": done.evidence if done else "",
            "dry_run": dry_run,
        }
    )
