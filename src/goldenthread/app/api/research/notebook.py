"""What notebooks type, brought to the form the rest of the house takes."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING

from goldenthread.app.api.project import Project
from goldenthread.app.api.research.backtests import Asked, backtest_frame, backtest_project
from goldenthread.domain.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from goldenthread.research.backtest.result import Backtest

Day = dt.date | str | None


def backtest(
    strategies: str | Path | Sequence[str | Path],
    bars: object,
    params: Mapping[str, float | str | Decimal],
    start_cash: float | str | Decimal | None,
    where: tuple[tuple[Day, Day], str | Path],
) -> Backtest:
    """See ``goldenthread.backtest``; ``where`` is the span and the project's folder."""
    span, folder = where
    named = [strategies] if isinstance(strategies, str | Path) else list(strategies)
    asked = Asked(
        files=[Path(name) for name in named],
        params=params,
        start_cash=None if start_cash is None else _cash(start_cash),
        span=(_day(span[0]), _day(span[1])),
    )
    if bars is not None:
        return backtest_frame(asked, bars)
    return backtest_project(Project.open(Path(folder)), asked)


def _cash(value: float | str | Decimal) -> Decimal:
    try:
        cash = Decimal(str(value))
    except InvalidOperation:
        cash = Decimal("NaN")
    if not cash.is_finite() or cash <= 0:
        msg = f"start_cash got {value!r}; it is an amount above 0, 100000 for example"
        raise UsageError(msg)
    return cash


def _day(value: Day) -> dt.date | None:
    if isinstance(value, dt.datetime):
        return value.date()
    if value is None or isinstance(value, dt.date):
        return value
    try:
        return dt.date.fromisoformat(value)
    except ValueError:
        msg = f"span got {value!r}, no date of the calendar; one looks like 2024-01-31"
        raise UsageError(msg) from None
