"""What the strategies say: candidates by date, and on which closes their own rules hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from goldenthread.market.bars import run_at
from goldenthread.positions.gates import order_candidates
from goldenthread.rules.calendar import is_session
from goldenthread.signals.engine import Evaluator

if TYPE_CHECKING:
    import datetime as dt

    from goldenthread.domain.signal import Candidate
    from goldenthread.research.backtest.setup import Setup
    from goldenthread.signals.engine import CompiledStrategy

Rule = Literal["exit", "cancel"]


class Decisions:
    """Asks each strategy exactly as the run of a date does, with the bars known to that run."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._today = Evaluator(setup.market.bars.window, inputs=setup.inputs)
        self._ahead = Evaluator(setup.market.bars.window, inputs=setup.inputs)
        self._by_version = {c.strategy.version_key: c for c in setup.strategies}
        self._known: dict[tuple[str, Rule, str], dict[dt.date, bool]] = {}

    def candidates(self, ds: dt.date) -> list[Candidate]:
        """Every idea of every strategy on the close of ``ds``, in the order they get the cash."""
        setup = self._setup
        self._today.at(ds, run_at(ds))
        found = [
            candidate
            for compiled in setup.deciding
            for symbol in setup.members[compiled.strategy.strategy_id]
            if is_session(setup.market.assets[symbol].asset_class, ds)
            if (candidate := self._decide(compiled, symbol, ds))
        ]
        return order_candidates(found)

    def holds(self, version_key: str, rule: Rule, symbol: str, ds: dt.date) -> bool:
        """Whether ``exit.when`` or ``entry.cancel_if`` of a version is true on a later close."""
        compiled = self._by_version[version_key]
        if (compiled.exit if rule == "exit" else compiled.cancel) is None:
            return False
        known = self._known.setdefault((version_key, rule, symbol), {})
        if ds not in known:
            self._ahead.at(ds, run_at(ds))
            known[ds] = self._ahead.holds(compiled, rule, symbol, ds) is True
        return known[ds]

    def _decide(self, compiled: CompiledStrategy, symbol: str, ds: dt.date) -> Candidate | None:
        return self._today.decide(compiled, symbol, ds, self._setup.market.assets[symbol])
