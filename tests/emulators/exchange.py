"""A project on alpaca-py over HTTP, against an exchange with the terms of its settings."""

from __future__ import annotations

import datetime as dt
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from goldenthread.app.api.project import Project
from goldenthread.app.clock import SystemClock
from goldenthread.app.exchange.market import open_market
from goldenthread.app.exchange.server import ExchangeServer
from goldenthread.app.exchange.terms import ExchangeTerms

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_DAY = dt.timedelta(days=1)


@contextmanager
def over_http(
    folder: Path,
    account_id: str,
    first: dt.date,
    more: Mapping[str, Any] | None = None,
    per_minute: int | None = None,
) -> Iterator[tuple[Project, ExchangeServer]]:
    """The project with nothing but its settings changed, ready for its first date.

    The exchange takes ``per_minute`` requests a minute, as many as come when None.
    """
    told = Project.open(folder, more).settings
    terms = ExchangeTerms(
        start=first - _DAY,
        requests_per_minute=per_minute,
        account_id=account_id,
        cash=told.sim.start_cash,
        profile=told.policy.profile,
        slippage_bps=told.policy.slippage_bps,
        seed=told.sim.seed,
        partial_probability=told.sim.partial_probability,
        multiplier=told.sim.multiplier,
    )
    with ExchangeServer(open_market(folder / "data", SystemClock().now()), terms) as exchange:
        yield Project.open(folder, {**settings_for(exchange), **(more or {})}), exchange


def settings_for(exchange: ExchangeServer) -> dict[str, object]:
    """What makes a project speak Alpaca's API with the exchange, as fast as it can."""
    return {
        "broker.engine": "alpaca",
        "alpaca.trading_url": exchange.url,
        "alpaca.admin_url": exchange.admin_url,
        "alpaca.key_id": exchange.key_id,
        "alpaca.secret_key": exchange.secret_key,
        "alpaca.requests_per_minute": 1_000_000,
    }
