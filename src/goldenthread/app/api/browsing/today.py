"""The morning page: what ran, what moved since the run before, what waits, and the alarms."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from goldenthread.app.api.browsing.controls import standing_requests
from goldenthread.app.api.browsing.health import health, sessions_behind
from goldenthread.app.api.browsing.signals import signal_page
from goldenthread.app.api.browsing.wanted import WantedSignals
from goldenthread.app.api.records import ALL_TIME, facts, signals, trades
from goldenthread.app.engines.wiring import read_hot_store
from goldenthread.domain.ids import split_order_key
from goldenthread.domain.order import IntentStatus, OrderIntent
from goldenthread.domain.position import HELD, Position
from goldenthread.positions.blotter import live_positions

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from goldenthread.app.api.project import Project
    from goldenthread.app.api.records import Span
    from goldenthread.ports.hot_store import HotStore

_DAY = dt.timedelta(days=1)
_ACCOUNT = """
SELECT ds, equity, cash, buying_power, gross_exposure, drawdown, realised_pnl, unrealised_pnl,
       fees_paid, start_equity, peak_equity, open_positions, waiting_signals
FROM snapshot_accounts
WHERE book = @book AND ds BETWEEN @first AND @last
ORDER BY ds
"""
_RUN = """
SELECT run_id, status, started_at, finished_at, duration_s, inserted, updated, refused
FROM job_runs
WHERE book = @book AND ds BETWEEN @first AND @last
ORDER BY started_at DESC
LIMIT 1
"""
_ENTERED = """
SELECT trade_id AS signal_id, strategy_id, symbol, side, entry_ds, traded_quantity AS quantity,
       entry_price AS entry
FROM fact_trades
WHERE book = @book AND ds BETWEEN @first AND @last AND entry_ds BETWEEN @first AND @last
ORDER BY entry_ds, trade_id
"""


_OPEN = """
SELECT COUNT(*) AS signals FROM all_signals
WHERE book = @book AND ds BETWEEN @first AND @last AND outcome_status = 'OPEN'
"""
_LIVE = (IntentStatus.PENDING, IntentStatus.UNKNOWN, IntentStatus.WORKING)


def today(project: Project, book: str) -> dict[str, Any]:
    """The last day the book has run, as its morning page shows it.

    ``ds`` is that date, None before the first run. What ran: ``run`` is the day's newest entry in
    ``job_runs``, ``missed`` the dates that were caught up late with it, ``behind`` the sessions
    not run yet. What moved since ``before``, the run before: ``account`` is the last archived
    snapshot with ``day_pnl``, ``opened`` and ``closed`` are the positions entered and the trades
    that ended, ``decided`` the signals of the date (columns of ``goldenthread signals``). What
    waits: ``waiting`` signals, ``orders`` not sent or not final, ``exits`` decided and not
    executed, ``requests`` an operator has not withdrawn; ``open_shadows`` counts signals not traded
    whose outcome is still open. ``lease`` is the run at work, ``alarms`` are the checks of
    ``health`` that are not in order, ``stands`` is how the book stands. Without archive
    ``account``, ``run`` and ``before`` are None.
    """
    well = health(project, book)
    name, stands = well["book"], well["stands"]
    ds = stands["last_run"]
    store = read_hot_store(project.settings, project.root, name)
    curve = equity_curve(project, name)
    held = [p for p in live_positions(store) if p.status in HELD]
    day = (ds, ds) if isinstance(ds, dt.date) else None
    runs = facts(project, name, _RUN, day).to_dicts() if day else []
    before = curve[-2]["ds"] if len(curve) > 1 else None
    since = (before + _DAY if before else ALL_TIME[0], ds) if day else None
    return {
        "book": name,
        "ds": ds,
        "run": runs[0] if runs else None,
        "missed": _missed(store, since) if since else [],
        "behind": sessions_behind(project, stands),
        "before": before,
        "account": _account(curve),
        "opened": _opened(project, name, held, since) if since else [],
        "closed": trades(project, name, since).to_dicts() if since else [],
        "decided": signals(project, name, day) if day else [],
        **_waits(project, name, store, held),
        "alarms": [row for row in well["checks"] if not row["ok"]],
        "lease": well["lease"],
        "stands": stands,
        "next": well["next"],
    }


def equity_curve(project: Project, book: str) -> list[dict[str, Any]]:
    """The account's snapshots, a row a day, oldest first."""
    return facts(project, book, _ACCOUNT).to_dicts()


def _account(curve: list[dict[str, Any]]) -> dict[str, Any] | None:
    if not curve:
        return None
    before = curve[-2]["equity"] if len(curve) > 1 else curve[-1]["start_equity"]
    return {**curve[-1], "day_pnl": curve[-1]["equity"] - before}


def _opened(
    project: Project, book: str, held: Sequence[Position], since: Span
) -> list[dict[str, Any]]:
    """What was entered on the dates, also where it has ended already."""
    live = [
        {
            "signal_id": p.position_id,
            "strategy_id": p.strategy_id,
            "symbol": p.symbol,
            "side": p.side.value,
            "entry_ds": p.entry_ds,
            "quantity": p.open_quantity,
            "entry": p.average_entry,
        }
        for p in held
        if p.entry_ds is not None and since[0] <= p.entry_ds <= since[1]
    ]
    return [*facts(project, book, _ENTERED, since).to_dicts(), *live]


def _missed(store: HotStore, since: Span) -> list[dt.date]:
    """The dates whose run came too late to send entries for each symbol."""
    runs = store.query("job_metadata", ds_from=since[0], ds_to=since[1])
    late = [d.body["ds"] for d in runs if d.id.startswith("run-") and d.body["missed"]]
    return [dt.date.fromisoformat(ds) for ds in late]


def _waits(
    project: Project, book: str, store: HotStore, held: Iterable[Position]
) -> dict[str, Any]:
    """What waits in the book of that name, whose live positions are ``held``."""
    return {
        "waiting": signal_page(project, book, WantedSignals(outcome="waiting"))["signals"],
        "orders": [_order(intent) for intent in _intents(store)],
        "exits": [
            {
                "signal_id": p.position_id,
                "strategy_id": p.strategy_id,
                "symbol": p.symbol,
                "reason": p.due.reason.value,
                "since": p.due.ds,
                "quantity": p.due.quantity,
            }
            for p in held
            if p.due is not None
        ],
        "requests": standing_requests(store),
        "open_shadows": facts(project, book, _OPEN)["signals"].item(),
    }


def _intents(store: HotStore) -> list[OrderIntent]:
    found = [d for status in _LIVE for d in store.query("order_intents", equal={"status": status})]
    return [document.record(OrderIntent) for document in found]


def _order(intent: OrderIntent) -> dict[str, object]:
    signal_id, leg, attempt = split_order_key(intent.order_key)
    asked = intent.request
    return {
        "signal_id": signal_id,
        "leg": f"{leg}-{attempt}",
        "symbol": asked.symbol,
        "side": asked.side.value,
        "type": asked.type.value,
        "quantity": asked.quantity,
        "price": asked.limit_price if asked.stop_price is None else asked.stop_price,
        "status": intent.status.value,
    }
