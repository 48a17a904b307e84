"""Checks of a clone's history: what is published, and whether every operation can still be taken back."""

from __future__ import annotations

from collections.abc import Iterator

from memgit.core.consolidation import records
from memgit.core.consolidation.classify import Classifier, Kind
from memgit.core.objects import ZERO
from memgit.core.operations import LOG_REF, Operation
from memgit.core.problems import Problem, Severity
from memgit.errors import MemgitError
from memgit.git import history, refs
from memgit.git.objects import ObjectReader
from memgit.porcelain import oplog
from memgit.porcelain.doctor.facts import Check, Facts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from memgit.git.second_reader import SecondReader

_NEWEST = 20_000  # commits of the upstream looked at


def _published_raw(facts: Facts) -> Iterator[Problem]:
    tip = refs.resolve(facts.repo.git, "@{upstream}")
    if tip is None or not facts.spaces:
        return
    classifier = Classifier(tuple(rule for space in facts.spaces for rule in space.config.auto))
    count = seen = 0
    for chunk in records.read(history.stream(facts.repo.git, tip, ())):
        for record, kind in zip(chunk, classifier.kinds(chunk), strict=True):
            count += kind is not Kind.PERSON and b"Memgit-Window:" not in records.message_of(record)
        seen += len(chunk)
        if seen >= _NEWEST:
            break
    if count:
        yield Problem(
            "published-raw",
            Severity.WARNING,
            f"{count:,} automatic commits are published as they are; consolidate leaves them alone.",
            "See what it would mean to rewrite them: memgit consolidate --published --dry-run.",
        )


def _operation_log(facts: Facts) -> Iterator[Problem]:
    """What memgit promises of an operation, read back by another implementation of git than the one that wrote it."""
    newest = refs.peek(facts.repo.git, facts.repo.common_dir, LOG_REF)
    if newest is None:
        return
    from memgit.git.second_reader import SecondReader  # 40 ms

    try:
        second = SecondReader(facts.repo.common_dir)
    except OSError:
        return  # libgit2 knows no such repository; then git's own word has to do
    with ObjectReader(facts.repo.git) as reader:
        log = oplog.walk(reader, newest)
        try:
            for operation in log:
                if (wrong := _wrong_with(operation, second)) is not None:
                    yield Problem("operation-log", Severity.ERROR, *wrong)
        except (MemgitError, KeyError) as error:
            yield Problem("operation-log", Severity.ERROR, f"The operation log can't be read: {error}.", _BRING_BACK)


_BRING_BACK = "Fetch it from another clone or a backup of .git; `memgit prune` lets go of what is past its time."


def _wrong_with(operation: Operation, second: SecondReader) -> tuple[str, str] | None:
    name = f"{operation.oid.decode()[:10]} ({operation.summary})"
    for moved in operation.changes:
        if ZERO in (moved.old, moved.new):
            continue
        if (gap := second.first_gap(moved.old, moved.new)) is not None:
            return f"Operation {name} can't be taken back: {gap.decode()[:10]}, or what it needs, is gone.", _BRING_BACK
    moved = operation.branch
    if operation.kind == "consolidate" and second.tree_of(moved.old) != second.tree_of(moved.new):
        return (
            f"Operation {name} changed files, which no consolidation may.",
            f"See what: git diff {moved.old.decode()[:10]} {moved.new.decode()[:10]}. Please report it.",
        )
    return None


CHECKS = (
    Check("published-raw", "no raw automatic commits are published", _published_raw),
    Check("operation-log", "every operation can be taken back, read by libgit2 as a second opinion", _operation_log),
)
