"""Whether anything a strategy sees depends on bars that were not there yet.

Every expression and every decision is told three times: with the whole history, with the bars
after the decision cut off, and with these bars present but all null. A value that differs has
looked ahead: a leak that reads the future changes when it is gone, and one that only passes over
it (a mean of the whole column, a fill backwards) turns null when the future does. A factor
written in Python is asked once more, with no other bars than its look-back declares.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from goldenthread.domain.asset import Asset
from goldenthread.domain.bar import BarWindow
from goldenthread.domain.signal import Candidate
from goldenthread.signals.binding import below
from goldenthread.signals.calls import Expr
from goldenthread.signals.compilation import CompiledStrategy
from goldenthread.signals.engine import Evaluator
from goldenthread.signals.evaluation import Calculator, no_inputs
from goldenthread.signals.factors.python import PythonFunction
from goldenthread.signals.functions import LANGUAGE
from goldenthread.signals.indicators import compute

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from goldenthread.domain.bar import Steps
    from goldenthread.signals.indicators import Bound

    Windows = Callable[[str, dt.date, dt.datetime | None], BarWindow | None]
    Inputs = Callable[[str, str], Steps]

Future = Literal["cut off", "poisoned"]

_MORE = 250
"""Bars before its look-back that must make no difference to a factor written in Python."""
_APART = 1e-9
"""What rounding may make of them, as a share of the factor's largest value around."""


class Known(NamedTuple):
    """What decisions read: the windows of bars, and the values of point-in-time tables."""

    windows: Windows
    inputs: Inputs = no_inputs


class Subject(NamedTuple):
    """One strategy on one asset."""

    compiled: CompiledStrategy
    asset: Asset


@dataclass(frozen=True)
class Change:
    """One value that was another without the future.

    ``key`` is its place in the strategy's file (``factors.rsi``, ``exit.targets[1].at``, or
    ``decision`` where no expression tells why), ``expression`` the smallest part of it that
    differs, ``asked`` how it was asked again. NaN is null.
    """

    strategy_id: str
    symbol: str
    ds: dt.date
    key: str
    expression: str
    known: float
    alone: float
    asked: str

    @property
    def words(self) -> str:
        """The change as one sentence."""
        return (
            f"{self.strategy_id} {self.symbol} {self.ds} {self.key}: {self.expression} is"
            f" {_shown(self.known)}, {self.asked} {_shown(self.alone)}"
        )


@dataclass(frozen=True)
class Findings:
    """How much was compared, and the first change of every key of every strategy."""

    decisions: int
    values: int
    changes: tuple[Change, ...]


def look(
    subjects: Sequence[Subject],
    dates: Iterable[dt.date],
    whole: Known,
    cut: Callable[[dt.date], Known],
) -> Findings:
    """What differs on the closes of ``dates`` once their future, or what lies far back, is gone.

    Args:
        subjects: Strategies on assets.
        dates: The dates of the decisions, oldest first.
        whole: A history that goes on after them.
        cut: The same history as it was on a date.
    """
    found: dict[tuple[str, str], Change] = {}
    decisions = values = 0
    known = _View(whole)
    for ds in dates:
        without: dict[Future, _View] = {
            "cut off": _View(cut(ds)),
            "poisoned": _View(poisoned(whole, ds)),
        }
        for subject in subjects:
            seen = known.look(subject, ds)
            decisions += seen.window is not None
            values += len(seen.values)
            changes: list[Change] = []
            for future, view in without.items():
                changes += _changes(subject, ds, (seen, view.look(subject, ds)), future)
            for change in (*changes, *_undeclared(subject, ds, seen)):
                found.setdefault((change.strategy_id, change.key), change)
    return Findings(decisions, values, tuple(found.values()))


def poisoned(known: Known, decided: dt.date) -> Known:
    """The same with every bar after the decision's null, and every value not known by then."""
    windows, inputs = known

    @cache
    def dull(table: str, symbol: str) -> Steps:
        steps = inputs(table, symbol)
        later = steps.since > np.datetime64(decided)
        return steps._replace(value=np.where(later, np.nan, steps.value))

    @cache
    def poison(symbol: str, ds: dt.date, now: dt.datetime | None) -> BarWindow | None:
        window = windows(symbol, ds, now)
        if window is None:
            return None
        columns = {}
        for name in ("open", "high", "low", "close", "volume"):
            columns[name] = getattr(window, name).copy()
            columns[name][window.upto + 1 :] = np.nan
        return replace(window, **columns, key=f"{window.key}, null after {ds}")

    return Known(poison, dull)


class _Value(NamedTuple):
    """One value of an expression: where it stands, the whole expression, the part of it."""

    key: str
    root: Expr
    part: Expr
    value: float


class _Seen(NamedTuple):
    """All one strategy sees of one asset on one date; empty without a bar of it."""

    window: BarWindow | None
    calculator: Calculator
    values: tuple[_Value, ...]
    decision: Candidate | None

    def of(self, root: Expr, part: Expr) -> float:
        """The value of one part of an expression; NaN without a bar."""
        if self.window is None:
            return math.nan
        return self.calculator.parts_at(root, (part,), self.window)[0]


class _View:
    """What strategies see and decide over one history."""

    def __init__(self, known: Known) -> None:
        self._evaluator = Evaluator(known.windows, inputs=known.inputs)

    def look(self, subject: Subject, ds: dt.date) -> _Seen:
        """Every value and the decision on the close of ``ds``."""
        self._evaluator.at(ds)
        moment = self._evaluator.moment
        calculator, window = moment.calculator, moment.window(subject.asset.symbol)
        if window is None or not window.has_bar(ds):
            return _Seen(None, calculator, (), None)
        decision = self._evaluator.decide(subject.compiled, subject.asset.symbol, ds, subject.asset)
        values = tuple(_values(subject.compiled, window, calculator))
        return _Seen(window, calculator, values, decision)


def _values(
    compiled: CompiledStrategy, window: BarWindow, calculator: Calculator
) -> Iterator[_Value]:
    for key, expr in _plain(compiled):
        yield _Value(key, expr, expr, calculator.at(expr, window))
    for filter_ in compiled.filters:
        found = calculator.parts_at(filter_.expr, filter_.parts, window)
        for part, value in zip(filter_.parts, found, strict=True):
            yield _Value(f"reject_unless.{filter_.name}", filter_.expr, part, value)
    price = compiled.price
    entry = float(window.close[window.upto]) if price is None else calculator.at(price, window)
    for key, expr in _levels(compiled):
        yield _Value(key, expr, expr, calculator.level(expr, window, entry))


def _plain(compiled: CompiledStrategy) -> Iterator[tuple[str, Expr]]:
    """The expressions that do not name the planned price, factors first."""
    for name, expr in compiled.factors.items():
        yield f"factors.{name}", expr
    rest = {
        "entry.when": compiled.when,
        "entry.price": compiled.price,
        "entry.priority": compiled.priority,
        "entry.cancel_if": compiled.cancel,
        "exit.when": compiled.exit,
    }
    yield from ((key, expr) for key, expr in rest.items() if expr is not None)


def _levels(compiled: CompiledStrategy) -> Iterator[tuple[str, Expr]]:
    yield "exit.stop", compiled.stop
    for number, (expr, _) in enumerate(compiled.targets, start=1):
        yield f"exit.targets[{number}].at", expr
    if compiled.trail is not None:
        yield "exit.trail", compiled.trail


def _changes(
    subject: Subject, ds: dt.date, pair: tuple[_Seen, _Seen], future: Future
) -> Iterator[Change]:
    """What differs between what was seen with the future and without it."""
    known, alone = pair
    name, symbol = subject.compiled.strategy.strategy_id, subject.asset.symbol

    def change(key: str, expression: str, values: tuple[float, float]) -> Change:
        return Change(name, symbol, ds, key, expression, *values, f"with the future {future}")

    if (known.window is None) != (alone.window is None):
        there = (float(known.window is not None), float(alone.window is not None))
        yield change("bars", f"whether there is a bar of {ds}", there)
        return
    explained = False
    for one, other in zip(known.values, alone.values, strict=True):
        if _differ(one.value, other.value):
            explained = True
            expr = _culprit(one.root, one.part, pair)
            yield change(one.key, expr.text, _values_of(expr, one, other, pair))
    if not explained and known.decision != alone.decision:
        yield change("decision", _fields(known.decision, alone.decision), (math.nan, math.nan))


def _undeclared(subject: Subject, ds: dt.date, seen: _Seen) -> Iterator[Change]:
    """Factors written in Python that depend on bars before their look-back."""
    name, symbol = subject.compiled.strategy.strategy_id, subject.asset.symbol
    for key, call, bound in _written(subject.compiled):
        told = _told_twice(call, bound, seen)
        if told:
            asked = f"given only the {bound.lookback + 1} bars it declares"
            yield Change(name, symbol, ds, key, call.text, *told, asked)


def _written(compiled: CompiledStrategy) -> Iterator[tuple[str, Expr, Bound]]:
    """The calls of functions written in Python, wherever they stand."""
    rules = [("universe", rule.expr) for rule in compiled.universe.rules]
    filters = [(f"reject_unless.{filter_.name}", filter_.expr) for filter_ in compiled.filters]
    for key, root in [*rules, *_plain(compiled), *filters, *_levels(compiled)]:
        for expr in below(root):
            if expr.bound is not None and isinstance(expr.bound.function, PythonFunction):
                yield key, expr, expr.bound


def _told_twice(call: Expr, bound: Bound, seen: _Seen) -> tuple[float, float] | None:
    """Its value over a longer past, and over the bars it declares; None where they agree."""
    window, at = seen.window, seen.calculator.at_places
    if window is None or window.upto < bound.lookback:
        return None
    places = np.arange(window.upto - bound.lookback, window.upto + 1)
    if call.universe and places[0] < window.year_start:  # members are compared from 1 January on
        return None
    longer = replace(window, year_start=max(0, int(places[0]) - _MORE))
    alone = float(compute(bound, [at(part, longer, places) for part in call.parts])[-1])
    around = at(call, longer, places)
    known = float(around[-1])
    if math.isnan(known) or math.isnan(alone):
        is_same = math.isnan(known) and math.isnan(alone)
    else:
        is_same = abs(known - alone) <= _APART * float(np.nanmax(np.abs(around)))
    return None if is_same else (known, alone)


def _culprit(root: Expr, expr: Expr, pair: tuple[_Seen, _Seen]) -> Expr:
    """The smallest part that differs; what reads other bars than our days counts as one."""
    if expr.op in LANGUAGE:
        return expr
    for part in expr.parts:
        if not part.uses_entry and _differ(*(seen.of(root, part) for seen in pair)):
            return _culprit(root, part, pair)
    return expr


def _values_of(
    expr: Expr, one: _Value, other: _Value, pair: tuple[_Seen, _Seen]
) -> tuple[float, float]:
    if expr is one.part:
        return one.value, other.value
    return pair[0].of(one.root, expr), pair[1].of(one.root, expr)


def _differ(one: float, other: float) -> bool:
    return one != other and not (math.isnan(one) and math.isnan(other))


def _fields(one: Candidate | None, other: Candidate | None) -> str:
    if one is None or other is None:
        return "whether there is a signal"
    return ", ".join(n for n in type(one).model_fields if getattr(one, n) != getattr(other, n))


def _shown(value: float) -> str:
    return "null" if math.isnan(value) else f"{value:.12g}"
