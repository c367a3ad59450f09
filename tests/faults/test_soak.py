"""A year in which something fails on most days ends as the year in which nothing did."""

from __future__ import annotations

import os
from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from faults.busy_day import chances
from faults.chaos import seeds
from faults.project import compare
from goldenthread.domain.asset import ActionKind, AssetClass
from goldenthread.domain.errors import LeaseLostError
from goldenthread.domain.strategy import Side
from goldenthread.ports.hot_store import Create
from goldenthread.reports.thread import Breaks, Holding, breaks
from goldenthread.rules.calendar import is_session
from positions.faulty import Bomb, KilledError, Moody, seen, wire_store, wired
from positions.rig import ASSETS, Market, Rig, candidate, day, plan

if TYPE_CHECKING:
    import datetime as dt
    import random
    from pathlib import Path

    from faults.chaos import Tally
    from goldenthread.domain.bar import Bar
    from goldenthread.domain.signal import Candidate
    from goldenthread.ports.hot_store import Collection


pytestmark = [pytest.mark.slow, pytest.mark.fault("F25")]

LAST = 366 if os.environ.get("CHAOS_SEEDS") or os.environ.get("CHAOS_SEED") else 60
"""The last day of the year that is run: all of it in `make chaos SEEDS=…`, two months in CI."""
_KILLS = 12
_MOODS: tuple[str, ...] = ("accepts and loses", "loses")
_RATIOS = ("2", "3", "1.5", "0.5", "0.1")
_SIGNALS: tuple[Collection, ...] = ("live_signals", "rejected_signals")
_FAULTS = ("none", "killed", "killed twice", "again", "answers", "stale")


@dataclass(frozen=True)
class Year:
    """A market, the bars that reach it after a day is run, and ideas for the close of each date."""

    market: Market
    later: dict[int, list[Bar]]
    ideas: dict[int, list[Candidate]]


def year(chance: random.Random) -> Year:
    """Bars that wander: some never come, some come late, some are revised; shares are split."""
    made = Year(Market(), defaultdict(list), {number: [] for number in range(2, LAST + 1)})
    for symbol, asset in ASSETS.items():
        close = 100.0
        for number in range(2, LAST + 8):
            if not is_session(asset.asset_class, day(number)) or chance.random() < 0.03:
                continue
            if asset.asset_class is AssetClass.EQUITY and chance.random() < 0.03:
                ratio = chance.choice(_RATIOS)
                made.market.act(ActionKind.SPLIT, symbol, number, ratio)
                close /= float(ratio)
            opened = close * chance.uniform(0.97, 1.03)
            close = opened * chance.uniform(0.95, 1.05)
            high = max(opened, close) * chance.uniform(1, 1.02)
            low = min(opened, close) * chance.uniform(0.98, 1)
            prices = (opened, high, low, close)
            made.market.add(symbol, number, " ".join(f"{p:.2f}" for p in prices))
            _delay(chance, made, symbol, number)
            if number <= LAST and chance.random() < 0.4:
                made.ideas[number].append(idea(chance, symbol, number, f"{close:.2f}"))
    return made


def _delay(chance: random.Random, made: Year, symbol: str, number: int) -> None:
    """Let a few bars reach the market days late, and a few again, with another close."""
    bar, arrives = made.market.bars[symbol, day(number)], number + chance.randint(1, 4)
    lot = chance.random()
    if lot < 0.03:
        made.later[arrives].append(made.market.bars.pop((symbol, day(number))))
    elif lot < 0.06:
        middle = ((bar.high + bar.low) / 2).quantize(Decimal("0.01"))
        made.later[arrives].append(bar._replace(close=middle))


def idea(chance: random.Random, symbol: str, number: int, close: str) -> Candidate:
    """An idea of any kind the rules know."""
    short = symbol != "BTC/USD" and chance.random() < 0.3
    sign, price = Decimal(-1 if short else 1), Decimal(close)

    def level(percent: int) -> str:
        return str((price * (1 + sign * percent / 100)).quantize(Decimal("0.01")))

    more: dict[str, Any] = {"max_bars": chance.randint(2, 12)}
    if chance.random() < 0.4:
        more["trail"] = (price / 20).quantize(Decimal("0.01"))
    if chance.random() < 0.4:
        more["breakeven_after"] = chance.randint(1, 3)
    if limit := chance.random() < 0.3:
        more |= {"order": "limit", "valid_bars": chance.randint(1, 3)}
    targets = [(level(6), "0.5")] if chance.random() < 0.5 else []
    levels = plan(level(-1) if limit else close, level(-6), targets, **more)
    return candidate(symbol, number, levels, close=close, side=Side.SHORT if short else Side.LONG)


class Life:
    """A book through the year, with or without its faults."""

    def __init__(self, folder: Path, market: Market) -> None:
        folder.mkdir()
        self.bomb = Bomb()
        self.rig = wired(Rig(folder, market), self.bomb)
        self.violations: list[str] = []

    def day(self, number: int, ideas: list[Candidate], fault: str, chance: random.Random) -> None:
        """One date with its fault, run until it is done; what must hold holds."""
        rig = self.rig
        if fault == "stale":
            stale = rig.blotter().lease
            rig.blotter()
            with pytest.raises(LeaseLostError):
                rig.store.commit([Create("live_signals", f"stale-{number}", {})], stale)
        if fault == "answers":
            rig.broker = Moody(rig.exchange, chance.choice(_MOODS))
            rig.run(number, *ideas, done=False)
            rig.broker = rig.exchange
        if fault == "again":
            rig.run(number, *ideas, done=False)
        for _ in range({"killed": 1, "killed twice": 2}.get(fault, 0)):
            self._killed(number, ideas, chance.randint(1, _KILLS))
        if rig.last_ds != day(number):  # a kill may have been later than the end
            rig.run(number, *ideas)
        self._check(day(number))

    def _killed(self, number: int, ideas: list[Candidate], at: int) -> None:
        self.bomb.calls, self.bomb.at = 0, at
        try:
            self.rig.run(number, *ideas, done=False)
        except KilledError:
            self.rig.reopen()  # the dead process closed nothing
            wire_store(self.rig, self.bomb)
        finally:
            self.bomb.at = None

    def _check(self, ds: dt.date) -> None:
        if bare := self.rig.bare():
            self.violations.append(f"{ds}: without a stop {bare}")
        shot = self.rig.snapshots[-1]
        if abs(shot.money_error) > Decimal("1e-9") * shot.equity:
            self.violations.append(f"{ds}: money astray {shot.money_error}")


def named(rig: Rig) -> dict[str, Any]:
    """Our records, the world's and the accounts of every date, by name."""
    state = seen(rig)
    for name in ("orders", "fills", "snapshots"):
        for number, item in enumerate(state.pop(name)):
            state[f"{name}/{number}"] = item.model_dump()
    return state


def whole(rig: Rig) -> Breaks:
    """What `check thread` finds in our records and the exchange's."""
    decisions = [d for d in rig.store.query("job_metadata") if d.id.startswith("decided-")]
    ends = [
        (d.id, d.body["status"]) for collection in _SIGNALS for d in rig.store.query(collection)
    ]
    positions = rig.positions()
    held = [Holding(f.execution_id, p.position_id) for p in positions for f in p.fills]
    return breaks(
        [name for d in decisions for name in d.body["signals"]],
        ends,
        [f.execution_id for f in rig.exchange.fills(day(1)) if f.ds <= day(LAST)],
        held,
        frozenset(p.position_id for p in positions),
    )


@pytest.mark.parametrize("seed", seeds(5))
def test_a_year_of_faults_ends_as_the_year_without(tmp_path: Path, seed: int, tally: Tally) -> None:
    chance = chances(seed)
    made = year(chance)
    market, ideas = made.market, made.ideas
    calm, faulty = (Life(tmp_path / name, market) for name in ("calm", "faulty"))
    for number, found in ideas.items():
        market.bars |= {(bar.symbol, bar.ds): bar for bar in made.later[number]}
        calm.day(number, found, "none", chance)
        faulty.day(number, found, chance.choice(_FAULTS), chance)
    assert calm.violations == []
    assert faulty.violations == []
    unlike = compare(named(faulty.rig), named(calm.rig))
    assert not any(unlike), unlike
    assert not any(whole(faulty.rig).counts().values()), whole(faulty.rig).named()
    assert len(calm.rig.positions()) > LAST / 6
    tally(f"{LAST} days with faults of all kinds by lot", len(ideas))
