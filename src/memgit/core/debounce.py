"""When to act on a storm of events: after it has been quiet for a while, but never later than a maximum.

Trailing, so that the last change of a burst is always acted on; a leading-edge throttle drops it.
"""

from __future__ import annotations

from memgit.core.values import dataclass, replace


@dataclass(frozen=True, slots=True)
class Debounce:
    """What is known of the events since the last action. Times are seconds of any clock that never goes back."""

    quiet_s: float
    max_wait_s: float
    first_s: float | None = None
    last_s: float | None = None

    def touched(self, now_s: float) -> Debounce:
        """One more event."""
        return replace(self, first_s=now_s if self.first_s is None else self.first_s, last_s=now_s)

    def taken(self) -> Debounce:
        """Acted on: nothing is waiting. To be called before the action looks at the world."""
        return replace(self, first_s=None, last_s=None)

    @property
    def due_s(self) -> float | None:
        """When to act; None while nothing waits."""
        if self.first_s is None or self.last_s is None:
            return None
        return min(self.last_s + self.quiet_s, self.first_s + self.max_wait_s)

    def is_due(self, now_s: float) -> bool:
        """Whether to act now."""
        due_s = self.due_s
        return due_s is not None and due_s <= now_s
