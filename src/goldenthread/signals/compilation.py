"""A strategy with every expression bound and checked, ready to decide."""

from __future__ import annotations

import keyword
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from goldenthread.domain.errors import UsageError
from goldenthread.domain.policy import GATE_NAMES
from goldenthread.signals.binding import ENTRY, below, bind, number, table_values
from goldenthread.signals.calls import COLUMNS, Expr, Rule, Universe
from goldenthread.signals.factors.python import functions_in
from goldenthread.signals.filters import Filter, filter_of
from goldenthread.signals.functions import LANGUAGE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from goldenthread.domain.strategy import Strategy, UniverseRule
    from goldenthread.signals.functions import Function

_PLACES = ("column ", "line ")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_REASON = re.compile(r"[A-Z][A-Z0-9_]{0,63}")
_ASSET = re.compile(r"@[a-z][a-z0-9_]*|[A-Z][A-Z0-9.]*(/[A-Z][A-Z0-9]*)?")


class StrategyError(UsageError):
    """What is wrong with one key of a strategy.

    Args:
        message: What was got, what is allowed, what to do.
        key: Where it stands, like ``entry.when`` or ``exit.targets[1].at``.
    """

    def __init__(self, message: str, key: str) -> None:
        super().__init__(
            f"{key}, {message}" if message.startswith(_PLACES) else f"{key}: {message}"
        )
        self.key = key


@dataclass(frozen=True, eq=False)
class CompiledStrategy:
    """A strategy and its expressions; what a file leaves out is None or empty.

    ``lookback`` is the most bars before 1 January that one of them reads: bars must reach so far
    back. ``refs`` are the symbols read through ``ref``, ``peers`` the members it compares; the
    rules of its universes count in all three. ``reach`` is the most bars that one of them reads
    before a bar of another symbol, ``compares`` whether its own expressions compare members.
    """

    strategy: Strategy
    universe: Universe
    when: Expr
    price: Expr | None
    cancel: Expr | None
    priority: Expr | None
    factors: Mapping[str, Expr]
    filters: tuple[Filter, ...]
    stop: Expr
    targets: tuple[tuple[Expr, Decimal], ...]
    trail: Expr | None
    exit: Expr | None
    lookback: int
    reach: int
    refs: tuple[str, ...]
    peers: tuple[str, ...]
    compares: bool


def compile_strategy(strategy: Strategy) -> CompiledStrategy:
    """The strategy ready to decide.

    Raises:
        StrategyError: A key contradicts another, or an expression is wrong; a UsageError.
        UsageError: The code of a factor written in Python is not right.
    """
    _check_form(strategy)
    return _Compiler(strategy).compiled()


class _Compiler:
    """Binds expressions one by one and keeps them to sum up look-backs and symbols."""

    def __init__(self, strategy: Strategy) -> None:
        self._strategy = strategy
        self._functions = functions_of(strategy.code)
        self._universe = _universe(strategy, self._functions)
        self._scope: dict[str, Expr] = {}
        self._all = [rule.expr for rule in self._universe.rules]

    def compiled(self) -> CompiledStrategy:
        strategy = self._strategy
        entry, leave = strategy.entry, strategy.exit
        self._scope |= {name: number(float(value)) for name, value in strategy.params.items()}
        for name, table in strategy.tables.items():
            self._scope[name] = table_values(table.table, table.max_age_days)
        factors = {name: self._factor(name, text) for name, text in strategy.factors.items()}
        when = self._bound("entry.when", entry.when, condition=True)
        price = self._found("entry.price", entry.price)
        cancel = self._found("entry.cancel_if", entry.cancel_if, condition=True)
        priority = self._found("entry.priority", entry.priority)
        filters = tuple(
            filter_of(name, self._bound(f"reject_unless.{name}", text, condition=True))
            for name, text in strategy.reject_unless.items()
        )
        rule = self._found("exit.when", leave.when, condition=True)
        self._scope["entry"] = ENTRY
        targets = tuple(
            (self._bound(f"exit.targets[{at}].at", target.at), target.sell)
            for at, target in enumerate(leave.targets, start=1)
        )
        return CompiledStrategy(
            strategy=strategy,
            universe=self._universe,
            when=when,
            price=price,
            cancel=cancel,
            priority=priority,
            factors=factors,
            filters=filters,
            stop=self._bound("exit.stop", leave.stop),
            targets=targets,
            trail=self._found("exit.trail", leave.trail),
            exit=rule,
            lookback=max(expr.lookback for expr in self._all),
            reach=max(_reach(expr) for expr in self._all),
            refs=tuple(sorted({symbol for expr in self._all for symbol in expr.refs})),
            peers=tuple(sorted({s for e in self._all if e.universe for s in e.universe.everyone})),
            compares=any(expr.universe is self._universe for expr in self._all),
        )

    def _factor(self, name: str, text: str) -> Expr:
        expr = self._scope[name] = self._bound(f"factors.{name}", text)
        return expr

    def _found(self, key: str, text: str | None, *, condition: bool = False) -> Expr | None:
        return None if text is None else self._bound(key, text, condition=condition)

    def _bound(self, key: str, text: str, *, condition: bool = False) -> Expr:
        try:
            expr = bind(
                text,
                self._scope,
                condition=condition,
                universe=self._universe,
                functions=self._functions,
            )
        except UsageError as error:
            raise StrategyError(str(error), key) from None
        self._all.append(expr)
        return expr


def _reach(expr: Expr) -> int:
    """The longest look-back in it, that of what it reads through ``ref`` included."""
    inner = [part.parts[0].lookback for part in below(expr) if part.op == "ref"]
    return max(expr.lookback, *inner, 0)


def bound_rule(by_rule: UniverseRule, functions: Mapping[str, Function]) -> Rule:
    """The rule of a universe, ready to choose.

    Raises:
        UsageError: It is no condition.
    """
    among = Universe(by_rule.among)
    rule = bind(by_rule.rule, {}, condition=True, universe=among, functions=functions)
    return Rule(rule, among.symbols)


def functions_of(code: Mapping[str, str]) -> dict[str, Function]:
    """The functions written in Python that may be called; their code is run."""
    found: dict[str, Function] = {}
    for file, text in code.items():
        found |= functions_in(file, text)
    return found


def _universe(strategy: Strategy, functions: Mapping[str, Function]) -> Universe:
    rules = []
    for name, by_rule in strategy.rules.items():
        try:
            rules.append(bound_rule(by_rule, functions))
        except UsageError as error:
            msg = f"rule, {error}"
            raise StrategyError(msg, f"universes.toml, {name}") from None
    return Universe(strategy.members, tuple(rules))


def _check_form(strategy: Strategy) -> None:
    for asset in strategy.assets:
        if not _ASSET.fullmatch(asset):
            msg = f"{asset!r} is no asset; write a symbol (AAPL, BTC/USD) or a universe (@stocks)"
            raise StrategyError(msg, "assets")
    _check_names("params", strategy.params, {})
    taken = dict.fromkeys(strategy.params, "a parameter")
    _check_names("inputs", strategy.inputs, taken)
    for name, table in strategy.tables.items():
        if not _NAME.fullmatch(table.table):
            msg = f"{table.table!r} is no table; use lower-case letters, digits and underscores"
            raise StrategyError(msg, f"inputs.{name}")
    taken |= dict.fromkeys(strategy.inputs, "an input")
    _check_names("factors", strategy.factors, taken)
    for name in strategy.reject_unless:
        if not _REASON.fullmatch(name) or name in GATE_NAMES:
            why = "is the name of a gate" if name in GATE_NAMES else "is no rejection reason"
            msg = f"{name!r} {why}; write capitals and underscores, such as RSI_TOO_HIGH"
            raise StrategyError(msg, f"reject_unless.{name}")
    _check_entry(strategy)
    _check_exit(strategy)


def _check_names(section: str, names: Iterable[str], taken: Mapping[str, str]) -> None:
    for name in names:
        if not _NAME.fullmatch(name) or keyword.iskeyword(name):
            why = "is no name; use lower-case letters, digits and underscores"
        elif name in COLUMNS or name == "entry" or name in LANGUAGE:
            why = "has a meaning already (a column, a function or the planned price)"
        elif name in taken:
            why = f"is {taken[name]} too"
        else:
            continue
        msg = f"{name!r} {why}; choose another name"
        raise StrategyError(msg, f"{section}.{name}")


def _check_entry(strategy: Strategy) -> None:
    order, price = strategy.entry.order, strategy.entry.price
    if order == "market" and price is not None:
        msg = 'a market order has no price; leave it out or write order = "limit" or "stop"'
        raise StrategyError(msg, "entry.price")
    if order != "market" and price is None:
        msg = f'order = "{order}" needs a price, such as price = "close * 0.99"'
        raise StrategyError(msg, "entry.order")


def _check_exit(strategy: Strategy) -> None:
    targets, after = strategy.exit.targets, strategy.exit.breakeven_after
    sold = sum((target.sell for target in targets), Decimal(0))
    if sold > 1:
        msg = f"the targets sell {sold} of the position; at most 1"
        raise StrategyError(msg, "exit.targets")
    if after is not None and after > len(targets):
        msg = f"{after} is more than the number of targets ({len(targets)}); leave it out"
        raise StrategyError(msg, "exit.breakeven_after")
