"""What a book remembers between its days: where it stands, what runs were frozen to, who asked."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from goldenthread.domain.account import AccountSnapshot, AccountState
from goldenthread.domain.errors import ConflictError
from goldenthread.ports.hot_store import Replace

if TYPE_CHECKING:
    from goldenthread.domain.position import Position
    from goldenthread.ports.hot_store import Document, HotStore
    from goldenthread.positions.blotter import Blotter

REQUESTS = ("halt", "flatten")
"""The operator's standing requests; each document is the newest act that touched it."""
SUPERSEDED = "SUPERSEDED"
"""The status of an operator's act that no standing request shows any more, until archived."""
_BOOK = "book"
_DAY = dt.timedelta(days=1)
_RUN_AT = dt.time(0, 5, tzinfo=dt.UTC)


class BookState(BaseModel):
    """Where the book stands after its last finished run.

    ``closed_realised``, ``closed_fees`` and ``closed_dividends`` are running totals of all closed
    positions; ``last_exits`` maps ``strategy|symbol`` to the session of its last exit;
    ``archived_ds`` is the last date the warehouse was loaded for; ``unsettled_from``, of books of
    the first schema, the earliest date of what their archive left.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    account_id: str
    start_equity: Decimal
    first_ds: dt.date
    last_ds: dt.date | None = None
    archived_ds: dt.date | None = None
    unsettled_from: dt.date | None = None
    closed_realised: Decimal = Decimal(0)
    closed_fees: Decimal = Decimal(0)
    closed_dividends: Decimal = Decimal(0)
    last_snapshot: AccountSnapshot | None = None
    last_exits: dict[str, dt.date] = Field(default_factory=dict)

    def after(self, closed: list[Position]) -> BookState:
        """The state with these positions booked; call once a run, with that run's own."""
        exits = {f"{p.strategy_id}|{p.symbol}": p.exit_ds for p in closed if p.exit_ds}
        return self.model_copy(
            update={
                "closed_realised": sum((p.realised_pnl for p in closed), self.closed_realised),
                "closed_fees": sum((p.fees for p in closed), self.closed_fees),
                "closed_dividends": sum((p.dividends for p in closed), self.closed_dividends),
                "last_exits": {**self.last_exits, **exits},
            }
        )


class FrozenRun(BaseModel):
    """What a run was frozen to at its first start; a restart uses the same.

    ``positions`` are the ids of those that were live then.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    ds: dt.date
    now: AwareDatetime
    missed: bool = False
    positions: tuple[str, ...] = ()
    account: AccountState | None = None


def read_book(store: HotStore) -> BookState | None:
    """Where the book stands; None before its first run."""
    document = store.get("job_metadata", _BOOK)
    return None if document is None else document.record(BookState)


def begin_book(store: HotStore, account: AccountState, ds: dt.date) -> BookState:
    """The state of the book, made from the account at its first run; it pins the account.

    Raises:
        ConflictError: The broker now answers with another account than the book was begun with.
    """
    fresh = BookState(
        account_id=account.account_id,
        start_equity=account.equity,
        first_ds=ds,
    )
    document, _ = store.put_if_absent("job_metadata", _BOOK, fresh.model_dump(mode="json"))
    state = document.record(BookState)
    if state.account_id != account.account_id:
        msg = (
            f"the broker answers as account {account.account_id!r}, this book was begun with "
            f"{state.account_id!r}; use another --book for the new account"
        )
        raise ConflictError(msg)
    return state


def write_book(blotter: Blotter, store: HotStore, state: BookState) -> None:
    """Remember the state, under the run's lease."""
    document = _must_exist(store, _BOOK)
    blotter.write([Replace(document, state.model_dump(mode="json"))])


def book_with_fees(store: HotStore, more: Decimal) -> Replace:
    """The write that adds fees of closed positions to the book as it is stored now."""
    document = _must_exist(store, _BOOK)
    state = document.record(BookState)
    after = state.model_copy(update={"closed_fees": state.closed_fees + more})
    return Replace(document, after.model_dump(mode="json"))


def freeze_run(store: HotStore, run: FrozenRun) -> FrozenRun:
    """The run as it was first started; ``run`` itself when this is the first start."""
    name = f"run-{run.ds.isoformat()}"
    document, _ = store.put_if_absent("job_metadata", name, run.model_dump(mode="json"))
    return document.record(FrozenRun)


def freeze_account(
    blotter: Blotter, store: HotStore, run: FrozenRun, account: AccountState
) -> FrozenRun:
    """The run with the account its decisions are made from; the first answer stands."""
    if run.account is not None:
        return run
    frozen = run.model_copy(update={"account": account})
    document = _must_exist(store, f"run-{run.ds.isoformat()}")
    blotter.write([Replace(document, frozen.model_dump(mode="json"))])
    return frozen


def frozen_run(ds: dt.date, target: dt.date, *, missed: bool = False) -> FrozenRun:
    """The run of ``ds`` as a run of ``target`` starts it: at 00:05 UTC of the next day."""
    return FrozenRun(ds=ds, now=dt.datetime.combine(target + _DAY, _RUN_AT), missed=missed)


def dates_between(first: dt.date, last: dt.date) -> list[dt.date]:
    """Every date from ``first`` to ``last``; empty when ``last`` is earlier."""
    return [first + _DAY * n for n in range((last - first).days + 1)]


def _must_exist(store: HotStore, name: str) -> Document:
    document = store.get("job_metadata", name)
    if document is None:
        msg = f"job_metadata/{name} vanished; restore the hot store from a backup"
        raise ConflictError(msg)
    return document
