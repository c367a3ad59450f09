"""The report of a real book: its figures are those of the warehouse, and each can be looked up."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from app.command import SUMMER, command
from goldenthread.app.api.project import Project
from goldenthread.app.api.records import facts
from goldenthread.reports.definitions import definitions

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.xdist_group("summer")

BOOK = "sim:main"
SPAN = "WHERE book = @book AND ds BETWEEN @first AND @last"


@pytest.fixture(scope="module")
def told(summer: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, Any]]:
    page = tmp_path_factory.mktemp("report") / "page.html"
    words = ("report", "--out", str(page), "--project", str(summer), "--json")
    answer = command(*words)
    assert (answer.code, answer.err) == (0, "")
    return page.read_text(encoding="utf-8"), answer.document["figures"]


def test_the_figures_are_those_that_a_query_of_the_warehouse_gives(
    summer: Path, told: tuple[str, dict[str, Any]]
) -> None:
    figures = told[1]

    def asked(sql: str) -> list[dict[str, Any]]:
        return facts(Project.open(summer), BOOK, f"{sql} ORDER BY 1").to_dicts()

    money = "SUM(CAST(net_pnl AS FLOAT64)) AS net_pnl, COUNT(*) AS trades"
    (all_trades,) = asked(f"SELECT {money} FROM fact_trades {SPAN}")
    account = figures["account"]
    assert account["net_pnl"] == all_trades["net_pnl"]
    assert account["trades"] == all_trades["trades"] > 10
    for name, column in (("symbols", "symbol"), ("exits", "exit_reason")):
        grouped = asked(f"SELECT {column}, {money} FROM fact_trades {SPAN} GROUP BY {column}")
        mine = {row[column]: (row["net_pnl"], row["trades"]) for row in figures[name]}
        assert mine == {row[column]: (row["net_pnl"], row["trades"]) for row in grouped}
    (fees,) = asked(f"SELECT SUM(CAST(fees AS FLOAT64)) AS fees FROM fact_trades {SPAN}")
    assert account["costs"] == fees["fees"]
    assert sum(row["fees"] for row in figures["costs"]) == pytest.approx(fees["fees"], rel=1e-12)
    ended = {
        row["outcome"]: row["n"]
        for row in asked(f"SELECT outcome, COUNT(*) AS n FROM all_signals {SPAN} GROUP BY outcome")
    }
    steps = {row["step"]: row["left"] for row in figures["funnel"]}
    lost = sum(row["lost"] for row in figures["funnel"][1:4])
    assert (steps["closed"], lost) == (ended["TRADED"], ended["REJECTED"])
    (least,) = asked(
        f"SELECT MAX(CAST(drawdown AS FLOAT64)) AS deepest FROM snapshot_accounts {SPAN}"
    )
    assert figures["worst_drawdowns"][0]["depth"] == pytest.approx(least["deepest"], abs=1e-9)


def test_slippage_is_the_share_of_the_settings_in_every_price_that_slips(
    summer: Path, told: tuple[str, dict[str, Any]]
) -> None:
    """Limit orders get their price; all others pay five parts of ten thousand, rounded to ticks."""
    sql = f"""
    SELECT f.ds, f.order_side, CAST(f.price * f.quantity AS FLOAT64) AS traded
    FROM (SELECT * FROM fact_fills {SPAN}) AS f
    JOIN (SELECT trade_id FROM fact_trades {SPAN}) AS t ON t.trade_id = f.position_id
    JOIN (SELECT order_key, order_type FROM fact_orders {SPAN}) AS o ON o.order_key = f.order_key
    WHERE o.order_type <> 'limit'
    """
    slips = {"buy": 0.0005 / 1.0005, "sell": 0.0005 / 0.9995}
    fills = facts(Project.open(summer), BOOK, sql).to_dicts()
    paid = sum(fill["traded"] * slips[fill["order_side"].lower()] for fill in fills)
    costs = told[1]["costs"]
    assert sum(row["slippage"] for row in costs) == pytest.approx(paid, rel=1e-3)
    assert all(0 < row["slippage_rate"] <= 0.00051 for row in costs)


def test_every_name_leads_to_its_definition_and_nothing_leaves_the_page(
    told: tuple[str, dict[str, Any]],
) -> None:
    page = told[0]
    links = set(re.findall(r'href="([^"]*)"', page))
    places = set(re.findall(r' id="([^"]*)"', page))
    assert {link.removeprefix("#") for link in links} <= places
    assert {f"define-{each.figure}" for each in definitions()} <= places
    assert not re.search(r"<script|<link|<img|https?://|url\(|@import", page)
    assert len(page.encode()) < 6_000_000


def test_the_page_says_how_it_can_be_made_again(
    summer: Path, told: tuple[str, dict[str, Any]]
) -> None:
    digest = command("warehouse", "digest", "--project", str(summer), "--json").document["digest"]
    made = told[1]["provenance"]
    assert made["Digest"] == digest
    assert made["Command"] == f"goldenthread report --book {BOOK}"
    assert digest in told[0]


def test_curves_of_the_weightiest_filters_mark_the_present_threshold(
    told: tuple[str, dict[str, Any]],
) -> None:
    page, figures = told
    curves = figures["curves"]
    assert 1 <= len(curves) <= 6
    for curve in curves:
        (present,) = [point for point in curve["points"] if point["present"]]
        assert present["difference"] == 0
        assert f"now {present['threshold']:.6g}" in page


def test_every_day_of_the_span_is_in_the_drawdowns(told: tuple[str, dict[str, Any]]) -> None:
    days = told[1]["drawdowns"]
    assert (days[0]["ds"], days[-1]["ds"]) == (str(SUMMER[0]), str(SUMMER[1]))
