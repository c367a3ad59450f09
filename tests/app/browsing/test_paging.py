"""Long lists page by page: nothing twice, nothing left out, filters hold on every page."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from app.command import SUMMER
from goldenthread.app.api.browsing import signals as browsing
from goldenthread.app.api.browsing import trades as closing
from goldenthread.app.api.browsing.wanted import WantedSignals, WantedTrades
from goldenthread.app.api.project import Project
from goldenthread.app.api.records import ALL_TIME, OUTCOMES, signals, trades

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from goldenthread.app.api.browsing.wanted import Wanted

Rows = list[dict[str, Any]]


def walked(ask: Callable[[Wanted], dict[str, Any]], wanted: Wanted, rows: str) -> list[Rows]:
    pages = []
    while True:
        page = ask(wanted)
        pages.append(page[rows])
        if page["older"] is None:
            return pages
        wanted = wanted.model_copy(update={"after": page["older"]})


def signal_pages(folder: Path, **filters: object) -> list[Rows]:
    project = Project.open(folder)

    def ask(wanted: Wanted) -> dict[str, Any]:
        assert isinstance(wanted, WantedSignals)
        return browsing.signal_page(project, "", wanted)

    return walked(ask, WantedSignals.model_validate(filters), "signals")


def known(folder: Path, **equal: object) -> Rows:
    """The command's rows with these values, the newest id first."""
    rows = [
        {**row, "signal_ds": dt.date.fromisoformat(str(row["signal_ds"]))}
        for row in signals(Project.open(folder), "", ALL_TIME)
        if all(row[key] == value for key, value in equal.items())
    ]
    return sorted(rows, key=lambda row: str(row["signal_id"]), reverse=True)


def ids(pages: list[Rows]) -> list[str]:
    return [row["signal_id"] for page in pages for row in page]


def test_the_pages_together_are_the_whole_list(
    summer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = signal_pages(summer)
    assert ids(pages) == [row["signal_id"] for row in known(summer)]
    assert [len(page) for page in pages[:-1]] == [50] * (len(pages) - 1)
    monkeypatch.setattr(browsing, "PAGE", 7)
    small = signal_pages(summer)
    assert ids(small) == ids(pages)
    assert max(len(page) for page in small) == 7


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_an_outcome_holds_on_every_page(summer: Path, outcome: str) -> None:
    wanted = known(summer, outcome=outcome)
    assert wanted
    assert ids(signal_pages(summer, outcome=outcome)) == [row["signal_id"] for row in wanted]


def test_strategy_symbol_and_dates_hold_together(summer: Path) -> None:
    wanted = known(summer, strategy_id="channel_breakout", symbol="GOOG")
    first, last = dt.date(2012, 6, 20), dt.date(2012, 8, 1)
    inside = [row["signal_id"] for row in wanted if first <= row["signal_ds"] <= last]
    assert 0 < len(inside) < len(wanted)
    filters = {"strategy": "channel_breakout", "symbol": "GOOG", "from": first, "to": last}
    assert ids(signal_pages(summer, **filters)) == inside


def test_a_trade_stands_at_the_date_of_its_decision_whenever_it_was_closed(summer: Path) -> None:
    trade = known(summer, outcome="traded")[-1]
    day = trade["signal_ds"]
    assert trade["signal_id"] in ids(signal_pages(summer, **{"from": day, "to": day}))


def test_an_empty_filter_of_a_form_is_none_at_all() -> None:
    sent = {"outcome": "", "strategy": "", "symbol": "", "from": "", "to": "", "after": ""}
    assert WantedSignals.model_validate(sent) == WantedSignals()
    assert WantedSignals.model_validate({**sent, "to": "2012-01-31"}).named() == {
        "to": "2012-01-31"
    }


@pytest.mark.parametrize(
    "wrong", [{"outcome": "lost"}, {"from": "x"}, {"colour": "red"}, {"symbol": "x" * 41}]
)
def test_a_filter_that_is_none_of_ours_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        WantedSignals.model_validate(wrong)


@pytest.mark.parametrize("size", [1, 3, 50])
def test_trades_page_by_page_are_all_of_them(
    summer: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    project = Project.open(summer)
    every = trades(project, "", SUMMER).to_dicts()
    monkeypatch.setattr(closing, "PAGE", size)

    def ask(wanted: Wanted) -> dict[str, Any]:
        assert isinstance(wanted, WantedTrades)
        return closing.trade_page(project, "", wanted)

    pages = walked(ask, WantedTrades(), "trades")
    found = [row for page in pages for row in page]
    assert found == sorted(every, key=lambda r: (r["exit_ds"], r["trade_id"]), reverse=True)
    assert [len(page) for page in pages[:-1]] == [size] * (len(pages) - 1)
    assert len({row["exit_ds"] for row in every}) < len(every)  # size 1: a page ends inside a day


def test_trades_are_filtered_by_strategy_symbol_and_exit(summer: Path) -> None:
    project = Project.open(summer)
    every = trades(project, "", SUMMER).to_dicts()
    one = every[0]
    wanted = WantedTrades(strategy=one["strategy_id"], symbol=one["symbol"])
    found = closing.trade_page(project, "", wanted)["trades"]
    same = [
        r for r in every if (r["strategy_id"], r["symbol"]) == (one["strategy_id"], one["symbol"])
    ]
    assert {row["trade_id"] for row in found} == {row["trade_id"] for row in same}
    day = WantedTrades(first=one["exit_ds"], last=one["exit_ds"])
    found = closing.trade_page(project, "", day)["trades"]
    assert {row["exit_ds"] for row in found} == {one["exit_ds"]}


def test_a_mark_that_is_no_date_is_refused() -> None:
    with pytest.raises(ValidationError, match="after"):
        WantedTrades(after="2012-13-01_x")
