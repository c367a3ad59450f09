"""What notebooks type, brought to the form the rest of the house takes."""

from __future__ import annotations

import datetime as dt
from dataclasses import fields
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any

from goldenthread.app.api.project import Project
from goldenthread.app.api.research.backtests import Asked
from goldenthread.app.api.research.backtests import backtest as together
from goldenthread.app.api.research.per_strategy import Bet, per_strategy
from goldenthread.app.api.research.sweeps import SweepOrder
from goldenthread.app.api.research.sweeps import sweep as sweep_in
from goldenthread.app.api.research.worlds import World
from goldenthread.domain.errors import UsageError
from goldenthread.signals.expressions import nearest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from goldenthread.research.backtest.per_strategy import PerStrategy
    from goldenthread.research.backtest.result import Backtest
    from goldenthread.research.sweep.sweeping import Sweep

Day = dt.date | str | None
_ENDS = 2


def backtest(
    strategies: str | Path | Sequence[str | Path],
    bars: object,
    params: Mapping[str, float | str | Decimal],
    where: tuple[tuple[Day, Day], str | Path],
    options: Mapping[str, Any],
) -> Backtest | PerStrategy:
    """See ``goldenthread.backtest``; ``where`` is the span and the project's folder."""
    span, folder = where
    apart = bool(options.get("per_strategy"))
    allowed = {"capital", "fraction"} if apart else {"start_cash"}
    _refuse_unknown("backtest", options, {"per_strategy", *allowed})
    amounts = _amounts(options)
    named = [strategies] if isinstance(strategies, str | Path) else list(strategies)
    asked = Asked(
        files=[Path(name) for name in named],
        params=params,
        start_cash=amounts.pop("start_cash", None),
        span=_span(span),
    )
    world = _world(bars, folder)
    return per_strategy(world, asked, Bet(**amounts)) if apart else together(world, asked)


def sweep(
    strategy: str | Path,
    vary: str | Sequence[str],
    folder: str | Path,
    bars: object,
    options: Mapping[str, Any],
) -> Sweep:
    """See ``goldenthread.sweep``; ``options`` are the other fields of ``SweepOrder``."""
    allowed = {field.name for field in fields(SweepOrder)} - {"strategy", "vary"}
    _refuse_unknown("sweep", options, allowed)
    given = {**options, **_amounts(options)}
    given |= {name: _day(name, given[name]) for name in ("first", "last") if name in given}
    if isinstance(given.get("symbols"), str):
        given["symbols"] = [given["symbols"]]
    varied = [vary] if isinstance(vary, str) else list(vary)
    return sweep_in(_world(bars, folder), SweepOrder(str(strategy), varied, **given))


def _world(bars: object, folder: str | Path) -> World:
    root = Path(folder)
    return World.of_project(Project.open(root)) if bars is None else World.of_frame(bars, root)


def _refuse_unknown(face: str, options: Mapping[str, Any], allowed: AbstractSet[str]) -> None:
    for name in options:
        if name not in allowed:
            known = sorted(allowed)
            words = f"{face} has no option {name!r}{nearest(name, known)}"
            msg = f"{words}; it takes {', '.join(known)}"
            raise UsageError(msg)


def _amounts(options: Mapping[str, Any]) -> dict[str, Decimal]:
    """The amounts of money and the fraction that were given, exact."""
    examples = {"start_cash": "100000", "capital": "100000", "fraction": "0.1"}
    return {
        name: _positive(name, options[name], example)
        for name, example in examples.items()
        if options.get(name) is not None
    }


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
