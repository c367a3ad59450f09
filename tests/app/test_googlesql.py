"""Every statement we send, before Google's own analyzer: names, types and grammar, no engine."""

from __future__ import annotations

import datetime as dt
import shutil
from importlib import resources
from typing import TYPE_CHECKING, Any

import pytest

from app.command import SUMMER
from goldenthread.adapters.warehouse.bigquery.merging import merge_plan
from goldenthread.adapters.warehouse.bigquery.staging import _staged_fields
from goldenthread.adapters.warehouse.session import DuckDBSession
from goldenthread.app.api import checks, explain, proofs, records, reporting, store
from goldenthread.app.api.browsing import strategies, today
from goldenthread.app.api.browsing.health import job_rows
from goldenthread.app.api.browsing.signals import signal_page
from goldenthread.app.api.browsing.trades import held, trade_page
from goldenthread.app.api.browsing.wanted import WantedSignals, WantedTrades
from goldenthread.app.api.days import simulate
from goldenthread.app.api.evaluation import shadow, theory
from goldenthread.app.api.evaluation.curves import left_out, threshold_curve
from goldenthread.app.api.evaluation.told import told_line
from goldenthread.app.api.project import Project
from goldenthread.domain.errors import UsageError
from goldenthread.ports.warehouse import Column, Table
from goldenthread.warehouse.tables import TABLES
from goldenthread.warehouse.views import VIEWS, statement

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import polars as pl

pytestmark = pytest.mark.slow

SPAN = (dt.date(2024, 1, 1), dt.date(2024, 1, 31))
FILES = sorted(
    path.name.removesuffix(".sql")
    for path in resources.files("goldenthread.warehouse").joinpath("sql").iterdir()
    if path.name.endswith(".sql")
)
PARAMETERS = {
    **dict.fromkeys(
        ("book", "run_id", "name", "symbol", "id", "signal_id", "strategy_id", "after", "outcome"),
        "STRING",
    ),
    **dict.fromkeys(("ds", "from", "to", "first", "last"), "DATE"),
    "loaded_at": "TIMESTAMP",
    "patches": "STRINGS",
}


def _type(column: Column) -> Any:  # noqa: ANN401  # zetasql's own
    from zetasql.api import TypeFactory  # noqa: PLC0415  # half a minute to import
    from zetasql.types import TypeKind  # noqa: PLC0415  # the same

    if column.type == "STRUCTS":
        fields = [(field.name, _type(field)) for field in column.fields]
        return TypeFactory.create_array_type(TypeFactory.create_struct_type(fields))
    if column.type == "STRINGS":
        text = TypeFactory.create_simple_type(TypeKind.TYPE_STRING)
        return TypeFactory.create_array_type(text)
    word = {"FLOAT64": "DOUBLE"}.get(column.type, column.type)
    return TypeFactory.create_simple_type(TypeKind[f"TYPE_{word}"])


def _simple(name: str, columns: Mapping[str, Any]) -> Any:  # noqa: ANN401  # zetasql's own
    from zetasql.api import TableBuilder  # noqa: PLC0415  # half a minute to import

    builder = TableBuilder(name)
    for column, kind in columns.items():
        builder = builder.add_column(column, kind)
    return builder.build()


def _staging(table: Table) -> dict[str, Any]:
    """The staging table's columns; JSON waits there as its text."""
    types = {column.name: column for column in table.columns}
    text = Column("", "STRING", nullable=True, decided=True, description="")
    return {
        field.name: _type(text if types[field.name].type == "JSON" else types[field.name])
        for field in _staged_fields(table)
        if field.name in types
    }


@pytest.fixture(scope="module")
def analyse() -> Callable[[str], str]:
    """Google's analyzer over the tables, staging tables and views; gives the kind of statement."""
    from zetasql.api import Analyzer, CatalogBuilder  # noqa: PLC0415  # half a minute to import
    from zetasql.types import (  # noqa: PLC0415  # the same
        AnalyzerOptions,
        LanguageOptions,
        ZetaSQLBuiltinFunctionOptions,
    )

    language = LanguageOptions.maximum_features()
    options = AnalyzerOptions(
        language_options=language,
        query_parameters=[
            AnalyzerOptions.QueryParameter(name=name, type=_type(_column(name, kind)))
            for name, kind in PARAMETERS.items()
        ],
    )

    def analyzer(views: Mapping[str, Mapping[str, Any]]) -> Any:  # noqa: ANN401  # zetasql's own
        builder = CatalogBuilder("warehouse")
        for table in TABLES.values():
            columns = {column.name: _type(column) for column in table.columns}
            builder = builder.add_table(_simple(table.name, columns))
            builder = builder.add_table(_simple(f"staged_{table.name}", _staging(table)))
        for name, shape in views.items():
            builder = builder.add_table(_simple(name, shape))
        functions = ZetaSQLBuiltinFunctionOptions(language_options=language)
        return Analyzer(options, builder.with_builtin_functions(functions).build())

    bare = analyzer({})
    shapes = {
        name: {
            column.name: column.column.type
            for column in bare.analyze_statement(statement(name)).output_column_list
        }
        for name in VIEWS
    }
    whole = analyzer(shapes)
    return lambda sql: type(whole.analyze_statement(sql)).__name__


def _column(name: str, kind: Any) -> Column:  # noqa: ANN401  # one of ColumnType
    return Column(name, kind, nullable=True, decided=True, description="")


@pytest.mark.parametrize("name", FILES)
def test_every_sql_file_is_googlesql(analyse: Callable[[str], str], name: str) -> None:
    kind = "ResolvedCreateViewStmt" if name in VIEWS else "ResolvedInsertStmt"
    assert analyse(statement(name)) == kind


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_every_merge_is_googlesql(analyse: Callable[[str], str], table: Table) -> None:
    span = SPAN if table.partition else None
    plan = merge_plan(table, table.name, f"staged_{table.name}", span)
    assert analyse(plan.merge) == "ResolvedMergeStmt"
    assert analyse(plan.blame) == "ResolvedQueryStmt"


def test_every_query_of_the_application_is_googlesql(
    analyse: Callable[[str], str], summer: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: set[str] = set()
    ask = DuckDBSession.query

    def noted(self: DuckDBSession, sql: str, parameters: Mapping[str, Any]) -> pl.DataFrame:
        sent.add(sql)
        return ask(self, sql, parameters)

    shutil.copytree(summer, tmp_path / "project")
    monkeypatch.setattr(DuckDBSession, "query", noted)
    _use_everything(tmp_path / "project")
    assert len(sent) >= 25
    assert {analyse(sql) for sql in sent} == {"ResolvedQueryStmt"}


def _use_everything(root: Path) -> None:
    """Every reader of the warehouse there is, once."""
    project, book = Project.open(root), "sim:main"
    checks.examine(root)
    checks.check_thread(project, book)
    proofs.check_parity(project, book)
    found = records.signals(project, book, SUMMER)
    records.orders(project, book, SUMMER)
    records.positions(project, book)
    traded = records.trades(project, book, SUMMER).to_dicts()
    reporting.write_report(project, book)
    told_line(project, book)
    threshold_curve(project, "VOLUME_TOO_LOW", "channel_breakout", book)
    left_out(project, book)
    shadow.filters(project, book, "channel_breakout", by="month")
    theory.theory_error(project, book, "channel_breakout")
    with pytest.raises(UsageError, match="no refused signal"):
        shadow.filters(project, book, "nobody")
    refused = next(row for row in found if row["outcome"] == "rejected")
    for name in (traded[0]["trade_id"], refused["signal_id"]):
        explain.explain(project, book, name)
    explain.decisions(project, book, refused["symbol"], str(refused["signal_ds"]))
    explain.write_page(project, book, refused["signal_id"], root / "signal.html")
    store.digest(project, book)
    store.query(project, "SELECT symbol FROM fact_trades", SUMMER)
    today.today(project, book)
    signal_page(project, book, WantedSignals())
    trade_page(project, book, WantedTrades())
    held(project, book)
    strategies.strategy_rows(project, book)
    strategies.strategy_story(project, book, "golden_cross")
    job_rows(project, book)
    simulate(project, "main", (SUMMER[0], SUMMER[1] + dt.timedelta(days=3)))


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELECT nothing FROM fact_trades", "Unrecognized name: nothing"),
        ("SELECT net_pnl = 'x' FROM fact_trades", "No matching signature"),
        ("SELECT STRPTIME('a', 'b')", "Function not found"),
        ("SELECT ds, net_pnl FROM fact_trades GROUP BY ds", "neither grouped nor aggregated"),
    ],
)
def test_the_analyzer_sees_what_is_wrong(
    analyse: Callable[[str], str], sql: str, said: str
) -> None:
    with pytest.raises(Exception, match=said):
        analyse(sql)
