"""A project whose warehouse holds a million made-up refusals, to measure what reads them.

Four strategies decide on every symbol and session of the workload of ``w2``; each decision fails
one to three of five filters. Nothing about them is real but their form.
"""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pyarrow as pa

from benches import w2
from goldenthread.app.api.bars import import_bars
from goldenthread.app.api.project import Project, init_project
from goldenthread.app.engines.wiring import open_warehouse
from goldenthread.signals.strategy_file import parse_strategy
from goldenthread.warehouse.arrow import arrow_schema
from goldenthread.warehouse.tables import TABLES
from goldenthread.warehouse.views import prepare

if TYPE_CHECKING:
    from pathlib import Path

    from goldenthread.domain.strategy import Strategy
    from goldenthread.ports.warehouse import Warehouse

BOOK = "sim:main"
ASSETS, STRATEGIES, FILTERS = 100, 4, 5
SESSIONS = 2_500
_AT = dt.datetime(2021, 1, 1, tzinfo=dt.UTC)
_TEXT = """
strategy_id = "made_up_{number}"
assets = [{assets}]

[entry]
when = "close > 0"

[reject_unless]
{filters}

[exit]
stop = "entry * 0.95"
targets = [{{ at = "entry * 1.08", sell = 0.5 }}]
when = "close < SMA(close, {mean})"
max_bars = 20

[size]
mode = "equal"
cooldown_bars = 1
"""


def refused_project(folder: Path) -> Project:
    """The project, its bars and its million refusals in ``sim:main``."""
    init_project(folder, samples=False)
    project = Project.open(folder)
    file = folder / "bars.parquet"
    columns = ["symbol", "ds", "open", "high", "low", "close", "volume"]
    w2.frame(ASSETS).select(columns).rename({"ds": "date"}).write_parquet(file)
    import_bars(project, file, {})
    warehouse = open_warehouse(project.settings, project.root)
    prepare(warehouse)
    span = (w2.dates()[0], w2.dates()[-1])
    for number in range(STRATEGIES):
        strategy = _strategy(number)
        _load(warehouse, "dim_strategies", _version(strategy), None)
        _load(warehouse, "fact_rejected_signals", _refusals(strategy, number), span)
    _load(warehouse, "snapshot_accounts", pl.DataFrame({"book": [BOOK], "ds": [span[1]]}), span)
    warehouse.publish()
    warehouse.close()
    return project


def _strategy(number: int) -> Strategy:
    listed = ", ".join(f'"{name}"' for name in w2.names(ASSETS))
    tests = "\n".join(f'F{n} = "ROC(close, {n + 5}) > -1"' for n in range(FILTERS))
    text = _TEXT.format(number=number, assets=listed, filters=tests, mean=20 + 10 * number)
    return parse_strategy(text, "made_up.toml")


def _version(strategy: Strategy) -> pl.DataFrame:
    config = json.dumps(strategy.canonical(), sort_keys=True)
    return pl.DataFrame(
        {
            "book": [BOOK],
            "strategy_id": [strategy.strategy_id],
            "version_key": [strategy.version_key],
            "config": [config],
            "valid_from": [_AT],
            "revision": [_AT],
        }
    )


def _refusals(strategy: Strategy, number: int) -> pl.DataFrame:
    """Every symbol and session: levels by the rules above, values at random, one filter or more
    failed."""
    dice = np.random.default_rng(number)
    bars = w2.frame(ASSETS).group_by("symbol", maintain_order=True).tail(SESSIONS)
    count, close = len(bars), bars["close"]
    value = np.round(dice.normal(-1.5, 2.0, (count, FILTERS)), 6)
    value[np.arange(count), dice.integers(0, FILTERS, count)] = -2.5
    failed = value <= -1.0
    names = [f"F{n}" for n in range(FILTERS)]
    verdicts = [
        pl.struct(
            name=pl.lit(name),
            kind=pl.lit("filter"),
            value=pl.lit(pl.Series(value[:, n])),
            threshold=pl.lit(-1.0),
            passed=pl.lit(pl.Series(~failed[:, n])),
        )
        for n, name in enumerate(names)
    ]
    reasons = [
        pl.when(pl.lit(pl.Series(failed[:, n]))).then(pl.lit(name)) for n, name in enumerate(names)
    ]
    made = dice.standard_t(3, count) * 120
    targets = pl.struct(price=pl.lit((close * 1.08).floor() / 1), sell=pl.lit(0.5))
    return bars.select(
        *(pl.lit(BOOK).alias("book"), "ds", pl.col("ds").alias("signal_ds"), "symbol", "close"),
        *(pl.lit(text).alias(name) for name, text in _same(strategy).items()),
        pl.format("{}-{}-{}", pl.col("ds"), pl.lit(number), pl.col("symbol")).alias("signal_id"),
        pl.col("close").alias("planned_entry"),
        (pl.col("close") * 95).floor().truediv(100).alias("planned_stop"),
        pl.concat_list(targets).alias("targets"),
        pl.concat_list(reasons).list.drop_nulls().alias("rejection_reasons"),
        pl.concat_list(verdicts).alias("verdicts"),
        pl.col("ds").alias("revision"),
        pl.lit(pl.Series(made)).alias("theoretical_net_pnl"),
        pl.lit(pl.Series(made / 100)).alias("theoretical_r_multiple"),
        (pl.col("ds") + pl.duration(days=1)).alias("theoretical_entry_ds"),
        (pl.col("ds") + pl.duration(days=12)).alias("theoretical_exit_ds"),
    ).with_columns(rejection_reason=pl.col("rejection_reasons").list.first())


def _same(strategy: Strategy) -> dict[str, object]:
    """What is equal in every row."""
    return {
        "strategy_id": strategy.strategy_id,
        "version_key": strategy.version_key,
        "asset_class": "EQUITY",
        "side": "long",
        "order_type": "market",
        "outcome_status": "RESOLVED",
        "priced_as": "PLANNED",
        "valid_bars": 1,
        "max_bars": 20,
    }


def _load(
    warehouse: Warehouse, table: str, rows: pl.DataFrame, span: tuple[dt.date, dt.date] | None
) -> None:
    """Merge rows as they are, what is missing filled with empty values of its type."""
    schema = arrow_schema(TABLES[table].columns)
    given = rows.to_arrow()
    columns = [
        given[field.name].cast(field.type)
        if field.name in rows.columns
        else pa.array([_empty(field)] * len(rows), field.type)
        for field in schema
    ]
    warehouse.merge(TABLES[table], pa.Table.from_arrays(columns, schema=schema), span)


def _empty(field: pa.Field) -> object:
    if field.nullable:
        return None
    if pa.types.is_list(field.type):
        return []
    if pa.types.is_timestamp(field.type):
        return _AT
    if pa.types.is_date(field.type):
        return _AT.date()
    return "" if pa.types.is_string(field.type) else 0
