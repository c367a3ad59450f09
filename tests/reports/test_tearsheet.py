from __future__ import annotations

import datetime as dt
from dataclasses import replace
from html.parser import HTMLParser

import polars as pl
import pytest

from goldenthread.domain.errors import UsageError
from goldenthread.reports.figures.benchmark import BenchmarkFigures
from goldenthread.reports.notation import UNKNOWN
from goldenthread.reports.tearsheet import TearsheetInput, tearsheet
from reports.facts import DAY, equity, expired, refused, refused_row, trade_row, trades

NOW = dt.datetime(2024, 3, 1, 12, 0, tzinfo=dt.UTC)
EMPTY = TearsheetInput(
    "An <empty> book", "sim:x", NOW, pl.DataFrame(), pl.DataFrame(), refused(), expired()
)
FULL = replace(
    EMPTY,
    title="Demo",
    equity=equity(*[1000.0 + n * (-1) ** n for n in range(40)]),
    trades=trades(
        trade_row("250", trade_id="one"),
        trade_row("-40.5", trade_id="two", symbol="BTC/USD", strategy_id="dip"),
    ),
    refused=refused(*[refused_row({"VOLUME_TOO_LOW": "filter"}, "100")] * 12),
    expired=expired(("EXPIRED", "NOT_TRIGGERED", "MARKET_NEXT_OPEN", "5")),
    coverage=pl.DataFrame(
        {
            "symbol": ["AAPL", "BTC/USD"],
            "first": [DAY, DAY],
            "last": [DAY, DAY],
            "sessions": [250, 365],
            "bars": [250, 362],
            "missing": [0, 2],
            "suspect": [0, 1],
            "quarantined": [0, 0],
        }
    ),
    waiting={"WAITING": 3},
    synthetic=frozenset({"BTC/USD"}),
)


class _Reader(HTMLParser):
    """Reads the page: its text by element, and that every element is closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.words: list[str] = []
        self.seen: set[str] = set()
        self.links: list[str] = []
        self.names: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.links += [value or "" for name, value in attrs if name in {"src", "href"}]
        self.names |= {value or "" for name, value in attrs if name == "id"}
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, _attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.words.append(data.strip())


def _read(page: str) -> _Reader:
    reader = _Reader()
    reader.feed(page)
    assert reader.open == []
    return reader


def _rows(page: str, title: str) -> list[list[str]]:
    """The cells of the table under a heading."""
    section = page.split(f"<h2>{title}</h2>")[1].split("</section>", maxsplit=1)[0]
    rows = section.split("<tr>")[2:]
    return [[" ".join(_read_cell(cell)) for cell in row.split("<td")[1:]] for row in rows]


def _read_cell(cell: str) -> list[str]:
    reader = _Reader()
    reader.feed("<td" + cell.split("</td>", maxsplit=1)[0] + "</td>")
    return [word for word in reader.words if word]


def test_the_page_is_whole_and_fetches_nothing() -> None:
    page = tearsheet(FULL)
    reader = _read(page)
    assert not reader.seen & {"script", "link", "img", "iframe"}
    assert {link[0] for link in reader.links} == {"#"}
    assert {link[1:] for link in reader.links} <= reader.names
    assert "http" not in page
    assert "@import" not in page
    assert "url(" not in page


def test_the_headline_shows_the_figures() -> None:
    words = _read(tearsheet(FULL)).words
    # 1000 to 1000 - 39 = 961; trades +250 - 40.5 = 209.5, which is half to even $210
    assert words[words.index("Total return") + 1] == "\u22123.9%"
    assert "$1,000 to $961" in words
    assert words[words.index("Net P&L of trades") + 1] == "+$210"
    assert words[words.index("Win rate") + 1] == "50.0%"
    assert words[words.index("Profit factor") + 1] == "6.17"  # 250 / 40.5


def test_the_money_line_is_on_the_page() -> None:
    line = "VOLUME_TOO_LOW alone refused 12 trades that would have made +$1,200 (12 resolved)."
    assert line in _read(tearsheet(FULL)).words


def test_strategies_are_ordered_by_what_they_made() -> None:
    rows = _rows(tearsheet(FULL), "Strategies")
    assert [(row[0], row[-1]) for row in rows] == [("breakout", "+$250"), ("dip", "\u2212$40")]


def test_filters_show_what_they_refused_alone() -> None:
    row = _rows(tearsheet(FULL), "Filters and gates")[0]
    assert row[:5] == ["VOLUME_TOO_LOW", "breakout", "12", "12", "12"]
    assert row[5:8] == ["0.0%", "10.00", "+$1,200"]  # none of the twelve would have lost
    assert row[8:10] == [UNKNOWN, "not enough evidence: n = 12"]


def test_a_verdict_stands_beside_the_interval_it_comes_from() -> None:
    days = [DAY + dt.timedelta(days=20 * n) for n in range(30)]
    often = [refused_row({"VOLUME_TOO_LOW": "filter"}, "100", signal_ds=ds) for ds in days]
    row = _rows(tearsheet(replace(FULL, refused=refused(*often))), "Filters and gates")[0]
    assert row[9] == "costs money"
    low, high = (int(bound.strip("+$").replace(",", "")) for bound in row[8].split(" to "))
    assert 0 < low < 3000 < high  # thirty of a hundred dollars


def test_the_account_stands_beside_its_benchmarks() -> None:
    found = [
        BenchmarkFigures("EQUITY", "SPY", 250, 251.3, 0.05, 0.456, 0.0123, 0.7),
        BenchmarkFigures("CRYPTO", "BTC/USD", note="no bars of BTC/USD on days of the account"),
    ]
    rows = _rows(tearsheet(replace(FULL, benchmarks=found)), "Benchmarks")
    assert rows[0][:5] == ["SPY", "equity", "+5.0%", "+1.2%", "0.46"]
    assert rows[1][2:6] == [UNKNOWN] * 4
    assert rows[1][-1] == "no bars of BTC/USD on days of the account"


def test_the_page_breaks_the_trades_down() -> None:
    page = tearsheet(FULL)
    assert [(row[0], row[-1]) for row in _rows(page, "Symbols")] == [
        ("AAPL", "+$250"),
        ("BTC/USD", "\u2212$40"),
    ]
    assert [row[:2] for row in _rows(page, "Versions")] == [
        ["breakout", "0123abcd"],
        ["dip", "0123abcd"],
    ]
    assert [(row[0], row[1], row[-1]) for row in _rows(page, "Months")] == [
        ("2024-01", "2", "+$210")
    ]
    assert _rows(page, "Portfolio") == [
        ["breakout", "$0", "$0", "$0", "+$250"],
        ["dip", "$0", "$0", "$0", "\u2212$40"],
    ]
    # +250 and -40.5 on the same day, nothing on the others
    assert _rows(page, "Correlation") == [["dip", "\u22121.00"]]


def test_many_symbols_are_counted_and_the_weightiest_listed() -> None:
    many = trades(*[trade_row(str(n - 50), symbol=f"S{n:03}") for n in range(100)])
    page = tearsheet(replace(FULL, trades=many))
    assert "The 60 of 100 that made or lost most." in _read(page).words
    assert [row[0] for row in _rows(page, "Symbols")[:3]] == ["S000", "S001", "S099"]
    assert len(_rows(page, "Symbols")) == 60


def test_every_signal_is_counted_in_one_place() -> None:
    words = _read(tearsheet(FULL)).words
    # 2 traded + 12 refused + 1 expired + 3 waiting
    assert "18 signals were decided; each is in exactly one place." in words
    assert words[words.index("waiting") + 1] == "3"


def test_a_synthetic_symbol_is_labelled_wherever_it_appears() -> None:
    page = tearsheet(FULL)
    assert [row[0] for row in _rows(page, "Last trades")] == ["BTC/USD SYNTHETIC", "AAPL"]
    assert [row[0] for row in _rows(page, "Coverage gaps")] == ["BTC/USD SYNTHETIC"]
    assert "1 of 2 trades and -$40 of the net P&L on this page come from them." in " ".join(
        _read(page).words
    )
    assert "SYNTHETIC" not in tearsheet(replace(FULL, synthetic=frozenset()))


def test_gaps_are_listed_and_whole_symbols_are_not() -> None:
    page = tearsheet(FULL)
    assert _rows(page, "Coverage gaps")[0][3:] == ["365", "362", "2", "1", "0"]
    assert "1 of 2 symbols lack bars; none is filled in." in _read(page).words


def test_texts_from_outside_cannot_become_markup() -> None:
    nasty = "<script>alert(1)</script>"
    page = tearsheet(
        replace(
            FULL,
            title=nasty,
            book=nasty,
            trades=trades(trade_row("1", strategy_id=nasty, symbol=nasty)),
            refused=refused(*[refused_row({nasty: "filter"}, "1")] * 12),
            expired=expired(("EXPIRED", nasty, "PLANNED", "1")),
            waiting={nasty: 1},
            synthetic=frozenset({nasty}),
        )
    )
    assert "script" not in _read(page).seen
    assert "<script>" not in page


def test_a_book_without_a_day_still_has_a_page_that_says_so() -> None:
    page = tearsheet(EMPTY)
    words = _read(page).words
    assert "An <empty> book" in words
    assert "No trade was closed." in words
    assert "No signal was refused." in words
    assert words[words.index("Sharpe") + 1] == UNKNOWN


def test_the_same_facts_give_the_same_page() -> None:
    assert tearsheet(FULL) == tearsheet(FULL)


def test_two_books_in_one_page_are_refused() -> None:
    with pytest.raises(UsageError):
        tearsheet(replace(FULL, equity=pl.concat([FULL.equity, FULL.equity])))
