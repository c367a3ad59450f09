"""What holding pays and costs besides executions: dividends, and borrowing what is sold short."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from goldenthread.domain.account import money
from goldenthread.domain.strategy import Side
from goldenthread.rules.fees import borrow_fee
from goldenthread.rules.splits import dividend_between

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from goldenthread.domain.asset import CorporateAction
    from goldenthread.domain.policy import Profile


@dataclass
class Income:
    """The dividends received so far (owed by a short: negative), and the borrow fees paid.

    Nothing of either under ``paper``.
    """

    actions: Sequence[CorporateAction]
    profile: Profile
    side: Side
    dividends: Decimal = Decimal(0)
    borrow_fees: Decimal = Decimal(0)

    def receive(self, held: Decimal, after: dt.date, upto: dt.date) -> None:
        """Take the dividends with ``after < ex_ds <= upto`` on what was held over that close."""
        if held and self.profile == "live_like":
            amount = dividend_between(self.actions, after, upto)
            self.dividends += money(held * amount) * self.side.sign

    def borrow(self, held: Decimal, mark: Decimal, ds: dt.date) -> None:
        """Pay for what is held short over the close of the session ``ds``."""
        if self.side is Side.SHORT and self.profile == "live_like":
            self.borrow_fees += borrow_fee(held, mark, ds)
