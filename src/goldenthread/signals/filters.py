"""Filters judged term by term, none left out, so that a refusal can be explained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from goldenthread.domain.signal import Verdict
from goldenthread.rules.rounding import significant
from goldenthread.signals.arithmetic import combine, true_where
from goldenthread.signals.calls import Expr
from goldenthread.signals.expressions import COMPARISONS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from goldenthread.domain.bar import FloatArray

_JOINS = frozenset({"and", "or"})
_TRUE = Expr("number", "1.0", value=1.0)


@dataclass(frozen=True, eq=False)
class Term:
    """One comparison of a filter: the side that varies, and what it is compared with.

    A condition that is no comparison (``not x``, a factor of another symbol) has its truth as
    value, 1 or 0, and the threshold 1.
    """

    test: Expr
    value: Expr
    threshold: Expr


@dataclass(frozen=True, eq=False)
class Filter:
    """A named condition and its terms, in the order they are written."""

    name: str
    expr: Expr
    terms: tuple[Term, ...]

    @property
    def parts(self) -> tuple[Expr, ...]:
        """What must be computed for ``verdicts``: the whole, then three parts a term."""
        return (self.expr, *(p for t in self.terms for p in (t.test, t.value, t.threshold)))

    def verdicts(self, values: Sequence[float]) -> list[Verdict]:
        """The filter's verdict, followed by one a term when there are several.

        ``values`` are those of ``parts``; null (NaN) did not pass.
        """
        passed = _is_true(values[0])
        rows = [values[at : at + 3] for at in range(1, len(values), 3)]
        if len(rows) == 1:
            _, value, threshold = rows[0]
            return [_verdict(self.name, "filter", (value, threshold), passed=passed)]
        whole = Verdict(name=self.name, kind="filter", passed=passed)
        terms = [
            _verdict(f"{self.name}[{at}]", "term", (value, threshold), passed=_is_true(test))
            for at, (test, value, threshold) in enumerate(rows, start=1)
        ]
        return [whole, *terms]

    def passes(self, truths: Sequence[FloatArray]) -> NDArray[np.bool_]:
        """Where the whole is true, from what each of its terms said: 1, 0, or NaN for null."""
        left = iter(truths)

        def joined(expr: Expr) -> FloatArray:
            if expr.op in _JOINS:
                return np.asarray(combine(expr.op, [joined(part) for part in expr.parts]))
            return next(left)

        return true_where(joined(self.expr))


def filter_of(name: str, expr: Expr) -> Filter:
    """The filter ``name`` made of a bound condition."""
    return Filter(name, expr, tuple(_term(leaf) for leaf in _leaves(expr)))


def _leaves(expr: Expr) -> list[Expr]:
    if expr.op in _JOINS:
        return [leaf for part in expr.parts for leaf in _leaves(part)]
    return [expr]


def _term(expr: Expr) -> Term:
    if expr.op not in COMPARISONS:
        return Term(expr, expr, _TRUE)
    left, right = expr.parts
    if left.op == "number" and right.op != "number":
        left, right = right, left
    return Term(expr, left, right)


def _is_true(value: float) -> bool:
    return value == value and value != 0  # noqa: PLR0124  # only NaN differs from itself


def _verdict(name: str, kind: str, pair: tuple[float, float], *, passed: bool) -> Verdict:
    value, threshold = pair
    return Verdict.model_validate(
        {
            "name": name,
            "kind": kind,
            "value": significant(value),
            "threshold": significant(threshold),
            "passed": passed,
        }
    )
