"""Names and calls of a parsed expression bound to columns, numbers and functions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from goldenthread.domain.errors import UsageError
from goldenthread.signals.alignment.periods import PERIODS
from goldenthread.signals.arithmetic import combine
from goldenthread.signals.calls import COLUMNS, Expr, fit, function_named
from goldenthread.signals.expressions import COMPARISONS, Node, nearest, parse, place
from goldenthread.signals.functions import FUNCTIONS, LANGUAGE, SECTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from goldenthread.signals.calls import Universe
    from goldenthread.signals.functions import Function

MAX_LOOKBACK = 5_000
"""Bars before 1 January the longest expression may need (20 years of sessions)."""
MAX_PARTS = 2_000
"""Parts of one expression once factors are written out."""
MAX_LEVELS = 120
"""Levels of one expression once factors are written out."""

ENTRY = Expr("entry", "entry", uses_entry=True)
"""The planned entry price, known in stop, targets and trail."""

_NONE: Mapping[str, Function] = {}
_LOGIC = frozenset({"and", "or", "not"})
_SYMBOL = re.compile(r"[A-Z0-9][A-Z0-9.-]{0,14}|[A-Z0-9]{1,15}/[A-Z]{3,5}")


def number(value: float) -> Expr:
    """A constant."""
    return Expr("number", repr(float(value)), value=float(value))


def table_values(name: str, days: int) -> Expr:
    """The values of a point-in-time table, none older than ``days``."""
    return Expr("input", f"input({name!r}, {days})", symbol=name, value=float(days))


def bind(
    text: str,
    scope: Mapping[str, Expr],
    *,
    condition: bool = False,
    universe: Universe | None = None,
    functions: Mapping[str, Function] = _NONE,
) -> Expr:
    """The expression with every name of ``scope`` written out.

    Args:
        text: An expression.
        scope: What each name means besides the columns: parameters, factors, perhaps ``entry``.
        condition: Whether it must be true or false (else it may be any value).
        universe: The members ``rank`` and its like compare; without one they are refused.
        functions: What may be called by name besides the catalogue.

    Raises:
        UsageError: It does not parse, a name or function is unknown, a call does not fit its
            function, or it needs too many bars; the message starts with the column.
    """
    expr = _Binder(text, {**COLUMNS, **scope}, universe, functions).bind(parse(text))
    if condition and not expr.is_condition:
        msg = (
            f"column 1: {text.strip()!r} is a number; write a condition such as {text.strip()} > 0"
        )
        raise UsageError(msg)
    if expr.lookback > MAX_LOOKBACK:
        msg = (
            f"column 1: it needs {expr.lookback} bars before its first value; "
            f"at most {MAX_LOOKBACK}: use shorter periods"
        )
        raise UsageError(msg)
    return expr


def below(expr: Expr) -> Iterator[Expr]:
    """The expression and all its parts."""
    yield expr
    for part in expr.parts:
        yield from below(part)


class _Binder:
    """Carries the text, for places in messages, the scope, the members, further functions."""

    def __init__(
        self,
        text: str,
        scope: Mapping[str, Expr],
        universe: Universe | None,
        functions: Mapping[str, Function],
    ) -> None:
        self._text = text
        self._scope = scope
        self._universe = universe
        self._functions = functions

    def bind(self, node: Node) -> Expr:
        match node.op:
            case "number":
                return number(node.value)
            case "name":
                return self._name(node)
            case "text":
                what = "text may only stand first in ref('SPY', ...) or on('1W', ...)"
                raise self._error(node, what)
            case "call":
                return self._called(node)
            case "output":
                return self._call(node.parts[0], node.name)
        return self._sign(node)

    def _name(self, node: Node) -> Expr:
        found = self._scope.get(node.name)
        if found is not None:
            return found
        function = FUNCTIONS.get(node.name) or self._functions.get(node.name)
        if function is not None or node.name in LANGUAGE:
            usage = function.usage if function else LANGUAGE[node.name]
            raise self._error(node, f"{node.name} is a function; write {usage}")
        hint = nearest(node.name, [*self._scope, *FUNCTIONS, *LANGUAGE, *self._functions])
        known = ", ".join(sorted(self._scope))
        raise self._error(node, f"unknown name {node.name!r}{hint}; known here: {known}")

    def _sign(self, node: Node) -> Expr:
        parts = tuple(self.bind(part) for part in node.parts)
        tested = parts if node.op in _LOGIC else parts[: int(node.op == "if")]
        for part, written in zip(tested, node.parts, strict=False):
            if not part.is_condition:
                what = f"{node.op!r} takes conditions, but {part.text} is a number"
                raise self._error(written, f"{what}; compare it, such as {part.text} > 0")
        truth = node.op in COMPARISONS or node.op in _LOGIC
        if all(part.op == "number" for part in parts) and not truth:
            return self._folded(node, parts)
        if node.op == "if":
            truth = parts[1].is_condition and parts[2].is_condition
        return self._joined(node, Expr(node.op, _sign_text(node.op, parts), parts), truth=truth)

    def _folded(self, node: Node, parts: tuple[Expr, ...]) -> Expr:
        value = float(combine(node.op, [part.value for part in parts]))
        if value != value:  # noqa: PLR0124  # only NaN differs from itself
            what = f"{_sign_text(node.op, parts)} has no value (division by zero or overflow)"
            raise self._error(node, what)
        return number(value)

    def _joined(self, node: Node, bare: Expr, *, truth: bool) -> Expr:
        """``bare`` with what follows from its parts: look-back, size, other symbols."""
        parts = bare.parts
        size = 1 + sum(part.size for part in parts)
        levels = 1 + max(part.levels for part in parts)
        if size > MAX_PARTS or levels > MAX_LEVELS:
            what = f"{size} parts on {levels} levels once factors are written out"
            raise self._error(node, f"{what}; at most {MAX_PARTS} on {MAX_LEVELS}")
        return Expr(
            bare.op,
            bare.text,
            parts,
            bound=bare.bound,
            lookback=max(part.lookback for part in parts)
            + (bare.bound.lookback if bare.bound else 0),
            size=size,
            levels=levels,
            is_condition=truth,
            uses_entry=any(part.uses_entry for part in parts),
            refs=tuple(sorted({symbol for part in parts for symbol in part.refs})),
            universe=next((part.universe for part in parts if part.universe), None),
        )

    def _called(self, node: Node) -> Expr:
        if node.name in SECTIONS:
            return self._section(node)
        look = {"ref": self._ref, "on": self._on}.get(node.name)
        return look(node) if look else self._call(node, "")

    def _ref(self, node: Node) -> Expr:
        symbol, inner = self._quoted(node, "symbol")
        if not _SYMBOL.fullmatch(symbol):
            raise self._error(node, f"{symbol!r} is no symbol; write one like SPY or BTC/USD")
        self._refuse(node, inner, f"it reads the bars of {symbol} alone", period=True)
        return self._looked(node, inner, symbol, refs=(symbol,))

    def _on(self, node: Node) -> Expr:
        period, inner = self._quoted(node, "period")
        if period not in PERIODS:
            allowed = " or ".join(map(repr, PERIODS))
            raise self._error(node, f"period {period!r} is not allowed; write {allowed}")
        self._refuse(node, inner, "it reads the symbol's own weeks or months alone")
        # One period more than it needs is not complete yet, and the first may be cut in two.
        lookback = (inner.lookback + 2) * PERIODS[period]
        return self._looked(node, inner, period, lookback=lookback)

    def _section(self, node: Node) -> Expr:
        name, usage = node.name, LANGUAGE[node.name]
        if len(node.parts) != 1 or node.parts[0].op == "text":
            raise self._error(node, f"{name} takes one expression: {usage}")
        if self._universe is None:
            what = f"{name} compares the members of a strategy; here there is no strategy"
            raise self._error(node, what)
        inner = self.bind(node.parts[0])
        if inner.is_condition:
            what = f"{name} takes a number, but {inner.text} is a condition"
            raise self._error(node, f"{what}; write {usage}")
        if inner.universe or inner.uses_entry:
            what = "rank, pct_rank or zscore" if inner.universe else "entry"
            raise self._error(node, f"{name} cannot hold {what}; write {usage}")
        return Expr(
            name,
            f"{name}({inner.text} of {self._universe.key})",
            (inner,),
            lookback=inner.lookback,
            size=inner.size + 1,
            levels=inner.levels + 1,
            refs=inner.refs,
            universe=self._universe,
        )

    def _quoted(self, node: Node, kind: str) -> tuple[str, Expr]:
        """The text and the bound expression of ``ref`` and ``on``."""
        if len(node.parts) != 2 or node.parts[0].op != "text":  # noqa: PLR2004  # text, expression
            what = f"{node.name} takes a quoted {kind} and one expression"
            raise self._error(node, f"{what}: {LANGUAGE[node.name]}")
        return node.parts[0].name, self.bind(node.parts[1])

    def _refuse(self, node: Node, inner: Expr, why: str, *, period: bool = False) -> None:
        """Refuse what ``ref`` and ``on`` cannot hold; ``period``: it may hold an ``on``."""
        barred = {*LANGUAGE, "entry"} - {"on"} if period else {*LANGUAGE, "entry", "input"}
        wrong = [part.op for part in below(inner) if part.op in barred]
        if wrong:
            what = f"another {node.name}" if wrong[0] == node.name else wrong[0]
            raise self._error(node, f"{node.name} cannot hold {what}: {why}")

    def _looked(
        self, node: Node, inner: Expr, text: str, *, lookback: int = 0, refs: tuple[str, ...] = ()
    ) -> Expr:
        return Expr(
            node.name,
            f"{node.name}({text!r}, {inner.text})",
            (inner,),
            symbol=text,
            lookback=lookback,
            size=inner.size + 1,
            levels=inner.levels + 1,
            is_condition=inner.is_condition,
            refs=refs,
        )

    def _call(self, node: Node, output: str) -> Expr:
        arguments = [self.bind(part) for part in node.parts]
        try:
            function = function_named(node.name, self._functions)
            inputs, bound = fit(function, arguments, output)
        except UsageError as error:
            raise self._error(node, str(error)) from None
        shown = [part.text for part in inputs] + [repr(value) for value in bound.numbers]
        shown += [str(bound.window)] if bound.window else []
        version = f" of {function.key}" if function.key else ""
        text = f"{node.name}({', '.join(shown)}{version})" + (f".{output}" if output else "")
        truth = node.name == "LAG" and inputs[0].is_condition
        expr = self._joined(node, Expr("call", text, inputs, bound=bound), truth=truth)
        if expr.uses_entry and (bound.lookback or not function.is_own):
            raise self._error(node, f"entry is one price, not a series: {node.name} reads bars")
        return expr

    def _error(self, node: Node, message: str) -> UsageError:
        return UsageError(f"{place(self._text, node.at)}: {message}")


def _sign_text(op: str, parts: tuple[Expr, ...]) -> str:
    if op in {"neg", "not"}:
        return f"({op} {parts[0].text})"
    if op == "if":
        return f"({parts[1].text} if {parts[0].text} else {parts[2].text})"
    return f"({f' {op} '.join(part.text for part in parts)})"
