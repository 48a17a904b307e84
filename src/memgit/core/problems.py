"""What doctor finds: problems with an id, evidence, and the way out."""

from __future__ import annotations

from enum import Enum

from memgit.core.values import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


class Severity(Enum):
    """How bad it is, the worst first."""

    ERROR = "something does not work, or memory is at risk"
    WARNING = "something will go wrong sooner or later"
    INFO = "worth knowing"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong. mends: `memgit doctor --fix` puts it right."""

    id: str
    severity: Severity
    evidence: str  # a sentence
    fix: str  # what to do, as a sentence
    mends: bool = False
    mended: bool = False


CLOUD_NAMES = (
    "Dropbox",
    "OneDrive",
    "Google Drive",
    "GoogleDrive",
    "My Drive",
    "Mobile Documents",
    "CloudStorage",
    "iCloud Drive",
    "iCloudDrive",
    "pCloudDrive",
    "Nextcloud",
    "ownCloud",
)
SYNC_MARKERS = (".stfolder", ".dropbox", ".dropbox.cache", ".owncloudsync.log", ".sync_folder")

_LEAST_FREE = 200 * 2**20  # bytes
_LEAST_SHARE = 0.02
_SKEW_S = 300


def cloud_part(path: str) -> str | None:
    """The component of a path by which a folder of a sync service is known."""
    parts = path.split("/")
    return next(
        (part for part in parts if any(part == name or part.startswith(name + " -") for name in CLOUD_NAMES)), None
    )


def low_disk(free: int, total: int) -> str | None:
    """A sentence if there is too little room to capture for long."""
    if free >= _LEAST_FREE and (free >= 10 * _LEAST_FREE or free >= total * _LEAST_SHARE):
        return None
    return f"Only {free // 2**20:,} MiB of {total // 2**20:,} MiB are free."


def clock_off(now_s: int, newest_commit_s: int) -> str | None:
    """A sentence if the newest commit was made in what is the future."""
    ahead = newest_commit_s - now_s
    return None if ahead <= _SKEW_S else f"The newest commit is dated {ahead:,} seconds from now."


def worst(problems: Sequence[Problem]) -> Severity | None:
    """The worst severity of what has not been mended."""
    found = [problem.severity for problem in problems if not problem.mended]
    return next((severity for severity in Severity if severity in found), None)
