"""What notebooks type, brought to the form the rest of the house takes."""

from __future__ import annotations

import datetime as dt
from dataclasses import fields
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any

from goldenthread.app.api.project import Project
from goldenthread.app.api.research.backtests import Asked, backtest_frame, backtest_project
from goldenthread.app.api.research.sweeps import SweepOrder
from goldenthread.app.api.research.sweeps import sweep as sweep_project
from goldenthread.domain.errors import UsageError
from goldenthread.signals.expressions import nearest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from goldenthread.research.backtest.result import Backtest
    from goldenthread.research.sweep.sweeping import Sweep

Day = dt.date | str | None
_ENDS = 2


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
    first, last = _span(span)
    asked = Asked(
        files=[Path(name) for name in named],
        params=params,
        start_cash=None if start_cash is None else _positive("start_cash", start_cash, "100000"),
        span=(first, last),
    )
    if bars is not None:
        return backtest_frame(asked, bars)
    return backtest_project(Project.open(Path(folder)), asked)


def sweep(
    strategy: str | Path,
    vary: str | Sequence[str],
    folder: str | Path,
    options: Mapping[str, Any],
) -> Sweep:
    """See ``goldenthread.sweep``; ``options`` are the other fields of ``SweepOrder``."""
    known = {field.name for field in fields(SweepOrder)} - {"strategy", "vary"}
    for name in options:
        if name not in known:
            allowed = sorted(known)
            words = f"sweep has no option {name!r}{nearest(name, allowed)}"
            msg = f"{words}; it takes {', '.join(allowed)}"
            raise UsageError(msg)
    given = dict(options)
    given |= {name: _day(name, given[name]) for name in ("first", "last") if name in given}
    for name, example in (("capital", "100000"), ("fraction", "0.1")):
        if name in given:
            given[name] = _positive(name, given[name], example)
    if isinstance(given.get("symbols"), str):
        given["symbols"] = [given["symbols"]]
    varied = [vary] if isinstance(vary, str) else list(vary)
    return sweep_project(Project.open(Path(folder)), SweepOrder(str(strategy), varied, **given))


def _positive(name: str, value: float | str | Decimal, example: str) -> Decimal:
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or number <= 0:
        msg = f"{name} got {value!r}; it is a number above 0, {example} for example"
        raise UsageError(msg)
    return number


def _span(span: object) -> tuple[dt.date | None, dt.date | None]:
    if isinstance(span, str) or not isinstance(span, tuple | list) or len(span) != _ENDS:
        msg = f"span got {span!r}; it is two dates, ('2020-01-01', None) for example"
        raise UsageError(msg)
    return _day("span", span[0]), _day("span", span[1])


def _day(name: str, value: Day) -> dt.date | None:
    if isinstance(value, dt.datetime):
        return value.date()
    if value is None or isinstance(value, dt.date):
        return value
    try:
        return dt.date.fromisoformat(value)
    except ValueError:
        msg = f"{name} got {value!r}, no date of the calendar; one looks like 2024-01-31"
        raise UsageError(msg) from None
