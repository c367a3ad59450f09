"""The same random trading through the engine itself and through alpaca-py over HTTP."""

from __future__ import annotations

import datetime as dt
from contextlib import closing
from typing import TYPE_CHECKING, cast

import polars as pl
import pytest
from pydantic import SecretStr

from adapters.broker.random_days import RandomDays, random_days, trade
from goldenthread.adapters.alpaca.connection import Access
from goldenthread.adapters.broker.alpaca import AlpacaBroker
from goldenthread.adapters.broker.simulated import SimulatedBroker
from goldenthread.app.clock import SystemClock
from goldenthread.app.exchange.market import ExchangeMarket
from goldenthread.app.exchange.server import ExchangeServer
from goldenthread.app.exchange.terms import ExchangeTerms
from goldenthread.domain.bar import BAR_SCHEMA
from goldenthread.market.bars import BarBook

if TYPE_CHECKING:
    from goldenthread.domain.account import AccountState
    from goldenthread.domain.order import Fill, OrderReport
    from goldenthread.market.bars import KnownBars
    from goldenthread.ports.broker import Broker

EVER, LATER = dt.date(2020, 1, 1), dt.date(2024, 12, 31)
NO_MATTER = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)


class OwnersView(SimulatedBroker):
    """The engine with the account as its owner sees it at once, which is what HTTP shows."""

    def account(self) -> AccountState:
        return self.account_now()


def served(days: RandomDays) -> ExchangeServer:
    """An exchange over HTTP with the market and terms of the days."""
    bars, market, terms = pl.DataFrame(schema=BAR_SCHEMA), days.market, days.terms
    book = BarBook(bars, [], list(market.assets.values()), lookback=0)
    source = cast("KnownBars", market)  # it has the same methods, its bars are hand-written
    listed = ExchangeMarket(bars, book, source, market.assets, EVER, LATER)
    told = ExchangeTerms(
        start=days.dates[0] - dt.timedelta(days=1),
        account_id=terms.account_id,
        cash=terms.start_cash,
        profile=terms.profile,
        slippage_bps=terms.slippage_bps,
        seed=terms.seed,
        partial_probability=terms.partial_probability,
        multiplier=terms.multiplier,
    )
    return ExchangeServer(listed, told)


def seen(broker: Broker) -> tuple[list[OrderReport], list[Fill], AccountState]:
    """Orders but for the microsecond of their submission, executions in order, the account."""
    orders = [r.model_copy(update={"submitted_at": NO_MATTER}) for r in broker.orders(EVER)]
    return orders, broker.fills(EVER), broker.account()


@pytest.mark.parametrize(
    "seed", [3, 6, 22, *(pytest.param(n, marks=pytest.mark.slow) for n in (7, 16, 26, 35))]
)
def test_orders_executions_fees_and_account_are_the_same_every_day(seed: int) -> None:
    days = random_days(seed)
    engine = OwnersView(days.terms, days.market)
    with served(days) as exchange:
        access = Access(
            exchange.key_id, SecretStr(exchange.secret_key), exchange.url, per_minute=1_000_000
        )
        wire = AlpacaBroker(access, SystemClock(), advance=exchange.advance)
        with closing(wire):
            # AlpacaBroker stands where the engine stands: ``trade`` uses the port's methods only
            pairs = zip(
                trade(engine, days), trade(cast("SimulatedBroker", wire), days), strict=True
            )
            for here, there in pairs:
                assert here == there
                assert seen(wire) == seen(engine)
    assert len(engine.fills(EVER)) > 8
