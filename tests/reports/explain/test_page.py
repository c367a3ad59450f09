from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from html import unescape
from html.parser import HTMLParser
from typing import Any

import polars as pl
import pytest

from goldenthread.domain.asset import ActionKind, CorporateAction
from goldenthread.domain.bar import Bar
from goldenthread.domain.ids import order_key
from goldenthread.domain.signal import SignalStatus
from goldenthread.reports.explain.page import last_day, page
from goldenthread.reports.explain.story import ExplainInput, explain
from goldenthread.warehouse.rows.signals import expired_row, rejected_row, trade_row
from reports.explain.test_story import DAY, MADE, SIGNAL, TRADE, VERSION

NOW = dt.datetime(2024, 2, 1, 12, tzinfo=dt.UTC)
_D = Decimal


def bar(number: int, close: int, ratio: int = 1) -> Bar:
    ds, price = DAY + dt.timedelta(days=number), _D(close) / ratio
    return Bar("AAPL", ds, price, price + 1, price - 1, price, _D(1000))


BARS = [bar(n, 100 + n) for n in range(-5, 10)]
SPLIT = CorporateAction(
    symbol="AAPL",
    kind=ActionKind.SPLIT,
    ex_ds=DAY + dt.timedelta(days=3),
    ratio=_D(2),
    source="test",
    known_at=NOW,
)


def executed(*parts: tuple[int, str, str, str]) -> pl.DataFrame:
    rows: list[dict[str, Any]] = [
        {
            "order_key": order_key(SIGNAL.signal_id, "entry1" if side == "buy" else "exit1", n + 1),
            "fill_no": 1,
            "ds": DAY + dt.timedelta(days=number),
            "order_side": side,
            "quantity": _D(quantity),
            "price": _D(price),
            "notional": _D(quantity) * _D(price),
            "fee": _D(0),
            "fee_quantity": _D(0),
            "filled_at": NOW,
            "flags": [],
        }
        for n, (number, side, quantity, price) in enumerate(parts)
    ]
    return pl.DataFrame(rows)


ASKED = pl.DataFrame(schema={"order_key": pl.String})


class Links(HTMLParser):
    """Collects whatever a page would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = {"src", "href", "srcset", "data"}
        self.fetched += [f"{tag} {name}" for name, _ in attrs if name in names]
        if tag in {"script", "link", "img", "iframe"}:
            self.fetched.append(tag)


def test_the_page_fetches_nothing_and_says_all_the_text_says() -> None:
    facts = ExplainInput(rejected_row(SIGNAL, MADE), VERSION)
    made = page(facts, BARS, NOW)
    links = Links()
    links.feed(made)
    assert links.fetched == []
    assert not re.search(r"https?://|url\(|@import", made)
    made = unescape(made)
    for section in explain(facts).sections:
        assert f"<h2>{section.title}</h2>" in made
        for label, text in section.lines:
            assert label.strip() in made
            assert text in made
    assert '<dd class="loss">FAILED: value 1.2, threshold 1.5</dd>' in made


def test_what_a_symbol_is_called_cannot_be_markup() -> None:
    row = {**rejected_row(SIGNAL, MADE), "symbol": "<b>X</b>"}
    assert "<b>X" not in page(ExplainInput(row), BARS, NOW)


def test_what_was_not_traded_shows_where_it_would_have_gone_in_and_out() -> None:
    made = page(ExplainInput(rejected_row(SIGNAL, MADE)), BARS, NOW)
    assert "would buy at 100<" in made
    assert "would sell at 95<" in made
    assert made.count('class="mark would"') == 2
    for words in ("entry 100.00", "stop 95.00", "target 1 110.00"):
        assert words in made


def test_executions_of_a_day_are_one_mark_at_their_average() -> None:
    fills = executed((1, "buy", "50", "100"), (1, "buy", "150", "102"), (7, "sell", "200", "108"))
    made = page(ExplainInput(trade_row(TRADE, SIGNAL), orders=ASKED, fills=fills), BARS, NOW)
    # (50 x 100 + 150 x 102) / 200 = 101.5
    assert "buy 200 at 101.5<" in made
    assert "sell 200 at 108<" in made
    assert made.count('class="mark ') == 2


def test_the_stop_is_drawn_as_it_moved() -> None:
    stands = pl.DataFrame(
        {
            "ds": [DAY + dt.timedelta(days=n) for n in (1, 2, 3)],
            "stop": [_D(95), _D(97), _D(99)],
            "stop_source": ["STOP", "TRAIL", "TRAIL"],
        }
    )
    made = page(ExplainInput(trade_row(TRADE, SIGNAL), positions=stands), BARS, NOW)
    assert "stop 99 at last" in made
    (points,) = re.findall(r'class="level stop" points="([^"]+)"', made)
    assert len({point.split(",")[1] for point in points.split()}) == 3


def test_prices_after_a_split_are_drawn_in_the_units_of_the_decision() -> None:
    split = [bar(n, 100 + n, 2 if n >= 3 else 1) for n in range(-5, 10)]
    fills = executed((1, "buy", "200", "100"), (7, "sell", "400", "54"))
    facts = ExplainInput(trade_row(TRADE, SIGNAL), orders=ASKED, fills=fills, actions=[SPLIT])
    made = page(facts, split, NOW)
    assert "sell 200 at 108<" in made  # 400 at 54 after two for one
    assert "2024-01-05: open 103, high 105, low 101, close 103" in made
    assert "split" in made
    whole = page(ExplainInput(trade_row(TRADE, SIGNAL)), BARS, NOW)
    assert "It was split" not in whole


@pytest.mark.parametrize(
    ("row", "day"),
    [
        (trade_row(TRADE, SIGNAL), dt.date(2024, 1, 9)),
        (rejected_row(SIGNAL, MADE), dt.date(2024, 1, 9)),
        (rejected_row(SIGNAL, MADE.model_copy(update={"exit_ds": None})), DAY),
        ({"signal_ds": DAY, "outcome_status": "OPEN"}, None),
        ({"signal_ds": DAY, "status": "WAITING"}, None),
    ],
)
def test_the_story_ends_with_the_exit_or_what_would_have_been_it(
    row: dict[str, Any], day: dt.date | None
) -> None:
    assert last_day(row) == day


def test_a_signal_without_levels_or_bars_has_a_page_too() -> None:
    bare = SIGNAL.model_copy(update={"plan": None, "quantity": _D(0)})
    assert "there are no bars to draw" in page(ExplainInput(rejected_row(bare, MADE)), [], NOW)
    late = {"status": SignalStatus.EXPIRED, "end_reason": "CANCEL_IF", "ended_ds": DAY}
    expired = expired_row(SIGNAL.model_copy(update=late), MADE)
    assert "<svg" in page(ExplainInput(expired), BARS, NOW)
