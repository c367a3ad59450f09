"""Signs of the expression language on series and single numbers; null (NaN) in, null out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from goldenthread.domain.bar import FloatArray
    from goldenthread.signals.calls import Expr

Value = Any
"""A float64 array with one value a bar, or one float64: numpy treats both alike."""

_NUMBERS: dict[str, Callable[..., Value]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "%": np.mod,
    "**": np.power,
    "neg": np.negative,
}
_COMPARISONS: dict[str, Callable[..., Value]] = {
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
    "==": np.equal,
    "!=": np.not_equal,
}


def combine(op: str, parts: Sequence[Value]) -> Value:
    """What ``op`` makes of its parts.

    Conditions are 1 (true), 0 (false) or null. A null in any part makes the result null, also
    in a branch that was not taken or beside an ``or`` that is already true. What is not finite
    (x/0, overflow) is null at once.
    """
    with np.errstate(all="ignore"):
        if op in _NUMBERS:
            result = _NUMBERS[op](*parts)
            return np.where(np.isfinite(result), result, np.nan)
        return np.where(_any_null(parts), np.nan, _condition(op, parts))


def _any_null(parts: Sequence[Value]) -> Value:
    bad = np.isnan(parts[0])
    for part in parts[1:]:
        bad = bad | np.isnan(part)
    return bad


def _condition(op: str, parts: Sequence[Value]) -> Value:
    if op in _COMPARISONS:
        return _COMPARISONS[op](*parts)
    truths = [np.not_equal(part, 0) for part in parts]
    if op == "if":
        return np.where(truths[0], parts[1], parts[2])
    if op == "not":
        return ~truths[0]
    join = np.logical_and if op == "and" else np.logical_or
    result = truths[0]
    for truth in truths[1:]:
        result = join(result, truth)
    return result


def evaluate(
    expr: Expr, known: dict[tuple[str, str], Value], read: Callable[[Expr], Value]
) -> Value:
    """An expression for many bars at once, each of its parts computed once wherever it stands.

    ``read`` gives what signs are put on: a column or a series. ``known`` holds by ``Expr.key``
    what was computed so far; it is added to.
    """
    if expr.op == "number":
        return np.float64(expr.value)
    value = known.get(expr.key)
    if value is None:
        if expr.is_series or expr.op == "column":
            value = read(expr)
        else:
            value = combine(expr.op, [evaluate(part, known, read) for part in expr.parts])
        known[expr.key] = value
    return value


def true_where(values: FloatArray) -> NDArray[np.bool_]:
    """Where a condition holds; null does not."""
    true: NDArray[np.bool_] = ~np.isnan(values) & (values != 0)
    return true


def as_series(value: Value, count: int) -> FloatArray:
    """``value`` as one value a bar."""
    series = np.asarray(value, dtype=np.float64)
    return np.full(count, float(series)) if series.ndim == 0 else series
