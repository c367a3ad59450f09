from __future__ import annotations

from pathlib import Path

import pytest

from goldenthread.warehouse.catalog import catalog
from goldenthread.warehouse.tables import MODELS, TABLES, UNDIGESTED
from goldenthread.warehouse.views import VIEWS

ROOT = Path(__file__).parents[2]

PROVENANCE = {
    "strategy_id",
    "version_key",
    "policy_key",
    "decided_at",
    "engine_digest",
    "bars_digest",
}
SIGNAL_FACTS = ("fact_trades", "fact_rejected_signals", "fact_signals_expired")


def names(table: str) -> set[str]:
    return {column.name for column in TABLES[table].columns}


def test_every_table_and_view_of_the_design_is_there() -> None:
    assert set(TABLES) == {
        "fact_trades",
        "fact_rejected_signals",
        "fact_signals_expired",
        "fact_orders",
        "fact_fills",
        "snapshot_accounts",
        "snapshot_positions",
        "dim_strategies",
        "dim_policies",
        "dim_assets",
        "dim_dates",
        "fact_bars",
        "fact_corporate_actions",
        "job_runs",
        "audit_log",
    }
    assert set(VIEWS) == {
        "agg_strategy_daily",
        "summary_strategy_performance",
        "all_signals",
        "bars_current",
    }


@pytest.mark.parametrize("table", SIGNAL_FACTS)
def test_a_signal_fact_names_what_decided_it(table: str) -> None:
    wanted = PROVENANCE | {"factors", "verdicts", "quantity", "planned_quantity"}
    assert wanted | {"equity_at_decision", "planned_stop", "revision"} <= names(table)


def test_types_nulls_and_kinds_come_from_the_row_model() -> None:
    table = TABLES["fact_rejected_signals"]
    net, run_id = table.column("theoretical_net_pnl"), table.column("run_id")
    assert (net.type, net.nullable, net.decided) == ("NUMERIC", True, True)
    assert (run_id.type, run_id.nullable, run_id.decided) == ("STRING", False, False)
    assert [(f.name, f.type, f.nullable) for f in table.column("verdicts").fields] == [
        ("name", "STRING", False),
        ("kind", "STRING", False),
        ("value", "FLOAT64", True),
        ("threshold", "FLOAT64", True),
        ("passed", "BOOL", False),
    ]
    assert table.column("rejection_reasons").type == "STRINGS"
    assert TABLES["dim_strategies"].column("config").type == "JSON"
    assert TABLES["dim_strategies"].column("valid_to").type == "TIMESTAMP"


@pytest.mark.parametrize("name", TABLES)
def test_a_declaration_names_its_own_columns(name: str) -> None:
    table = TABLES[name]
    partition = {table.partition} if table.partition else set()
    assert {*table.key, *table.mutable, *table.cluster} | partition <= names(name)
    assert not set(table.key) & set(table.mutable)
    assert not table.mutable or "revision" in table.mutable
    assert all(column.description for column in table.columns)
    if name not in UNDIGESTED:
        assert all(table.column(key).decided for key in table.key)


@pytest.mark.parametrize("name", MODELS)
def test_a_row_model_has_no_rules_but_those_of_its_columns(name: str) -> None:
    rules = MODELS[name].__pydantic_decorators__  # the guardian's fast way would not see them
    assert not rules.field_validators
    assert not rules.model_validators


def test_the_catalog_in_the_docs_is_the_one_the_models_give() -> None:
    written = (ROOT / "docs" / "data" / "00_data_catalog.md").read_text(encoding="utf-8")
    assert written == catalog() + "\n", "run `make catalog`"
