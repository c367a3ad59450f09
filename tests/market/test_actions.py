from __future__ import annotations

import contextlib
import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from goldenthread.domain.asset import ActionKind, CorporateAction
from goldenthread.domain.errors import UsageError
from goldenthread.market.actions import read_actions

if TYPE_CHECKING:
    from pathlib import Path

HEADER = "symbol,kind,ex_ds,ratio,amount,new_symbol\n"


def _read(folder: Path, text: str, name: str = "actions.csv") -> list[CorporateAction]:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return read_actions(path)


def test_our_csv_gives_each_kind_with_what_it_needs(tmp_path: Path) -> None:
    rows = [
        "fb,SYMBOL_CHANGE,2022-06-09,,,meta",
        "MSFT,split,2003-02-18,2,,",
        "MSFT,DIVIDEND,2003-02-19,,0.08,",
        "AIG,SPLIT,2009-07-01,0.05,,",
        "TWTR,DELISTING,2022-10-28,,,",
    ]
    actions = _read(tmp_path, HEADER + "\n".join(rows) + "\n")
    assert [(a.symbol, a.kind.value, a.ratio, a.amount, a.new_symbol) for a in actions] == [
        ("AIG", "SPLIT", Decimal("0.05"), 0, ""),
        ("FB", "SYMBOL_CHANGE", 1, 0, "META"),
        ("MSFT", "SPLIT", 2, 0, ""),
        ("MSFT", "DIVIDEND", 1, Decimal("0.08"), ""),
        ("TWTR", "DELISTING", 1, 0, ""),
    ]
    # 09:30 in New York is 14:30 UTC in February.
    assert actions[2].known_at == dt.datetime(2003, 2, 18, 14, 30, tzinfo=dt.UTC)


def test_columns_that_are_not_needed_may_be_left_out(tmp_path: Path) -> None:
    (action,) = _read(tmp_path, "ex_ds,symbol,kind,ratio\n2003-02-18,MSFT,SPLIT,2\n")
    assert (action.ex_ds, action.ratio) == (dt.date(2003, 2, 18), Decimal(2))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (HEADER + "MSFT,SPLITT,2003-02-18,2,,\n", "line 2 .*'SPLITT' is not a valid"),
        (HEADER + "MSFT,SPLIT,2003-02-30,2,,\n", "line 2 .*day is out of range"),
        (HEADER + "MSFT,SPLIT,2003-02-17,2,,\n", "line 2 .*2003-02-17 is not a session"),
        (HEADER + "MSFT,SPLIT,2003-02-18,,,\n", "line 2 .*a SPLIT needs ratio"),
        (HEADER + "MSFT,SPLIT,2003-02-18,0,,\n", "line 2 .*above 0"),
        (HEADER + "MSFT,SPLIT,2003-02-18,2:1,,\n", "line 2 .*ratio is '2:1', not a number"),
        (HEADER + "MSFT,DIVIDEND,2003-02-18,,nan,\n", "line 2 .*amount is 'nan', not a number"),
        (HEADER + "MSFT,SYMBOL_CHANGE,2003-02-18,,,\n", "line 2 .*needs new_symbol"),
        (HEADER + ",SPLIT,2003-02-18,2,,\n", "line 2 .*symbol is empty"),
        ("symbol,kind,ex_ds,factor\nMSFT,SPLIT,2003-02-18,2\n", "column 'factor' is unknown"),
        ("ticker,date\n", "starts with 'ticker,date'; a file of actions starts with symbol,kind"),
        ("", "starts with ''"),
        ("19980102,0.8,0.5,1\nx\n", "nothing was taken"),
        ("19980102,0.8,0,1\n20010102,0.8,0.5,1\n", "nothing was taken"),
        ("19980102,nb\n19981332,nb\n20501231,bac\n", "nothing was taken"),
    ],
)
def test_a_line_that_cannot_be_read_stops_the_whole_file(
    tmp_path: Path, text: str, words: str
) -> None:
    with pytest.raises(UsageError, match=words) as caught:
        _read(tmp_path, text)
    assert "actions.csv" in str(caught.value)


def test_nothing_to_read_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no actions"):
        read_actions(tmp_path)
    with pytest.raises(UsageError, match="holds no actions"):
        read_actions(tmp_path / "none.csv")
    (tmp_path / "latin.csv").write_bytes(b"symbol,kind,ex_ds\n\xc4,SPLIT,2003-02-18\n")
    with pytest.raises(UsageError, match="UTF-8"):
        read_actions(tmp_path / "latin.csv")


def test_a_lean_factor_file_gives_splits_and_dividends_of_the_session_after_its_rows(
    tmp_path: Path,
) -> None:
    # Friday 2020-08-28: the split factor goes from 0.25 to 1, a 4:1 split on Monday.
    # 2020-11-05: 119.03 * (1 - 0.9967882 / 0.9985079) = 0.2050; 2021-02-04: 137.39 * 0.0014921.
    text = (
        "20200101,0.9967882,0.25,1\n20200828,0.9967882,0.25,499.23\n"
        "20201105,0.9967882,1,119.03\n20210204,0.9985079,1,137.39\n20501231,1,1,0"
    )
    actions = _read(tmp_path, text, "aapl.csv")
    assert [(a.symbol, a.kind, a.ex_ds, a.ratio, a.amount) for a in actions] == [
        ("AAPL", ActionKind.SPLIT, dt.date(2020, 8, 31), Decimal(4), Decimal(0)),
        ("AAPL", ActionKind.DIVIDEND, dt.date(2020, 11, 6), Decimal(1), Decimal("0.2050")),
        ("AAPL", ActionKind.DIVIDEND, dt.date(2021, 2, 5), Decimal(1), Decimal("0.2050")),
    ]


def test_a_lean_map_file_gives_changes_of_ticker_and_the_end_of_a_listing(tmp_path: Path) -> None:
    actions = _read(
        tmp_path, "19980102,uw,N\n19980716,uw,N\n20090804,wmi,N\n20501231,wm,N", "wm.csv"
    )
    changes = [(a.symbol, a.kind, a.ex_ds, a.new_symbol) for a in actions]
    assert changes == [
        ("UW", ActionKind.SYMBOL_CHANGE, dt.date(1998, 7, 17), "WMI"),
        ("WMI", ActionKind.SYMBOL_CHANGE, dt.date(2009, 8, 5), "WM"),
    ]
    (end,) = _read(tmp_path, "20131107,twtr\n20221027,twtr\n", "twtr.csv")
    assert (end.symbol, end.kind, end.ex_ds) == (
        "TWTR",
        ActionKind.DELISTING,
        dt.date(2022, 10, 28),
    )


@pytest.mark.fault("F18", "a ticker that is another company by now")
def test_a_ticker_that_is_another_company_by_now_is_not_renamed(tmp_path: Path) -> None:
    (tmp_path / "goog.csv").write_text("20140327,goocv,Q\n20140402,goocv,Q\n20501231,goog,Q")
    (tmp_path / "googl.csv").write_text("20040819,goog,Q\n20140402,goog,Q\n20501231,googl,Q")
    changes = [(action.symbol, action.new_symbol) for action in read_actions(tmp_path)]
    assert changes == [("GOOCV", "GOOG")]


@pytest.mark.shared
def test_leans_files_give_every_split_of_the_raw_symbols(shared_data: Path) -> None:
    actions = read_actions(shared_data / "lean_factor_files")
    splits = {
        f"{a.symbol} {a.ex_ds} {a.ratio.normalize():f}"
        for a in actions
        if a.kind is ActionKind.SPLIT
    }
    assert splits == {
        "AAPL 2000-06-21 2", "AAPL 2005-02-28 2", "AAPL 2014-06-09 7", "AAPL 2020-08-31 4",
        "AIG 1998-08-03 1.5", "AIG 1999-08-02 1.25", "AIG 2000-07-31 1.5", "AIG 2009-07-01 0.05",
        "BAC 2004-08-30 2", "BNO 2013-08-29 2", "EEM 2005-06-09 3", "EEM 2008-07-24 3",
        "GOOG 2015-04-27 1.0027", "GOOGL 2014-04-03 2", "IBM 1999-05-27 2", "IWM 2005-06-09 2",
        "QQQ 2000-03-20 2", "USO 2020-04-29 0.125",
    }  # fmt: skip


@pytest.mark.shared
def test_leans_files_give_the_dividends_that_apple_paid_around_its_split(
    shared_data: Path,
) -> None:
    actions = read_actions(shared_data / "lean_factor_files" / "aapl.csv")
    paid = [(a.ex_ds, a.amount) for a in actions if a.kind is ActionKind.DIVIDEND]
    of_2014 = {ds: round(amount, 2) for ds, amount in paid if ds.year == 2014}
    assert of_2014 == {  # as announced: 3.05 and 3.29 before the split of seven for one
        dt.date(2014, 2, 6): Decimal("3.05"),
        dt.date(2014, 5, 8): Decimal("3.29"),
        dt.date(2014, 8, 7): Decimal("0.47"),
        dt.date(2014, 11, 6): Decimal("0.47"),
    }


@pytest.mark.shared
@pytest.mark.fault("F18", "real histories of tickers: none joins another company's")
def test_leans_map_files_rename_no_symbol_that_has_bars_of_its_own(shared_data: Path) -> None:
    renamed = {action.symbol for action in read_actions(shared_data / "lean_map_files")}
    assert renamed == {"GOOCV", "NB", "QQQQ", "UW", "WMI"}


_CELLS = st.one_of(
    st.sampled_from(["", "SPLIT", "MSFT", "2003-02-18", "2", "-1", "inf", "1e999999", "20030218"]),
    st.text(max_size=6),
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(_CELLS, max_size=6), max_size=5), st.sampled_from([HEADER, ""]))
def test_any_text_is_a_file_of_actions_or_a_usage_error(
    tmp_path: Path, rows: list[list[str]], header: str
) -> None:
    path = tmp_path / "any.csv"
    text = header + "\n".join(",".join(row) for row in rows)
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    with contextlib.suppress(UsageError):
        read_actions(path)
