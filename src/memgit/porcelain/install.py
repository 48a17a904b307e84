"""memgit init and uninstall: what has to be changed in a clone, changing it, proving it, taking it back."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

from memgit.core import footprint, precommit_config, regions
from memgit.core.driver_line import driver_line
from memgit.core.manifest import Change
from memgit.core.objects import ZERO
from memgit.core.settings import ALWAYS_EXCLUDED, Config
from memgit.core.values import dataclass
from memgit.errors import MemgitError, UsageError
from memgit.git import gitconfig, hooks, refs, versions
from memgit.git.refs import RefUpdate
from memgit.git.repository import Repository
from memgit.host import files
from memgit.host.config_files import TRACKED_NAME
from memgit.host.programs import Programs
from memgit.porcelain import changes, proof, transaction
from memgit.porcelain.proof import Proof

# What memgit can make again by itself; other private files hold somebody's settings or somebody's text.
_CACHES = (
    "scope",
    "gitconfig",
    "due",
    "settled.json",
    "told.json",
    "jobs.json",
    "run.json",
    "stashed",
    "seen",
    "scratch",
)


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for."""

    hooks: str = "auto"  # auto, pre-commit, native, none; post: native post-* where there is no hook; keep: as they are
    attributes: str | None = None  # local, tracked, none; keep: as they are; None: as chosen before, else local
    policy: bytes | None = None  # content of a new .memgit.toml; None: leave it as it is
    ignore: bool = False  # add lines to .gitignore


@dataclass(frozen=True, slots=True)
class Plan:
    """What would be done. notes: what a person has to do or should know, as sentences."""

    changes: tuple[Change, ...]
    notes: tuple[str, ...]
    hooks: str  # how hooks are run: pre-commit, native, config (git's own, from its configuration), none
    workspace: str  # below the top of the work tree, "" or ending in a slash


@dataclass(frozen=True, slots=True)
class Installed:
    """What was done, and whether the driver was seen to work. proven: None where there is nothing to prove."""

    plan: Plan
    proven: bool | None
    evidence: str


def plan(repo: Repository, config: Config, workspace: str, request: Request, programs: Programs) -> Plan:
    """What has to change for this clone to be set up as asked. Changes nothing.

    workspace: below the top of the work tree, "" or ending in a slash.
    """
    return _Planner(repo, config, workspace, request, programs).plan()


def recover(repo: Repository) -> bool:
    """Take back what a run did that was killed; whether there was one. Before planning, since it changes files."""
    if not changes.is_interrupted(repo):
        return False
    with transaction.begin(repo) as change:
        return changes.recover(change.repo)


def apply(repo: Repository, planned: Plan) -> Installed:
    """Do it, all or nothing, and merge something through the registered driver to see that it works.

    If the proof fails, everything is taken back and MemgitError raised.
    """
    if planned.changes:
        with transaction.begin(repo) as change:
            shown = changes.apply(change.repo, planned.changes, lambda: _proven(change.repo, planned.workspace))
    else:
        shown = proof.merge(repo, planned.workspace)
    return Installed(planned, None, "") if shown is None else Installed(planned, shown.works, shown.evidence)


def _proven(repo: Repository, workspace: str) -> Proof | None:
    shown = proof.merge(repo, workspace)
    if shown is not None and not shown.works:
        raise MemgitError(
            f"The merge driver was registered but does not work: {shown.evidence}", "Nothing was left behind."
        )
    return shown


def wants_none(values: tuple[gitconfig.Value, ...]) -> bool:
    """Whether a person wanted no attributes, so that git never calls the driver unless told to elsewhere."""
    return gitconfig.last(values, footprint.ATTRIBUTES) == "none"


@dataclass(frozen=True, slots=True)
class Removed:
    """What an uninstall did. left: what stays because somebody else changed it, as sentences."""

    files: tuple[str, ...]
    left: tuple[str, ...]
    refs: tuple[str, ...]  # deleted
    refs_kept: int
    dry_run: bool
    service: tuple[str, ...] = ()  # workspaces that are no longer looked after


def remove(repo: Repository, *, purge: bool, dry_run: bool) -> Removed:
    """Take back what init made. purge: also memgit's refs and all its private files, with what only they hold."""
    known = changes.load(repo)
    places = tuple(changes.shown(repo, made) for made in known.made)
    ours = tuple(ref for ref in refs.read_all(repo.git) if ref.name.startswith("refs/memgit/"))
    gone = ours if purge else ()
    if dry_run:
        return Removed(places, (), tuple(ref.name for ref in gone), len(ours) - len(gone), dry_run)
    if not os.path.isdir(repo.private_dir):
        return Removed((), (), (), len(ours), dry_run)
    with transaction.begin(repo) as change:
        left = (*changes.take_back(change.repo), *_what_runs_on(change.repo))
        if gone:
            change.move((RefUpdate(ref.name, ZERO, ref.oid) for ref in gone), "memgit: uninstall --purge")
            change.close()
            _remove_empty_ref_directories(repo)
        if purge:
            shutil.rmtree(repo.private_dir)
        else:
            _remove_caches(repo)
    return Removed(places, left, tuple(ref.name for ref in gone), len(ours) - len(gone), dry_run)


def _what_runs_on(repo: Repository) -> Iterator[str]:
    path = os.path.join(repo.work_tree or "", precommit_config.FILE)
    content = files.read(path) if repo.work_tree is not None and not os.path.islink(path) else None
    if content is not None and precommit_config.mentions_memgit(content):
        yield f"{path} still names memgit's hooks: its next run registers the driver again, unless you take them out."


def _remove_caches(repo: Repository) -> None:
    proof.forget_interrupted(repo)
    # The key of fingerprints is worth nothing without what a person has allowed by them.
    key = () if os.path.lexists(os.path.join(repo.private_dir, "guard.allow")) else ("guard.key",)
    for name in (*_CACHES, *key):
        path = os.path.join(repo.private_dir, name)
        if os.path.isdir(path):
            shutil.rmtree(path)
        elif os.path.lexists(path):
            os.unlink(path)
    if os.listdir(repo.private_dir) == ["lock"]:
        os.unlink(os.path.join(repo.private_dir, "lock"))
        os.rmdir(repo.private_dir)


def _remove_empty_ref_directories(repo: Repository) -> None:
    for where in ("refs/memgit", "logs/refs/memgit"):
        shutil.rmtree(os.path.join(repo.common_dir, where), ignore_errors=True)


class _Planner:
    def __init__(self, repo: Repository, config: Config, workspace: str, request: Request, programs: Programs) -> None:
        self.repo = repo
        self.config = config
        self.workspace = workspace
        self.request = request
        self.programs = programs
        self.values = gitconfig.read(repo.git)
        self.place = hooks.find(repo, self.values)
        self.notes: list[str] = []
        self.attributes = request.attributes or self._chosen_before()

    def plan(self) -> Plan:
        how = self._how()
        found = [*self._policy(), *self._ignore(), *self._driver(how), *self._attributes()]
        if how == "pre-commit":
            found += self._pre_commit()
        elif how in ("native", "post"):
            found += self._native(hooks.NAMES if how == "native" else hooks.NAMES[4:])
        elif how == "config":
            found += self._configured()
        return Plan(changes.pending(self.repo, found), tuple(self.notes), how, self.workspace)

    # -- files of the work tree --------------------------------------------------------------------

    def _in_tree(self, name: str) -> str | None:
        return os.path.join(self.repo.work_tree, self.workspace, name) if self.repo.work_tree is not None else None

    def _policy(self) -> Iterator[Change]:
        path = self._in_tree(TRACKED_NAME)
        if self.request.policy is None or path is None:
            return
        if changes.read(path) is None:
            yield Change(path, None, self.request.policy, "the policy, which travels with the repository")

    def _ignore(self) -> Iterator[Change]:
        path = self._in_tree(".gitignore")
        if not self.request.ignore or path is None:
            return
        before = changes.read(path)
        outside = set(regions.take(before or b"").splitlines())
        lines = [line.encode() for line in footprint.IGNORED if line.encode() not in outside]
        if any(not line.startswith(b"#") for line in lines):
            yield Change(
                path, before, regions.put(before or b"", lines), "secrets and editor droppings ignored", is_region=True
            )

    # -- driver and attributes ---------------------------------------------------------------------

    def _driver(self, how: str) -> Iterator[Change]:
        line = driver_line(self.programs.python, self.programs.driver)
        private = os.path.join(self.repo.private_dir, "gitconfig")
        before = changes.read(private)
        keeps = how in ("keep", "post") and b'[hook "memgit-' in (before or b"")
        text = footprint.gitconfig(
            line,
            self._hook_files() if how == "config" or keeps else (),
            without_attributes=self.attributes == "none" or (self.attributes == "keep" and wants_none(self.values)),
        )
        about = "the merge driver and the hooks" if how == "config" else "the merge driver"
        yield Change(private, before, text, about, mode=0o600)
        path = os.path.join(self.repo.common_dir, "config")
        before = changes.read(path) or b""
        lines = footprint.include_section(footprint.INCLUDED)
        yield Change(path, before, regions.put(before, lines), "one include of memgit's own file", is_region=True)

    def _chosen_before(self) -> str:
        if wants_none(self.values):
            return "none"
        tracked = self._in_tree(".gitattributes")
        is_tracked = tracked is not None and regions.inside(changes.read(tracked) or b"") is not None
        return "tracked" if is_tracked else "local"

    def _attributes(self) -> Iterator[Change]:
        if self.attributes == "keep":
            return
        where = {
            "local": os.path.join(self.repo.common_dir, "info", "attributes"),
            "tracked": self._in_tree(".gitattributes"),
        }
        lines = footprint.attributes(
            self.config.memory.include,
            [line for line in self.config.memory.exclude if line not in ALWAYS_EXCLUDED],
            self.config.merge,
            self.workspace if self.attributes == "local" else "",
        )
        for name, path in where.items():
            if path is None:
                continue
            before = changes.read(path)
            if name == self.attributes:
                after: bytes | None = regions.put(before or b"", lines)
            elif before is None or self.attributes == "none" or regions.inside(before) is None:
                continue
            else:
                after = regions.take(before) or None
            yield Change(path, before, after, "memory files merged by memgit", is_region=True)

    # -- hooks -------------------------------------------------------------------------------------

    def _how(self) -> str:
        asked = self.request.hooks
        managers = {hook.manager for hook in self.place.hooks}
        config = self._top(precommit_config.FILE)
        has_config = config is not None and os.path.lexists(config)
        if asked == "auto":
            if has_config or managers & {"pre-commit", "prek"}:
                asked = "pre-commit"
            else:
                asked = "none" if self.repo.work_tree is None else "native"
        if asked == "post" and self.place.configured is not None:
            return "none"
        if asked == "native":
            asked = self._native_or_told(managers)
        if asked == "pre-commit" and self.repo.work_tree is None:
            raise UsageError("A bare repository has no pre-commit configuration.", "Use --hooks none.")
        return asked

    def _native_or_told(self, managers: set[str]) -> str:
        """Native hooks, unless the place is somebody else's: then a person is told what to add."""
        lefthook = next((name for name in ("lefthook.yml", ".lefthook.yml", "lefthook.yaml") if self._exists(name)), "")
        is_theirs = self.place.configured is not None or "lefthook" in managers or lefthook
        if is_theirs and versions.parse(self.repo.git.text("version")) >= versions.CONFIG_HOOKS:
            self.notes.append(
                "git runs memgit's hooks from its configuration, beside those of"
                f" {self.place.manager or self.place.configured or 'lefthook'}; git before 2.54 does not."
            )
            return "config"
        if self.place.configured is not None:
            owner = f", which is {self.place.manager}'s" if self.place.manager else ""
            self.notes.append(
                f"core.hooksPath is {self.place.configured}{owner}; memgit does not change it. Add to the hooks there:"
            )
        elif "lefthook" in managers or lefthook:
            self.notes.append(f"Hooks are lefthook's{f' ({lefthook})' if lefthook else ''}. Add to its configuration:")
        else:
            return "native"
        self.notes += [
            "  pre-commit, pre-merge-commit: memgit-hook guard",
            '  pre-push: memgit-hook guard-push "$@"',
            "  post-commit, post-merge, post-rewrite, post-checkout: memgit-hook post",
        ]
        return "none"

    def _top(self, name: str) -> str | None:
        return os.path.join(self.repo.work_tree, name) if self.repo.work_tree is not None else None

    def _exists(self, name: str) -> bool:
        path = self._top(name)
        return path is not None and os.path.lexists(path)

    def _pre_commit(self) -> Iterator[Change]:
        path = self._top(precommit_config.FILE)
        assert path is not None
        before = changes.read(path)
        missing = [name for name in hooks.NAMES if not any(hook.name == name for hook in self.place.hooks)]
        if missing:
            self.notes.append("Run `pre-commit install` (or `prek install`), so that git runs all of these hooks.")
        if regions.inside(before or b"") is None and precommit_config.mentions_memgit(before or b""):
            return  # a person's own entry does the same
        after = precommit_config.put(before or b"")
        if after is None:
            self.notes.append(f"{precommit_config.FILE} has a form that memgit does not edit. Add below `repos:`:")
            self.notes += [line.decode() for line in precommit_config.entry()]
            return
        yield Change(path, before, after, "memgit's hooks, run by pre-commit or prek", is_region=True)

    def _hook_files(self) -> tuple[tuple[str, str], ...]:
        return tuple((name, os.path.join(self.repo.private_dir, "hooks", name)) for name in hooks.NAMES)

    def _configured(self) -> Iterator[Change]:
        yield from self._for_shims()
        for name, path in self._hook_files():
            shim = footprint.shim(self._template(name), self.programs.hook, self.workspace + TRACKED_NAME, inside=True)
            yield Change(path, changes.read(path), shim, f"{name} hook", mode=0o755)

    def _template(self, name: str) -> bytes:
        template = files.read(os.path.join(self.programs.shims, name))
        if template is None:
            raise MemgitError(f"{self.programs.shims} holds no {name}.", "memgit is installed incompletely.")
        return template

    def _for_shims(self) -> Iterator[Change]:
        include = self.config.memory.include
        scope = os.path.join(self.repo.private_dir, "scope")
        text = "".join(f"{line}\n" for line in footprint.pathspecs(include, self.workspace)).encode()
        yield Change(scope, changes.read(scope), text, "where memory lies, for the hooks", mode=0o600)
        due = os.path.join(self.repo.private_dir, "due")
        if not os.path.lexists(due):
            yield Change(due, None, b"", "when a due consolidation was last mentioned", mode=0o600)

    def _native(self, names: tuple[str, ...]) -> Iterator[Change]:
        yield from self._for_shims()
        for name in names:
            path = os.path.join(self.place.directory, name)
            shim = footprint.shim(self._template(name), self.programs.hook, self.workspace + TRACKED_NAME)
            present = next((hook for hook in self.place.hooks if hook.name == name), None)
            if present is None:
                yield Change(path, None, shim, f"{name} hook", mode=0o755)
            elif present.manager == "memgit" and not os.path.islink(path):
                yield Change(path, changes.read(path), shim, f"{name} hook", mode=0o755)
            elif self.request.hooks != "post":
                aside = path + hooks.ASIDE
                if os.path.lexists(aside):
                    raise MemgitError(f"{aside} is in the way.", "It was kept by an earlier memgit; see what it is.")
                yield Change(path, None, shim, f"{name} hook, which runs yours first", mode=0o755, aside=aside)
