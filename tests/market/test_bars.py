from __future__ import annotations

import datetime as dt
from decimal import Decimal

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goldenthread.domain.asset import AssetClass, CorporateAction
from goldenthread.market.bars import BarBook
from goldenthread.market.quality import judge
from goldenthread.rules.calendar import add_sessions
from market.market_bars import MONDAY, after, daily, split

TUESDAY, WEDNESDAY, THURSDAY, FRIDAY = (MONDAY + dt.timedelta(days=n) for n in (1, 2, 3, 4))
SATURDAY = MONDAY + dt.timedelta(days=5)


def _book(bars: pl.DataFrame, *actions: CorporateAction, lookback: int = 1200) -> BarBook:
    return BarBook(judge(bars, actions).bars, actions, [], lookback)


def _closes(book: BarBook, symbol: str, ds: dt.date, now: dt.datetime | None = None) -> list[float]:
    window = book.window(symbol, ds, now or after(ds))
    return [] if window is None else window.close[: window.upto + 1].tolist()


def _with_states(states: list[str]) -> BarBook:
    """Bars that close at 100, 101 ... in the states given, one a session from Monday on."""
    closes = [100.0 + n for n in range(len(states))]
    return BarBook(daily("AAPL", closes).with_columns(pl.Series("state", states)), [], [])


def test_a_window_holds_the_bars_up_to_its_day() -> None:
    book = _book(daily("AAPL", [100, 101, 102]))
    assert _closes(book, "AAPL", TUESDAY) == [100, 101]
    window = book.window("AAPL", WEDNESDAY, after(WEDNESDAY))
    assert window is not None
    assert window.asset_class is AssetClass.EQUITY
    assert window.has_bar(WEDNESDAY)
    assert window.open[: window.upto + 1].tolist() == [100, 100, 101]


def test_a_day_without_a_bar_reads_up_to_the_last_bar_before() -> None:
    book = _book(daily("AAPL", [100, 101, 102, 103, 104]))
    window = book.window("AAPL", SATURDAY, after(SATURDAY))
    assert window is not None
    assert not window.has_bar(SATURDAY)
    assert window.has_bar(FRIDAY)


def test_there_is_no_window_before_the_first_bar_or_of_an_unknown_symbol() -> None:
    book = _book(daily("AAPL", [100, 101]))
    assert book.window("AAPL", MONDAY - dt.timedelta(days=1), after(MONDAY)) is None
    assert book.window("MSFT", MONDAY, after(MONDAY)) is None
    assert book.symbols == ("AAPL",)


def test_a_split_divides_the_prices_and_multiplies_the_volumes_before_it() -> None:
    # 2:1 on Wednesday: Monday and Tuesday at 100 and 102 become 50 and 51, 1000 shares 2000.
    book = _book(daily("AAPL", [100, 102, 52], opens=[100, 100, 51]), split("AAPL", WEDNESDAY, "2"))
    before = book.window("AAPL", TUESDAY, after(TUESDAY))
    assert before is not None
    assert before.close.tolist() == [100, 102]  # Wednesday's, in other units, is not there
    assert _closes(book, "AAPL", WEDNESDAY) == [50, 51, 52]
    window = book.window("AAPL", WEDNESDAY, after(WEDNESDAY))
    assert window is not None
    assert window.volume.tolist() == [2000, 2000, 1000]


def test_two_splits_multiply() -> None:
    # 2:1 on Tuesday and 1:10 on Thursday: Monday's 100 is 50 from Tuesday on, 500 from Thursday.
    actions = split("AAPL", TUESDAY, "2"), split("AAPL", THURSDAY, "0.1")
    book = _book(daily("AAPL", [100, 50, 51, 510], opens=[100, 50, 50, 510]), *actions)
    assert _closes(book, "AAPL", WEDNESDAY) == [50, 50, 51]
    assert _closes(book, "AAPL", THURSDAY) == [500, 500, 510, 510]


def test_days_of_a_year_share_their_columns_until_a_split_or_new_year() -> None:
    bars = daily("AAPL", [100.0] * 500)
    ex_ds = bars["ds"][50]
    book = BarBook(bars, [split("AAPL", ex_ds, "2")], [])
    keys = []
    for at in (0, 49, 50, 51, 300, 301):
        window = book.window("AAPL", bars["ds"][at], after(bars["ds"][at]))
        assert window is not None
        keys.append(window.key)
    assert bars["ds"][209].year == 2021
    assert keys[0] == keys[1] != keys[2] == keys[3] != keys[4] == keys[5]


def test_a_window_reaches_its_lookback_before_the_first_of_january() -> None:
    # 210 sessions lie in 2021 from 1 March on; a look-back of 20 keeps the last 20 of them.
    bars = daily("AAPL", [100.0 + n for n in range(230)])
    book = _book(bars, lookback=20)
    last = bars["ds"][229]
    window = book.window("AAPL", last, after(last))
    assert window is not None
    assert last.year == 2022
    before = int((bars["ds"].dt.year() == 2021).sum())
    assert window.year_start == 20
    assert window.close[0] == 100.0 + before - 20
    assert window.close[window.year_start] == 100.0 + before


def test_columns_cannot_be_written_to() -> None:
    window = _book(daily("AAPL", [100, 101])).window("AAPL", TUESDAY, after(TUESDAY))
    assert window is not None
    with pytest.raises(ValueError, match="read-only"):
        window.close[0] = 1.0


def test_a_confirmed_bar_is_read_from_the_next_bar_on() -> None:
    book = _with_states(["GOOD", "CONFIRMED", "GOOD"])
    assert _closes(book, "AAPL", TUESDAY) == [100]
    assert _closes(book, "AAPL", WEDNESDAY) == [100, 101, 102]


def test_a_suspect_bar_is_not_read_and_a_quarantined_one_never() -> None:
    assert _closes(_with_states(["GOOD", "SUSPECT"]), "AAPL", TUESDAY) == [100]
    assert _closes(_with_states(["GOOD", "QUARANTINED", "GOOD"]), "AAPL", WEDNESDAY) == [100, 102]
    assert _with_states(["SUSPECT"]).window("AAPL", MONDAY, after(MONDAY)) is None


def test_only_good_bars_are_tradable() -> None:
    book = _with_states(["GOOD", "CONFIRMED", "QUARANTINED", "SUSPECT"])
    bar = book.tradable("AAPL", MONDAY)
    assert bar is not None
    assert (bar.ds, bar.close, bar.volume) == (MONDAY, Decimal(100), Decimal(1000))
    assert [book.tradable("AAPL", ds) for ds in (TUESDAY, WEDNESDAY, THURSDAY)] == [None] * 3
    assert book.tradable("AAPL", SATURDAY) is None
    assert book.tradable("MSFT", MONDAY) is None
    doubted = [book.has_suspect("AAPL", MONDAY + dt.timedelta(days=n)) for n in range(6)]
    assert doubted == [False, True, True, True, False, False]
    assert not book.has_suspect("MSFT", MONDAY)


def test_a_tradable_bar_is_raw_and_has_at_most_nine_decimals() -> None:
    prices = [0.1 + 0.2, 1 / 3]  # 0.30000000000000004 and 0.333333333333333…
    book = _book(daily("AAPL", prices), split("AAPL", WEDNESDAY, "2"))
    bars = book.bars_since("AAPL", MONDAY - dt.timedelta(days=1), TUESDAY)
    assert [bar.close for bar in bars] == [Decimal("0.3"), Decimal("0.333333333")]


def test_bars_since_leaves_out_the_day_it_starts_from_and_what_was_not_good() -> None:
    book = _with_states(["GOOD", "GOOD", "CONFIRMED", "GOOD", "GOOD"])
    assert [bar.ds for bar in book.bars_since("AAPL", MONDAY, THURSDAY)] == [TUESDAY, THURSDAY]
    assert book.bars_since("MSFT", MONDAY, THURSDAY) == []


def test_the_last_close_is_in_the_units_of_its_day() -> None:
    # No bar on Thursday, the day of a 4:1 split: Wednesday's 100 is 25 there.
    book = _book(daily("AAPL", [100, 102, 100]), split("AAPL", THURSDAY, "4"))
    assert book.last_close("AAPL", WEDNESDAY) == Decimal(100)
    assert book.last_close("AAPL", THURSDAY) == Decimal(25)
    assert book.last_close("AAPL", MONDAY - dt.timedelta(days=1)) is None
    assert book.last_close("MSFT", MONDAY) is None


def test_the_last_close_passes_over_a_bar_not_believed_yet() -> None:
    book = _with_states(["GOOD", "CONFIRMED", "QUARANTINED", "GOOD"])
    days = (TUESDAY, WEDNESDAY, THURSDAY)
    closes = [book.last_close("AAPL", ds) for ds in days]
    assert closes == [Decimal(100), Decimal(101), Decimal(103)]


def test_returns_take_splits_out() -> None:
    # 100 -> 110 is +10 %; 110 -> 66 after a 2:1 split is 66 / 55 = +20 %.
    book = _book(daily("AAPL", [100, 110, 66], opens=[100, 100, 55]), split("AAPL", WEDNESDAY, "2"))
    np.testing.assert_allclose(book.returns("AAPL", WEDNESDAY, 5), [0.1, 0.2], rtol=1e-12)
    np.testing.assert_allclose(book.returns("AAPL", WEDNESDAY, 1), [0.2], rtol=1e-12)
    assert len(book.returns("MSFT", WEDNESDAY, 5)) == 0


def test_actions_come_back_by_symbol_in_order() -> None:
    actions = [split("AAPL", THURSDAY, "2"), split("AAPL", TUESDAY, "3")]
    book = _book(daily("AAPL", [100]), *actions)
    assert book.actions("AAPL") == actions[::-1]
    assert book.actions("MSFT") == []


def test_a_revision_is_read_from_the_instant_it_was_known() -> None:
    bars = daily("AAPL", [100, 101, 102])
    known_at = after(WEDNESDAY) + dt.timedelta(days=10)
    revised = bars.filter(ds=TUESDAY).with_columns(
        close=pl.lit(101.5), high=pl.lit(102.0), known_at=pl.lit(known_at)
    )
    book = _book(pl.concat([bars, revised]).sort("ds", "known_at"))
    assert _closes(book, "AAPL", WEDNESDAY) == [100, 101, 102]
    assert _closes(book, "AAPL", WEDNESDAY, known_at) == [100, 101.5, 102]
    early, late = (book.tradable("AAPL", TUESDAY, now) for now in (after(WEDNESDAY), known_at))
    assert early is not None
    assert late is not None
    assert (early.close, late.close) == (Decimal(101), Decimal("101.5"))
    assert book.tradable("AAPL", TUESDAY) == late


def test_a_bar_not_known_yet_is_not_read() -> None:
    bars = daily("AAPL", [100, 101, 102])
    late = pl.when(pl.col("ds") == TUESDAY).then(pl.lit(after(FRIDAY))).otherwise("known_at")
    book = _book(bars.with_columns(known_at=late))
    assert _closes(book, "AAPL", TUESDAY) == [100]
    assert _closes(book, "AAPL", WEDNESDAY) == [100, 102]
    assert _closes(book, "AAPL", WEDNESDAY, after(FRIDAY)) == [100, 101, 102]
    assert _closes(book, "AAPL", WEDNESDAY, after(MONDAY)) == [100]


def test_a_book_of_no_bars_has_no_symbols() -> None:
    assert _book(daily("AAPL", [100]).clear()).symbols == ()


@st.composite
def _histories(
    draw: st.DrawFn,
) -> tuple[pl.DataFrame, list[CorporateAction]]:
    """Bars over the turn of a year with jumps, splits, holes, late rows and revisions."""
    count = draw(st.integers(2, 25))
    step = st.one_of(st.floats(-0.03, 0.03), st.floats(-0.9, 0.9))
    steps = draw(st.lists(step, min_size=count, max_size=count))
    gaps = draw(st.lists(st.sampled_from([0.0, 0.0, 0.6, -0.6]), min_size=count, max_size=count))
    closes = np.exp(np.cumsum(steps)) * 100
    opens = np.append(100.0, closes[:-1]) * np.exp(gaps)
    bars = daily("X/USD", closes.tolist(), opens=opens.tolist(), first=dt.date(2021, 12, 20))
    days = bars["ds"].to_list()
    late = draw(st.dictionaries(st.sampled_from(days), st.integers(1, 5), max_size=3))
    held = draw(st.sets(st.sampled_from(days), max_size=3))
    revised = draw(st.dictionaries(st.sampled_from(days), st.integers(1, 8), max_size=3))
    delays = {ds: dt.timedelta(days=n) for ds, n in late.items()}
    bars = bars.filter(~pl.col("ds").is_in(held)).with_columns(
        pl.col("known_at") + pl.col("ds").replace_strict(delays, default=dt.timedelta())
    )
    wait = {
        ds: dt.timedelta(days=n, hours=1) + delays.get(ds, dt.timedelta())
        for ds, n in revised.items()
    }
    second = bars.filter(pl.col("ds").is_in(list(wait))).with_columns(
        pl.col("known_at") + pl.col("ds").replace_strict(wait, default=dt.timedelta()),
        *((pl.col(name) * 1.4).alias(name) for name in ("open", "high", "low", "close")),
    )
    splits = draw(st.dictionaries(st.sampled_from(days), st.integers(0, 6), max_size=2))
    actions = [
        split("X/USD", ds, "2").model_copy(
            update={"known_at": after(ds) + dt.timedelta(days=n - 2)}
        )
        for ds, n in splits.items()
    ]
    return pl.concat([bars, second]).sort("ds", "known_at"), actions


def _assert_the_future_does_not_matter(
    bars: pl.DataFrame, actions: list[CorporateAction], ds: dt.date
) -> None:
    now = after(ds)
    whole = _book(bars, *actions, lookback=6).window("X/USD", ds, now)
    past = bars.filter(pl.col("known_at") <= now, pl.col("ds") <= ds)
    known = [action for action in actions if action.known_at <= now]
    cut = _book(past, *known, lookback=6).window("X/USD", ds, now)
    if whole is None or cut is None:
        assert whole is cut
        return
    assert whole.digest(50) == cut.digest(50)
    assert (whole.year_start, whole.upto) == (cut.year_start, cut.upto)


@settings(max_examples=100, deadline=None)
@given(_histories(), st.integers(0, 30))
def test_cutting_off_the_future_changes_no_window(
    history: tuple[pl.DataFrame, list[CorporateAction]], days: int
) -> None:
    ds = add_sessions(AssetClass.CRYPTO, dt.date(2021, 12, 19), days + 1)
    _assert_the_future_does_not_matter(*history, ds)


NEW_YEAR = dt.date(2022, 1, 1)


def test_a_last_bar_of_the_old_year_that_is_confirmed_later_moves_no_window() -> None:
    # 31 December jumps; the next bar is that of 3 January. On 1 January nobody can believe it.
    bars = daily("X/USD", [*[100.0] * 11, 200.0, 200, 200, 200], first=dt.date(2021, 12, 20))
    held = bars.filter(~pl.col("ds").is_in([NEW_YEAR, dt.date(2022, 1, 2)]))
    assert judge(held, []).bars["state"][11] == "CONFIRMED"
    for day in range(1, 4):
        _assert_the_future_does_not_matter(held, [], dt.date(2022, 1, day))


def test_a_last_bar_of_the_old_year_that_arrives_later_moves_no_window() -> None:
    bars = daily("X/USD", [100.0 + n for n in range(15)], first=dt.date(2021, 12, 20))
    late = pl.max_horizontal("known_at", pl.lit(after(dt.date(2022, 1, 2))))
    arrives = pl.when(pl.col("ds") >= dt.date(2021, 12, 31)).then(late).otherwise("known_at")
    for day in range(1, 4):
        delayed = bars.with_columns(known_at=arrives)
        _assert_the_future_does_not_matter(delayed, [], dt.date(2022, 1, day))
