"""Goldenthread: from daily bars to trades, and everything that was not traded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, overload

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping, Sequence
    from decimal import Decimal
    from pathlib import Path

    from goldenthread.app.api.evaluation.face import OpenProject
    from goldenthread.research.backtest.per_strategy import PerStrategy
    from goldenthread.research.backtest.result import Backtest
    from goldenthread.research.sweep.sweeping import Sweep
    from goldenthread.signals.factors.python import Factor

    Amount = float | str | Decimal
    Day = dt.date | str | None

__all__ = ["__version__", "backtest", "factor", "open", "sweep"]
__version__ = "0.1.0"


def open(folder: str | Path = ".") -> OpenProject:  # noqa: A001  # gt.open(".") is the notebook's word
    """The project of a folder, for notebooks and scripts.

    Raises:
        UsageError: The folder holds no goldenthread.toml, or one that is not right.
    """
    from pathlib import Path  # noqa: PLC0415  # importing the package stays free

    from goldenthread.app.api.evaluation.face import OpenProject  # noqa: PLC0415  # the same

    return OpenProject.open(Path(folder))


@overload
def backtest(
    strategies: str | Path | Sequence[str | Path],
    bars: object = None,
    params: Mapping[str, Amount] | None = None,
    *,
    span: tuple[Day, Day] = (None, None),
    project: str | Path = ".",
    start_cash: Amount | None = None,
) -> Backtest: ...


@overload
def backtest(
    strategies: str | Path | Sequence[str | Path],
    bars: object = None,
    params: Mapping[str, Amount] | None = None,
    *,
    span: tuple[Day, Day] = (None, None),
    project: str | Path = ".",
    per_strategy: Literal[True],
    **bet: Amount,
) -> PerStrategy: ...


def backtest(
    strategies: str | Path | Sequence[str | Path],
    bars: object = None,
    params: Mapping[str, Amount] | None = None,
    *,
    span: tuple[Day, Day] = (None, None),
    project: str | Path = ".",
    **options: Any,
) -> Backtest | PerStrategy:
    """What strategies would have done with one account: trades, refusals, daily equity, figures.

    ::

        r = gt.backtest("strategies/breakout.toml", bars=df, params={"rsi_max": 65})
        r.trades, r.rejected, r.equity, r.metrics, r.filters

    With ``per_strategy=True`` each is by itself, as ``sweep`` tries a permutation: a signal
    takes ``fraction`` of ``capital``, cash is not shared and an account's gates are not asked::

        r = gt.backtest(["breakout", "dip"], per_strategy=True, capital=100_000, fraction=0.1)
        r.trades, r.equity, r.metrics

    Args:
        strategies: One strategy file or several, all of them on one account; ids, too, where
            ``project`` is read.
        bars: A polars or pandas frame of daily bars, one row a symbol and day, columns as
            ``data import`` takes them; None reads those of the project.
        params: Other values for ``[params]`` of the strategies.
        span: First and last date to decide on; None is the first or last bar.
        project: The folder whose bars, policy and account are used; not read with ``bars``.
        options: ``start_cash``, the account's first cash (the project's, or 100,000); or
            ``per_strategy``, ``capital`` (100,000) and ``fraction`` (0.1).

    Raises:
        UsageError: A file, a parameter, a column or an index is not right, or bars are missing.
        DataError: Rows of the bars break a rule.
    """
    from goldenthread.app.api.research.notebook import backtest as run  # noqa: PLC0415  # as above

    return run(strategies, bars, params or {}, (span, project), options)


def sweep(
    strategy: str | Path,
    vary: str | Sequence[str],
    folder: str | Path = ".",
    bars: object = None,
    **options: Any,  # noqa: ANN401  # those of SweepOrder
) -> Sweep:
    """Permutations of a strategy tried on a project's bars or on your own, the best first.

    ::

        s = gt.sweep("breakout", ["rsi_max=20:40:5", "stop_atr=1.5,2"], first="2012-09-04")
        s.figures, s.sweep_id, s.store.trades(s.figures["permutation"][0])

    Args:
        strategy: Its file; its id, too, where the project is read.
        vary: What to try: ``name=first:last:step`` (both ends included) or ``name=1,2,5``.
        folder: The project; with ``bars`` any folder. What was tried is kept there in ``sweeps``.
        bars: A polars or pandas frame of daily bars, as ``backtest`` takes it; None reads those
            of the project. The same bars, policy and request have the same ``sweep_id``.
        options: Further fields of ``app.api.research.sweeps.SweepOrder``: ``first``, ``last``,
            ``symbols``, ``sample``, ``seed``, ``objective``, ``top``, ``capital``, ``fraction``.

    Raises:
        UsageError: Something asked is not right, bars are missing, or memory would not do.
        DataError: Rows of the bars break a rule.
    """
    from goldenthread.app.api.research.notebook import sweep as run  # noqa: PLC0415  # as in open

    return run(strategy, vary, folder, bars, options)


def factor(*, lookback: int | Callable[..., int]) -> Callable[[Callable[..., Any]], Factor]:
    """Makes a function of ``factors/*.py`` one that strategies may call.

    ::

        @gt.factor(lookback=20)
        def squeeze(close, high, low, width=2.0):
            ...

    In a strategy it is ``squeeze()`` or ``squeeze(1.5)``: arrays first, numbers after. Arguments
    called open, high, low, close and volume are those columns and need not be written, ``price``
    (``price0``, ``price1``) is any series and must be; all others are numbers. It is given
    read-only float arrays without a null, oldest bar first, and gives back one float a bar; NaN
    and inf are null. Called in Python it is the plain function.

    Args:
        lookback: How many bars before its own a value depends on (0: none), or a function of the
            numbers, in their order, that says so; so many first values are null.
    """
    from goldenthread.signals.factors.python import factor as marked  # noqa: PLC0415  # as in open

    return marked(lookback=lookback)
