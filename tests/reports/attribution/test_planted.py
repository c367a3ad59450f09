"""Filters whose worth is known, planted among signals of one fat-tailed, overlapping market."""

from __future__ import annotations

import datetime as dt
from collections import Counter

import numpy as np
import polars as pl
import pytest

from goldenthread.reports.attribution.refusals import attribution

SEEDS = 100
DAYS = 1000
HELD = 15
SIGNALS = 900
EACH = 150
FIRST = dt.date(2014, 1, 1)


def world(seed: int) -> pl.DataFrame:
    """Refusals of one history: three filters, of 150 signals each, and some they refused together.

    A signal makes what the market made while it was held (shared by all that overlap) and what
    its own symbol made, both of Student's t with three degrees of freedom, on $10,000.
    """
    rng = np.random.default_rng(seed)
    market = rng.standard_t(3, DAYS + HELD) * 0.006
    over = np.convolve(market, np.ones(HELD), mode="valid")[:DAYS]
    day = np.sort(rng.integers(DAYS, size=SIGNALS))
    made = 10_000 * (over[day] + rng.standard_t(3, SIGNALS) * 0.006 * np.sqrt(HELD))
    mixed = rng.permutation(SIGNALS)
    losing, winning = mixed[made[mixed] < 0][:EACH], mixed[made[mixed] > 0][:EACH]
    rest = np.setdiff1d(mixed, [*losing, *winning])
    chosen = rng.choice(np.arange(SIGNALS), EACH, replace=False)
    rows = [
        *((n, ["REFUSES_LOSERS"]) for n in losing),
        *((n, ["REFUSES_WINNERS"]) for n in winning),
        *((n, ["REFUSES_AT_RANDOM"]) for n in chosen),
        *((n, ["REFUSES_LOSERS", "REFUSES_AT_RANDOM"]) for n in rest[:50]),
    ]
    where = np.array([n for n, _ in rows])
    entry = pl.Series(day[where]).cast(pl.Int32).to_frame("day")
    dates = entry.select(pl.lit(FIRST) + pl.duration(days=pl.col("day")))["literal"]
    return pl.DataFrame(
        {
            "strategy_id": "planted",
            "symbol": "AAPL",
            "signal_ds": dates,
            "rejection_reasons": [reasons for _, reasons in rows],
            "outcome_status": "RESOLVED",
            "priced_as": "PLANNED",
            "theoretical_entry_ds": dates.dt.offset_by("1d"),
            "theoretical_exit_ds": dates.dt.offset_by(f"{HELD}d"),
            "theoretical_net_pnl": made[where],
            "theoretical_r_multiple": made[where] / 500,
        }
    )


@pytest.fixture(scope="module")
def verdicts() -> dict[str, Counter[str]]:
    """How often each planted filter got each verdict."""
    found: dict[str, Counter[str]] = {}
    for seed in range(SEEDS):
        for name, said in attribution(world(seed)).select("name", "verdict").iter_rows():
            found.setdefault(name, Counter())[said] += 1
    return found


def test_a_filter_that_refuses_only_losers_earns_money(verdicts: dict[str, Counter[str]]) -> None:
    assert verdicts["REFUSES_LOSERS"] == {"earns money": SEEDS}


def test_a_filter_that_refuses_only_winners_costs_money(verdicts: dict[str, Counter[str]]) -> None:
    assert verdicts["REFUSES_WINNERS"] == {"costs money": SEEDS}


def test_a_filter_that_refuses_at_random_shows_no_effect_in_nine_of_ten_histories(
    verdicts: dict[str, Counter[str]],
) -> None:
    assert verdicts["REFUSES_AT_RANDOM"]["no effect shown"] >= 0.9 * SEEDS
