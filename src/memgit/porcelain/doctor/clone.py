"""Checks of one clone: driver, attributes, hooks, locks, what is left of interrupted runs."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator

from memgit.core import manifest, precommit_config
from memgit.core.footprint import DRIVER
from memgit.core.problems import Problem, Severity
from memgit.core.values import replace
from memgit.git import attributes, gitconfig, hooks, locks
from memgit.host import files, programs
from memgit.porcelain import changes, install, proof, stashed, window
from memgit.porcelain.doctor.facts import Check, Facts

_KEY = "merge.memgit.driver"


def _driver(facts: Facts) -> str | None:
    return gitconfig.last(facts.values, _KEY)


def _has_attribute(facts: Facts) -> bool:
    likely = [space.place + name for space in facts.spaces for name in proof.LIKELY]
    for names in (likely, facts.tracked_memory):
        if DRIVER in attributes.check(facts.repo.git, "merge", names).values():
            return True
    return False


def _attribute_without_driver(facts: Facts) -> Iterator[Problem]:
    if _driver(facts) is None and _has_attribute(facts):
        yield Problem(
            "attribute-without-driver",
            Severity.ERROR,
            f"Memory files have merge={DRIVER}, but no such driver is registered; git says nothing and conflicts.",
            "Register it: memgit init --driver-only.",
            mends=True,
        )


def _driver_without_attribute(facts: Facts) -> Iterator[Problem]:
    if _driver(facts) is not None and not _has_attribute(facts) and not install.wants_none(facts.values):
        yield Problem(
            "driver-without-attribute",
            Severity.WARNING,
            f"The driver is registered, but no memory file has merge={DRIVER}, so git never calls it.",
            "Write the attributes: memgit init --driver-only --attributes local.",
            mends=True,
        )


def _driver_not_executable(facts: Facts) -> Iterator[Problem]:
    line = _driver(facts)
    if line is None:
        return
    try:
        words = shlex.split(line.partition("||")[0])
    except ValueError:
        words = []
    program = words[0] if words else ""
    missing = [word for word in words if word.endswith("driver_start.py") and not os.path.isfile(word)]
    if os.path.isabs(program) and not os.access(program, os.X_OK):
        missing.insert(0, program)
    if missing or not words:
        what = missing[0] if missing else "the program in it"
        yield Problem(
            "driver-not-executable",
            Severity.ERROR,
            f"The registered driver can't run: {what} is not there. git falls back to its own merge.",
            "Register it anew: memgit init --driver-only.",
            mends=True,
        )


def _register(facts: Facts) -> None:
    space = facts.spaces[0] if facts.spaces else None
    if space is None:
        return
    request = install.Request(hooks="keep", attributes="keep" if _has_attribute(facts) else None)
    install.apply(facts.repo, install.plan(facts.repo, space.config, space.place, request, programs.installed()))


def _foreign_hooks(facts: Facts) -> Iterator[Problem]:
    place = hooks.find(facts.repo, facts.values)
    if place.configured is not None:
        owner = f", {place.manager}'s" if place.manager else ""
        yield Problem(
            "foreign-hooks",
            Severity.INFO,
            f"core.hooksPath is {place.configured}{owner}; memgit never changes it.",
            "Add memgit-hook to the hooks there: memgit init --hooks native says how.",
        )
        return
    others = [hook for hook in place.hooks if hook.manager != "memgit"]
    if others:
        named = ", ".join(f"{hook.name} ({hook.manager or 'unknown origin'})" for hook in others)
        yield Problem(
            "foreign-hooks",
            Severity.INFO,
            f"Hooks that memgit did not write: {named}.",
            "Nothing to do: memgit runs beside them and leaves them as they are.",
        )


def _hook_changed(facts: Facts) -> Iterator[Problem]:
    for made in changes.load(facts.repo).made:
        if not made.place.startswith("git:hooks/"):
            continue
        path = os.path.join(facts.repo.common_dir, made.place.removeprefix("git:"))
        found = files.read(path)
        legacy = files.read(path + ".legacy")  # where pre-commit puts a hook that it runs first
        if any(content is not None and manifest.digest(content) == made.after for content in (found, legacy)):
            continue
        yield Problem(
            "hook-changed",
            Severity.WARNING,
            f"{path} {'is gone' if found is None else 'is no longer the one memgit installed'}.",
            "Install it again: memgit init." if found is None else "See whether it still runs memgit-hook.",
            mends=found is None,
        )


def _install_hooks(facts: Facts) -> None:
    """Write the hooks again that are gone."""
    space = facts.spaces[0] if facts.spaces else None
    if space is None:
        return
    request = install.Request(hooks="native", attributes="keep")
    planned = install.plan(facts.repo, space.config, space.place, request, programs.installed())
    known = {made.place for made in changes.load(facts.repo).made}
    gone = tuple(
        change
        for change in planned.changes
        if change.before is None and f"git:{os.path.relpath(change.path, facts.repo.common_dir)}" in known
    )
    install.apply(facts.repo, replace(planned, changes=gone))


def _stash_window(facts: Facts) -> Iterator[Problem]:
    if facts.repo.work_tree is None:
        return
    content = files.read(os.path.join(facts.repo.work_tree, precommit_config.FILE))
    managers = {hook.manager for hook in hooks.find(facts.repo, facts.values).hooks} & {"pre-commit", "prek"}
    if content is not None and managers and not precommit_config.mentions_memgit(content):
        yield Problem(
            "stash-window",
            Severity.WARNING,
            f"{' and '.join(sorted(managers))} stashes the tree for its hooks; an agent's writes then get lost.",
            "Let memgit watch: memgit init --hooks pre-commit.",
        )


def _lost_write(facts: Facts) -> Iterator[Problem]:
    count = window.unsettled(facts.repo)
    if count:
        yield Problem(
            "lost-write",
            Severity.WARNING,
            f"{count} stash window(s) ended before what was written in them was merged back.",
            "Merge it now: memgit doctor --fix.",
            mends=True,
        )


def _settle(facts: Facts) -> None:
    window.settle(facts.repo, facts.environ)


def _stashed_patch(facts: Facts) -> Iterator[Problem]:
    for lost in stashed.lost(facts.repo, facts.is_memory, facts.environ):
        yield Problem("stashed-patch", Severity.WARNING, lost.evidence, lost.fix, mends=True)


def _bring_back(facts: Facts) -> None:
    for lost in stashed.lost(facts.repo, facts.is_memory, facts.environ):
        stashed.bring_back(lost)


def _init_interrupted(facts: Facts) -> Iterator[Problem]:
    run = changes.load(facts.repo).run
    if run:
        yield Problem(
            "init-interrupted",
            Severity.WARNING,
            f"A memgit init was killed after {len(run)} step(s).",
            "Take its steps back: memgit doctor --fix, or run memgit init again.",
            mends=True,
        )


def _recover(facts: Facts) -> None:
    install.recover(facts.repo)


def _stale_lock(facts: Facts) -> Iterator[Problem]:
    for lock in locks.find(facts.repo):
        who = f"git runs here (process {lock.holder})" if lock.holder is not None else "no git runs here"
        yield Problem(
            "stale-lock",
            Severity.WARNING,
            f"{lock.path} is {lock.age_s:,} seconds old; {who}.",
            "Take it away: memgit doctor --fix."
            if lock.is_dead
            else "Wait; if nothing uses it, take it away yourself.",
            mends=lock.is_dead,
        )


def _remove_locks(facts: Facts) -> None:
    for lock in locks.find(facts.repo):
        if lock.is_dead:
            files.remove(lock.path)


def _operation_in_progress(facts: Facts) -> Iterator[Problem]:
    for checkout in facts.repo.checkouts():
        if checkout.operation:
            yield Problem(
                "operation-in-progress",
                Severity.INFO,
                f"A {checkout.operation} is in progress ({checkout.git_dir}).",
                "Finish or abort it; captures wait on a private ref until then.",
            )


CHECKS = (
    Check(
        "attribute-without-driver",
        "memory files name a driver that is registered",
        _attribute_without_driver,
        _register,
    ),
    Check("driver-without-attribute", "git calls the registered driver", _driver_without_attribute, _register),
    Check("driver-not-executable", "the registered driver can run", _driver_not_executable, _register),
    Check("foreign-hooks", "there are no hooks but memgit's; others are only named", _foreign_hooks),
    Check("hook-changed", "memgit's hooks are as they were installed", _hook_changed, _install_hooks),
    Check("stash-window", "memory is watched while pre-commit or prek stashes the tree", _stash_window),
    Check("lost-write", "what was written in a stash window is back", _lost_write, _settle),
    Check("stashed-patch", "no hook manager that was killed has memory in its patch", _stashed_patch, _bring_back),
    Check("init-interrupted", "no init was killed half-way", _init_interrupted, _recover),
    Check("stale-lock", "no old lock file is in the way", _stale_lock, _remove_locks),
    Check("operation-in-progress", "no merge, rebase or bisect is in progress", _operation_in_progress),
)
