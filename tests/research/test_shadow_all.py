"""Many signals priced in one call are priced like each alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from adapters.broker.market import AAPL, D
from goldenthread.domain.strategy import Side
from goldenthread.research.shadow import PriceQuery, price
from goldenthread.research.shadow_all import price_all
from research.histories import History, odd_history, plan_of, random_history, signal_of

if TYPE_CHECKING:
    from collections.abc import Callable


def query_of(history: History, priced_as: str = "PLANNED") -> PriceQuery:
    return PriceQuery(
        history.asset,
        history.actions,
        history.policy,
        history.upto,
        history.rule_exits,
        priced_as,
    )


@pytest.mark.parametrize("make", [random_history, odd_history])
@pytest.mark.parametrize("priced_as", ["PLANNED", "MARKET_NEXT_OPEN"])
def test_every_outcome_is_that_of_the_signal_alone(
    make: Callable[[int], History], priced_as: str
) -> None:
    for seed in range(150):
        history = make(seed)
        query = query_of(history, priced_as)

        outcomes = price_all([history.signal], {history.asset.symbol: history.bars}, [query])

        assert outcomes == [price(history.signal, history.bars, query)], f"{make.__name__}({seed})"


def test_signals_of_many_dates_and_sides_ride_together_in_the_order_given() -> None:
    made = (random_history(seed) for seed in range(100))
    history = next(h for h in made if h.asset is AAPL and not h.actions and len(h.bars) > 20)
    query, bars = query_of(history), history.bars
    signals = [
        signal_of(
            AAPL, plan_of(entry=100, stop=95 if side is Side.LONG else 105), D(3), side
        ).model_copy(update={"ds": bar.ds})
        for side in (Side.LONG, Side.SHORT)
        for bar in reversed(bars)
    ]

    outcomes = price_all(signals, {"AAPL": bars}, [query] * len(signals))

    alone = [price(s, [b for b in bars if b.ds > s.ds], query) for s in signals]
    assert outcomes == alone
    assert len({outcome.status for outcome in outcomes}) > 1


def test_signals_without_levels_or_size_have_no_outcome() -> None:
    history = random_history(5)
    query = query_of(history)
    bare = signal_of(history.asset, None, D(1))
    empty = history.signal.model_copy(update={"planned_quantity": D(0)})

    outcomes = price_all([bare, empty], {}, [query, query])

    assert [outcome.note for outcome in outcomes] == ["no levels", "no quantity"]
