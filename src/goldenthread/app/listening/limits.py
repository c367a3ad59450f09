"""How often a listener answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from goldenthread.domain.clock import Clock

_MINUTE = 60


class RateLimit:
    """So many requests in each minute of the wall clock; None: as many as come."""

    def __init__(self, per_minute: int | None, clock: Clock) -> None:
        self._per_minute = per_minute
        self._clock = clock
        self._minute = 0
        self._used = 0

    def take(self) -> tuple[bool, dict[str, str]]:
        """Whether one more passes, and the headers that tell how many are left until when."""
        if self._per_minute is None:
            return True, {}
        passes = not self.is_spent()
        self._used += passes
        return passes, {
            "x-ratelimit-limit": str(self._per_minute),
            "x-ratelimit-remaining": str(self._per_minute - self._used),
            "x-ratelimit-reset": str((self._minute + 1) * _MINUTE),
        }

    def is_spent(self) -> bool:
        """Whether none passes any more in this minute."""
        minute = int(self._clock.now().timestamp()) // _MINUTE
        if minute != self._minute:
            self._minute, self._used = minute, 0
        return self._per_minute is not None and self._used >= self._per_minute
