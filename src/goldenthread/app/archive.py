"""Steps 9 to 11 of a day: what ended goes to the warehouse, is read back, and may then go."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

import polars as pl

from goldenthread.app.late_fees import settle_fees
from goldenthread.app.operators.acts import load_acts, replay_if_asked
from goldenthread.app.versions import (
    asset_versions,
    kept_code,
    policy_versions,
    strategy_versions,
)
from goldenthread.domain.account import AccountSnapshot
from goldenthread.domain.order import IntentStatus, OrderIntent
from goldenthread.domain.position import Position, PositionStatus
from goldenthread.domain.signal import Signal, SignalStatus
from goldenthread.domain.trade import OutcomeStatus
from goldenthread.market.bars import run_at
from goldenthread.ports.hot_store import Create, Replace
from goldenthread.positions.snapshot import Ledger, snapshot
from goldenthread.signals.engine import engine_manifest
from goldenthread.trades.booking import book
from goldenthread.warehouse import loops, quarantine
from goldenthread.warehouse.patches import patch_prices

if TYPE_CHECKING:
    from collections.abc import Sequence

    from goldenthread.app.book import BookState, FrozenRun
    from goldenthread.app.desk import Desk
    from goldenthread.domain.strategy import Version
    from goldenthread.domain.trade import Outcome, Trade
    from goldenthread.ports.hot_store import Body, Collection, Document, HotStore
    from goldenthread.positions.blotter import Blotter
    from goldenthread.positions.session import Session

_DAY = dt.timedelta(days=1)
_VERDICT_DAYS = dt.timedelta(days=10)
"""How far back bars are loaded again: a SUSPECT one has its verdict by then."""
_SNAPSHOT = "SNAPSHOT"
_FACTS = """
SELECT signal_id FROM all_signals WHERE book = @book AND ds BETWEEN @first AND @last
"""
_UNSETTLED = "unsettled"
_ENGINE = "engine-"
_FINAL: dict[Collection, tuple[str, ...]] = {
    "live_signals": (
        *(SignalStatus.CLOSED, SignalStatus.EXPIRED, SignalStatus.INVALIDATED),
        SignalStatus.REJECTED,  # by the broker, after it was live
    ),
    "rejected_signals": (SignalStatus.REJECTED,),
    "live_positions": (PositionStatus.CLOSED, PositionStatus.FAILED),
    "order_intents": (IntentStatus.DONE, IntentStatus.REFUSED, IntentStatus.DROPPED),
    "job_metadata": (_SNAPSHOT,),
}

Key = tuple["Collection", str]


@dataclass(frozen=True)
class Ended:
    """The documents that ended and are not archived for good yet, by id, and their records."""

    documents: dict[Key, Document]
    signals: dict[str, Signal]
    positions: dict[str, Position]
    orders: list[OrderIntent]
    days: list[Body]


def remember_day(session: Session, blotter: Blotter, state: BookState, run: FrozenRun) -> BookState:
    """The state after the date: closed positions booked, the snapshot kept for the archive."""
    closed = blotter.closed_on(run.ds, run.positions)
    state = state.after(closed).model_copy(update={"last_ds": run.ds})
    if run.missed or run.account is None:
        return state
    ledger = Ledger(
        state.start_equity, state.closed_realised, state.closed_fees, state.closed_dividends
    )
    taken = snapshot(session, blotter, run.account, state.last_snapshot, ledger)
    filled = [p for p in blotter.positions.values() if p.fills]
    held = sorted(filled, key=lambda p: p.position_id)  # a restart loads them in another order
    body = {
        "ds": run.ds,
        "status": _SNAPSHOT,
        "account": taken.model_dump(mode="json"),
        "positions": [p.model_dump(mode="json") for p in held],
        "closes": {p.symbol: session.closes[p.symbol] for p in held if p.symbol in session.closes},
    }
    blotter.write([Create("job_metadata", f"snapshot-{run.ds.isoformat()}", body)])
    return state.model_copy(update={"last_snapshot": taken})


def archive(desk: Desk, blotter: Blotter, state: BookState, run: FrozenRun) -> BookState:
    """The state after everything that ended up to the date was loaded and read back."""
    after = state.archived_ds or state.first_ds - _DAY
    start = min(after + _DAY, state.unsettled_from or dt.date.max)
    ended = _read_ended(desk.engines.hot_store, blotter, start)
    untraded = [s for s in ended.signals.values() if s.status is not SignalStatus.CLOSED]
    priced = {s.signal_id: (s, desk.pricer.outcome(s, run.ds)) for s in untraded}
    _load(desk, blotter, ended, list(priced.values()), Span(after, run))
    unresolved = {n for n, (_, o) in priced.items() if o.status is OutcomeStatus.OPEN}
    _release(desk, blotter, ended, unresolved)
    state = settle_fees(desk, blotter, state, run)
    return state.model_copy(update={"archived_ds": run.ds, "unsettled_from": None})


@dataclass(frozen=True)
class Span:
    """The dates one archive loads: those after ``after`` up to the run's."""

    after: dt.date
    run: FrozenRun

    def holds(self, ds: dt.date) -> bool:
        """Whether the date is one of them."""
        return self.after < ds <= self.run.ds


def _load(
    desk: Desk,
    blotter: Blotter,
    ended: Ended,
    priced: Sequence[tuple[Signal, Outcome]],
    span: Span,
) -> None:
    """The loops S A B C D M O: each validated, merged by key; refused rows set aside."""
    warehouse, store, stamp = desk.engines.warehouse, desk.engines.hot_store, desk.stamp(span.run)
    versions = (strategy_versions(store), policy_versions(store), asset_versions(store))
    rejected = [p for p in priced if p[0].status is SignalStatus.REJECTED]
    expired = [p for p in priced if p[0].status is not SignalStatus.REJECTED]
    actions = [a for a in desk.actions if a.ex_ds <= span.run.ds]
    held = {**ended.positions, **blotter.positions}
    replay_if_asked(desk, stamp)
    results = [
        *loops.load_dimensions(warehouse, versions, kept_code(store, versions[0]), stamp),
        loops.load_dates(warehouse, span.after + _DAY, span.run.ds, stamp),
        loops.load_trades(warehouse, _trades(ended), stamp),
        *patch_prices(warehouse, rejected, expired, stamp),
        *loops.load_snapshots(warehouse, *_days(ended), stamp),
        *loops.load_bars(warehouse, _bars_to_load(desk, span, versions[2]), actions, stamp),
        *loops.load_orders(
            warehouse,
            [(o, held[o.signal_id]) for o in ended.orders if o.signal_id in held],
            [(f, p) for p in held.values() for f in p.fills if span.holds(f.ds)],
            stamp,
        ),
        *load_acts(desk, stamp),
        *_load_code(desk, stamp),
    ]
    quarantine.put(store, [row for result in results for row in result.refused], stamp)
    loops.load_run(warehouse, _job(desk, stamp), results, stamp)
    _remember_code(desk, blotter, stamp)
    warehouse.publish()


def _bars_to_load(desk: Desk, span: Span, assets: Sequence[Version]) -> pl.DataFrame:
    """The bars the warehouse may lack, so that it holds each one a decision can have read.

    Those of the dates and a few before; every one of a symbol that is new to the book, or that
    an older bar was revised of.
    """
    ds, known, symbol = pl.col("ds"), pl.col("known_at"), pl.col("symbol")
    bars = desk.judged.filter(ds <= span.run.ds, known <= span.run.now)
    since, before = span.after - _VERDICT_DAYS, run_at(span.after)
    revised = bars.filter(ds < since, known > before)["symbol"].unique()
    begun = {version.id for version in assets if version.valid_from <= before}
    whole = [*revised, *(name for name in desk.assets if name not in begun)]
    return bars.filter((ds >= since) | symbol.is_in(whole))


def _load_code(desk: Desk, stamp: loops.RunStamp) -> list[loops.LoopResult]:
    """What each function of the code that decides is known by, once for each engine digest."""
    digest = desk.code[0]
    if desk.engines.hot_store.get("job_metadata", f"{_ENGINE}{digest}") is not None:
        return []
    act = {
        "id": f"{stamp.book}/engine/{digest}",
        "acted_at": stamp.loaded_at,
        "actor": "archive",
        "action": "ENGINE",
        "subject": digest,
        "detail": engine_manifest(),
    }
    return [loops.audit(desk.engines.warehouse, [act], stamp)]


def _remember_code(desk: Desk, blotter: Blotter, stamp: loops.RunStamp) -> None:
    """Note that the code is archived; an archive that was cut short does it again."""
    name = f"{_ENGINE}{desk.code[0]}"
    if desk.engines.hot_store.get("job_metadata", name) is None:
        blotter.write([Create("job_metadata", name, {"ds": stamp.ds.isoformat()})])


def _job(desk: Desk, stamp: loops.RunStamp) -> dict[str, object]:
    finished = desk.engines.clock.now()
    return {
        "job": "archive",
        "status": "DONE",
        "started_at": stamp.loaded_at,
        "finished_at": finished,
        "duration_s": (finished - stamp.loaded_at).total_seconds(),
        "git_hash": desk.code[1],
        "engine_digest": desk.code[0],
    }


def _read_ended(store: HotStore, blotter: Blotter, start: dt.date) -> Ended:
    """What ended and is not archived for good: from ``start`` on, and left by the last archive.

    What the blotter holds lives, and need not be asked for.
    """
    left = store.get("job_metadata", _UNSETTLED)
    names, unsent = (
        ([], None) if left is None else (left.body["names"], left.body.get("unsent_from"))
    )
    orders = min(start, dt.date.fromisoformat(unsent)) if unsent else start
    found = {
        (collection, document.id): document
        for collection, statuses in _FINAL.items()
        for status in statuses
        for document in store.query(
            collection,
            equal={"status": status},
            ds_from=orders if collection == "order_intents" else start,
        )
    }
    living = set(_live(blotter))
    for name in names:
        collection, _, key = name.partition("/")
        document = None if (collection, key) in living else store.get(collection, key)
        if document is not None and document.body["status"] in _FINAL[collection]:
            found[collection, key] = document
    return _ended({key: d for key, d in found.items() if d.delete_at is None})


def _ended(documents: dict[Key, Document]) -> Ended:
    def of(*collections: Collection) -> dict[str, Body]:
        return {n: d.body for (c, n), d in documents.items() if c in collections}

    signals, positions = of("live_signals", "rejected_signals"), of("live_positions")
    return Ended(
        documents=documents,
        signals={name: Signal.model_validate(body) for name, body in signals.items()},
        positions={name: Position.model_validate(body) for name, body in positions.items()},
        orders=[OrderIntent.model_validate(body) for body in of("order_intents").values()],
        days=list(of("job_metadata").values()),
    )


def _trades(ended: Ended) -> list[tuple[Trade, Signal]]:
    """The closed positions booked, each with the signal it came from."""
    closed = [p for p in ended.positions.values() if p.status is PositionStatus.CLOSED]
    pairs = [(p, ended.signals[p.position_id]) for p in closed if p.position_id in ended.signals]
    return [(book(position, signal), signal) for position, signal in pairs]


def _days(ended: Ended) -> tuple[list[AccountSnapshot], list[loops.Mark]]:
    """The snapshots of the accounts and of the positions open on each day."""
    accounts, marks = [], []
    for day in ended.days:
        account = AccountSnapshot.model_validate(day["account"])
        accounts.append(account)
        for body in day["positions"]:
            position = Position.model_validate(body)
            close = Decimal(day["closes"].get(position.symbol, 0)) or position.average_entry
            marks.append(loops.Mark(account.ds, position, close or Decimal(0)))
    return accounts, marks


def _release(desk: Desk, blotter: Blotter, ended: Ended, unresolved: set[str]) -> None:
    """Let what the warehouse was read back to hold go in ``ttl_days``; note down the rest."""
    store, clock = desk.engines.hot_store, desk.engines.clock
    keep = (set(ended.signals) - _read_back(desk, ended)) | unresolved
    kept = {
        key: document
        for key, document in ended.documents.items()
        if (document.body.get("signal_id") or key[1]) in keep
    }
    delete_at = clock.now() + dt.timedelta(days=desk.ttl_days)
    writes = [
        Replace(document, document.body, delete_at=delete_at)
        for key, document in ended.documents.items()
        if key not in kept
    ]
    blotter.write_each(writes)
    _note_unsettled(blotter, store, sorted({*kept, *_live(blotter)}))
    for collection in _FINAL:
        store.sweep(collection, clock.now())


def _live(blotter: Blotter) -> list[Key]:
    return [
        *(("live_signals", name) for name in blotter.signals),
        *(("live_positions", name) for name in blotter.positions),
        *(("order_intents", name) for name in blotter.intents),
    ]


def _note_unsettled(blotter: Blotter, store: HotStore, keys: list[Key]) -> None:
    """Note down what the next archive looks for besides what is new by its date.

    An order sent only after this archive brings legs and stops of its own earlier date.
    """
    waiting = (IntentStatus.PENDING, IntentStatus.UNKNOWN)
    unsent = [i.ds.isoformat() for i in blotter.intents.values() if i.status in waiting]
    body = {
        "names": [f"{collection}/{name}" for collection, name in keys],
        "unsent_from": min(unsent, default=None),
    }
    known = store.get("job_metadata", _UNSETTLED)
    blotter.write(
        [Create("job_metadata", _UNSETTLED, body) if known is None else Replace(known, body)]
    )


def _read_back(desk: Desk, ended: Ended) -> set[str]:
    """The ids of the ended signals that the warehouse now holds a fact of."""
    if not ended.signals:
        return set()
    dates = [s.ds for s in ended.signals.values()]
    dates += [s.ended_ds for s in ended.signals.values() if s.ended_ds]
    dates += [p.exit_ds for p in ended.positions.values() if p.exit_ds]
    span = {"book": desk.book, "first": min(dates), "last": max(dates)}
    return set(desk.engines.warehouse.query(_FACTS, span)["signal_id"])
