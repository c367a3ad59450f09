"""One backtest from its setup."""

from __future__ import annotations

from typing import TYPE_CHECKING

from goldenthread.research.backtest.decisions import Decisions
from goldenthread.research.backtest.portfolio import Portfolio
from goldenthread.research.backtest.result import Backtest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from goldenthread.research.backtest.setup import Setup


def run(
    setup: Setup,
    config: Mapping[str, Any],
    notes: tuple[str, ...] = (),
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Backtest:
    """The backtest of a setup: what ``simulate`` gives for the same strategies and bars.

    Part fills (``[sim] partial_probability``) and operators are not in it, and an entry of
    several orders is taken or refused by the broker as a whole.
    """
    outcome = Portfolio(setup, Decisions(setup)).run(progress)
    return Backtest(setup, outcome, config, notes)
