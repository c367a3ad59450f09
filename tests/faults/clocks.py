"""A machine whose clock is wrong and whose zone is another one."""

from __future__ import annotations

import datetime as dt
import os
import time
from dataclasses import dataclass
from itertools import count

from goldenthread.app.clock import SystemClock


@dataclass(frozen=True)
class WrongClock:
    """Ahead of the true time by ``ahead_s``, after its ``calls`` first answers by ``later_s``."""

    zone: str = "UTC"
    ahead_s: float = 0
    later_s: float = 0
    calls: int = 0


def wear(clock: WrongClock) -> None:
    """Make it the clock of this process."""
    os.environ["TZ"] = clock.zone
    time.tzset()
    answers = count()

    def now(self: SystemClock) -> dt.datetime:
        del self
        off = clock.ahead_s if next(answers) < clock.calls else clock.later_s
        return dt.datetime.now(dt.UTC) + dt.timedelta(seconds=off)

    SystemClock.now = now  # type: ignore[method-assign]  # in a child that ends with its command
