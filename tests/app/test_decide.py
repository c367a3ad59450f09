"""A day asks all strategies about all symbols at once and finds the candidates of single asking."""

from __future__ import annotations

import datetime as dt
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from app.test_every_expression import add_everything
from goldenthread.app.api.desks import open_desk
from goldenthread.app.api.project import Project
from goldenthread.app.decide import candidates_of
from goldenthread.market.bars import run_at
from goldenthread.positions.gates import order_candidates

if TYPE_CHECKING:
    from pathlib import Path

_FIRST = dt.date(2012, 1, 30)


@pytest.mark.parametrize("several", [True, False])  # a simulation's desk keeps series, a run's few
def test_a_day_finds_every_candidate_that_each_strategy_finds_alone(
    fresh: Path, *, several: bool
) -> None:
    add_everything(fresh)
    dates = [_FIRST + dt.timedelta(days=n) for n in range(12 if several else 1)]
    seen = set()
    with closing(open_desk(Project.open(fresh), "sim:main", (dates[0], dates[-1]))) as desk:
        for ds in dates:
            found = candidates_of(desk, ds, run_at(ds))
            alone = [
                candidate
                for compiled in desk.deciding()
                for symbol in desk.members[compiled.strategy.strategy_id]
                if (candidate := desk.evaluator.decide(compiled, symbol, ds, desk.assets[symbol]))
            ]
            assert found == order_candidates(alone)
            seen |= {(ds, c.strategy_id, c.symbol) for c in found}
    assert len(seen) > (30 if several else 3)
    assert "everything" in {name for _, name, _ in seen}
    assert not several or len({name for _, name, _ in seen}) > 3
