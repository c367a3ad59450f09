"""The warehouse out into Parquet and back: the same digests, whatever stood in between."""

from __future__ import annotations

import hashlib
import json
import shutil
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from app.command import command
from faults.project import build, digests
from goldenthread.app.api.operations.exports import rebuild
from goldenthread.app.api.project import Project
from goldenthread.app.api.store import digest
from goldenthread.app.settings import load_settings
from goldenthread.warehouse.tables import TABLES

if TYPE_CHECKING:
    from pathlib import Path

    from emulators.bigquery import BigQueryEmulator

pytestmark = pytest.mark.xdist_group("summer")


def asked(folder: Path, *words: str) -> Any:  # noqa: ANN401  # any JSON value
    answer = command(*words, "--json", "--project", str(folder))
    assert (answer.code, answer.err) == (0, "")
    return answer.document


@pytest.fixture(scope="module")
def exported(summer: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The warehouse of the summer as files."""
    folder = tmp_path_factory.mktemp("exports") / "summer"
    rows = asked(summer, "warehouse", "export", str(folder))
    assert [row["table"] for row in rows] == list(TABLES)
    return folder


@pytest.fixture
def bare(summer: Path, tmp_path: Path) -> Path:
    """The project of the summer without its warehouse."""
    folder = tmp_path / "project"
    shutil.copytree(summer, folder)
    shutil.rmtree(folder / "warehouse")
    return folder


def test_there_is_a_file_for_each_partition_of_each_table(summer: Path, exported: Path) -> None:
    for table in TABLES.values():
        names = {file.stem for file in (exported / table.name).iterdir()}
        rows = sum(pl.read_parquet(file).height for file in (exported / table.name).iterdir())
        if table.partition is None:
            assert names == {"whole"}
            continue
        kept = {"DAY": len("2024-01-02"), "MONTH": len("2024-01")}[table.granularity]
        sql = f"SELECT ds FROM {table.name} WHERE ds BETWEEN @from AND @to"
        span = ("--from", "1900-01-01", "--to", "9999-12-31")
        dates = [row["ds"] for row in asked(summer, "warehouse", "query", sql, *span)]
        assert names == {date[:kept] for date in dates}, table.name
        assert rows == len(dates)


def test_a_warehouse_that_was_rebuilt_has_the_digests_of_the_first(
    summer: Path, exported: Path, bare: Path
) -> None:
    made = asked(bare, "warehouse", "rebuild", "--from", str(exported))
    assert made["differ"] == []
    assert digests(bare) == digests(summer)
    assert all(row["inserted"] == row["rows"] for row in made["tables"])
    again = asked(bare, "warehouse", "rebuild", "--from", str(exported))
    assert all(row["unchanged"] == row["rows"] for row in again["tables"])
    assert digests(bare) == digests(summer)
    assert asked(bare, "check", "thread")["ok"] is True
    asked(bare, "run", "--ds", "2012-09-01")


def test_a_damaged_file_stops_a_rebuild_before_its_first_row(
    exported: Path, bare: Path, tmp_path: Path
) -> None:
    bad = tmp_path / "bad"
    shutil.copytree(exported, bad)
    file = max((bad / "fact_trades").iterdir())
    file.write_bytes(file.read_bytes()[:-9])
    answer = command("warehouse", "rebuild", "--from", str(bad), "--project", str(bare))
    assert answer.code == 3
    assert f"fact_trades/{file.name} is not as its manifest says" in answer.err
    file.unlink()
    answer = command("warehouse", "rebuild", "--from", str(bad), "--project", str(bare))
    assert answer.code == 2
    assert "is no whole export" in answer.err
    assert not (bare / "warehouse").exists()


def test_rows_that_say_otherwise_are_not_overwritten(
    exported: Path, bare: Path, tmp_path: Path
) -> None:
    asked(bare, "warehouse", "rebuild", "--from", str(exported))
    other, file = tmp_path / "other", max((exported / "snapshot_accounts").iterdir())
    shutil.copytree(exported, other)
    twice = pl.read_parquet(file).with_columns(pl.col("cash") * 2)
    rewritten(other, f"snapshot_accounts/{file.name}", twice)
    before = digests(bare)
    answer = command("warehouse", "rebuild", "--from", str(other), "--project", str(bare))
    assert answer.code == 3
    assert "snapshot_accounts: the row" in answer.err
    assert "says otherwise" in answer.err
    assert digests(bare) == before


def test_an_export_of_a_newer_version_is_refused(
    exported: Path, bare: Path, tmp_path: Path
) -> None:
    other, file = tmp_path / "other", max((exported / "fact_trades").iterdir())
    shutil.copytree(exported, other)
    rows = pl.read_parquet(file).with_columns(pl.lit(1).alias("mood"))
    rewritten(other, f"fact_trades/{file.name}", rows)
    answer = command("warehouse", "rebuild", "--from", str(other), "--project", str(bare))
    assert answer.code == 2
    assert "does not fit fact_trades: not known here are mood" in answer.err
    assert "update goldenthread" in answer.err


def test_an_export_of_an_older_version_gets_nulls_where_it_has_no_column(
    exported: Path, bare: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    shutil.copytree(exported, other)
    for file in (other / "fact_trades").iterdir():
        rows = pl.read_parquet(file).drop("dividends")
        rewritten(other, f"fact_trades/{file.name}", rows, table_schemas={"fact_trades": "older"})
    made = asked(bare, "warehouse", "rebuild", "--from", str(other))
    assert made["differ"] is None  # digests of other columns say nothing
    sql = "SELECT COUNT(*) AS n, COUNT(dividends) AS d, COUNT(net_pnl) AS p FROM fact_trades"
    span = ("--from", "1900-01-01", "--to", "9999-12-31")
    (found,) = asked(bare, "warehouse", "query", sql, *span)
    assert found["n"] == found["p"] > found["d"] == 0


def rewritten(export: Path, name: str, rows: pl.DataFrame, **values: object) -> None:
    """Another content of a file, and a manifest that knows it and says something else besides."""
    rows.write_parquet(export / name)
    manifest = json.loads((export / "manifest.json").read_text())
    manifest["files"][name] = hashlib.sha256((export / name).read_bytes()).hexdigest()
    (export / "manifest.json").write_text(json.dumps({**manifest, **values}))


def test_an_export_never_overwrites(exported: Path, summer: Path) -> None:
    answer = command("warehouse", "export", str(exported), "--project", str(summer))
    assert answer.code == 2
    assert "is not empty; an export never overwrites" in answer.err


@pytest.mark.slow
def test_an_export_of_duckdb_makes_a_bigquery_dataset_of_the_same_digests(
    bigquery: BigQueryEmulator, tmp_path: Path
) -> None:
    fresh = build(tmp_path / "project")
    asked(fresh, "simulate", "--name", "main", "--from", "2012-07-02", "--to", "2012-07-06")
    asked(fresh, "warehouse", "export", str(tmp_path / "exported"))
    flags = {
        "engine": "bigquery",
        "project": "test",
        "api_endpoint": bigquery.url,
        "dataset": bigquery.terms().dataset,
    }
    settings = load_settings(fresh, {f"warehouse.{name}": flags[name] for name in flags})
    cloud = Project(fresh, settings)
    _, differ = rebuild(cloud, tmp_path / "exported")
    assert differ == []
    assert digest(cloud, "sim:main") == digest(Project.open(fresh), "sim:main")
