"""`[[merge]]` tables: which policy a path has.

The settings table (`core.settings`) knows the same keys; this reader is for the driver, which can't afford it.
"""

from __future__ import annotations

from memgit.core.merge.policy import MergePolicy

_KEYS = ("glob", "policy", "kind", "order")
_ORDERS = ("shared", "ours-first")


class Rule:
    """One `[[merge]]` table."""

    __slots__ = ("glob", "policy")

    def __init__(self, glob: str, policy: MergePolicy) -> None:
        self.glob = glob
        self.policy = policy


def parse(document: dict[str, object]) -> tuple[Rule, ...]:
    """The merge rules of a parsed configuration file, in its order; raises ValueError naming the key."""
    tables = document.get("merge", [])
    if not isinstance(tables, list):
        raise ValueError("merge: must be an array of tables, [[merge]]")
    return tuple(_rule(table) for table in tables)


def _rule(table: object) -> Rule:
    if not isinstance(table, dict):
        raise ValueError("merge: must be an array of tables, [[merge]]")
    for name, value in table.items():
        if name not in _KEYS:
            raise ValueError(f"merge.{name}: unknown key; known are {', '.join(_KEYS)}")
        if not isinstance(value, str):
            raise ValueError(f"merge.{name}: must be a string")
    if not table.get("glob"):
        raise ValueError("merge.glob: must name the paths of the rule")
    order = table.get("order", "shared")
    if order not in _ORDERS:
        raise ValueError(f"merge.order: unknown order {order!r}; known are {', '.join(_ORDERS)}")
    return Rule(
        table["glob"],
        MergePolicy(table.get("kind", "auto"), table.get("policy", "markers"), ours_first=order == "ours-first"),
    )


def policy_for(path: str, rules: tuple[Rule, ...]) -> MergePolicy:
    """The policy of the first rule whose glob selects the path; the default if none does."""
    from memgit.core.memory import PatternList  # needs `re`; only repositories with rules pay for it

    name = path.encode("utf-8", "surrogateescape")
    return next((rule.policy for rule in rules if PatternList([rule.glob]).selects(name)), MergePolicy())
