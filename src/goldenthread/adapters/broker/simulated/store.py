"""The exchange's own SQLite file: the outside world, which outlives any run that is killed."""

from __future__ import annotations

import datetime as dt
import sqlite3
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from goldenthread.adapters.broker.simulated.state import NEVER, Changes, Remembered
from goldenthread.adapters.broker.simulated.tickets import Ticket
from goldenthread.domain.account import Payment
from goldenthread.domain.asset import AssetClass
from goldenthread.domain.errors import ConflictError, EngineBusyError, EngineError
from goldenthread.domain.order import Fill
from goldenthread.rules.ledger import Ledger, Stake

if TYPE_CHECKING:
    from pathlib import Path

    from goldenthread.adapters.broker.simulated.settings import SimulatedSettings

Synchronous = Literal["OFF", "NORMAL", "FULL"]
_StakeRow = tuple[str, str, str, str, str]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS account (
    account_id TEXT PRIMARY KEY, met TEXT NOT NULL, cash TEXT NOT NULL, revision INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tickets (id TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS fills (number INTEGER PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS payments (number INTEGER PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS stakes (
    symbol TEXT PRIMARY KEY, asset_class TEXT NOT NULL, quantity TEXT NOT NULL,
    average_price TEXT NOT NULL, mark TEXT NOT NULL
) WITHOUT ROWID;
"""


class ExchangeStore:
    """One account of the exchange in one file (``path`` None: in memory).

    Raises:
        ConflictError: The file belongs to another account, or another process changed it.
        EngineBusyError: Another process holds the file.
        EngineError: The file cannot be read or written.
    """

    def __init__(
        self, path: Path | None, settings: SimulatedSettings, synchronous: Synchronous
    ) -> None:
        self._path = path
        self._account_id = settings.account_id
        self._stakes: dict[str, Stake] = {}
        self._revision = 0
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
        with _Translated(path):
            self._db = sqlite3.connect(path or ":memory:", isolation_level=None)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute(f"PRAGMA synchronous={synchronous}")
            self._db.executescript(_SCHEMA)
            self._db.execute(
                "INSERT INTO account SELECT ?, ?, ?, 0 WHERE NOT EXISTS (SELECT 1 FROM account)",
                (settings.account_id, NEVER.isoformat(), str(settings.start_cash)),
            )

    def load(self) -> Remembered:
        """The exchange as the last finished call left it."""
        with _Translated(self._path):
            account, met, cash, self._revision = self._db.execute(
                "SELECT account_id, met, cash, revision FROM account"
            ).fetchone()
            stakes = self._db.execute("SELECT * FROM stakes").fetchall()
            tickets = self._db.execute("SELECT body FROM tickets").fetchall()
            fills = self._db.execute("SELECT body FROM fills ORDER BY number").fetchall()
            paid = self._db.execute("SELECT body FROM payments ORDER BY number").fetchall()
        if account != self._account_id:
            msg = (
                f"{self._path} is the exchange of account {account!r}, not of "
                f"{self._account_id!r}; name another file or use that account"
            )
            raise ConflictError(msg)
        self._stakes = {row[0]: _stake(row) for row in stakes}
        return Remembered(
            met=dt.date.fromisoformat(met),
            cash=Decimal(cash),
            tickets=[Ticket.model_validate_json(body) for (body,) in tickets],
            fills=[Fill.model_validate_json(body) for (body,) in fills],
            payments=[Payment.model_validate_json(body) for (body,) in paid],
            stakes=list(self._stakes.values()),
        )

    def save(self, met: dt.date, ledger: Ledger, changes: Changes) -> None:
        """Write what one call changed, in one transaction."""
        stakes, gone = self._stake_changes(ledger)
        with _Translated(self._path), self._db:
            self._db.execute("BEGIN IMMEDIATE")
            done = self._db.execute(
                "UPDATE account SET met = ?, cash = ?, revision = revision + 1 WHERE revision = ?",
                (met.isoformat(), str(ledger.cash), self._revision),
            )
            if done.rowcount != 1:
                msg = f"another process used the exchange in {self._path}; start again"
                raise ConflictError(msg)
            self._db.executemany(
                "INSERT OR REPLACE INTO tickets VALUES (?, ?)",
                [(key, t.model_dump_json()) for key, t in changes.tickets.items()],
            )
            self._db.executemany(
                "INSERT INTO fills (body) VALUES (?)",
                [(fill.model_dump_json(),) for fill in changes.fills],
            )
            self._db.executemany(
                "INSERT INTO payments (body) VALUES (?)",
                [(payment.model_dump_json(),) for payment in changes.payments],
            )
            self._db.executemany("INSERT OR REPLACE INTO stakes VALUES (?, ?, ?, ?, ?)", stakes)
            self._db.executemany("DELETE FROM stakes WHERE symbol = ?", gone)
        self._revision += 1
        self._stakes = dict(ledger.stakes)

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def _stake_changes(self, ledger: Ledger) -> tuple[list[_StakeRow], list[tuple[str]]]:
        known = self._stakes
        changed = [s for symbol, s in ledger.stakes.items() if known.get(symbol) is not s]
        rows = [
            (s.symbol, s.asset_class.value, str(s.quantity), str(s.average_price), str(s.mark))
            for s in changed
        ]
        return rows, [(symbol,) for symbol in known if symbol not in ledger.stakes]


class _Translated:
    """SQLite's errors in our own words."""

    def __init__(self, path: Path | None) -> None:
        self._path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if not isinstance(error, sqlite3.Error):
            return
        if isinstance(error, sqlite3.OperationalError) and "locked" in str(error):
            msg = f"{self._path} is in use by another process; try again when it has ended"
            raise EngineBusyError(msg) from error
        msg = f"the exchange's file {self._path} failed: {error}; check the disk and the file"
        raise EngineError(msg) from error


def _stake(row: _StakeRow) -> Stake:
    symbol, asset_class, quantity, average, mark = row
    return Stake(
        symbol, AssetClass(asset_class), Decimal(quantity), Decimal(average), Decimal(mark)
    )
