"""Nightly, batch and single-symbol evaluation agree in every bit; the future does not matter."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

import goldenthread.app
from goldenthread.domain.strategy import Entry, Exit, Strategy, Target
from goldenthread.signals.alignment.sections import Section
from goldenthread.signals.binding import bind
from goldenthread.signals.calls import Universe
from goldenthread.signals.engine import CompiledStrategy, Evaluator, compile_strategy
from goldenthread.signals.evaluation import Calculator, Memo
from goldenthread.signals.functions import FUNCTIONS, SECTIONS, LookbackKind
from goldenthread.signals.strategy_file import read_strategy
from signals.windows import COLUMNS, Market, asset, random_market

if TYPE_CHECKING:
    from collections.abc import Callable

    from goldenthread.domain.bar import BarWindow
    from goldenthread.domain.signal import Candidate
    from goldenthread.signals.calls import Expr

SHIPPED = sorted((Path(goldenthread.app.__file__).parent / "templates/strategies").glob("*.toml"))
MARKET = random_market()
SYMBOLS = tuple(MARKET.bars)
DATES = [dt.date(2022, 1, 3), dt.date(2022, 3, 15), dt.date(2023, 1, 2), dt.date(2023, 12, 29)]
DATES += [dt.date(2024, 3, 12), dt.date(2024, 3, 13), dt.date(2024, 5, 8), dt.date(2024, 8, 1)]


def number(dice: random.Random, depth: int) -> str:
    """A random expression that is a number; deeper ones combine shallower ones."""
    if depth == 0:
        return dice.choice([*COLUMNS, "(0 * close + 5)", "close", "close"])
    one, two = (number(dice, depth - 1) for _ in range(2))
    forms = [
        lambda: f"({one} {dice.choice(['+', '-', '*', '/', '%'])} {two})",
        lambda: f"LAG({one}, {dice.randint(0, 9)})",
        lambda: f"HIGHEST({one}, {dice.randint(1, 30)})",
        lambda: f"ref('{dice.choice(SYMBOLS)}', {plain(dice)})",
        lambda: f"on('{dice.choice(['1W', '1M'])}', {plain(dice)})",
        lambda: f"{dice.choice(SECTIONS)}({beside(dice)})",
        lambda: f"({one} if {condition(dice, 0)} else {two})",
        lambda: call(dice, one, two),
        lambda: call(dice, one, two),
        lambda: call(dice, one, two),
    ]
    return dice.choice(forms)()


def plain(dice: random.Random) -> str:
    column = dice.choice(COLUMNS)
    return dice.choice([column, f"SMA({column}, 7)", f"EMA({column}, 5)", f"LAG({column}, 2)"])


def beside(dice: random.Random) -> str:
    """What members are compared by: their own series, weeks, or another symbol's beside them."""
    others = [f"on('1W', {plain(dice)})", f"close / ref('{dice.choice(SYMBOLS)}', close)"]
    return dice.choice([plain(dice), plain(dice), "ROC(close, 3)", "RSI(close, 5)", *others])


def call(dice: random.Random, one: str, two: str) -> str:
    """A random function of the catalogue over ``one`` (and ``two``), with short periods."""
    function = dice.choice(list(FUNCTIONS.values()))
    series = [one, two][: len(function.series)]
    if function.name in {"EXP", "COSH", "SINH"}:
        series = ["close / 100"]
    numbers = []
    for parameter in function.parameters:
        usual = parameter.default if parameter.default is not None else 5
        shorter = parameter.whole and usual > 12  # keeps RECURSIVE look-backs inside the bars
        numbers.append(f"{12 if shorter else usual:g}")
    window = ["80"] if function.kind is LookbackKind.ANCHORED else []
    output = f".{dice.choice(function.outputs)}" if len(function.outputs) > 1 else ""
    return f"{function.name}({', '.join([*series, *numbers, *window])}){output}"


def condition(dice: random.Random, depth: int) -> str:
    sign = dice.choice([">", "<", ">=", "<=", "!="])
    return f"{number(dice, depth)} {sign} {number(dice, depth)}"


def strategy(seed: int) -> Strategy:
    """A random strategy: its entry is likely, so that candidates are compared."""
    dice = random.Random(seed)  # noqa: S311  # the same dice on every machine
    factors = {f"f{at}": number(dice, 2) for at in range(3)}
    likely = f"{condition(dice, 1)} or f0 == f0 or close > 0"
    join = dice.choice(["and", "or"])
    return Strategy(
        strategy_id=f"random_{seed}",
        assets=SYMBOLS,
        factors=factors,
        entry=Entry(when=likely, priority="f1", cancel_if=condition(dice, 1)),
        reject_unless={"A": condition(dice, 2), "B": f"f1 > f2 {join} {condition(dice, 1)}"},
        exit=Exit(
            stop="entry - SMA(TRANGE(), 5)",
            targets=(Target(at="MAX2(entry * 1.1, HIGHEST(high, 9))", sell=Decimal(1)),),
            when=condition(dice, 1),
            max_bars=10,
        ),
    )


def decided(
    evaluator: Evaluator, compiled: CompiledStrategy, symbol: str, ds: dt.date
) -> tuple[Candidate | None, bool | None, bool | None]:
    """Everything the engine says of one strategy, symbol and date, without the bars digest."""
    candidate = evaluator.decide(compiled, symbol, ds, asset(symbol))
    return (
        candidate,
        evaluator.holds(compiled, "exit", symbol, ds),
        evaluator.holds(compiled, "cancel", symbol, ds),
    )


def check(compiled: CompiledStrategy) -> int:
    """Compare batch, nightly and single-symbol on all dates; the number of candidates."""
    batch = Evaluator(MARKET.window)
    nightly = Evaluator(MARKET.nightly)
    candidates = 0
    for ds in DATES:
        for symbol in SYMBOLS:
            together = decided(batch, compiled, symbol, ds)
            assert together == decided(nightly, compiled, symbol, ds)
            assert together == decided(Evaluator(MARKET.nightly), compiled, symbol, ds)
            candidates += together[0] is not None
    return candidates


@pytest.mark.parametrize("path", SHIPPED, ids=lambda p: p.stem)
def test_shipped_strategies_decide_the_same_however_they_are_run(path: Path) -> None:
    compiled = compile_strategy(read_strategy(path))
    always = read_strategy(path).model_copy(update={"entry": Entry(when="close > 0")})
    check(compiled)
    assert check(compile_strategy(always)) > 20  # its filters, factors and levels are compared


@pytest.mark.parametrize("seed", range(50))
def test_random_strategies_decide_the_same_however_they_are_run(seed: int) -> None:
    check(compile_strategy(strategy(seed)))


@pytest.mark.parametrize("seed", range(70))
def test_random_expressions_have_the_same_bits_however_they_are_run(seed: int) -> None:
    universe = Universe(SYMBOLS)
    expr = bind(number(random.Random(1_000 + seed), 3), {}, universe=universe)  # noqa: S311  # as above
    memo = Memo()
    for ds in DATES:
        batch, nightly = Calculators(MARKET.window, ds, memo), Calculators(MARKET.nightly, ds)
        for symbol in SYMBOLS:
            bits = [c.bits(expr, symbol) for c in (batch, nightly)]
            assert bits[0] == bits[1], expr.text


@dataclass
class Calculators:
    """Values on one date, read through one kind of window."""

    windows: Callable[[str, dt.date], BarWindow | None]
    ds: dt.date
    memo: Memo = field(default_factory=Memo)

    def bits(self, expr: Expr, symbol: str) -> bytes:
        window = self.windows(symbol, self.ds)
        if window is None:
            return b""
        calculator = Calculator(self.of, self.memo, self.section)
        return np.float64(calculator.at(expr, window)).tobytes()

    def of(self, symbol: str) -> BarWindow | None:
        return self.windows(symbol, self.ds)

    def section(self, universe: Universe) -> Section:
        windows = [w for s in universe.symbols if (w := self.of(s)) is not None]
        return Section.of(universe.key, windows, np.datetime64(self.ds))


def test_a_changed_future_changes_nothing() -> None:
    rigged: dict[str, tuple[np.ndarray, dict[str, np.ndarray]]] = {}
    ds = dt.date(2024, 8, 1)
    for symbol, (dates, columns) in MARKET.bars.items():
        later = dates > np.datetime64(ds)
        rigged[symbol] = (
            dates,
            {name: np.where(later, column * 3, column) for name, column in columns.items()},
        )
    other = Market(rigged, MARKET.lag)
    for seed in range(20):
        compiled = compile_strategy(strategy(seed))
        for symbol in SYMBOLS:
            left = decided(Evaluator(MARKET.window), compiled, symbol, ds)
            assert left == decided(Evaluator(other.window), compiled, symbol, ds)
