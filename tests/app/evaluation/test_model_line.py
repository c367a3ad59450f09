"""Days at an exchange over HTTP beside the same days of the model, each cause planted once."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from app.evaluation.days import (
    BOOK,
    FRI,
    LOUD,
    MARKET,
    MODEL,
    MON,
    QUIET,
    STRATEGY,
    THU,
    TUE,
    WED,
    Bar,
    at_exchange,
    bars,
    penny,
    project_in,
)
from goldenthread.app.api.days import run, simulate, status
from goldenthread.app.api.evaluation.compare import compare
from goldenthread.app.api.project import Project
from goldenthread.reports.divergence.course import Cause

if TYPE_CHECKING:
    import datetime as dt
    from pathlib import Path

pytestmark = pytest.mark.xdist_group("modelled")
SIGNAL = (50.0, 50.0, 50.0, 50.0, LOUD)
UP = (50.0, 52.0, 49.5, 51.0, QUIET)
AT_49 = (49.0, 49.0, 49.0, 49.0, QUIET)
AT_51 = (51.0, 51.0, 51.0, 51.0, QUIET)
AT_53 = (51.0, 53.5, 51.0, 53.0, QUIET)
LIMIT = 'order = "limit"\nprice = "close * 0.98"'
PLANTED = {
    "REF": (50.0, {TUE: SIGNAL, WED: UP, THU: AT_51}),
    "LATE": (50.0, {WED: SIGNAL, FRI: AT_53}),
    "MISS": (50.0, {THU: SIGNAL, FRI: UP}),
}


def dip(opened: float) -> dict[str, tuple[float, dict[dt.date, Bar]]]:
    """LIM opens below its limit of 49 and is back at 49 when the session ends."""
    fell = (opened, 49.2, 48.0, 49.0, QUIET)
    return {"LIM": (50.0, {WED: SIGNAL, THU: fell, FRI: AT_49})}


def test_each_cause_has_the_money_that_was_planted(tmp_path: Path) -> None:
    loud = STRATEGY.format(name="loud", assets=["REF", "LATE", "MISS"], order=MARKET)
    cheap = STRATEGY.format(name="cheap", assets=["LIM"], order=LIMIT)
    files = {"loud": loud, "cheap": cheap}
    ours = project_in(tmp_path / "ours", files, bars({**PLANTED, **dip(48.5)}))
    theirs = project_in(tmp_path / "theirs", files, bars({**PLANTED, **dip(48.8)}))
    with at_exchange(ours, theirs) as (project, exchange):
        assert run(project, ds=MON).model == f"model {MODEL} begins with $100,000.00"
        exchange.fault("refuse", method="POST", path="/v2/orders", status=403)
        assert run(project, ds=TUE).model == "paper 0.00%, model 0.00%: equal"
        # the model alone has 400 REF, from 50 to 51: 400 of 100,000
        assert run(project, ds=WED).model == "paper 0.00%, model +0.40%: rejected -0.40"
        # THU is not run, and on FRI it is too late: no order of MISS, no exit of LATE
        exchange.admin("POST", "/advance", {"ds": FRI.isoformat()})
        line = run(project, ds=FRI).model
    # of equities of 100,000 (the model's 100,400 are scaled to it):
    # LATE: the model left at 51, the account holds 400 at 53: +800
    # MISS: the model has 400 from 50 to 51: 400 missed
    # LIM: bought 408 at 48.50, the account 408 at 48.80: 0.30 x 408 = 122.40
    assert line == ("paper +1.28%, model +1.00%: timing +0.80, missed fill -0.40, price -0.12")


def test_a_limit_that_is_touched_a_day_later_is_timing(tmp_path: Path) -> None:
    order = f"{LIMIT}\nvalid_bars = 2"
    files = {"cheap": STRATEGY.format(name="cheap", assets=["LIM"], order=order)}
    fell, flat = (48.5, 49.2, 48.0, 49.0, QUIET), (49.5, 49.5, 49.5, 49.5, QUIET)
    dips = {WED: SIGNAL, THU: fell, FRI: AT_49}
    ours = project_in(tmp_path / "ours", files, bars({"LIM": (50.0, dips)}))
    later = {WED: SIGNAL, THU: flat, FRI: (48.8, 49.2, 48.0, 49.0, QUIET)}
    theirs = project_in(tmp_path / "theirs", files, bars({"LIM": (50.0, later)}))
    with at_exchange(ours, theirs) as (project, _):
        lines = [run(project, ds=ds).model for ds in (MON, TUE, WED, THU, FRI)]
    # THU: the model has 408 (20,000 / 49) from 48.50 to 49: 204, the account waits
    assert lines[3] == "paper 0.00%, model +0.20%: timing -0.20"
    # FRI: the account has 408 from 48.80 to 49: 81.60, the model left at the open of 49
    assert lines[4] == "paper +0.08%, model 0.00%: timing +0.08"


def test_a_model_of_twice_the_money_is_compared_by_its_return(tmp_path: Path) -> None:
    folder = penny(tmp_path / "project")
    rich = Project.open(folder, {"sim.start_cash": "200000"})
    simulate(rich, MODEL.removeprefix("sim:"), (MON, MON))
    with at_exchange(folder, folder) as (project, _):
        lines = [run(project, ds=ds).model for ds in (MON, TUE, WED)]
    assert lines[2] == "paper +0.40%, model +0.40%: equal"  # 400 of 100,000, 800 of 200,000


def test_slippage_and_fees_of_the_account_are_told_apart(tmp_path: Path) -> None:
    folder = penny(tmp_path / "project")
    terms = {"slippage_bps": Decimal(20), "profile": "live_like"}
    with at_exchange(folder, folder, **terms) as (project, _):
        lines = [run(project, ds=ds).model for ds in (MON, TUE, WED, THU)]
        told = status(project)["model"]
        found = compare(project, MODEL, BOOK).divergence
    # 40,000 shares, bought at 0.501 and not 0.50: 40; sold at 0.50898 and not 0.51: 40.80
    # fees of the sale: TAF 0.000166 x 40,000 = 6.64, SEC 8 a million of 20,359.20 = 0.17
    assert lines[2] == "paper +0.36%, model +0.40%: slippage -0.04"
    assert lines[3] == "paper -0.05%, model 0.00%: slippage -0.04, fees -0.01"
    assert told == lines[3]
    amounts = {bucket.cause: bucket.amount for bucket in found.buckets}
    assert amounts == {Cause.SLIPPAGE: Decimal("-80.80"), Cause.FEES: Decimal("-6.81")}


def test_days_without_a_difference_are_equal(tmp_path: Path) -> None:
    folder = penny(tmp_path / "project")
    with at_exchange(folder, folder) as (project, _):
        lines = [run(project, ds=ds).model for ds in (MON, TUE, WED, THU)]
        found = compare(project, MODEL, BOOK).divergence
    assert lines[2:] == ["paper +0.40%, model +0.40%: equal", "paper 0.00%, model 0.00%: equal"]
    assert (found.trades, found.buckets) == ((1, 1), ())
