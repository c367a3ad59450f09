"""The account at the end of a business date, from the broker's word and our own ledger."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from goldenthread.domain.account import AccountSnapshot
from goldenthread.domain.position import HELD, Position
from goldenthread.domain.signal import SignalStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from goldenthread.domain.account import AccountState
    from goldenthread.positions.session import Records, Session


class Ledger(NamedTuple):
    """Our own running totals: equity at the start, and all closed positions up to this run."""

    start_equity: Decimal
    realised: Decimal = Decimal(0)
    fees: Decimal = Decimal(0)
    dividends: Decimal = Decimal(0)

    def after(self, closed: Iterable[Position]) -> Ledger:
        """The totals with more positions closed."""
        start, realised, fees, dividends = self
        for position in closed:
            realised += position.realised_pnl
            fees += position.fees
            dividends += position.dividends
        return Ledger(start, realised, fees, dividends)


def snapshot(
    session: Session,
    blotter: Records,
    account: AccountState,
    previous: AccountSnapshot | None,
    ledger: Ledger,
) -> AccountSnapshot:
    """The account as met in this run, marked at the closes of ``ds``.

    ``ledger`` holds every position closed up to and including this run; live positions (also
    those leaving in it) come from the blotter.
    """
    held = list(blotter.positions.values())
    totals = ledger.after(held)
    marks = {h.symbol: h.market_price for h in account.holdings}
    unrealised = sum((p.unrealised_pnl(_mark(p, session, marks)) for p in held), Decimal(0))
    peak = max(ledger.start_equity, account.equity)
    if previous is not None:
        peak = max(peak, previous.peak_equity)
    return AccountSnapshot(
        book=session.book,
        ds=session.ds,
        equity=account.equity,
        cash=account.cash,
        buying_power=account.buying_power,
        initial_margin=account.initial_margin,
        maintenance_margin=account.maintenance_margin,
        gross_exposure=account.gross_exposure,
        long_value=account.long_value,
        short_value=account.short_value,
        accrued_fees=account.accrued_fees,
        fees_paid=totals.fees,
        dividends=totals.dividends,
        realised_pnl=totals.realised,
        unrealised_pnl=unrealised,
        start_equity=ledger.start_equity,
        peak_equity=peak,
        drawdown=_drawdown(account.equity, peak),
        open_positions=sum(p.status in HELD for p in held),
        waiting_signals=sum(s.status is SignalStatus.WAITING for s in blotter.signals.values()),
    )


def _mark(position: Position, session: Session, marks: Mapping[str, Decimal]) -> Decimal:
    """The close of ``ds``; without a bar the broker's mark, which a split has scaled already."""
    bar = session.bars.get(position.symbol)
    if bar is not None:
        return bar.close
    known = marks.get(position.symbol) or session.closes.get(position.symbol)
    return known or position.average_entry or Decimal(0)


def _drawdown(equity: Decimal, peak: Decimal) -> Decimal:
    if peak <= 0:
        return Decimal(0)
    return (1 - equity / peak).quantize(Decimal("1e-12"))
