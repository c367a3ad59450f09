"""Fewer requests than Alpaca allows: a token bucket that obeys when it is told to wait."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from goldenthread.domain.clock import Clock

PER_MINUTE = 150
"""Our own limit; Alpaca's is 200 a minute and account."""

_BURST = 30
_LONGEST_WAIT = dt.timedelta(minutes=2)


class Throttle:
    """Lets a request pass when there is a token, and waits by the injected clock when not.

    The bucket holds ``burst`` tokens and is filled at ``per_minute``. An answer that leaves no
    requests, or names seconds to wait (``Retry-After``), stops everybody until then (at most
    two minutes ahead).
    """

    def __init__(self, clock: Clock, per_minute: int = PER_MINUTE, burst: int = _BURST) -> None:
        self._clock = clock
        self._rate = per_minute / 60
        self._burst = float(burst)
        self._tokens = float(burst)
        self._filled_at = clock.now()
        self._closed_until = self._filled_at
        self.requests = 0

    def take(self) -> None:
        """Return when the next request may be sent."""
        self._wait_for_reset()
        self._fill()
        if self._tokens < 1:
            self._clock.sleep((1 - self._tokens) / self._rate)
            self._fill()
        self._tokens = max(0.0, self._tokens - 1)
        self.requests += 1

    def obey(self, headers: Mapping[str, str]) -> None:
        """Take note of what an answer says about when the next request may come."""
        latest = self._clock.now() + _LONGEST_WAIT
        reset, wait = headers.get("X-Ratelimit-Reset", ""), headers.get("Retry-After", "")
        if headers.get("X-Ratelimit-Remaining") == "0" and reset.isdigit():
            self._closed_until = min(dt.datetime.fromtimestamp(int(reset), dt.UTC), latest)
        if wait.isdigit():
            until = self._clock.now() + dt.timedelta(seconds=int(wait))
            self._closed_until = min(max(until, self._closed_until), latest)

    def _wait_for_reset(self) -> None:
        wait = (self._closed_until - self._clock.now()).total_seconds()
        if wait > 0:
            self._clock.sleep(wait)

    def _fill(self) -> None:
        now = self._clock.now()
        passed = max(0.0, (now - self._filled_at).total_seconds())
        self._tokens = min(self._burst, self._tokens + passed * self._rate)
        self._filled_at = now
