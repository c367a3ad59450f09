"""One date, all symbols, all strategies: who has a candidate.

The transpose of ``batch``. What is computed along the bars of a symbol is computed once for all
strategies, over the windows a single decision would use, and its value on the date is kept: one
number a symbol. Signs are put on such columns for all symbols at once, so a strategy that differs
from another in a threshold costs a comparison. The bits are those of ``Evaluator.decide``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from goldenthread.signals.arithmetic import as_series, evaluate, true_where

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from goldenthread.domain.bar import BarWindow, FloatArray
    from goldenthread.signals.arithmetic import Value
    from goldenthread.signals.calls import Expr
    from goldenthread.signals.compilation import CompiledStrategy
    from goldenthread.signals.evaluation import Moment

    Asked = tuple[CompiledStrategy, tuple[str, ...]]


def entering(moment: Moment, asked: Iterable[Asked]) -> Iterator[tuple[CompiledStrategy, str]]:
    """Every strategy and symbol that ``Evaluator.decide`` has a candidate of, at the moment.

    Args:
        moment: What can be read; it stands at the date.
        asked: Strategies, and the symbols each decides on.

    Strategies are grouped by their symbols; within one, symbols keep their order.
    """
    crowds: dict[tuple[str, ...], list[CompiledStrategy]] = {}
    for compiled, symbols in asked:
        crowds.setdefault(symbols, []).append(compiled)
    for symbols, strategies in crowds.items():
        crowd = _Crowd(moment, symbols, [compiled.when for compiled in strategies])
        for compiled in strategies:
            for symbol in crowd.entering(compiled):
                yield compiled, symbol


class _Crowd:
    """Symbols that strategies decide on alike, those without a bar of the date left out."""

    def __init__(self, moment: Moment, symbols: Sequence[str], conditions: Iterable[Expr]) -> None:
        self._moment = moment
        self._windows = [w for symbol in symbols if (w := _on_the_date(moment, symbol))]
        self._known = self._series(conditions)

    def entering(self, compiled: CompiledStrategy) -> list[str]:
        """Those for which ``entry.when`` is true and who are members this month."""
        when = evaluate(compiled.when, self._known, self._column)
        found = np.flatnonzero(true_where(as_series(when, len(self._windows))))
        symbols = (self._windows[at].symbol for at in found.tolist())
        return [s for s in symbols if self._moment.is_member(compiled.universe, s)]

    def _column(self, expr: Expr) -> FloatArray:
        return np.array([getattr(w, expr.text)[w.upto] for w in self._windows])

    def _series(self, conditions: Iterable[Expr]) -> dict[tuple[str, str], Value]:
        """The value on the date of every series in the conditions, symbol by symbol."""
        series = {part.key: part for whole in conditions for part in _series_of(whole)}
        every, at = tuple(series.values()), self._moment.calculator.at
        table = np.empty((len(every), len(self._windows)))
        for column, window in enumerate(self._windows):
            table[:, column] = [at(one, window) for one in every]
        return dict(zip(series, table, strict=True))


def _on_the_date(moment: Moment, symbol: str) -> BarWindow | None:
    window = moment.window(symbol)
    return window if moment.ds and window and window.has_bar(moment.ds) else None


def _series_of(expr: Expr) -> Iterator[Expr]:
    """The parts computed along bars that signs are put on."""
    if expr.is_series:
        yield expr
    else:
        for part in expr.parts:
            yield from _series_of(part)
