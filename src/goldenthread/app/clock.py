"""The machine's clock, the only one that runs by itself."""

from __future__ import annotations

import datetime as dt
import time

from typing_extensions import override

from goldenthread.domain.clock import Clock


class SystemClock(Clock):
    """Wall time as the machine tells it."""

    @override
    def now(self) -> dt.datetime:
        return dt.datetime.now(dt.UTC)  # noqa: TID251  # the one place that asks the machine

    @override
    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)
