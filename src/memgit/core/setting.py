"""What a setting is: its kind, its line of help, where it may stand, and where the value in force came from."""

from __future__ import annotations

from enum import Enum

from memgit.core.kinds import Kind
from memgit.core.values import MISSING, dataclass, field

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing is slow to import, and this module is read at every start
    from typing import Any


class Scope(Enum):
    """Where a setting may stand."""

    TRAVELS = "anywhere, also in a file that travels with the repository"
    TIGHTEN = "anywhere; a file that travels with the repository can only make it stricter"
    LOCAL = "never in a file that travels with the repository"


class OriginKind(Enum):
    """The layers of configuration, the strongest first."""

    FLAG = "flag"
    ENVIRONMENT = "environment"
    LOCAL_FILE = "local file"
    TRACKED_FILE = "tracked file"
    USER_FILE = "user file"
    DEFAULT = "default"

    @property
    def is_file(self) -> bool:
        """Whether values of this layer stand in a file."""
        return self in (OriginKind.LOCAL_FILE, OriginKind.TRACKED_FILE, OriginKind.USER_FILE)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value came from."""

    kind: OriginKind
    name: str = ""  # the flag, the variable, or the path of the file
    line: int | None = None  # in the file, where it is known

    def __str__(self) -> str:
        place = self.name or self.kind.value
        return place if self.line is None else f"{place}:{self.line}"


DEFAULT = Origin(OriginKind.DEFAULT)


@dataclass(frozen=True, slots=True)
class Setting:
    """What is known of one setting, besides its name and default."""

    kind: Kind
    doc: str  # one line, for the example and the reference
    scope: Scope
    sample: object  # shown in the example where the default says little


def setting(
    default: object, kind: Kind, doc: str, *, scope: Scope = Scope.TRAVELS, sample: object = None
) -> Any:  # Any, so that a field keeps the type it is declared with
    """One row of the table; `...` as default means that the field must be given."""
    row = {"setting": Setting(kind, doc, scope, sample)}
    return field(default=MISSING if default is ... else default, metadata=row)
