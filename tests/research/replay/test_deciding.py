from __future__ import annotations

import datetime as dt

from goldenthread.market.quality import judge
from goldenthread.research.replay.deciding import Books, verdict_of
from market.market_bars import MONDAY, after, daily, split

TUESDAY, WEDNESDAY, FRIDAY = (MONDAY + dt.timedelta(days=n) for n in (1, 2, 4))


def test_each_instant_reads_the_split_as_it_was_known_then() -> None:
    # 2 for 1 on Tuesday, said to be 4 for 1 on Friday: Monday's 100 is 50, later 25
    first = split("AAPL", TUESDAY, "2")
    again = first.model_copy(update={"ratio": first.ratio * 2, "known_at": after(FRIDAY)})
    bars = judge(daily("AAPL", [100, 50, 51, 52, 53]), [first]).bars
    books = Books(bars, [again, first])

    def monday(ds: dt.date, now: dt.datetime | None) -> float:
        window = books.window("AAPL", ds, now)
        assert window is not None
        return float(window.close[0])

    assert monday(WEDNESDAY, after(WEDNESDAY)) == 50
    assert monday(FRIDAY, after(FRIDAY)) == 25
    assert monday(WEDNESDAY, None) == 25
    assert books.at(after(WEDNESDAY)) is books.at(after(TUESDAY))


def test_a_recorded_verdict_has_the_decimals_it_was_judged_with() -> None:
    row = {"name": "MAX_GROSS_EXPOSURE", "kind": "gate", "threshold": 1.8, "passed": True}
    found = verdict_of({**row, "value": 0.1})
    assert (str(found.value), str(found.threshold)) == ("0.1", "1.8")
    assert verdict_of({**row, "value": None}).value is None
