"""Ways of working that `memgit init --preset` starts a policy from: how soon, how often, and what goes out."""

from __future__ import annotations

from memgit.core.values import dataclass


@dataclass(frozen=True, slots=True)
class Preset:
    """about: for the help. window: of consolidation; None for what fits the workspace. text: more of the policy."""

    about: str
    window: str | None
    text: str


PRESETS: dict[str, Preset] = {
    "solo": Preset(
        "one machine: capture on change, consolidate daily, push every 30 minutes",
        "day",
        '[schedule]\nconsolidate = "daily 00:30"\npush = "every 30m"\n',
    ),
    "hybrid": Preset(
        "MEMORY.md at once, logs every 30 minutes, a consolidated commit every 6 hours, push daily, back up",
        "6h",
        '[[policy]]\nglob = "/MEMORY.md"\ncapture = "immediate"\n\n'
        '[[policy]]\nglob = "/memory/**"\ncapture = "30m"\n\n'
        '[schedule]\ncapture = "every 30m"\nconsolidate = "10 */6 * * *"\npush = "daily 03:00"\n'
        'backup = "every 30m"\n',
    ),
    "team": Preset(
        "several machines: meet every 15 minutes, consolidated by the hour",
        "hour",
        '[push]\nopen_windows = true\n\n[schedule]\nconsolidate = "hourly"\nsync = "every 15m"\n',
    ),
}
