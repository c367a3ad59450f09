from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldenthread.reports.divergence.course import Cause, NoTrade
from goldenthread.reports.divergence.daily import Change, Standing, day_causes, day_line
from reports.divergence.courses import IN, OUT, course
from reports.divergence.test_causes import taken

D = Decimal
LATE = NoTrade(Cause.TIMING, "waits for its entry")


def changed(name: str, before: str, after: str) -> Change:
    return Change(name, D(before), D(after))


def test_the_line_gives_both_returns_and_the_causes_by_size() -> None:
    causes = {Cause.FEES: D(-90), Cause.SLIPPAGE: D(-170), Cause.MISSED_FILL: D(-30)}
    line = day_line(
        changed("paper", "100000", "100520"), changed("model", "100000", "100810"), causes
    )
    # 520 - 810 = -290 = -170 - 90 - 30
    assert line == "paper +0.52%, model +0.81%: slippage -0.17, fees -0.09, missed fill -0.03"


def test_accounts_of_different_size_are_compared_by_their_returns() -> None:
    # +1 % of 50,000 and +1 % of 200,000: no cause, nothing left
    line = day_line(changed("live", "50000", "50500"), changed("model", "200000", "202000"), {})
    assert line == "live +1.00%, model +1.00%: equal"


def test_what_the_causes_leave_is_named() -> None:
    line = day_line(
        changed("paper", "100000", "101000"),
        changed("model", "100000", "100000"),
        {Cause.PRICE: D(4), Cause.TIMING: D(20)},
    )
    # 4 of 100,000 does not show; 1,000 - 20 = 980
    assert line == "paper +1.00%, model 0.00%: other +0.98, timing +0.02"


def test_a_day_is_the_difference_of_two_days() -> None:
    # the entry slipped 5 yesterday, today the exit did by 3: 100 x 0.03
    before = Standing(course(), course((IN, "50.05", 50)))
    after = Standing(course(), course((IN, "50.05", 50), (OUT, "54.97", 55)))
    assert day_causes([before], [after], D(1)) == {Cause.SLIPPAGE: D(-3)}


def test_an_entry_that_came_a_day_later_is_timing_all_along() -> None:
    model = course()  # +500 by today, +200 by yesterday
    yesterday = replace(model, gross=D(200), exit=model.exit._replace(price=D(52), reference=D(52)))
    account = course((OUT, 53, 53))  # in today at 53: +200
    found = day_causes([Standing(yesterday, LATE)], [Standing(model, account)], D(1))
    # yesterday -200; in all (53 - 50) x -100 = -300: today -100, though the account made +200
    assert found == {Cause.TIMING: D(-100)}


def test_the_model_is_scaled_to_the_account() -> None:
    flat = NoTrade(Cause.MISSING_DATA)
    model, account = course(), course(quantity=(50, 50))
    assert day_causes([Standing(flat, flat)], [Standing(model, account)], D("0.5")) == {}
    # of accounts of one size the account ordered 50 fewer of +5 each
    assert day_causes([Standing(flat, flat)], [Standing(model, account)], D(1)) == {
        Cause.SIZE: D(-250)
    }


standings = st.lists(st.builds(Standing, taken, taken), max_size=3)


@given(standings, standings, st.decimals("0.5", "2", places=6))
def test_the_causes_sum_to_what_the_account_made_over_the_scaled_model(
    before: list[Standing], after: list[Standing], ratio: Decimal
) -> None:
    made = [
        sum((a.account.net - a.model.net * ratio for a in day), D(0)) for day in (before, after)
    ]
    found = sum(day_causes(before, after, ratio).values(), D(0))
    assert float(found) == pytest.approx(float(made[1] - made[0]), abs=1e-7)
