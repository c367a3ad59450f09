"""A saved backtest as a side: the frames of its folder, slippage as its settings had it."""

from __future__ import annotations

import json
import tomllib
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars as pl

from goldenthread.app.api.evaluation.sides.books import ending
from goldenthread.app.api.evaluation.sides.contender import Contender, Entrant, Idea
from goldenthread.domain.asset import AssetClass
from goldenthread.domain.errors import UsageError
from goldenthread.domain.ids import signal_id
from goldenthread.domain.order import OrderSide
from goldenthread.domain.position import ExitReason
from goldenthread.domain.strategy import Side
from goldenthread.reports.divergence.alone import Terms, ran_alone
from goldenthread.reports.divergence.course import Cause, Course, NoTrade
from goldenthread.reports.divergence.prices import unslipped
from goldenthread.reports.divergence.rows import Execution, traded

if TYPE_CHECKING:
    from pathlib import Path

    from goldenthread.app.api.evaluation.sides.contender import Span


def folder_side(folder: Path, name: str) -> Entrant:
    """The backtest saved in the folder, ready to be compared.

    Raises:
        UsageError: The folder holds none.
    """
    try:
        config = tomllib.loads((folder / "config.toml").read_text("utf-8"))
        span = (config["first"], config["last"])
        bps = Decimal(config["slippage_bps"])
    except (FileNotFoundError, NotADirectoryError, KeyError, tomllib.TOMLDecodeError) as error:
        msg = (
            f"{name} is no saved backtest: its config.toml is missing or not one of ours; make"
            f" one with `goldenthread backtest --all --out {name}`"
        )
        raise UsageError(msg) from error
    reader = _apart if "mode" in config else _together

    def read(dates: Span) -> Contender:
        return reader(folder, dates, bps)

    return Entrant(name, span, "", read)


def _together(folder: Path, span: Span, bps: Decimal) -> Contender:
    """Of strategies on one account: its facts, and its executions."""
    rows = list(_decided(folder / "trades.parquet", span).iter_rows(named=True))
    fills: dict[str, list[dict[str, Any]]] = {}
    for fill in pl.read_parquet(folder / "fills.parquet").iter_rows(named=True):
        fills.setdefault(fill["position_id"], []).append(fill)
    trades = {
        Idea(row["trade_id"], row["strategy_id"], row["symbol"], row["signal_ds"]): traded(
            row, [_execution(fill, row, bps) for fill in fills.get(row["trade_id"], ())]
        )
        for row in rows
    }
    closed = {idea.signal_id for idea in trades}
    ended = {name: NoTrade(Cause.STILL_OPEN, "still open") for name in fills if name not in closed}
    for row in _decided(folder / "rejected.parquet", span).iter_rows(named=True):
        ended[row["signal_id"]] = ending("REJECTED", row["rejection_reason"])
    for row in _decided(folder / "expired.parquet", span).iter_rows(named=True):
        ended[row["signal_id"]] = ending(row["status"], row["end_reason"])

    def why_not(idea: Idea) -> NoTrade:
        return ended.get(idea.signal_id, NoTrade(Cause.MISSING_DATA, "no signal"))

    return Contender(trades, why_not)


def _apart(folder: Path, span: Span, bps: Decimal) -> Contender:
    """Of strategies each by itself: trades, and nothing of what was not traded."""
    trades: dict[Idea, Course] = {}
    terms: dict[str, Terms] = {}
    for row in _decided(folder / "trades.parquet", span).iter_rows(named=True):
        strategy, symbol, ds = row["strategy_id"], row["symbol"], row["signal_ds"]
        if strategy not in terms:
            terms[strategy] = _terms(folder / "strategies" / f"{strategy}.json", bps)
        idea = Idea(signal_id(ds, strategy, symbol), strategy, symbol, ds)
        trades[idea] = ran_alone(row, terms[strategy])

    def why_not(_idea: Idea) -> NoTrade:
        return NoTrade(Cause.MISSING_DATA, "no trade (a run by strategy keeps nothing else)")

    return Contender(trades, why_not)


def _decided(file: Path, span: Span) -> pl.DataFrame:
    return pl.read_parquet(file).filter(pl.col("signal_ds").is_between(*span))


def _terms(file: Path, bps: Decimal) -> Terms:
    config = json.loads(file.read_text("utf-8"))
    in_parts = bool(config["exit"]["targets"])
    return Terms(Side(config["side"]), config["entry"]["order"], in_parts, bps)


def _execution(fill: dict[str, Any], trade: dict[str, Any], bps: Decimal) -> Execution:
    """The execution; a backtest keeps no orders, so what it was offered follows from its price.

    A limit order slips nothing: the entry of one, and a target of an equity, which rests.
    """
    side, price = OrderSide(fill["order_side"]), fill["price"]
    opens = (side is OrderSide.BUY) == (trade["side"] == Side.LONG.value)
    limited = trade["order_type"] == "limit" if opens else _at_target(fill, trade)
    reference = price if limited else unslipped(price, side, bps)
    return Execution(fill["ds"], side, fill["quantity"], price, reference)


def _at_target(fill: dict[str, Any], trade: dict[str, Any]) -> bool:
    """Whether an exit was the limit order of a target, told by its price and the last reason."""
    if trade["asset_class"] != AssetClass.EQUITY.value or not trade["targets"]:
        return False
    if fill["ds"] == trade["exit_ds"] and trade["exit_reason"] != ExitReason.TARGET.value:
        return False
    sign = Side(trade["side"]).sign
    nearest = min(Decimal(target["price"]) * sign for target in trade["targets"])
    return Decimal(fill["price"]) * Decimal(trade["split_factor"]) * sign >= nearest
