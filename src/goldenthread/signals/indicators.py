"""Series of TA-Lib, our own functions and Python factors, with nulls that stay where they belong.

A null inside an input (NaN) splits it into runs. A FINITE or RECURSIVE function is computed on
each run by itself and is null until its look-back of bars without a null is filled; an ANCHORED
one is null while its window holds a null. So a null costs the values that would read it, never
the rest, which TA-Lib's running sums would lose.
"""

from __future__ import annotations

import sys
from functools import cache, partial
from importlib.machinery import PathFinder
from importlib.util import find_spec, module_from_spec
from inspect import unwrap
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from goldenthread.domain.errors import EngineError
from goldenthread.signals.factors.python import PythonFunction
from goldenthread.signals.functions import Function, LookbackKind, settling_bars

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from goldenthread.domain.bar import FloatArray


class Bound(NamedTuple):
    """A function with its numbers: what to compute, which output, how far it looks back."""

    function: Function
    numbers: tuple[float, ...]
    window: int
    output: int
    lookback: int


def lookback_of(function: Function, numbers: tuple[float, ...], window: int) -> int:
    """Bars before a value that it depends on (0: only its own bar).

    Raises:
        UsageError: An MA type without a fixed smoothing constant, or a factor written in Python
            declares none.
    """
    if isinstance(function, PythonFunction):
        return function.lookback(numbers)
    if function.is_own:
        return {"LAG": 0, "HIGHEST": -1, "LOWEST": -1}.get(function.name, 0) + int(
            numbers[0] if numbers else 0
        )
    values = {p.name: number for p, number in zip(function.parameters, numbers, strict=True)}
    settling = settling_bars(function.rule, values) if ":" in function.rule else 0
    if function.kind is LookbackKind.ANCHORED:
        return window - 1
    return talib_lookback(function, numbers) + settling


@cache
def talib_lookback(function: Function, numbers: tuple[float, ...]) -> int:
    """TA-Lib's own look-back: bars before its first value."""
    handle = _talib().Function(function.name, getattr(_talib(), function.name))
    pairs = zip(function.parameters, _arguments(function, numbers), strict=True)
    handle.set_parameters({parameter.name: number for parameter, number in pairs})
    return int(handle.lookback)


def compute(bound: Bound, inputs: Sequence[FloatArray]) -> FloatArray:
    """One value a bar, null (NaN) until the look-back is filled and where an input is null.

    ``inputs`` are equally long, oldest bar first; ``bound.lookback`` is from ``lookback_of``.
    """
    if bound.function.is_own:
        return _own(bound, inputs)
    if isinstance(bound.function, PythonFunction):
        return _by_runs(partial(bound.function.run, bound.numbers), inputs, bound.lookback)
    call = _output_of(bound)
    if bound.function.kind is LookbackKind.ANCHORED:
        return _anchored(call, inputs, bound.window)
    if bound.lookback == 0:
        bad = _nulls(inputs)
        return np.where(bad, np.nan, _finite(call(inputs)))
    return _by_runs(call, inputs, bound.lookback)


@cache
def _talib() -> Any:  # noqa: ANN401  # TA-Lib's extension ships no types
    """TA-Lib's extension module, loaded on first use.

    ``import talib`` pulls pandas in, 0.3 s of its 0.31 s, only to accept pandas Series, which
    this package never passes. So the extension is loaded by itself, and its own attempt to
    import pandas is answered with "not installed" for these ten milliseconds.
    """
    package = find_spec("talib")
    places = package.submodule_search_locations if package else None
    spec = PathFinder.find_spec("talib._ta_lib", places) if places else None
    if spec is None or spec.loader is None:
        msg = "TA-Lib is not installed; install the package ta-lib (0.8 or later)"
        raise EngineError(msg)
    module: Any = module_from_spec(spec)
    hidden = "pandas" not in sys.modules
    if hidden:
        sys.modules["pandas"] = None  # type: ignore[assignment]  # Python's mark for "none here"
    try:
        spec.loader.exec_module(module)
    finally:
        if hidden:
            del sys.modules["pandas"]
    module._ta_initialize()  # noqa: SLF001  # what talib/__init__ calls
    return module


@cache
def _function(name: str) -> Callable[..., Any]:
    """TA-Lib's own function, without the wrappers for pandas and polars that its import adds.

    The extension imports its package more than once, and each time a wrapper comes on top.
    """
    function: Callable[..., Any] = unwrap(getattr(_talib(), name))
    return function


def _arguments(function: Function, numbers: tuple[float, ...]) -> list[float]:
    pairs = zip(function.parameters, numbers, strict=True)
    return [int(number) if parameter.whole else number for parameter, number in pairs]


@cache
def _output_of(bound: Bound) -> Callable[[Sequence[FloatArray]], FloatArray]:
    function = bound.function
    run = _function(function.name)
    numbers = _arguments(function, bound.numbers)
    several = len(function.outputs) > 1
    positions = function.rule == "position"

    def call(inputs: Sequence[FloatArray]) -> FloatArray:
        found = run(*inputs, *numbers)
        output = found[bound.output] if several else found
        result: FloatArray = output.astype(np.float64, copy=False)
        if positions:
            result -= np.arange(len(result)) - bound.lookback
        return result

    return call


def _no_values(count: int) -> FloatArray:
    series = np.empty(count)
    series.fill(np.nan)
    return series


def _finite(series: FloatArray) -> FloatArray:
    good = np.isfinite(series)
    return series if np.count_nonzero(good) == len(good) else np.where(good, series, np.nan)


def _nulls(inputs: Sequence[FloatArray]) -> np.ndarray[Any, np.dtype[np.bool_]]:
    bad = np.isnan(inputs[0])
    for series in inputs[1:]:
        bad |= np.isnan(series)
    return bad


def _runs(inputs: Sequence[FloatArray]) -> Iterable[tuple[int, int]]:
    """Start and end of each stretch without a null in any input."""
    bad = _nulls(inputs)
    nulls = np.count_nonzero(bad)
    first = int(bad.argmin()) if nulls else 0
    if nulls == first:  # nearly always: at most a beginning without values
        return [(first, len(bad))]
    good = np.concatenate(([0], ~bad, [0]))
    edges = np.flatnonzero(np.diff(good))
    return zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)


def _by_runs(
    call: Callable[[Sequence[FloatArray]], FloatArray], inputs: Sequence[FloatArray], lookback: int
) -> FloatArray:
    result = _no_values(len(inputs[0]))
    for start, end in _runs(inputs):
        if end - start > lookback:
            values = call([series[start:end] for series in inputs])
            result[start + lookback : end] = _finite(values[lookback:])
    return result


def _anchored(
    call: Callable[[Sequence[FloatArray]], FloatArray], inputs: Sequence[FloatArray], window: int
) -> FloatArray:
    result = _no_values(len(inputs[0]))
    for start, end in _runs(inputs):
        for stop in range(start + window, end + 1):
            result[stop - 1] = call([series[stop - window : stop] for series in inputs])[-1]
    return _finite(result)


def _own(bound: Bound, inputs: Sequence[FloatArray]) -> FloatArray:
    first = inputs[0]
    match bound.function.name:
        case "LAG":
            result = _no_values(len(first))
            count = bound.lookback
            result[count:] = first[: len(first) - count] if count < len(first) else np.nan
            return result
        case "ABS":
            return np.abs(first)
        case "MIN2":
            return np.minimum(first, inputs[1])
        case "MAX2":
            return np.maximum(first, inputs[1])
    if bound.lookback == 0:
        return first
    run = _function("MAX" if bound.function.name == "HIGHEST" else "MIN")
    return _by_runs(lambda series: run(series[0], bound.lookback + 1), inputs, bound.lookback)
