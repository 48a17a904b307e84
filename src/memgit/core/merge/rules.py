"""`[[merge]]` tables: which policy a path has."""

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
    """The policy of the last rule that matches, as in .gitattributes; the default if none does."""
    for rule in reversed(rules):
        if matches(path, rule.glob):
            return rule.policy
    return MergePolicy()


def matches(path: str, glob: str) -> bool:
    """`*` and `?` stay inside a directory, `**` crosses them; a glob without a slash matches the file name."""
    from fnmatch import fnmatchcase  # needs `re`; only repositories with rules pay for it

    if "/" not in glob:
        return fnmatchcase(path.rsplit("/", 1)[-1], glob)
    parts, wanted = path.split("/"), glob.lstrip("/").split("/")
    reachable = {0}
    for n, name in enumerate(wanted):
        if name == "**":
            reachable = set(range(min(reachable), len(parts) + (n + 1 < len(wanted)))) | (
                {len(parts)} if n + 1 == len(wanted) and min(reachable) < len(parts) else set()
            )
        else:
            reachable = {at + 1 for at in reachable if at < len(parts) and fnmatchcase(parts[at], name)}
        if not reachable:
            return False
    return len(parts) in reachable
