"""memgit doctor: look for everything that can be wrong, mend what can be mended."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from memgit.core.problems import Problem, Severity
from memgit.core.values import dataclass, replace
from memgit.errors import ConfigError, MemgitError, UnsupportedRepository, UntrustedConfig, UsageError
from memgit.git.repository import Repository
from memgit.porcelain import hooked
from memgit.porcelain.doctor import clone, history, machine, memory
from memgit.porcelain.doctor.facts import Check, Facts

CHECKS: tuple[Check, ...] = (*clone.CHECKS, *history.CHECKS, *machine.CHECKS, *memory.CHECKS)
_BEFORE = {
    "unsupported-repository": "the repository's format is one that memgit reads",
    "config-broken": "the configuration files can be read",
    "config-untrusted": "no travelling file asks for more than it may",
}
ABOUT = {**_BEFORE, **{check.id: check.about for check in CHECKS}}  # what each id looks for, in the order it is done
IDS = tuple(ABOUT)
MENDING = frozenset(check.id for check in CHECKS if check.mend is not None)


@dataclass(frozen=True, slots=True)
class Report:
    """What was found, and how many things were looked at."""

    problems: tuple[Problem, ...]
    checks: int


def run(
    find: Callable[[], Repository],
    environ: Mapping[str, str],
    now_s: int,
    *,
    only: Sequence[str] = (),
    fix: bool = False,
) -> Report:
    """Look, and with `fix` mend. only: ids of checks; empty for all. Raises UsageError for an id there is not.

    find: the repository, with git run at its top; that it is of no format we know is the first thing that can be wrong.
    """
    for name in only:
        if name not in IDS:
            raise UsageError(f"{name} is no check of doctor.", f"There are: {', '.join(IDS)}.")
    wanted = tuple(only) or IDS
    try:
        repo = find()
    except UnsupportedRepository as error:
        return Report(
            (Problem("unsupported-repository", Severity.ERROR, error.message, error.hint or _UNSUPPORTED),), 1
        )
    found: list[Problem] = []
    try:
        spaces = hooked.workspaces(repo, environ)
    except (ConfigError, UntrustedConfig) as error:
        name = "config-untrusted" if isinstance(error, UntrustedConfig) else "config-broken"
        found.append(Problem(name, Severity.ERROR, error.message, error.hint or "Mend the file."))
        spaces = ()
    found = [problem for problem in found if problem.id in wanted]
    facts = Facts(repo, spaces, environ, now_s)
    for check in CHECKS:
        if check.id in wanted:
            found += _examined(check, facts, fix=fix)
    order = list(Severity)
    return Report(tuple(sorted(found, key=lambda problem: order.index(problem.severity))), len(wanted))


_UNSUPPORTED = "memgit does not work in this repository."


def _examined(check: Check, facts: Facts, *, fix: bool) -> list[Problem]:
    try:
        problems = list(check.look(facts))
    except MemgitError as error:  # one thing that can't be looked at keeps nothing else from being seen
        why = f"This could not be looked at: {error.message}"
        return [Problem(check.id, Severity.WARNING, why, error.hint or "See what else is wrong; `git fsck` may tell.")]
    if not fix or check.mend is None or not any(problem.mends for problem in problems):
        return problems
    check.mend(facts)
    left = list(check.look(Facts(facts.repo, facts.spaces, facts.environ, facts.now_s)))
    evidence = {problem.evidence for problem in left}
    return [*(replace(one, mended=True) for one in problems if one.evidence not in evidence), *left]
