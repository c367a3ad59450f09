"""Executions that come before the word of their order, after its cancel, or too large."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from goldenthread.domain.asset import AssetClass
from goldenthread.domain.order import Fill, OrderReport, OrderRequest, OrderSide, OrderType
from goldenthread.domain.position import PositionStatus
from goldenthread.domain.signal import SignalStatus
from positions.rig import CALM, Market, Rig, candidate, day, plan
from positions.test_crashes import busy_days, busy_market

if TYPE_CHECKING:
    import datetime as dt
    from pathlib import Path

    from goldenthread.ports.broker import Broker


class Lagging:
    """A broker that tells executions at once, and that an order changed one list later."""

    def __init__(self, inner: Broker) -> None:
        self.inner = inner
        self._taken: dict[str, OrderReport] = {}

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  the rest of the broker
        return getattr(self.inner, name)

    def submit(self, request: OrderRequest) -> tuple[OrderReport, ...]:
        reports = self.inner.submit(request)
        self._taken |= {r.broker_order_id: r for r in reports}
        return reports

    def orders(self, since: dt.date) -> list[OrderReport]:
        """Each order as it was taken the first time, as it is from then on."""
        return [self._taken.pop(r.broker_order_id, r) for r in self.inner.orders(since)]


class Generous:
    """A broker that executes two shares more of an order, or of one that was cancelled."""

    def __init__(self, inner: Broker, of: str) -> None:
        self.inner = inner
        self._of = of
        request = OrderRequest(
            client_order_id="more",
            symbol="AAPL",
            asset_class=AssetClass.EQUITY,
            side=OrderSide.BUY,
            type=OrderType.MARKET,
            quantity=Decimal(2),
        )
        (self._more,) = inner.submit(request)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  the rest of the broker
        return getattr(self.inner, name)

    def fills(self, since: dt.date) -> list[Fill]:
        """The two shares are executions of the order, too."""
        named = {"broker_order_id": self._of, "fill_no": 2}
        return [
            f.model_copy(update=named) if f.broker_order_id == self._more.broker_order_id else f
            for f in self.inner.fills(since)
        ]

    def orders(self, since: dt.date) -> list[OrderReport]:
        reports = {r.broker_order_id: r for r in self.inner.orders(since)}
        more = reports.pop(self._more.broker_order_id, self._more)
        if of := reports.get(self._of):
            filled = of.filled_quantity + more.filled_quantity
            reports[self._of] = of.model_copy(update={"filled_quantity": filled})
        return list(reports.values())


def entry_of(rig: Rig) -> str:
    """The broker's name of the only entry."""
    (entry,) = [o for o in rig.exchange.orders(day(1)) if "-entry" in o.client_order_id]
    return entry.broker_order_id


@pytest.mark.fault("F8", "executions told before the word of their order, for six days")
def test_an_execution_told_before_its_order_changes_nothing_in_what_is_held(tmp_path: Path) -> None:
    rigs = []
    for name in ("prompt", "lagging"):
        (tmp_path / name).mkdir()
        rig = Rig(tmp_path / name, busy_market())
        if name == "lagging":
            rig.broker = Lagging(rig.exchange)
        busy_days(rig)
        rigs.append(rig)
    prompt, lagging = rigs
    assert lagging.positions() == prompt.positions()
    assert lagging.snapshots == prompt.snapshots
    assert lagging.exchange.fills(day(1)) == prompt.exchange.fills(day(1))


@pytest.mark.fault("F8", "an order executed beyond its quantity")
def test_what_is_executed_beyond_the_order_is_said_booked_and_protected(tmp_path: Path) -> None:
    rig = Rig(tmp_path, Market().add("AAPL", 2, CALM, CALM, CALM))
    rig.run(2, candidate("AAPL", 2, plan(targets=[("150", "1")])))
    rig.broker = Generous(rig.exchange, entry_of(rig))
    rig.run(3)
    assert rig.reconciled is not None
    (said,) = rig.reconciled.notes
    assert said.text.startswith("AAPL: 12 of order ")
    assert said.text.endswith("-entry1-1 were executed, 10 were ordered")
    assert (said.symbol, said.signal_id) == ("AAPL", rig.position().position_id)
    assert rig.reconciled.frozen == {}  # it is known whose they are
    position = rig.position()
    assert position.quantity == position.open_quantity == 12
    assert rig.bare() == {}
    assert abs(rig.snapshots[-1].money_error) < Decimal("1e-6")
    rig.run(4)
    assert rig.reconciled.notes == ()  # said once


@pytest.mark.fault("F8", "an execution told after its order was cancelled")
def test_an_execution_told_after_the_cancel_stops_the_symbol_and_is_said(tmp_path: Path) -> None:
    rig = Rig(tmp_path, Market().add("AAPL", 2, CALM, CALM, CALM, CALM))
    rig.run(2, candidate("AAPL", 2, plan("90", "80", order="limit", valid_bars=1)))
    entry = entry_of(rig)
    rig.run(3)
    assert (rig.signal().status, rig.position().status) == (
        SignalStatus.EXPIRED,
        PositionStatus.FAILED,
    )
    rig.broker = Generous(rig.exchange, entry)
    refused = rig.run(4, candidate("AAPL", 4, plan()))
    assert rig.reconciled is not None
    assert "belongs to no position of ours" in rig.reconciled.frozen["AAPL"]
    assert "SYMBOL_FROZEN" in refused[0].rejection_reasons
