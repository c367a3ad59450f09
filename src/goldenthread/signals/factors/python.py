"""Functions written in Python: what ``@factor`` marks, as functions of the language.

Their text is run once a process and kept by its content, so that two versions of a file stand
beside each other and a worker needs nothing but the text.
"""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass
from functools import cache
from pathlib import PurePath
from traceback import walk_tb
from typing import TYPE_CHECKING, Any

import numpy as np

from goldenthread.domain.errors import UsageError
from goldenthread.domain.ids import text_digest
from goldenthread.signals.functions import MAX_PERIOD, PRICES, Function, LookbackKind, Parameter

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import TracebackType

    from goldenthread.domain.bar import FloatArray

GROUP = "Python"
FOLDER = "factors"
"""Where a project keeps them; messages name their files with it."""

_SERIES = re.compile(r"price\d*")
_LARGEST = 1e15
_FORM = (
    "write arrays first (price, or price0 and price1, for any series; open high low close volume"
    " for those columns), then numbers: def squeeze(close, high, low, n=20)"
)


@dataclass(frozen=True)
class Factor:
    """A function as ``@factor`` leaves it: called, it is the function itself."""

    function: Callable[..., Any]
    lookback: int | Callable[..., int]

    def __call__(self, *arguments: object, **named: object) -> Any:  # noqa: ANN401  # its own answer
        """What the function gives back."""
        return self.function(*arguments, **named)


def factor(*, lookback: int | Callable[..., int]) -> Callable[[Callable[..., Any]], Factor]:
    """See ``goldenthread.factor``."""
    return lambda function: Factor(function, lookback)


@dataclass(frozen=True)
class PythonFunction(Function):
    """A marked function; ``file`` is the name of its file, ``source`` all of its text."""

    file: str = ""
    source: str = ""

    @property
    def key(self) -> str:
        """Twelve hex digits of its file: equal text, equal function."""
        return text_digest(self.source)[:12]

    @property
    def place(self) -> str:
        """Its file as messages name it."""
        return f"{FOLDER}/{self.file}"

    def lookback(self, numbers: Sequence[float]) -> int:
        """Bars before a value that it depends on, as it declares with these numbers.

        Raises:
            UsageError: It declares no such number.
        """
        declared = _marked(self.file, self.source)[self.name].lookback
        with _Blamed(self.place, f"the look-back of {self.name}"):
            bars = declared(*self._numbers(numbers)) if callable(declared) else declared
        if not isinstance(bars, int) or isinstance(bars, bool) or not 0 <= bars <= MAX_PERIOD:
            msg = (
                f"{self.place}, {self.name}: its look-back is {bars!r}; lookback= is how many bars"
                f" before its own a value needs, a whole number from 0 to {MAX_PERIOD}, or a"
                " function of its numbers that gives it"
            )
            raise UsageError(msg)
        return bars

    def run(self, numbers: Sequence[float], inputs: Sequence[FloatArray]) -> FloatArray:
        """One value a bar of inputs without a null; what it is given cannot be changed.

        Raises:
            UsageError: It failed, or gave back something else.
        """
        names = [*self.series, *self.prices, *(p.name for p in self.parameters)]
        given = dict(zip(names, [*map(_kept, inputs), *self._numbers(numbers)], strict=True))
        marked, count = _marked(self.file, self.source)[self.name], len(inputs[0])
        with _Blamed(self.place, f"{self.name}, given {count} bars,"), np.errstate(all="ignore"):
            found = marked(**given)
        wrong = _wrong(found, count)
        if wrong:
            msg = (
                f"{self.place}, {self.name}: it gave back {wrong}; give one float a bar, an array"
                f" of {count} here, NaN where it is null"
            )
            raise UsageError(msg)
        values: FloatArray = found.astype(np.float64)
        return values

    def _numbers(self, numbers: Sequence[float]) -> list[float]:
        pairs = zip(self.parameters, numbers, strict=True)
        return [int(number) if parameter.whole else number for parameter, number in pairs]


@cache
def functions_in(file: str, source: str) -> Mapping[str, PythonFunction]:
    """The marked functions of one file by name; its text is run.

    Raises:
        UsageError: The text fails, or the parameters of one of them are not right.
    """
    return {name: _function(file, source, name) for name in _marked(file, source)}


class _Blamed:
    """What the code of a factor raises, as an error that names file, line and function."""

    def __init__(self, place: str, what: str) -> None:
        self._place = place
        self._what = what

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, _kind: object, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not isinstance(error, Exception | SystemExit):
            return
        lines = [at for frame, at in walk_tb(trace) if frame.f_code.co_filename == self._place]
        lines = lines or [at for at in [getattr(error, "lineno", None)] if at]
        where = f"{self._place}, line {lines[-1]}" if lines else self._place
        msg = f"{where}: {self._what} raised {type(error).__name__}: {error}; correct it there"
        raise UsageError(msg) from error


@cache
def _marked(file: str, source: str) -> Mapping[str, Factor]:
    """What the text marks, by name."""
    place = f"{FOLDER}/{file}"
    space: dict[str, Any] = {"__name__": f"{FOLDER}.{PurePath(file).stem}", "__file__": place}
    with _Blamed(place, "reading it"):
        exec(compile(source, place, "exec", dont_inherit=True), space)  # noqa: S102  # the operator said so: [factors] enabled
    return {name: value for name, value in space.items() if isinstance(value, Factor)}


def _function(file: str, source: str, name: str) -> PythonFunction:
    parameters = inspect.signature(_marked(file, source)[name].function).parameters
    series = tuple(n for n in parameters if _SERIES.fullmatch(n))
    prices = tuple(n for n in parameters if n in PRICES)
    numbers = [p for n, p in parameters.items() if n not in {*series, *prices}]
    ordered = [*series, *prices, *(p.name for p in numbers)]
    named = {inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY}
    by_name = all(p.kind in named for p in parameters.values())
    if not (series or prices) or ordered != list(parameters) or not by_name:
        got = ", ".join(map(str, parameters.values())) or "nothing"
        msg = f"{FOLDER}/{file}, {name}: it takes ({got}); {_FORM}"
        raise UsageError(msg)
    return PythonFunction(
        name=name,
        group=GROUP,
        series=series,
        prices=prices,
        parameters=tuple(_number(file, name, p) for p in numbers),
        outputs=("real",),
        kind=LookbackKind.FINITE,
        file=file,
        source=source,
    )


def _number(file: str, name: str, written: inspect.Parameter) -> Parameter:
    """A number as it is declared: whole when its default, or its annotation, is."""
    default = None if written.default is written.empty else written.default
    if default is not None and (isinstance(default, bool) or not isinstance(default, int | float)):
        msg = f"{FOLDER}/{file}, {name}: {written} is no number; {_FORM}"
        raise UsageError(msg)
    whole = written.annotation in {int, "int"} or isinstance(default, int)
    return Parameter(
        written.name,
        None if default is None else float(default),
        -_LARGEST,
        _LARGEST,
        whole,
    )


def _kept(series: FloatArray) -> FloatArray:
    """A copy that cannot be written to."""
    copy = np.array(series)
    copy.flags.writeable = False
    return copy


def _wrong(found: object, count: int) -> str:
    """What is wrong with an answer for so many bars; empty when nothing is."""
    if not isinstance(found, np.ndarray):
        return f"{type(found).__name__}, no array"
    if found.dtype.kind != "f":
        return f"an array of {found.dtype}, no floats (try .astype(float))"
    return "" if found.shape == (count,) else f"an array of shape {found.shape}"
