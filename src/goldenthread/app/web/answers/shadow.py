"""Answers about what was refused, and about other thresholds."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel


class Refuser(BaseModel, extra="forbid"):
    """A filter, a gate or the broker: what it refused, and what that would have made.

    ``alone_`` figures are of the signals nothing else refused; rates and money are null where
    nothing is resolved. A gate and the broker are the account's: ``strategy_id`` is null.
    """

    kind: Literal["filter", "gate", "broker"]
    strategy_id: str | None
    name: str
    refused: int
    resolved: int
    open: int
    unpriceable: int
    untriggered: int
    net_pnl: float | None
    hit_rate: float | None
    average_r: float | None
    alone: int
    alone_resolved: int
    alone_open: int
    alone_unpriceable: int
    alone_untriggered: int
    alone_net_pnl: float | None
    alone_hit_rate: float | None
    alone_average_r: float | None
    alone_low: float | None
    alone_high: float | None
    verdict: str


class Shadow(BaseModel, extra="forbid"):
    """Who refused what, ranked as it is read."""

    book: str
    refused: list[Refuser]


class Threshold(BaseModel, extra="forbid"):
    """What the strategy would have made at a threshold, and more than at the present one."""

    threshold: float
    present: bool
    passed: int
    trades: int
    net_pnl: float | None
    difference: float | None
    low: float | None
    high: float | None
    max_drawdown: float | None


class FilterCurve(BaseModel, extra="forbid"):
    """What a strategy would have made at each threshold of one filter, at equal stakes."""

    book: str
    strategy_id: str
    name: str
    test: str
    signals: int
    unknown: int
    as_recorded: int
    points: list[Threshold]
