"""A part of an expression, and a call fitted to its function: series, numbers, output, reach."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from goldenthread.domain.errors import UsageError
from goldenthread.domain.ids import digest
from goldenthread.signals.expressions import nearest
from goldenthread.signals.functions import (
    FUNCTIONS,
    LANGUAGE,
    MA_TYPES,
    MAX_PERIOD,
    PRICES,
    Function,
    LookbackKind,
)
from goldenthread.signals.indicators import Bound, lookback_of, talib_lookback

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, eq=False, slots=True)
class Expr:
    """One part of an expression, ready to be computed.

    ``op`` is ``number``, ``column``, ``entry`` (the planned price), ``call`` (``bound``),
    ``ref`` (``symbol``), ``on`` (``symbol`` is the period), ``input`` (``symbol`` is the table,
    ``value`` the days it may be old), a name of ``SECTIONS`` or a sign of
    ``arithmetic.combine``. ``text`` is canonical: equal text, equal meaning. ``lookback`` counts
    the bars before a value that it depends on, ``refs`` are the other symbols it reads,
    ``universe`` the members it is compared with.
    """

    op: str
    text: str
    parts: tuple[Expr, ...] = ()
    value: float = 0.0
    symbol: str = ""
    bound: Bound | None = None
    lookback: int = 0
    size: int = 1
    levels: int = 1
    is_condition: bool = False
    uses_entry: bool = False
    refs: tuple[str, ...] = ()
    universe: Universe | None = None

    @property
    def is_series(self) -> bool:
        """Whether it is more than a sign between the values of one bar."""
        return self.op in _SERIES

    @property
    def key(self) -> tuple[str, str]:
        """What it is known by: equal keys, equal meaning, whatever it stands beside."""
        return self.text, self.universe.key if self.universe else ""


_SERIES = frozenset({"call", "input", *LANGUAGE})


@dataclass(frozen=True, eq=False)
class Rule:
    """Those of ``among`` are members in a month for which ``expr`` held as the last one ended."""

    expr: Expr
    among: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Universe:
    """Whom a strategy decides on: its ``symbols`` always, and those its ``rules`` choose."""

    symbols: tuple[str, ...]
    rules: tuple[Rule, ...] = ()

    @cached_property
    def key(self) -> str:
        """Twelve hex digits: equal members and rules, equal key."""
        rules = [[rule.expr.text, list(rule.among)] for rule in self.rules]
        return digest([list(self.symbols), rules])[:12]

    @property
    def everyone(self) -> tuple[str, ...]:
        """Its symbols and all the rules may choose, each once, in order."""
        among = (symbol for rule in self.rules for symbol in rule.among)
        return tuple(dict.fromkeys((*self.symbols, *among)))


COLUMNS: Mapping[str, Expr] = {name: Expr("column", name) for name in PRICES}
"""The columns every expression may read."""


def function_named(name: str, own: Mapping[str, Function]) -> Function:
    """The function of the catalogue, or the one of a strategy's ``own``.

    Raises:
        UsageError: There is none of that name.
    """
    function = FUNCTIONS.get(name) or own.get(name)
    if function is None:
        hint = nearest(name, [*FUNCTIONS, *LANGUAGE, *own])
        ours = " ".join(["LAG HIGHEST LOWEST ABS MIN2 MAX2", *LANGUAGE])
        say = hint or f"; there are TA-Lib's functions and {ours}"
        msg = f"unknown function {name!r}{say}"
        raise UsageError(msg)
    return function


def fit(
    function: Function, arguments: Sequence[Expr], output: str
) -> tuple[tuple[Expr, ...], Bound]:
    """The input series of a call, prices filled in where they were not written, and the rest.

    Raises:
        UsageError: The arguments do not fit; the message says how to write the call.
    """
    index = _output_index(function, output)
    inputs, numbers = _split(function, arguments)
    window = 0
    if function.kind is LookbackKind.ANCHORED:
        window = _window(function, numbers)
        numbers = numbers[:-1]
    values = _numbers(function, numbers)
    needed = talib_lookback(function, values) + 1 if window else 0
    if window < needed:
        msg = f"{function.name} has no value over a window of {window} bars; use {needed} or more"
        raise UsageError(msg)
    return inputs, Bound(function, values, window, index, lookback_of(function, values, window))


def _output_index(function: Function, output: str) -> int:
    outputs = function.outputs
    if len(outputs) == 1 and not output:
        return 0
    if len(outputs) == 1:
        msg = f"{function.name} has one output; leave out .{output}"
        raise UsageError(msg)
    if output not in outputs:
        choices = " or ".join(f".{name}" for name in outputs)
        got = f"no output .{output}" if output else "several outputs"
        msg = f"{function.name} has {got}; add {choices}"
        raise UsageError(msg)
    return outputs.index(output)


def _split(
    function: Function, arguments: Sequence[Expr]
) -> tuple[tuple[Expr, ...], Sequence[Expr]]:
    series, prices = len(function.series), len(function.prices)
    written = 0
    while written < len(arguments) and arguments[written].op != "number":
        written += 1
    if prices and written == series + prices:
        return tuple(arguments[:written]), arguments[written:]
    constants_are_series = not (prices or function.parameters)
    enough = len(arguments) >= series if constants_are_series else written >= series
    if not enough or written > series:
        got = ", ".join(argument.text for argument in arguments) or "nothing"
        msg = f"{function.name} got ({got}); write {function.usage}"
        raise UsageError(msg)
    implied = tuple(COLUMNS[name] for name in function.prices)
    return (*arguments[:series], *implied), arguments[series:]


def _window(function: Function, numbers: Sequence[Expr]) -> int:
    got = numbers[-1].value if numbers else 0.0
    if not (got == int(got) and 1 < got <= MAX_PERIOD):
        shown = f"{got:g}" if numbers else "nothing"
        msg = (
            f"{function.name} depends on where it starts, so its last argument is a window in "
            f"bars, a whole number from 2 to {MAX_PERIOD}, got {shown}; write {function.usage}"
        )
        raise UsageError(msg)
    return int(got)


def _numbers(function: Function, numbers: Sequence[Expr]) -> tuple[float, ...]:
    parameters = function.parameters
    if len(numbers) > len(parameters):
        takes = f"at most {len(parameters)} number{'s' * (len(parameters) != 1)}"
        msg = f"{function.name} takes {takes}, got {len(numbers)}; write {function.usage}"
        raise UsageError(msg)
    values: dict[str, float] = {}
    for index, parameter in enumerate(parameters):
        value = numbers[index].value if index < len(numbers) else parameter.default
        low, high, whole = parameter.lowest, parameter.highest, parameter.whole
        if value is None or not low <= value <= high or (whole and value != int(value)):
            got = "nothing" if value is None else f"{value:g}"
            kind = "a whole number" if whole else "a number"
            msg = (
                f"{function.name}: {parameter.name} is {kind} from {low:g} to {high:g}, "
                f"got {got}; write {function.usage}"
            )
            raise UsageError(msg)
        values[parameter.name] = float(value)
    _check_together(function, values)
    return tuple(values.values())


def _check_together(function: Function, values: Mapping[str, float]) -> None:
    for name, value in values.items():
        if name.endswith("matype") and value not in MA_TYPES:
            msg = (
                f"{function.name}: {name} {value:g} has no fixed look-back; allowed: 0 SMA, 1 EMA, "
                "2 WMA, 3 DEMA, 4 TEMA, 5 TRIMA, 8 T3, 9 HMA, 12 ZLEMA, 13 RMA"
            )
            raise UsageError(msg)
    if values.get("minperiod", 0) > values.get("maxperiod", MAX_PERIOD):
        msg = f"{function.name}: minperiod is above maxperiod"
        raise UsageError(msg)
