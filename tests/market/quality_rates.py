"""What the quality gate finds of wrong bars, by kind: the table in docs/data/quality.md.

``python tests/market/quality_rates.py`` renews it from the shared bars; a test says when it has
drifted. Each case is one bar of one day by lot, made wrong in one way, among its real neighbours.
"""

from __future__ import annotations

import datetime as dt
import math
import random
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from goldenthread.domain.asset import ActionKind, CorporateAction
from goldenthread.market.imports import read_actions, read_bars
from goldenthread.market.quality import judge
from goldenthread.market.rows import asset_class_of
from goldenthread.rules.calendar import session_open
from goldenthread.rules.splits import ratio_between

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PAGE = Path(__file__).parents[2] / "docs" / "data" / "quality.md"
BEGIN, END = "<!-- rates: begin -->\n", "<!-- rates: end -->\n"
SHARED = Path(__file__).parents[3] / "shared" / "data"
DAYS, SEED = 20, 1
"""Days by lot of each symbol, and the seed of the lot."""
_BEFORE, _AFTER = 130, 5
_DAY = dt.timedelta(days=1)
_PRICES = ("open", "high", "low", "close")
_NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
_RATIOS = ("2", "3", "1.5", "0.5", "0.1")


class Case(NamedTuple):
    """A stretch of real bars under a name of its own, and the day that is to be wrong."""

    symbol: str
    bars: pl.DataFrame
    ds: dt.date
    dice: random.Random


class Wrong(NamedTuple):
    """The stretch made wrong: its bars, the days that say something false, its actions."""

    bars: pl.DataFrame
    days: frozenset[dt.date]
    actions: tuple[CorporateAction, ...] = ()


@dataclass
class Found:
    """How the cases of one kind ended, by asset class, and how many good bars went with them.

    A good bar is lost when it is believed beside the right bar and refused or quarantined
    beside the wrong one.
    """

    ends: Counter[tuple[str, str]] = field(default_factory=Counter)
    lost: int = 0

    def count(self, end: str) -> int:
        """The cases of both classes that ended so."""
        return sum(n for (_, ended), n in self.ends.items() if ended == end)

    def rate(self, kind: str) -> float:
        """The share of a class's cases that were not believed as they came."""
        mine = {end: n for (which, end), n in self.ends.items() if which == kind}
        return 1 - mine.get(UNSEEN, 0) / sum(mine.values())


REFUSED, QUARANTINED, HELD, UNSEEN = "refused", "quarantined", "held back", "not seen"


def cases(data: Path, days: int = DAYS, seed: int = SEED) -> list[Case]:
    """Days by lot of every symbol, each with the bars around it, splits taken out."""
    bars = read_bars(data / "daily_bars.parquet", {}, "", _NOW).bars
    actions = [a for a in read_actions(data / "lean_factor_files") if a.kind is ActionKind.SPLIT]
    found: list[Case] = []
    for (symbol,), mine in bars.group_by("symbol", maintain_order=True):
        splits = [a for a in actions if a.symbol == symbol]
        lot = random.Random(f"{seed}|{symbol}")  # noqa: S311  a lot, not a secret
        for at in sorted(lot.sample(range(_BEFORE, len(mine) - _AFTER), days)):
            name = f"S{len(found):05}" + ("/USD" if "/" in str(symbol) else "")
            stretch = mine.slice(at - _BEFORE, _BEFORE + 1 + _AFTER)
            whole = _unsplit(stretch, splits).with_columns(symbol=pl.lit(name))
            found.append(Case(name, whole, mine["ds"][at], lot))
    return found


def _unsplit(stretch: pl.DataFrame, splits: Sequence[CorporateAction]) -> pl.DataFrame:
    last = stretch["ds"][-1]
    ratio = pl.Series([float(ratio_between(splits, ds, last)) for ds in stretch["ds"]])
    return stretch.with_columns(pl.col(name) / ratio for name in _PRICES)


def changed(case: Case, **columns: pl.Expr) -> Wrong:
    """The stretch with other values on its day."""
    here = pl.col("ds") == case.ds
    values = {name: pl.when(here).then(to).otherwise(name) for name, to in columns.items()}
    return Wrong(case.bars.with_columns(**values), frozenset({case.ds}))


def scaled(factor: float) -> Callable[[Case], Wrong]:
    """Every price of the day times a factor."""
    return lambda case: changed(case, **{name: pl.col(name) * factor for name in _PRICES})


def one_price(value: float) -> Callable[[Case], Wrong]:
    """One price of the day by lot replaced by a value."""
    return lambda case: changed(case, **{case.dice.choice(_PRICES): pl.lit(value)})


def negated(case: Case) -> Wrong:
    """All prices of the day below zero, as oil's were in April 2020."""
    return scaled(-1)(case)


def swapped(case: Case) -> Wrong:
    """High and low in each other's column."""
    return changed(case, high=pl.col("low"), low=pl.col("high"))


def doubled(case: Case) -> Wrong:
    """The day twice, its second close a hundredth higher."""
    again = case.bars.filter(ds=case.ds).with_columns(
        close=pl.col("close") * 1.01, high=pl.max_horizontal("high", pl.col("close") * 1.01)
    )
    return Wrong(pl.concat([case.bars, again]), frozenset({case.ds}))


def shifted(case: Case) -> Wrong:
    """The bar under the date of the next calendar day, known when that day's bars are."""
    day = case.ds + _DAY
    here, there = case.bars.filter(ds=case.ds), case.bars.filter(ds=day)
    known = (there if len(there) else here)["known_at"]
    moved = here.with_columns(ds=pl.lit(day), known_at=known)
    rest = case.bars.filter(pl.col("ds") != case.ds)
    return Wrong(pl.concat([rest, moved]), frozenset({day}))


def exchanged(case: Case) -> Wrong:
    """The bars of the day and of the next one under each other's date."""
    at = case.bars["ds"].to_list().index(case.ds)
    order = [*range(at), at + 1, at, *range(at + 2, len(case.bars))]
    dates = case.bars.select("ds", "known_at")
    days = frozenset(case.bars["ds"][at : at + 2].to_list())
    return Wrong(case.bars[order].with_columns(dates.get_columns()), days)


def unapplied(case: Case) -> Wrong:
    """A split that happened and that nobody recorded."""
    ratio = float(case.dice.choice(_RATIOS))
    after = pl.col("ds") >= case.ds
    columns = [pl.when(after).then(pl.col(n) / ratio).otherwise(n).alias(n) for n in _PRICES]
    return Wrong(case.bars.with_columns(columns), frozenset({case.ds}))


def applied_twice(case: Case) -> Wrong:
    """A split recorded for prices that are adjusted for it already."""
    action = CorporateAction(
        symbol=case.symbol,
        kind=ActionKind.SPLIT,
        ex_ds=case.ds,
        ratio=Decimal(case.dice.choice(_RATIOS)),
        source="lot",
        known_at=session_open(asset_class_of(case.symbol), case.ds),
    )
    return Wrong(case.bars, frozenset({case.ds}), (action,))


KINDS: dict[str, Callable[[Case], Wrong]] = {
    "all prices x 100": scaled(100),
    "all prices / 100": scaled(0.01),
    "close x 100, high with it": lambda c: changed(
        c, close=pl.col("close") * 100, high=pl.col("close") * 100
    ),
    "close / 100, low with it": lambda c: changed(
        c, close=pl.col("close") / 100, low=pl.col("close") / 100
    ),
    "high and low swapped": swapped,
    "the day twice, otherwise": doubled,
    "a price NaN": one_price(math.nan),
    "a price infinite": one_price(math.inf),
    "a price zero": one_price(0.0),
    "all prices negative": negated,
    "volume negative": lambda c: changed(c, volume=-pl.col("volume") - 1),
    "the bar a day later": shifted,
    "two days exchanged": exchanged,
    "a split unapplied": unapplied,
    "a split applied twice": applied_twice,
}


def measured(chosen: Sequence[Case]) -> dict[str, Found]:
    """What the gate makes of every case made wrong in every way."""
    whole = judge(pl.concat([case.bars for case in chosen]), []).bars
    good = _days(whole.filter(pl.col("state") != "QUARANTINED"))
    return {name: _ended(chosen, make, good) for name, make in KINDS.items()}


def _days(bars: pl.DataFrame) -> dict[str, set[dt.date]]:
    grouped = bars.group_by("symbol").agg("ds")
    return {symbol: set(days) for symbol, days in grouped.iter_rows()}


def _ended(
    chosen: Sequence[Case], make: Callable[[Case], Wrong], good: dict[str, set[dt.date]]
) -> Found:
    wrongs = {case.symbol: make(case) for case in chosen}
    actions = [action for wrong in wrongs.values() for action in wrong.actions]
    judged = judge(pl.concat([wrong.bars for wrong in wrongs.values()]), actions)
    states = {(s, ds): state for s, ds, state in judged.bars["symbol", "ds", "state"].iter_rows()}
    refused = set(judged.refused.select("symbol", pl.col("ds").str.to_date()).iter_rows())
    found = Found()
    for case in chosen:
        symbol, wrong = case.symbol, wrongs[case.symbol]
        ends = {_end(states.get((symbol, ds)), (symbol, ds) in refused) for ds in wrong.days}
        end = next(end for end in (REFUSED, QUARANTINED, HELD, UNSEEN) if end in ends)
        found.ends[asset_class_of(symbol).value, end] += 1
        gone = {ds for ds in good[symbol] if states.get((symbol, ds)) in {None, "QUARANTINED"}}
        found.lost += len(gone - {case.ds})
    return found


def _end(state: str | None, refused: bool) -> str:
    if refused:
        return REFUSED
    return {"QUARANTINED": QUARANTINED, "GOOD": UNSEEN}.get(state or "GOOD", HELD)


def table(found: dict[str, Found]) -> str:
    """The rates as Markdown."""
    head = (
        "| what was wrong | cases | refused | quarantined | held back | not seen"
        " | found, equities | found, crypto | good bars lost |\n"
    )
    rows = [
        f"| {name} | {f.ends.total()} | {f.count(REFUSED)} | {f.count(QUARANTINED)} |"
        f" {f.count(HELD)} | {f.count(UNSEEN)} | {f.rate('EQUITY'):.1%} | {f.rate('CRYPTO'):.1%} |"
        f" {f.lost} |\n"
        for name, f in found.items()
    ]
    return head + "|---" * 9 + "|\n" + "".join(rows)


def renewed(page: str, found: dict[str, Found]) -> str:
    """The page with the table between its marks."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table(found)}\n{END}{after}"


if __name__ == "__main__":
    measures = measured(cases(SHARED))
    PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8"), measures), encoding="utf-8")
