"""Explanations of a small book in which every end of a signal occurs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from app.command import command
from architecture.explain_page import COINS_DECIDED, DECIDED, project_in
from goldenthread.domain.ids import signal_id

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.xdist_group("explained")
GOLD = signal_id(DECIDED, "pullback", "GOLD")
REFUSED = signal_id(COINS_DECIDED, "coins", "FROST/USD")


@pytest.fixture(scope="module")
def explained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project of docs/explain.md; tests only read it."""
    folder = tmp_path_factory.mktemp("explained")
    project_in(folder)
    return folder


def sections(folder: Path, name: str) -> dict[str, dict[str, str]]:
    told = command("explain", name, "--json", "--project", str(folder)).document
    return {
        section["title"]: {line["label"]: line["text"] for line in section["lines"]}
        for section in told["sections"]
    }


def test_a_signal_the_broker_refused_is_archived_priced_and_told(explained: Path) -> None:
    here = ("--json", "--project", str(explained))
    rows = command("signals", "--outcome", "rejected", *here).document
    (row,) = [r for r in rows if r["signal_id"] == REFUSED]
    assert (row["reason"], row["outcome_status"]) == ("BROKER_REFUSED", "RESOLVED")
    assert row["net_pnl"] is not None
    assert command("check", "thread", *here).document["unarchived"] == 0
    told = sections(explained, REFUSED)
    assert re.search(r"REFUSED \(40310000 insufficient balance for USD", told["Orders"]["entry1-1"])
    assert "fact_rejected_signals" in told["Rows in the warehouse"]


def test_a_trade_is_told_from_its_version_to_its_rows(explained: Path) -> None:
    told = sections(explained, GOLD)
    assert told["Versions"]["entry.valid_bars"] == "5 -> 3"
    assert told["Versions"]["valid"] == "2024-03-01 00:05:00 UTC until 2024-04-07 00:05:00 UTC"
    # the stop rests at 107.94, and 5 basis points of it are 0.05397
    assert told["Fills"]["2024-03-12"].endswith("planned 107.94: 0.05397 a unit (0.05%) worse")
    assert next(iter(told["Stop, as it moved"].values())) == "99.32 (STOP)"
    assert list(told["Stop, as it moved"].values())[-1] == "107.94 (TRAIL)"
    assert told["Rows in the warehouse"]["fact_trades"].startswith("1 row, ds = 2024-03-12")


def test_where_there_was_no_signal_the_first_comparison_that_failed_is_shown(
    explained: Path,
) -> None:
    asked = ("explain", "CLAY", str(DECIDED), "--json", "--project", str(explained))
    why = {row["strategy_id"]: row["why"] for row in command(*asked).document}
    # CLAY fell 1 % from 100; the highest close of its wave was 101
    assert why["pullback"] == (
        "entry.when was not true: close > high_20;"
        " close > LAG(HIGHEST(close, 20), 1) did not hold: 99 against 101"
    )
    assert why["coins"] == "does not decide on this symbol"


def test_a_page_is_written_where_it_is_wanted(explained: Path, tmp_path: Path) -> None:
    page = tmp_path / "new" / "gold.html"
    answer = command(
        "explain", GOLD[:13], "--html", str(page), "--json", "--project", str(explained)
    )
    assert (answer.code, answer.document) == (0, {"page": str(page)})
    text = page.read_text(encoding="utf-8")
    assert "buy 247 at 100.98" in text
    assert text.count("<svg") == 1


def test_a_page_of_a_symbol_and_a_date_is_refused(explained: Path, tmp_path: Path) -> None:
    page = tmp_path / "clay.html"
    asked = ("explain", "CLAY", str(DECIDED), "--html", str(page), "--project", str(explained))
    answer = command(*asked)
    assert answer.code == 2
    assert "--html draws one signal" in answer.err
    assert not page.exists()
