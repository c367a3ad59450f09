"""Fees of executions, and of borrowed shares, from dated tables of rates."""

from __future__ import annotations

import datetime as dt
import math
from bisect import bisect_right
from decimal import Decimal
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from goldenthread.domain.account import MONEY_STEP
from goldenthread.domain.asset import AssetClass
from goldenthread.domain.order import OrderSide
from goldenthread.domain.policy import Profile
from goldenthread.rules import ticks
from goldenthread.rules.calendar import next_session

_CENT = Decimal("0.01")
_MILLION = 1e6
_BORROW_YEAR = 360
_NOTHING = Decimal(0)


class Fee(NamedTuple):
    """What an execution costs: in quote currency, and in coin (crypto buys)."""

    quote: Decimal
    coin: Decimal


class FeeQuery(NamedTuple):
    """One execution: ``ds`` its session, ``maker`` whether it rested as a limit order."""

    asset_class: AssetClass
    side: OrderSide
    quantity: Decimal
    price: Decimal
    ds: dt.date
    profile: Profile
    maker: bool = False


class FeeRates(NamedTuple):
    """Rates in force on each of several days; 0 where none is, an endless cap where none is.

    ``taker`` and ``maker`` are fractions of what is received, ``sec`` of what is sold, ``taf``
    and ``cat`` dollars a share, ``taf_cap`` dollars. ``borrow`` is the fraction of its value that
    a short held over the close pays until the next session.
    """

    taker: NDArray[np.float64]
    maker: NDArray[np.float64]
    sec: NDArray[np.float64]
    taf: NDArray[np.float64]
    taf_cap: NDArray[np.float64]
    cat: NDArray[np.float64]
    borrow: NDArray[np.float64]


class Rate(NamedTuple):
    """A rate in force from a date on; ``cap`` is the most one execution pays, null without."""

    since: dt.date
    rate: Decimal
    cap: Decimal | None = None


def _table(*rows: tuple[str, str] | tuple[str, str, str]) -> tuple[Rate, ...]:
    return tuple(
        Rate(dt.date.fromisoformat(since), Decimal(rate), *(Decimal(cap) for cap in caps))
        for since, rate, *caps in rows
    )


CRYPTO_TAKER = _table(("1971-01-01", "0.0025"))
"""Fraction of what a taking order receives. Source: Alpaca crypto fees, tier 0-100k USD."""

CRYPTO_MAKER = _table(("1971-01-01", "0.0015"))
"""Fraction of what a resting limit order receives. Source: as for takers."""

SEC_PER_MILLION = _table(
    ("1971-01-01", "33.33"),
    ("2001-12-28", "15.00"),
    ("2002-04-01", "30.10"),
    ("2003-03-22", "25.20"),
    ("2003-04-01", "46.80"),
    ("2004-02-22", "39.00"),
    ("2004-04-01", "23.40"),
    ("2005-01-07", "32.90"),
    ("2005-04-01", "41.80"),
    ("2005-12-22", "30.70"),
    ("2007-03-17", "15.30"),
    ("2008-01-25", "11.00"),
    ("2008-04-01", "5.60"),
    ("2009-04-10", "25.70"),
    ("2010-01-15", "12.70"),
    ("2010-04-01", "16.90"),
    ("2011-01-21", "19.20"),
    ("2012-02-21", "18.00"),
    ("2012-04-01", "22.40"),
    ("2013-05-25", "17.40"),
    ("2014-03-18", "22.10"),
    ("2015-02-14", "18.40"),
    ("2016-02-16", "21.80"),
    ("2017-07-04", "23.10"),
    ("2018-05-22", "13.00"),
    ("2019-04-16", "20.70"),
    ("2020-02-18", "22.10"),
    ("2021-02-25", "5.10"),
    ("2022-05-14", "22.90"),
    ("2023-02-27", "8.00"),
    ("2024-05-22", "27.80"),
    ("2025-05-14", "0"),
    ("2026-04-04", "20.60"),
)
"""Dollars per million sold. Source: SEC fee rate advisories, Section 31 of the Exchange Act.

Before December 2001 the rate was 1/300 of one percent; it is carried back to the first date.
Compared with published advisories or FINRA's notices of them: all up to December 2005, April 2008,
April 2010, March 2014, July 2017, April 2019, February 2020 and 2021, May 2025. The days of the
others are from memory.
"""

TAF_PER_SHARE = _table(
    ("2002-10-01", "0.0001", "10.00"),
    ("2004-11-01", "0.000075", "3.75"),
    ("2011-07-01", "0.000090", "4.50"),
    ("2012-03-01", "0.000095", "4.75"),
    ("2012-07-01", "0.000119", "5.95"),
    ("2022-01-01", "0.000130", "6.49"),
    ("2023-01-01", "0.000145", "7.27"),
    ("2024-01-01", "0.000166", "8.30"),
    ("2026-01-01", "0.000195", "9.79"),
    ("2027-01-01", "0.000232", "11.61"),
)
"""Dollars a share sold, capped for one trade. Source: FINRA By-Laws, Schedule A, section 1.

Compared with NASD's and FINRA's notices: October 2002, November 2004, July 2011 and March 2012.
The days since July 2012 are from memory. Within 2003 a lower rate was in force until September;
it is not tabulated.
"""

CAT_PER_SHARE = _table(
    ("2024-09-01", "0.000035"),
    ("2025-01-01", "0.000022"),
    ("2025-07-01", "0.000009"),
    ("2026-01-01", "0.000003"),
)
"""Dollars a share, both sides. Source: CAT LLC fee alerts 2024-1 ff.; Alpaca's schedule 2026.

Compared with the fee filings: September 2024 and the start of July 2025. Assessments for the
costs of earlier years are left out.
"""

BORROW_A_YEAR = _table(("1971-01-01", "0.0030"))
"""Fraction of a short's value for borrowing its shares, a year of 360 days. An assumption.

Alpaca charges nothing while a stock is easy to borrow, which no file of bars says of the past; hard
to borrow ones cost many times this. 30 basis points are what lenders of large stocks usually ask.
"""


def fee_for(query: FeeQuery) -> Fee:
    """The fee of one execution under a profile.

    Crypto (both profiles): a buy pays in coin, rounded up to 1e-9; a sell in quote currency,
    rounded up to the cent. Equities: nothing under ``paper``; under ``live_like`` sells pay
    SEC and TAF, both sides pay CAT, each rounded up to the cent. The broker rounds each of the
    three once a day, so several executions on one day cost a few cents less there.

    Source: Alpaca, "Crypto trading fees", "Regulatory fees" and "Paper trading".
    """
    if query.asset_class is AssetClass.CRYPTO:
        return _crypto_fee(query)
    if query.profile == "paper":
        return Fee(_NOTHING, _NOTHING)
    cat = _per_share(CAT_PER_SHARE, query)
    if query.side is OrderSide.BUY:
        return Fee(cat, _NOTHING)
    sec = float(_in_force(SEC_PER_MILLION, query.ds).rate) / _MILLION
    cents = ticks.value_cents(_units(query), float(query.price), sec)
    return Fee(cents * _CENT + _per_share(TAF_PER_SHARE, query) + cat, _NOTHING)


def borrow_fee(quantity: Decimal, mark: Decimal, ds: dt.date) -> Decimal:
    """What borrowing so many shares costs from the close of ``ds`` until the next session.

    The value at ``mark`` times the rate of every calendar day between, rounded up to the cent.
    """
    nights = (next_session(AssetClass.EQUITY, ds) - ds).days
    rate = float(_in_force(BORROW_A_YEAR, ds).rate) * nights / _BORROW_YEAR
    return ticks.value_cents(int(quantity / MONEY_STEP), float(mark), rate) * _CENT


def rates_on(asset_class: AssetClass, profile: Profile, day: NDArray[np.int64]) -> FeeRates:
    """The rates an asset class pays under a profile, on its sessions in order, none left out.

    ``day`` counts days since 1970-01-01.
    """
    is_crypto = asset_class is AssetClass.CRYPTO
    pays_regulators = not is_crypto and profile == "live_like"
    caps = [math.inf, *(_cap(rate) for rate in TAF_PER_SHARE)]
    return FeeRates(
        taker=_rates(CRYPTO_TAKER, day) * is_crypto,
        maker=_rates(CRYPTO_MAKER, day) * is_crypto,
        sec=_rates(SEC_PER_MILLION, day) / _MILLION * pays_regulators,
        taf=_rates(TAF_PER_SHARE, day) * pays_regulators,
        taf_cap=np.array(caps)[_places(TAF_PER_SHARE, day)],
        cat=_rates(CAT_PER_SHARE, day) * pays_regulators,
        borrow=_rates(BORROW_A_YEAR, day) * _nights(day) / _BORROW_YEAR * pays_regulators,
    )


def _nights(day: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many calendar days pass from each New York session to the next."""
    if not len(day):
        return day
    last: dt.date = day[-1].astype("datetime64[D]").item()
    return np.diff(day, append=day[-1] + (next_session(AssetClass.EQUITY, last) - last).days)


def _rates(table: tuple[Rate, ...], day: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.array([0.0, *(float(row.rate) for row in table)])[_places(table, day)]


def _places(table: tuple[Rate, ...], day: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many rows of the table have come into force by each day."""
    since = np.array([row.since for row in table], "datetime64[D]").astype(np.int64)
    return np.searchsorted(since, day, side="right")


def _crypto_fee(query: FeeQuery) -> Fee:
    rate = float(_in_force(CRYPTO_MAKER if query.maker else CRYPTO_TAKER, query.ds).rate)
    if query.side is OrderSide.BUY:
        return Fee(_NOTHING, ticks.coin_fee(_units(query), rate) * MONEY_STEP)
    return Fee(ticks.value_cents(_units(query), float(query.price), rate) * _CENT, _NOTHING)


def _per_share(table: tuple[Rate, ...], query: FeeQuery) -> Decimal:
    rate = _in_force(table, query.ds)
    return ticks.share_cents(_units(query), float(rate.rate), _cap(rate)) * _CENT


def _cap(rate: Rate) -> float:
    return math.inf if rate.cap is None else float(rate.cap)


def _units(query: FeeQuery) -> int:
    return int(query.quantity / MONEY_STEP)


def _in_force(table: tuple[Rate, ...], ds: dt.date) -> Rate:
    position = bisect_right(table, ds, key=lambda rate: rate.since)
    return table[position - 1] if position else Rate(ds, _NOTHING)
