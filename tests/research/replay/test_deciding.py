from __future__ import annotations

import datetime as dt

from goldenthread.domain.policy import Gates, Policy
from goldenthread.domain.strategy import Size
from goldenthread.market.quality import judge
from goldenthread.research.replay.deciding import Books, Terms, signal_of, verdict_of
from goldenthread.research.replay.past import Day
from market.market_bars import MONDAY, after, daily, split
from positions.rig import ASSETS, BOOK, D, candidate, plan

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


def test_a_candidate_is_sized_and_judged_again_from_what_its_fact_recorded() -> None:
    # 1 % of 50,000 at risk over a stop 10 away: 50 shares; two positions are one too many now
    idea = candidate("AAPL", 2, plan(), size=Size(mode="risk", risk_fraction=D("0.01")))
    policy = Policy(gates=Gates(max_positions=2))
    terms = Terms(policy, {"AAPL": ASSETS["AAPL"]}, {}, {})
    seen = {"name": "MAX_POSITIONS", "kind": "gate", "value": 2.0, "threshold": 10.0}
    fact = {
        "book": BOOK,
        "equity_at_decision": D(50_000),
        "verdicts": [{**seen, "passed": True}],
    }
    day = Day(idea.ds, after(idea.ds), D(1))
    signal = signal_of(idea, day, terms, fact)
    (gate,) = signal.verdicts
    assert (gate.value, gate.threshold, gate.passed) == (D(2), D(2), False)
    assert signal.rejection_reasons == ("MAX_POSITIONS",)
    stop = abs(plan().entry - plan().stop)
    assert signal.quantity == signal.planned_quantity == D(500) / stop
    assert signal.policy_key == policy.policy_key
    alone = signal_of(idea, day._replace(equity=D(50_000)), terms, None)
    assert (alone.quantity, alone.verdicts, alone.rejection_reasons) == (signal.quantity, (), ())
