"""The one number of a filter that can be turned: which it is, and which values to try."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from goldenthread.domain.errors import UsageError
from goldenthread.signals.expressions import nearest
from goldenthread.signals.filters import Filter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from goldenthread.rules.tape import FloatArray
    from goldenthread.signals.calls import Expr
    from goldenthread.signals.compilation import CompiledStrategy
    from goldenthread.signals.filters import Term

_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_HOLDS: dict[str, Callable[[FloatArray, float], FloatArray]] = {
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
}
_TRIED = 21
"""Quantiles of the recorded values that are tried."""
_BULK = (0.05, 0.95)
_DIGITS = 12


class Dial(NamedTuple):
    """A term of a filter, ``value sign threshold``, whose threshold is a plain number.

    ``place`` is that of the term in the filter, from 0.
    """

    filter: Filter
    place: int
    sign: str
    threshold: float

    @property
    def name(self) -> str:
        """What its verdicts are called: the filter, or ``NAME[n]`` where it has several terms."""
        single = len(self.filter.terms) == 1
        return self.filter.name if single else f"{self.filter.name}[{self.place + 1}]"

    @property
    def value(self) -> str:
        """What is compared, as the engine writes it."""
        return self.filter.terms[self.place].value.text

    def is_in(self, version: CompiledStrategy) -> bool:
        """Whether that version has the same term, at whatever threshold, in a filter built alike.

        Values of another expression cannot be judged by a threshold of this one.
        """
        found = [filter_ for filter_ in version.filters if filter_.name == self.filter.name]
        if not found or _shape(found[0].expr) != _shape(self.filter.expr):
            return False
        term = found[0].terms[self.place]
        return term.value.text == self.value and _number(term) == self.sign

    def holds(self, values: FloatArray, threshold: float) -> FloatArray:
        """What the term would say of the values at a threshold: 1, 0, NaN where there is none."""
        return np.where(np.isnan(values), np.nan, _HOLDS[self.sign](values, threshold))


def dial_of(strategy: CompiledStrategy, name: str) -> Dial:
    """The dial of the filter ``NAME``, or of the term ``NAME[n]`` of one that has several.

    Raises:
        UsageError: There is no such filter or term, or it compares with no plain number.
    """
    own, mark, number = name.partition("[")
    found = [filter_ for filter_ in strategy.filters if filter_.name == own]
    if not found:
        known = [filter_.name for filter_ in strategy.filters]
        hint = nearest(own, known)
        msg = (
            f"{strategy.strategy.strategy_id} has no filter {own!r}{hint}; a curve is drawn of a"
            f" filter of [reject_unless]: {', '.join(known) or 'it has none'}"
        )
        raise UsageError(msg)
    terms = found[0].terms
    place = number.rstrip("]")
    if mark and not (place.isdigit() and 1 <= int(place) <= len(terms)):
        msg = f"{name} is no term of {own}; it has {_listed(found[0])}"
        raise UsageError(msg)
    if not mark and len(terms) > 1:
        msg = f"{own} joins {len(terms)} terms, turn one of them: {_listed(found[0])}"
        raise UsageError(msg)
    at = int(place) - 1 if mark else 0
    sign = _number(terms[at])
    if sign not in _HOLDS:
        msg = (
            f"{name} tests {terms[at].test.text}, which has no number to turn; a curve needs a"
            f" value compared by < <= > >= with a number or a parameter{_instead(strategy)}"
        )
        raise UsageError(msg)
    return Dial(found[0], at, sign, terms[at].threshold.value)


def thresholds(values: FloatArray, present: float) -> list[float]:
    """The thresholds to try, ascending: quantiles of the values in round numbers, and the present.

    At most 22; rounded to 1, 2 or 5 of a decimal place, so fine that the bulk of the values has
    about twenty of them.
    """
    known = values[~np.isnan(values)]
    if not len(known):
        return [present]
    low, high = np.quantile(known, _BULK)
    step = _round_step((high - low) / (_TRIED - 1))
    tried = np.quantile(known, np.linspace(0.0, 1.0, _TRIED))
    rounded = np.rint(tried / step) * step if step else tried
    return sorted({*(float(f"{value:.{_DIGITS}g}") for value in rounded), present})


def _round_step(width: float) -> float:
    """The largest of 1, 2, 5, 10 … that is not above ``width``; 0 for 0."""
    if width <= 0:
        return 0.0
    power = 10.0 ** math.floor(math.log10(width))
    return float(max(n for n in (1, 2, 5) if n * power <= width * (1 + 1e-9)) * power)


def _number(term: Term) -> str:
    """The sign between value and threshold when that is a plain number; empty otherwise."""
    if term.threshold.op != "number" or term.test is term.value:
        return ""
    swapped = term.test.parts[0] is term.threshold
    return _MIRRORED.get(term.test.op, "") if swapped else term.test.op


def _shape(expr: Expr) -> tuple[object, ...]:
    """How and, or and terms are nested, whatever the terms say."""
    return (expr.op, *map(_shape, expr.parts)) if expr.op in {"and", "or"} else ()


def _listed(filter_: Filter) -> str:
    if len(filter_.terms) == 1:
        return f"one: ask for {filter_.name}"
    named = (f"{filter_.name}[{at}] ({t.test.text})" for at, t in enumerate(filter_.terms, 1))
    return ", ".join(named)


def _instead(strategy: CompiledStrategy) -> str:
    """The dials there are, in words."""
    names = [name for filter_ in strategy.filters for name in _dials(filter_)]
    return f"; in {strategy.strategy.strategy_id} there are {', '.join(names)}" if names else ""


def _dials(filter_: Filter) -> Sequence[str]:
    places = [at for at, term in enumerate(filter_.terms) if _number(term) in _HOLDS]
    return [Dial(filter_, at, "", 0.0).name for at in places]
