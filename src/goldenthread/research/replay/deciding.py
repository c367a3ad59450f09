"""A day decided again: the versions then in force, on the bars then known."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from goldenthread.domain.asset import Asset
from goldenthread.domain.errors import UsageError
from goldenthread.domain.ids import text_digest
from goldenthread.domain.policy import Policy
from goldenthread.domain.signal import Signal, SignalStatus, Verdict
from goldenthread.domain.strategy import StrategyStatus
from goldenthread.market.bars import BarBook
from goldenthread.market.universe import resolve
from goldenthread.positions.gates import rejudge
from goldenthread.positions.sizing import size
from goldenthread.research.replay.past import asset_of, policy_of, strategy_of
from goldenthread.rules.calendar import add_sessions
from goldenthread.signals.binding import MAX_LOOKBACK
from goldenthread.signals.engine import CompiledStrategy, Evaluator, compile_strategy, engine_digest
from goldenthread.signals.night import entering

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Sequence

    import polars as pl

    from goldenthread.domain.asset import CorporateAction
    from goldenthread.domain.bar import BarWindow
    from goldenthread.domain.signal import Candidate
    from goldenthread.domain.strategy import Version
    from goldenthread.research.replay.past import Day, Fact, Past


class Terms(NamedTuple):
    """What a date was decided under; ``silent`` says why a strategy cannot be asked, by id."""

    policy: Policy
    assets: Mapping[str, Asset]
    strategies: Mapping[str, CompiledStrategy]
    silent: Mapping[str, str]


class Again:
    """Decides the dates of a book again, one at a time and in order.

    ``as_known_now`` reads the bars with every revision there is; else each date reads what was
    known when it decided.
    """

    def __init__(self, past: Past, *, as_known_now: bool = False) -> None:
        self._past = past
        self._as_known_now = as_known_now
        self._compiled: dict[str, CompiledStrategy | str] = {}
        self._terms: tuple[tuple[int, ...], Terms] | None = None
        self.books = Books(past.bars, past.actions)
        self.evaluator = Evaluator(self.books.window, inputs=past.inputs)

    def terms(self, now: dt.datetime) -> Terms:
        """The policy, assets and deciding strategies that were in force at an instant."""
        past = self._past
        found = (past.policies.at(now), past.assets.at(now), past.strategies.at(now))
        key = tuple(id(part) for part in found)
        if self._terms is None or self._terms[0] != key:
            self._terms = (key, self._made(*found))
        return self._terms[1]

    def candidates(
        self, day: Day, terms: Terms, strategies: Iterable[CompiledStrategy]
    ) -> dict[str, Candidate]:
        """What strategies see in their symbols on the close of the date, by signal id."""
        evaluator = self.evaluator
        evaluator.at(day.ds, None if self._as_known_now else day.now)
        asked = [(compiled, members(compiled, terms.assets)) for compiled in strategies]
        found = [
            evaluator.decide(compiled, symbol, day.ds, terms.assets[symbol])
            for compiled, symbol in entering(evaluator.moment, asked)
        ]
        return {candidate.signal_id: candidate for candidate in found if candidate}

    def window(self, symbol: str) -> BarWindow | None:
        """The bars of a symbol at the date decided last."""
        return self.evaluator.moment.window(symbol)

    def compiled(self, version: Version) -> CompiledStrategy | str:
        """The version ready to decide, or why it cannot be asked."""
        found = self._compiled.get(version.version_key)
        if found is None:
            found = self._compiled[version.version_key] = self._compile(version)
        return found

    def _compile(self, version: Version) -> CompiledStrategy | str:
        wanted: dict[str, str] = json.loads(version.config).get("code", {})
        texts = self._past.code.get(version.version_key, {})
        if wanted and not self._past.runs_code:
            return "it calls Python factors, which are off ([factors] enabled)"
        if any(text_digest(texts.get(file, "")) != sha for file, sha in wanted.items()):
            return "the text of its Python factors is not in the warehouse"
        strategy = strategy_of(version, texts)
        lacking = sorted({t.table for t in strategy.tables.values()} - self._past.tables)
        if lacking:
            return f"it reads the table {lacking[0]}, which the project has not imported"
        try:
            return compile_strategy(strategy)
        except UsageError as error:
            return f"today's code refuses it: {error}"

    def _made(
        self,
        policies: Mapping[str, Version],
        assets: Mapping[str, Version],
        strategies: Mapping[str, Version],
    ) -> Terms:
        policy = next((policy_of(v) for v in policies.values()), Policy())
        found = {name: self.compiled(v) for name, v in strategies.items()}
        ready = {name: c for name, c in found.items() if not isinstance(c, str)}
        return Terms(
            policy,
            {symbol: asset_of(v) for symbol, v in assets.items()},
            {n: c for n, c in ready.items() if c.strategy.status is not StrategyStatus.PAUSED},
            {name: why for name, why in found.items() if isinstance(why, str)},
        )


class Books:
    """The bars of a book as each instant reads them, corporate actions as they were known too."""

    def __init__(self, bars: pl.DataFrame, actions: Sequence[CorporateAction]) -> None:
        self._bars, self._actions = bars, sorted(actions, key=lambda a: a.known_at)
        seen: set[tuple[str, str, dt.date]] = set()
        self._turns: list[dt.datetime] = []
        for action in self._actions:
            key = (action.symbol, action.kind, action.ex_ds)
            if key in seen:
                self._turns.append(action.known_at)
            seen.add(key)
        self._books: dict[int, BarBook] = {}

    def at(self, now: dt.datetime | None) -> BarBook:
        """The bars under the corporate actions known at the instant; None: all there are."""
        turn = len(self._turns) if now is None else bisect_right(self._turns, now)
        if turn not in self._books:
            self._books[turn] = BarBook(self._bars, self._known(turn), (), lookback=MAX_LOOKBACK)
        return self._books[turn]

    def window(self, symbol: str, ds: dt.date, now: dt.datetime | None = None) -> BarWindow | None:
        """The readable bars of a symbol up to ``ds`` known at ``now``."""
        return self.at(now).window(symbol, ds, now)

    def _known(self, turn: int) -> list[CorporateAction]:
        """Of each action the one in force after so many revisions."""
        later = set(self._turns[turn:])
        found: dict[tuple[str, str, dt.date], CorporateAction] = {}
        for action in self._actions:
            key = (action.symbol, action.kind, action.ex_ds)
            if key not in found or action.known_at not in later:
                found[key] = action
        return list(found.values())


def members(compiled: CompiledStrategy, assets: Mapping[str, Asset]) -> tuple[str, ...]:
    """The symbols a version decided on: its own that there were bars of."""
    strategy = compiled.strategy
    return tuple(s for s in resolve(strategy.assets, strategy.universes) if s in assets)


def signal_of(candidate: Candidate, day: Day, terms: Terms, fact: Fact | None) -> Signal:
    """The candidate sized and judged again from what its fact recorded of the account.

    Without a fact it is sized from the equity of the day and no gate is asked.
    """
    asset = terms.assets[candidate.symbol]
    equity = fact["equity_at_decision"] if fact else day.equity or Decimal(0)
    sized = size(candidate, equity, terms.policy, asset)
    seen = [v for v in (fact["verdicts"] if fact else ()) if v["kind"] == "gate"]
    gates = [rejudge(verdict_of(v), terms.policy.gates, asset) for v in seen]
    reasons = (*candidate.failed, *(v.name for v in gates if not v.passed))
    valid_bars = candidate.plan.valid_bars if candidate.plan else 1
    return Signal(
        book=fact["book"] if fact else "",
        signal_id=candidate.signal_id,
        ds=candidate.ds,
        strategy_id=candidate.strategy_id,
        version_key=candidate.version_key,
        policy_key=terms.policy.policy_key,
        symbol=candidate.symbol,
        asset_class=candidate.asset_class,
        side=candidate.side,
        status=SignalStatus.REJECTED if reasons else SignalStatus.WAITING,
        decided_at=day.now,
        engine_digest=engine_digest(),
        bars_digest=candidate.bars_digest,
        close=candidate.close,
        plan=candidate.plan,
        priority=candidate.priority,
        factors=candidate.factors,
        verdicts=(*candidate.verdicts, *gates),
        rejection_reason=reasons[0] if reasons else None,
        rejection_reasons=reasons,
        quantity=sized.quantity,
        planned_quantity=sized.planned,
        equity_at_decision=equity,
        valid_until=add_sessions(candidate.asset_class, candidate.ds, valid_bars),
    )


def verdict_of(row: Mapping[str, object]) -> Verdict:
    """A recorded verdict; its numbers are the shortest decimals of their doubles."""
    amounts = {
        name: None if row[name] is None else Decimal(repr(row[name]))
        for name in ("value", "threshold")
    }
    return Verdict.model_validate({**row, **amounts})
