"""The functions expressions may call, TA-Lib's by name and six of our own, and their reach."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from goldenthread.domain.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

MAX_PERIOD = 2_000
"""The longest period or window, in bars."""
PRICES = ("open", "high", "low", "close", "volume")
"""The columns of a bar; names an expression may always use."""
OWN_GROUP = "Goldenthread"

_INFLUENCE = 1e-12
_FIXED = "alpha"
_EMA_TYPES = {1: 1, 3: 2, 4: 3, 8: 6, 12: 1}
"""TA-Lib's MA types made of exponential averages, and how many of them each chains."""
_FINITE_TYPES = frozenset({0, 2, 5, 9})
_WILDER_TYPE = 13
MA_TYPES = frozenset(_EMA_TYPES) | _FINITE_TYPES | {_WILDER_TYPE}
"""The MA types an expression may name; KAMA, MAMA are functions of their own (ANCHORED)."""


class LookbackKind(StrEnum):
    """How far back a value reaches.

    FINITE: exactly so many bars. RECURSIVE: until the start value weighs less than 1e-12.
    ANCHORED: it depends on where one starts, so every value is computed over the last
    ``window`` bars, a mandatory last argument.
    """

    FINITE = "FINITE"
    RECURSIVE = "RECURSIVE"
    ANCHORED = "ANCHORED"


class Parameter(NamedTuple):
    """One number a function takes after its series; ``default`` None makes it mandatory."""

    name: str
    default: float | None
    lowest: float
    highest: float
    whole: bool


@dataclass(frozen=True, eq=False)
class Function:
    """What the catalogue knows of one function.

    ``series`` are inputs that must be written (any expression), ``prices`` columns that are
    implied and may be written. ``outputs`` are reached as attributes when there are several.
    ``rule`` is the settling rule of a RECURSIVE function (``settling_bars``), or
    ``position`` where TA-Lib gives an index: it is counted inside the look-back, 0 the oldest.
    """

    name: str
    group: str
    series: tuple[str, ...]
    prices: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    outputs: tuple[str, ...]
    kind: LookbackKind
    rule: str = ""

    @property
    def is_own(self) -> bool:
        """Whether it is ours, not TA-Lib's."""
        return self.group == OWN_GROUP

    @property
    def key(self) -> str:
        """What it means beside its name; empty in the catalogue, where a name means one thing."""
        return ""

    @property
    def usage(self) -> str:
        """How to write it, prices implied: ``BBANDS(price, timeperiod=20, ...).upperband``."""
        defaults = [
            p.name if p.default is None else f"{p.name}={p.default:g}" for p in self.parameters
        ]
        window = ["window"] if self.kind is LookbackKind.ANCHORED else []
        text = f"{self.name}({', '.join([*self.series, *defaults, *window])})"
        return text if len(self.outputs) == 1 else f"{text}.{self.outputs[0]}"


def _parameter(text: str) -> Parameter:
    name, _, numbers = text.partition("=")
    default, lowest, highest = numbers.split(":")
    whole = "." not in default and "e" not in default
    return Parameter(
        name,
        float(default) if default else None,
        float(lowest),
        float(highest or MAX_PERIOD),
        whole,
    )


def _function(row: Mapping[str, str]) -> Function:
    return Function(
        name=row["name"],
        group=row["group"],
        series=tuple(row["series"].split()),
        prices=tuple(row["prices"].split()),
        parameters=tuple(_parameter(text) for text in row["parameters"].split()),
        outputs=tuple(row["outputs"].split()),
        kind=LookbackKind(row["kind"]),
        rule=row["rule"],
    )


def _own(name: str, series: str, *parameters: str) -> Function:
    return Function(
        name,
        OWN_GROUP,
        tuple(series.split()),
        (),
        tuple(_parameter(text) for text in parameters),
        ("real",),
        LookbackKind.FINITE,
    )


def _catalogue() -> Iterator[Function]:
    path = Path(__file__).with_name("catalogue.csv")
    with path.open(encoding="utf-8", newline="") as file:
        yield from map(_function, csv.DictReader(file))
    yield _own("LAG", "price", "n=:0:")
    yield _own("HIGHEST", "price", "n=:1:")
    yield _own("LOWEST", "price", "n=:1:")
    yield _own("ABS", "price")
    yield _own("MIN2", "a b")
    yield _own("MAX2", "a b")


def _by_name(functions: Iterable[Function]) -> dict[str, Function]:
    return {function.name: function for function in functions}


FUNCTIONS: Mapping[str, Function] = _by_name(_catalogue())
"""Every function by the name expressions use, but those of ``LANGUAGE``."""

SECTIONS = ("rank", "pct_rank", "zscore")
"""The functions that compare a symbol with the other members of its strategy's universe."""

LANGUAGE: Mapping[str, str] = {
    "ref": "ref('SPY', close > SMA(close, 200))",
    "on": "on('1W', SMA(close, 40))",
    **{name: f"{name}(ROC(close, 120))" for name in SECTIONS},
}
"""The functions that read other bars than a symbol's own days, and how to write each."""


def settling_bars(rule: str, parameters: Mapping[str, float]) -> int:
    """Bars until the start values of a chain of averages weigh less than 1e-12 in its output.

    ``rule`` chains stages with ``>``; a stage is ``kind:parameter``, ``*n`` repeats it, ``|``
    takes the slower of two. Kinds: ``ema`` (alpha 2/(n+1)), ``wilder`` (1/n), ``alpha`` (given)
    and ``ma:period:matype`` (what the type is made of; a finite type adds nothing). Each stage's
    start value is wrong by 1 at the same time; the bars are counted until the last stage is
    wrong by less than 1e-12, divided by 2^k - 1 for k stages, which bounds how often DEMA, TEMA
    or T3 weigh one of them.

    Raises:
        UsageError: An MA type has no fixed smoothing constant.
    """
    alphas: list[float] = []
    for stage in rule.split(">") if rule else []:
        choices = [_alphas(choice.strip(), parameters) for choice in stage.split("|")]
        alphas += max((_settled(choice), choice) for choice in choices)[1]
    return _settled(tuple(alphas))


def _alphas(stage: str, parameters: Mapping[str, float]) -> tuple[float, ...]:
    stage, _, times = stage.partition("*")
    kind, name, *rest = stage.split(":")
    if kind == _FIXED:
        return (float(name),)
    period = parameters[name]
    count = int(times or 1)
    if kind == "ma":
        kind, count = _moving_average(int(parameters[rest[0]]), rest[0])
    alpha = 1 / period if kind == "wilder" else 2 / (period + 1)
    return (alpha,) * count if alpha < 1 else ()


def _moving_average(matype: int, name: str) -> tuple[str, int]:
    if matype not in MA_TYPES:
        msg = (
            f"{name} {matype} has no fixed look-back; allowed: {sorted(MA_TYPES)} "
            "(0 SMA, 1 EMA, 2 WMA, 3 DEMA, 4 TEMA, 5 TRIMA, 8 T3, 9 HMA, 12 ZLEMA, 13 RMA)"
        )
        raise UsageError(msg)
    return ("wilder", 1) if matype == _WILDER_TYPE else ("ema", _EMA_TYPES.get(matype, 0))


@cache
def _settled(alphas: tuple[float, ...]) -> int:
    errors = [1.0] * len(alphas)
    bars = 0
    allowed = _INFLUENCE / (2 ** len(alphas) - 1) if alphas else 1.0
    while errors and errors[-1] >= allowed:
        before = 0.0
        for stage, alpha in enumerate(alphas):
            errors[stage] = (1 - alpha) * errors[stage] + alpha * before
            before = errors[stage]
        bars += 1
    return bars
