"""The runnable twin of docs/tour.md: two signals through the house, the record at each stop.

GOLD and IRON are made-up stocks that break out on the same day, GOLD with volume, IRON without.
Run it with `python examples/tour.py`; it needs no network and leaves nothing behind.
"""

from __future__ import annotations

import datetime as dt
import math
import sys
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, TypedDict

from goldenthread.app.api.bars import import_bars
from goldenthread.app.api.desks import open_desk
from goldenthread.app.api.evaluation.told import told_line
from goldenthread.app.api.explain import explain
from goldenthread.app.api.project import Project
from goldenthread.app.api.records import facts
from goldenthread.app.api.reporting import write_report
from goldenthread.app.book import frozen_run
from goldenthread.app.day import run_day
from goldenthread.domain.asset import AssetClass
from goldenthread.domain.ids import signal_id
from goldenthread.rules.calendar import add_sessions, sessions

if TYPE_CHECKING:
    from collections.abc import Iterable

    from goldenthread.app.desk import Desk

FIRST, SIGNAL_DS = dt.date(2023, 9, 1), dt.date(2024, 3, 1)
LAST = add_sessions(AssetClass.EQUITY, SIGNAL_DS, 6)
BOOK = "sim:tour"

STRATEGY = """\
strategy_id = "first"
description = "Buy a new 20-day high that comes with volume"
assets      = ["GOLD", "IRON"]

[entry]
when = "close > LAG(HIGHEST(close, 20), 1)"

[reject_unless]
VOLUME_TOO_LOW = "volume >= 1.5 * SMA(volume, 20)"

[exit]
stop     = "entry * 0.96"
targets  = [{ at = "entry * 1.05", sell = 1 }]
max_bars = 10

[size]
mode     = "fraction"
fraction = 0.1
"""


class Row(TypedDict):
    """One line of the file of bars."""

    symbol: str
    ds: dt.date
    open: float
    high: float
    low: float
    close: float
    volume: int


def made_up_bars() -> list[Row]:
    """Half a year of waves, then both stocks leave them upward, 2 % a session, from SIGNAL_DS."""
    dates = sessions(AssetClass.EQUITY, FIRST, LAST)
    breakout = dates.index(SIGNAL_DS)
    rows = []
    for symbol, phase, volume in (("GOLD", 0.0, 200_000), ("IRON", 1.0, 110_000)):
        close = 100.0
        for n, ds in enumerate(dates):
            before = close
            wave = 100 + 3 * math.sin(n / 6 + phase)
            close = round(wave if n < breakout else 104 * 1.02 ** (n - breakout), 2)
            rows.append(
                Row(
                    symbol=symbol,
                    ds=ds,
                    open=before,
                    high=round(max(before, close) + 0.3, 2),
                    low=round(min(before, close) - 0.3, 2),
                    close=close,
                    volume=volume if n == breakout else 100_000,
                )
            )
    return rows


def make_project(root: Path) -> Project:
    """A project with one strategy, and no bars yet."""
    (root / "strategies").mkdir()
    (root / "goldenthread.toml").write_text(f'[project]\nbook = "{BOOK}"\n', encoding="utf-8")
    (root / "strategies" / "first.toml").write_text(STRATEGY, encoding="utf-8")
    return Project.open(root)


def write_csv(path: Path, rows: list[Row]) -> Path:
    """The rows as a file, as anybody's bars would come."""
    lines = [",".join(rows[0]), *(",".join(str(cell) for cell in row.values()) for row in rows)]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def stop(number: int, title: str, record: object) -> None:
    """Say where the tour stands and what is there."""
    print(f"\n{number:2} {title}\n   {record}")


def some(record: Any, *names: str) -> str:  # noqa: ANN401  # any record or document of the tour
    """The named values of a record, in that order."""
    values = record if isinstance(record, dict) else record.model_dump(mode="json")
    return "  ".join(f"{name}={values[name]}" for name in names)


def bars_arrive(project: Project, root: Path) -> None:
    """Stops 1 and 2: the file, and what the quality gate says about it."""
    rows = made_up_bars()
    stop(1, "bars arrive", "  ".join(f"{name}={cell}" for name, cell in rows[-1].items()))
    told = import_bars(project, write_csv(root / "bars.csv", rows), {})
    stop(2, "bars are checked", f"{told.new} new, {told.refused} refused, {told.suspect} suspect")


def bars_become_a_candidate(desk: Desk) -> None:
    """Stops 3 and 4: the window a decision reads, and what the strategy makes of it."""
    run = frozen_run(SIGNAL_DS, SIGNAL_DS)
    window = desk.bars.window("GOLD", SIGNAL_DS, run.now)
    if window is None:
        sys.exit("GOLD has no bars on the day of the tour")
    stop(3, "the window of a decision", f"{window.symbol}: {window.upto + 1} bars to {SIGNAL_DS}")
    desk.evaluator.at(SIGNAL_DS, run.now)
    (compiled,) = desk.library.current
    candidate = desk.evaluator.decide(compiled, "GOLD", SIGNAL_DS, desk.assets["GOLD"])
    if candidate is None:
        sys.exit("GOLD did not break out on the day of the tour")
    stop(4, "a candidate", some(candidate.verdicts[0], "name", "value", "threshold", "passed"))
    print(f"   {some(candidate.plan, 'entry', 'stop', 'targets')}")


def candidates_become_orders(desk: Desk, gold: str, iron: str) -> None:
    """Stops 5 and 6: the day is run; gates and size, then what was put into the outbox."""
    run_day(desk, frozen_run(SIGNAL_DS, SIGNAL_DS), archiving=False)
    store = desk.engines.hot_store
    refused = _body(store.get("rejected_signals", iron))
    taken = _body(store.get("live_signals", gold))
    stop(5, "signals", some(taken, "symbol", "status", "quantity"))
    print(f"   {some(refused, 'symbol', 'status')}  reason={refused['rejection_reasons'][0]}")
    intent = _body(store.get("order_intents", f"{gold}-entry1-1"))
    stop(6, "an order, from the outbox to the exchange", some(intent, "order_key", "status"))
    print(f"   {some(intent['request'], 'side', 'type', 'quantity', 'take_profit', 'stop_loss')}")


def orders_become_a_trade(desk: Desk, gold: str) -> None:
    """Stops 7 and 8: days pass; fills, and the position they make."""
    days = sessions(AssetClass.EQUITY, SIGNAL_DS + dt.timedelta(days=1), LAST)
    run_day(desk, frozen_run(days[0], days[0]), archiving=False)
    position = _body(desk.engines.hot_store.get("live_positions", gold))
    stop(7, "a fill", some(position["fills"][0], "ds", "side", "quantity", "price", "flags"))
    stop(8, "a position", some(position, "symbol", "status", "stop", "bars_held"))
    for ds in days[1:]:
        run_day(desk, frozen_run(ds, ds), archiving=ds == LAST)


def trades_become_facts(project: Project) -> None:
    """Stops 9 and 10: what the warehouse and the report say."""
    trade = facts(project, BOOK, _TRADE).to_dicts()[0]
    stop(9, "a trade, a row of fact_trades", some(trade, *trade))
    refused = facts(project, BOOK, _REFUSED).to_dicts()[0]
    stop(10, "what was not traded, priced", some(refused, *refused))
    print(f"   {told_line(project, BOOK)}.")
    print(f"   the report has {write_report(project, BOOK).report.stat().st_size // 1000} kB")


_TRADE = """
SELECT symbol, entry_ds, exit_ds, exit_reason, net_pnl FROM fact_trades
WHERE book = @book AND ds BETWEEN @first AND @last
"""
_REFUSED = """
SELECT symbol, rejection_reason, outcome_status, theoretical_exit_ds, theoretical_net_pnl
FROM fact_rejected_signals
WHERE book = @book AND ds BETWEEN @first AND @last AND symbol = 'IRON'
ORDER BY ds
"""


def _body(document: Any) -> Any:  # noqa: ANN401  # a document of the hot store, or None
    if document is None:
        sys.exit("a record of the tour is missing")
    return document.body


def main(arguments: Iterable[str] = ()) -> None:
    """Run the tour; with ``--explain`` end with the whole story of the traded signal."""
    gold, iron = (signal_id(SIGNAL_DS, "first", symbol) for symbol in ("GOLD", "IRON"))
    with TemporaryDirectory() as folder:
        root = Path(folder)
        project = make_project(root)
        bars_arrive(project, root)
        with closing(open_desk(project, BOOK, (SIGNAL_DS, LAST))) as desk:
            bars_become_a_candidate(desk)
            candidates_become_orders(desk, gold, iron)
            orders_become_a_trade(desk, gold)
        trades_become_facts(project)
        if "--explain" in arguments:
            print(explain(project, BOOK, gold).as_text())


if __name__ == "__main__":
    main(sys.argv[1:])
