"""Checks of the memory itself: where it lies, what git sees of it, what must not be in it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator

from memgit.core.problems import SYNC_MARKERS, Problem, Severity, cloud_part
from memgit.git import attributes
from memgit.git.objects import ObjectReader
from memgit.porcelain import judge, propose
from memgit.porcelain.doctor.facts import Check, Facts
from memgit.porcelain.hooked import raw_changes

_PLAIN = ("unspecified", "unset", "")
_MOST_SHOWN = 5
_LARGEST = 4 * 2**20  # bytes of a blob that is scanned


def _memory_outside(facts: Facts) -> Iterator[Problem]:
    paths = tuple(os.fsencode(path) for path in facts.tracked_memory)
    for space in facts.spaces:
        for name, target in propose.links(facts.repo, paths, space.place):
            yield Problem(
                "memory-outside",
                Severity.WARNING,
                f"{name} is a link to {target}, outside of the repository: memgit keeps the link, not what is there.",
                "Move the files into the repository, or set memgit up there, too.",
            )


def _nested_repository(facts: Facts) -> Iterator[Problem]:
    found = dict.fromkeys(place for patterns in facts.memory for place in propose.nested(facts.repo, patterns))
    including = any(space.config.capture.nested == "include" for space in facts.spaces)
    for place in found if not including else ():
        yield Problem(
            "nested-repository",
            Severity.WARNING,
            f"{place} is a repository of its own: git, and so memgit, does not see what is in it.",
            'Take its .git away, or set nested = "include" under [capture].',
        )


def _cloud_folder(facts: Facts) -> Iterator[Problem]:
    place = os.path.realpath(facts.repo.common_dir)
    part = cloud_part(place)
    above = place
    while part is None and above != "/":
        part = next((name for name in SYNC_MARKERS if os.path.lexists(os.path.join(above, name))), None)
        above = os.path.dirname(above)
    if part is not None:
        yield Problem(
            "cloud-folder",
            Severity.WARNING,
            f"The repository lies in a folder that is synchronised ({part}); two machines that write .git corrupt it.",
            "Move it out, and let machines meet through a remote: memgit sync.",
        )


def _filters(facts: Facts) -> Iterator[Problem]:
    found = attributes.check_all(facts.repo.git, ("filter", "working-tree-encoding"), facts.tracked_memory)
    uses = Counter(
        f"{name}={value}" for values in found.values() for name, value in values.items() if value not in _PLAIN
    )
    known = {value.key for value in facts.values}
    for use, count in uses.items():
        name, _, value = use.partition("=")
        broken = name == "filter" and not {f"filter.{value}.clean", f"filter.{value}.process"} & known
        yield Problem(
            "filters",
            Severity.WARNING if broken else Severity.INFO,
            f"{count} memory file(s) have {use}"
            + (
                ", but no such filter is configured: they are stored unfiltered." if broken else "; git stores them so."
            ),
            "Configure the filter, or take the attribute away." if broken else "Nothing to do.",
        )


def _secrets_in_history(facts: Facts) -> Iterator[Problem]:
    out = facts.repo.git.run(
        "log", "--all", "--raw", "-r", "-z", "-m", "--no-renames", "--no-abbrev", "--format=", "--diff-filter=AMT"
    ).stdout
    blobs = {new: path for _, new, path in raw_changes(out) if facts.is_memory(path)}
    if not blobs:
        return
    from memgit.core.secrets.scan import scan

    passing = frozenset(one for space in facts.spaces for one in judge.allowed(facts.repo, space.config))
    key = judge.known_key(facts.repo)
    places: dict[str, set[str]] = {}
    with ObjectReader(facts.repo.git) as reader:
        for (_, path), content in zip(blobs.items(), reader.read_limited(blobs, _LARGEST), strict=True):
            for finding in scan(content or b"", path, passing, key=key):
                places.setdefault(finding.path, set()).add(f"{finding.rule} {finding.fingerprint}")
    if places:
        count = sum(len(found) for found in places.values())
        shown = ", ".join(sorted(places)[:_MOST_SHOWN]) + (", ..." if len(places) > _MOST_SHOWN else "")
        yield Problem(
            "secrets-in-history",
            Severity.ERROR,
            f"History holds what looks like {count} secret(s), in {len(places)} memory file(s): {shown}.",
            "Revoke them: what was committed once has to count as known. memgit guard scan --range shows places.",
        )


CHECKS = (
    Check("memory-outside", "memory lies inside the repository", _memory_outside),
    Check("nested-repository", "memory holds no repository of its own", _nested_repository),
    Check("cloud-folder", "the repository is in no synchronised folder", _cloud_folder),
    Check("filters", "memory goes through no filter that is not configured", _filters),
    Check("secrets-in-history", "no version of a memory file holds a secret", _secrets_in_history),
)
