"""Each guard taken out in turn: the scenario of its fault, clean before, must show the damage."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
from typing_extensions import override

from adapters.broker.alpaca_wire import connect, serving
from adapters.broker.market import order
from contracts.test_warehouse import IDEAS, arrow, idea
from faults.chaos import GUARD
from faults.guards import Removal, removed
from faults.project import BOOK, BUSY_DAY, FIRST, copy
from goldenthread.adapters.broker.alpaca import AlpacaBroker
from goldenthread.adapters.hot_store import bodies
from goldenthread.adapters.hot_store.sqlite import SqliteHotStore
from goldenthread.adapters.warehouse import merging
from goldenthread.adapters.warehouse.session import DuckDBSession
from goldenthread.app import archive, book
from goldenthread.app.api.days import simulate
from goldenthread.app.api.project import Project
from goldenthread.domain.errors import (
    ConflictError,
    DataError,
    EngineRefusedError,
    GoldenthreadError,
    LeaseLostError,
    UsageError,
)
from goldenthread.ports.hot_store import Create
from goldenthread.ports.warehouse import Merged
from goldenthread.positions import execution, sending
from goldenthread.warehouse import budget as budgets
from goldenthread.warehouse import loops
from positions.faulty import Bomb, KilledError, Moody, seen, wired
from positions.rig import CALM, HandClock, Market, Rig, candidate, plan
from warehouse.examples import ALL, empty, trade
from warehouse.examples import run as stamp

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from goldenthread.ports.hot_store import Operation
    from goldenthread.ports.leases import Lease
    from goldenthread.ports.warehouse import Table

D = Decimal
DAYS = (dt.date(2024, 1, 1), dt.date(2024, 1, 31))


def killed_anywhere(folder: Path, _: Path) -> list[str]:
    """Where a kill of one entry's day leaves anything else than the day without one."""

    def days(name: str, bomb: Bomb) -> object:
        (folder / name).mkdir(parents=True)
        market = Market().add("AAPL", 2, CALM, CALM).add("IBM", 2, CALM, CALM)
        rig = wired(Rig(folder / name, market), bomb)
        ideas = {2: [candidate(s, 2, plan()) for s in ("AAPL", "IBM")], 3: []}
        for number, found in ideas.items():
            try:
                rig.run(number, *found)
            except KilledError:
                rig.run(number, *found)
        return seen(rig)

    calm = Bomb()
    expected = days("calm", calm)
    wrong: list[str] = []
    for at in range(1, calm.calls + 1):
        try:
            if days(str(at), Bomb(at)) != expected:
                wrong.append(f"killed at {at}: another state")
        except (GoldenthreadError, LookupError) as error:
            wrong.append(f"killed at {at}: {error}")
    return wrong


def stale_holder(folder: Path, _: Path) -> list[str]:
    """What the holder of a lease that ended could still write."""
    clock = HandClock()
    store = SqliteHotStore(folder / "hot.db", BOOK, clock)
    stale = store.acquire("run", "one", 10)
    clock.sleep(11)
    store.acquire("run", "two", 10)
    try:
        store.commit([Create("live_signals", "late", {})], stale)
    except LeaseLostError:
        return []
    return ["live_signals/late"]


def other_payload(folder: Path, _: Path) -> list[str]:
    """What was said to be written under a key that stands for something else."""
    store = SqliteHotStore(folder / "hot.db", BOOK, HandClock())
    lease = store.acquire("run", "one", 10)
    store.commit([Create("live_signals", "key", {"side": "LONG"})], lease)
    try:
        store.commit([Create("live_signals", "key", {"side": "SHORT"})], lease)
    except ConflictError:
        return []
    return ["live_signals/key"]


def after_the_deadline(folder: Path, _: Path) -> list[str]:
    """The orders that a run sent a day too late."""
    rig = Rig(folder, Market().add("AAPL", 2, CALM, CALM, CALM))
    rig.broker = Moody(rig.exchange, "loses")
    rig.run(2, candidate("AAPL", 2, plan(valid_bars=5)))
    rig.broker = rig.exchange
    rig.run(3)
    return [o.client_order_id for o in rig.exchange.orders(DAYS[0])]


def answer_lost(folder: Path, _: Path) -> list[str]:
    """The orders that work at the exchange while we hold them for never sent, or sent twice."""
    rig = Rig(folder, Market().add("AAPL", 2, CALM, CALM, CALM))
    moody = Moody(rig.exchange, "accepts and loses")
    rig.broker = moody
    rig.run(2, candidate("AAPL", 2, plan()))
    rig.run(3)
    again = moody.submitted[1:]
    return [*again, *(key for key, status in rig.orders().items() if status == "DROPPED")]


def sent_twice(_: Path, __: Path) -> list[str]:
    """The orders whose second sending was taken for a refusal though the first one works."""
    with serving() as wire:
        broker = connect(wire.url)
        try:
            broker.submit(order("a", "10"))
            broker.submit(order("a", "10"))
        except EngineRefusedError as error:
            return [str(error)]
        finally:
            broker.close()
    return []


def no_number(folder: Path, _: Path) -> list[str]:
    """The prices that are stored and are no numbers."""
    store = SqliteHotStore(folder / "hot.db", BOOK, HandClock())
    stored: list[str] = []
    for number in ("NaN", "Infinity", "-Infinity"):
        try:
            store.put_if_absent("live_signals", number, {"stop": D(number)})
        except DataError:
            continue
        stored.append(number)
    return stored


def merged_twice(_: Path, __: Path) -> list[str]:
    """The keys that are there twice after the same rows were loaded twice."""
    warehouse = DuckDBSession()
    warehouse.ensure([IDEAS])
    batch = arrow(idea("a"), idea("b", "2"))
    for _time in range(2):
        warehouse.merge(IDEAS, batch, DAYS)
    found = warehouse.query("SELECT id FROM ideas WHERE ds >= '2024-01-01'", {})["id"].to_list()
    warehouse.close()
    return sorted(name for name in set(found) if found.count(name) > 1)


def older_revision(_: Path, __: Path) -> list[str]:
    """The prices that an older revision, loaded late, put in the place of newer ones."""
    warehouse = DuckDBSession()
    warehouse.ensure([IDEAS])
    for price, revision in (("1", 5), ("2", 4)):
        warehouse.merge(IDEAS, arrow(idea("a", price, revision)), DAYS)
    found = warehouse.query("SELECT price FROM ideas WHERE ds >= '2024-01-01'", {})["price"]
    warehouse.close()
    return [str(price) for price in found if price != 1]


def too_wide(folder: Path, _: Path) -> list[str]:
    """The rows that a query above its budget was given."""
    warehouse = empty()
    loops.load_trades(warehouse, [trade("10", dt.date(2024, 3, 4), "AAPL")], stamp())
    narrow = budgets.Budget(max_bytes=1, ledger=folder / "queries.jsonl", clock=HandClock())
    sql = "SELECT symbol FROM fact_trades WHERE ds BETWEEN @from AND @to"
    try:
        return budgets.guarded_query(warehouse, sql, ALL, narrow)["symbol"].to_list()
    except UsageError:
        return []


def other_account(folder: Path, _: Path) -> list[str]:
    """The accounts a book went on with though it was begun with another one."""
    rig = Rig(folder, Market())
    account = rig.exchange.account()
    other = account.model_copy(update={"account_id": "other"})
    book.begin_book(rig.store, account, DAYS[0])
    try:
        book.begin_book(rig.store, other, DAYS[0])
    except ConflictError:
        return []
    return [other.account_id]


def archive_loses(folder: Path, eve: Path) -> list[str]:
    """The signals that may go from the hot store though the warehouse never got them."""
    lost = ("fact_trades", "fact_rejected_signals", "fact_expired_signals")
    kept = DuckDBSession.merge

    def merge(self: DuckDBSession, table: Table, rows: pa.Table, *span: object) -> Merged:
        if table.name in lost:
            return Merged(rows.num_rows, 0, 0)
        return kept(self, table, rows, *span)  # type: ignore[arg-type]

    project = copy(eve, folder / "project")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DuckDBSession, "merge", merge)
        simulate(Project.open(project), "main", (FIRST, BUSY_DAY))
    return sorted(_may_go(project) - _archived(project))


def _may_go(project: Path) -> set[str]:
    """The signals that the hot store may let go."""
    store = sqlite3.connect(project / "state" / "hot.sqlite")
    found = store.execute(
        "SELECT id FROM document WHERE delete_at IS NOT NULL"
        " AND collection IN ('live_signals', 'rejected_signals')"
    ).fetchall()
    store.close()
    return {name for (name,) in found}


def _archived(project: Path) -> set[str]:
    """The signals that the warehouse has a fact of."""
    published = DuckDBSession(str(project / "warehouse" / "wh.read.duckdb"), copy=True)
    found = published.query("SELECT signal_id FROM all_signals WHERE ds >= '2012-01-01'", {})
    published.close()
    return set(found["signal_id"])


class Scenario(NamedTuple):
    """A guard, the fault it guards against, how to run into it, how it is taken out."""

    guard: str
    fault: str
    run: Callable[[Path, Path], list[str]]
    removal: Removal


_EARLY = """\
blotter.commit(Create("job_metadata", _marker(session), {
        "ds": session.ds.isoformat(), "signals": [s.signal_id for s in signals]}))"""
_NO_NUMBER = "if not value.is_finite() or (value and abs(value.adjusted()) > _MAX_DIGITS):"
_TWICE = "if error.kind is not Kind.DUPLICATE:"
_NEWER = '"s.revision > t.revision" if table.mutable'
_KEYS = 'return " AND ".join([_pruned(table, span), *keys])'
_READ = "(set(ended.signals) - _read_back(desk, ended)) | unresolved"
_LATE = "if intent.not_after is not None and clock > intent.not_after:"
_FENCE = "lease = self._prolonged(fence)"
_DECIDED = 'blotter.store.get("job_metadata", _marker(session)) is not None'
_PINNED = "if state.account_id != account.account_id:"
_ASKED = "broker.find_order(intent.order_key)"
_OFF = "if False:"


def _merge(line: str, instead: str, function: Callable[..., object]) -> Removal:
    return Removal(function, line, instead, merging.merge_plan.cache_clear)


SCENARIOS = [
    Scenario(
        "a date is decided once",
        "F3",
        killed_anywhere,
        Removal(execution.decided, _DECIDED, "False"),
    ),
    Scenario(
        "orders are committed with their signal",
        "F1",
        killed_anywhere,
        Removal(execution.intend, "blotter.commit()", _EARLY),
    ),
    Scenario(
        "a key stands for one payload",
        "F3",
        other_payload,
        Removal(SqliteHotStore._drop_if_equal, "if body != values[3]:", _OFF),
    ),
    Scenario(
        "the lease is checked in the commit",
        "F5",
        stale_holder,
        Removal(SqliteHotStore.commit, _FENCE, "lease = fence"),
    ),
    Scenario(
        "no entry after its deadline",
        "F2",
        after_the_deadline,
        Removal(execution._hindrance, _LATE, _OFF),
    ),
    Scenario(
        "an order of unknown outcome is asked for by its client_order_id",
        "F6",
        answer_lost,
        Removal(sending.ask, _ASKED, "()"),
    ),
    Scenario(
        "a duplicate is looked up by its client_order_id",
        "F6",
        sent_twice,
        Removal(AlpacaBroker.submit, _TWICE, "if True:"),
    ),
    Scenario(
        "amounts are finite",
        "F12",
        no_number,
        Removal(bodies._decimal, _NO_NUMBER, _OFF),
    ),
    Scenario(
        "rows are merged by key",
        "F16",
        merged_twice,
        _merge(_KEYS, 'return "FALSE"', merging._condition),
    ),
    Scenario(
        "only a higher revision updates",
        "F16",
        older_revision,
        _merge(_NEWER, '"TRUE" if table.mutable', merging.merge_plan),
    ),
    Scenario(
        "the archive is read back before anything may go",
        "F15",
        archive_loses,
        Removal(archive._release, _READ, "unresolved"),
    ),
    Scenario(
        "a query stays inside its budget",
        "budget",
        too_wide,
        Removal(budgets.guarded_query, "if not allowed:", _OFF),
    ),
    Scenario(
        "a book is pinned to its account",
        "pin",
        other_account,
        Removal(book.begin_book, _PINNED, _OFF),
    ),
]


@pytest.mark.slow
@pytest.mark.fault("guards")
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda s: s.guard.replace(" ", "-"))
def test_without_its_guard_the_fault_does_damage(
    scenario: Scenario, eve: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    for name in ("with", "without"):
        (tmp_path / name).mkdir()
    assert scenario.run(tmp_path / "with", eve) == []
    with removed(scenario.removal):
        found = scenario.run(tmp_path / "without", eve)
    assert found, f"nobody notices that {scenario.guard!r} is gone"
    said = (scenario.run.__doc__ or "").strip().rstrip(".")
    row = [scenario.guard, scenario.fault, said, len(found)]
    request.node.user_properties.append((GUARD, row))


class ForgetfulStore(SqliteHotStore):
    """A broken adapter: it writes a commit in two halves and dies in between, once."""

    died = False

    @override
    def commit(self, operations: Sequence[Operation], fence: Lease) -> Lease:
        half = len(operations) // 2
        if self.died or not half:
            return super().commit(operations, fence)
        super().commit(operations[:half], fence)
        self.died = True
        raise KilledError


@pytest.mark.fault("guards")
def test_a_store_whose_commits_are_not_whole_is_caught(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    market = Market().add("AAPL", 2, CALM, CALM)
    states = []
    for name in ("sound", "broken"):
        (tmp_path / name).mkdir()
        rig = Rig(tmp_path / name, market)
        if name == "broken":
            rig.store = ForgetfulStore(tmp_path / name / "hot.db", "sim:test", rig.clock)
        with suppress(KilledError):
            rig.run(2, candidate("AAPL", 2, plan()))
        states.append(rig.image())
    found = [key for key in states[0] if states[1].get(key) != states[0][key]]
    assert found
    row = ["a commit takes effect as a whole (a broken store)", "F1", "One day, killed", len(found)]
    request.node.user_properties.append((GUARD, row))
