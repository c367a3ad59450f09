"""From bars to candidates: what each strategy decides for a symbol on a date."""

from __future__ import annotations

import ast
import hashlib
import math
from functools import cache
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from goldenthread.domain.asset import AssetClass
from goldenthread.domain.signal import Candidate, Plan, TargetLevel
from goldenthread.rules.rounding import round_entry, round_stop, round_target, significant
from goldenthread.signals.compilation import CompiledStrategy, StrategyError, compile_strategy
from goldenthread.signals.evaluation import Memo, Moment, is_true, no_inputs

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable
    from decimal import Decimal

    from goldenthread.domain.asset import Asset
    from goldenthread.domain.bar import BarWindow, Steps
    from goldenthread.signals.calls import Expr

__all__ = [
    "CompiledStrategy",
    "Evaluator",
    "Memo",
    "StrategyError",
    "code_of",
    "compile_strategy",
    "engine_digest",
    "engine_manifest",
    "refs",
]

VOLATILITY_BARS = 20
"""Daily returns in the annual volatility of a candidate."""
_SESSIONS_A_YEAR = {AssetClass.EQUITY: 252, AssetClass.CRYPTO: 365}
_NO_PRICE_ABOVE = 1e15
_SOURCES = ("*.py", "*.csv")
_LIBRARIES = ("ta-lib", "numpy")


class Evaluator:
    """Decides for one moment at a time; series computed once serve all days of their window.

    Args:
        windows: The window of a symbol for a decision date, as known at an instant (None:
            everything counts as known); None when the symbol has no readable bar.
        memo: Where series are kept; share one among evaluators over the same bars.
        inputs: The values of a point-in-time table for a symbol, for ``[inputs]``.

    ``moment`` is what can be read at the date moved to last.
    """

    def __init__(
        self,
        windows: Callable[[str, dt.date, dt.datetime | None], BarWindow | None],
        memo: Memo | None = None,
        *,
        inputs: Callable[[str, str], Steps] = no_inputs,
    ) -> None:
        self.moment = Moment(windows, memo, inputs)

    def at(self, ds: dt.date, now: dt.datetime | None = None) -> None:
        """Move to the decision date ``ds`` with the bars known at ``now``."""
        self.moment.at(ds, now)

    def decide(
        self, compiled: CompiledStrategy, symbol: str, ds: dt.date, asset: Asset
    ) -> Candidate | None:
        """The candidate of the strategy on the close of ``ds``.

        None without a bar of ``ds``, for who is no member this month, or when ``entry.when`` is
        not true (null is not true). All filters are judged; a level that is null leaves the
        candidate without a plan.
        """
        window = self._decision_window(symbol, ds)
        if window is None or not self.moment.is_member(compiled.universe, symbol):
            return None
        if not is_true(self.moment.calculator.at(compiled.when, window)):
            return None
        return self._candidate(compiled, window, ds, asset)

    def holds(
        self,
        compiled: CompiledStrategy,
        expression: Literal["exit", "cancel"],
        symbol: str,
        ds: dt.date,
    ) -> bool | None:
        """Whether ``exit.when`` or ``entry.cancel_if`` is true on the close of ``ds``.

        False when the strategy has no such rule; None when it cannot be told: no bar of ``ds``,
        or a null in the rule.
        """
        expr = compiled.exit if expression == "exit" else compiled.cancel
        if expr is None:
            return False
        window = self._decision_window(symbol, ds)
        value = math.nan if window is None else self.moment.calculator.at(expr, window)
        return None if math.isnan(value) else value != 0

    def _decision_window(self, symbol: str, ds: dt.date) -> BarWindow | None:
        if ds != self.moment.ds:
            self.at(ds)
        window = self.moment.window(symbol)
        return window if window is not None and window.has_bar(ds) else None

    def _candidate(
        self, compiled: CompiledStrategy, window: BarWindow, ds: dt.date, asset: Asset
    ) -> Candidate:
        at, parts_at = self.moment.calculator.at, self.moment.calculator.parts_at
        strategy = compiled.strategy
        verdicts = [
            verdict
            for filter_ in compiled.filters
            for verdict in filter_.verdicts(parts_at(filter_.expr, filter_.parts, window))
        ]
        close = round_entry(float(window.close[window.upto]), asset, strategy.side, "market")
        return Candidate(
            ds=ds,
            strategy_id=strategy.strategy_id,
            version_key=strategy.version_key,
            symbol=window.symbol,
            asset_class=asset.asset_class,
            side=strategy.side,
            strategy_status=strategy.status,
            close=close,
            plan=self._plan(compiled, window, asset, close),
            size=strategy.size,
            priority=significant(at(compiled.priority, window)) if compiled.priority else None,
            volatility=significant(_volatility(window, asset.asset_class)),
            factors={n: significant(at(expr, window)) for n, expr in compiled.factors.items()},
            verdicts=tuple(verdicts),
            bars_digest=self.moment.digest(compiled, window),
        )

    def _plan(
        self, compiled: CompiledStrategy, window: BarWindow, asset: Asset, close: Decimal
    ) -> Plan | None:
        strategy = compiled.strategy
        side, order = strategy.side, strategy.entry.order
        entry: Decimal | None = close
        if compiled.price is not None:
            price = _as_price(self.moment.calculator.at(compiled.price, window))
            entry = None if price is None else round_entry(price, asset, side, order)
        if entry is None:
            return None
        stop = self._level(compiled.stop, window, entry)
        prices = [self._level(expr, window, entry) for expr, _ in compiled.targets]
        trail = self._level(compiled.trail, window, entry) if compiled.trail else None
        if stop is None or None in prices or (compiled.trail and trail is None):
            return None
        sells = [sell for _, sell in compiled.targets]
        pairs = zip(prices, sells, strict=True)
        return Plan(
            order=order,
            entry=entry,
            stop=round_stop(stop, asset, side),
            targets=tuple(
                TargetLevel(price=round_target(price, asset, side), sell=sell)
                for price, sell in pairs
                if price is not None
            ),
            trail=None if trail is None else round_entry(trail, asset, side, "market"),
            breakeven_after=strategy.exit.breakeven_after,
            valid_bars=strategy.entry.valid_bars,
            max_bars=strategy.exit.max_bars,
        )

    def _level(self, expr: Expr, window: BarWindow, entry: Decimal) -> float | None:
        return _as_price(self.moment.calculator.level(expr, window, float(entry)))


def refs(compiled: CompiledStrategy) -> tuple[str, ...]:
    """The other symbols the strategy reads, sorted: their bars are needed too."""
    return compiled.refs


def _sources() -> list[Path]:
    """The files of the code that decides, folder by folder."""
    folders = (Path(__file__).parents[1] / folder for folder in ("rules", "signals"))
    return [
        file
        for folder in folders
        for file in sorted({f for pattern in _SOURCES for f in folder.rglob(pattern)})
    ]


@cache
def engine_digest() -> str:
    """Sixteen hex digits that change when code that decides, TA-Lib or numpy changes."""
    sha = hashlib.sha256()
    package = Path(__file__).parents[1]
    for file in _sources():
        sha.update(f"{file.relative_to(package).as_posix()}\n".encode())
        sha.update(file.read_bytes())
    for library in _LIBRARIES:
        sha.update(f"{library} {version(library)}\n".encode())
    return sha.hexdigest()[:16]


@cache
def engine_manifest() -> dict[str, str]:
    """Eight hex digits for each function of the code that decides, for each of its files' rest.

    Named by file and function (``signals/filters.py filter_of``, methods ``Class.method``); they
    change with what is done, not with comments, docstrings or the layout. Libraries tell their
    version.
    """
    package, found = Path(__file__).parents[1], dict[str, str]()
    for file in _sources():
        found |= code_of(file.relative_to(package).as_posix(), file.read_text(encoding="utf-8"))
    return {**found, **{library: version(library) for library in _LIBRARIES}}


def code_of(file: str, text: str) -> dict[str, str]:
    """Eight hex digits for each function of a file, and under its name for what remains of it."""
    parts = _functions(ast.parse(text)) if file.endswith(".py") else {"": text}
    return {f"{file} {part}".strip(): _short(body) for part, body in parts.items()}


def _functions(tree: ast.Module) -> dict[str, str]:
    """The code of every function and method of a module, and ("") what remains of it."""
    found: dict[str, str] = {}

    def take(body: list[ast.stmt], prefix: str) -> None:
        for node in list(body):
            if isinstance(node, ast.ClassDef):
                take(node.body, f"{prefix}{node.name}.")
            elif isinstance(node, ast.FunctionDef):
                if ast.get_docstring(node) is not None:
                    node.body = node.body[1:] or [ast.Pass()]
                found[f"{prefix}{node.name}"] = ast.unparse(node)
                body.remove(node)

    take(tree.body, "")
    return {**found, "": ast.unparse(tree)}


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _as_price(value: float) -> float | None:
    return value if math.isfinite(value) and abs(value) < _NO_PRICE_ABOVE else None


def _volatility(window: BarWindow, asset_class: AssetClass) -> float:
    """Annual volatility of the last 20 daily returns; NaN when history is shorter."""
    first = window.upto - VOLATILITY_BARS
    if first < 0:
        return math.nan
    closes = window.close[first : window.upto + 1].tolist()
    returns = [after / before - 1 for before, after in pairwise(closes)]
    mean = math.fsum(returns) / len(returns)
    variance = math.fsum((value - mean) ** 2 for value in returns) / (len(returns) - 1)
    return math.sqrt(variance * _SESSIONS_A_YEAR[asset_class])
