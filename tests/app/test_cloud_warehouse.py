"""A project whose warehouse is BigQuery: chosen by settings alone, equal in what it holds."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING

import pytest

from app.command import SUMMER
from goldenthread.app.api import checks, explain, records, store
from goldenthread.app.api.days import simulate
from goldenthread.app.api.evaluation.replay import replay
from goldenthread.app.api.project import Project
from goldenthread.app.engines.wiring import open_warehouse
from goldenthread.app.settings import load_settings
from goldenthread.domain.errors import EngineError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from emulators.bigquery import BigQueryEmulator

WEEKS = (SUMMER[0], SUMMER[0].replace(day=31))


def cloudy(folder: Path, **more: str) -> Project:
    """The project in the folder with BigQuery as its warehouse."""
    flags = {"engine": "bigquery", "project": "test", **more}
    return Project(folder, load_settings(folder, {f"warehouse.{k}": v for k, v in flags.items()}))


def test_bigquery_without_a_project_is_a_usage_error(tmp_path: Path) -> None:
    settings = load_settings(tmp_path, {"warehouse.engine": "bigquery"})
    with pytest.raises(UsageError, match="project is empty; write the id of your Google Cloud"):
        open_warehouse(settings, tmp_path)


def test_bigquery_without_its_client_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [n for n in sys.modules if n.startswith("goldenthread.adapters.warehouse.bigq")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "google.cloud.bigquery", None)
    with pytest.raises(UsageError, match=r"pip install 'goldenthread\[gcp\]'"):
        open_warehouse(cloudy(tmp_path).settings, tmp_path)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("dataset", "my-data", "letters, digits and underscores"),
        ("api_endpoint", "localhost", "https://HOST"),
        ("engine", "postgres", "'duckdb' or 'bigquery'"),
    ],
)
def test_a_setting_that_cannot_work_is_refused(
    tmp_path: Path, name: str, value: str, said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        load_settings(tmp_path, {f"warehouse.{name}": value})


def test_an_address_nobody_answers_at_is_one_clear_finding(fresh: Path) -> None:
    flags = {"api_endpoint": "http://127.0.0.1:9", "timeout_s": "1"}
    project = cloudy(fresh, **flags)
    said = r"did not answer for test\.goldenthread.*api_endpoint"
    with pytest.raises(EngineError, match=said):
        store.migrate(project)
    before = sorted(path for path in fresh.rglob("*") if path.is_file())
    with pytest.raises(EngineError, match=said):
        simulate(project, "main", WEEKS)
    assert sorted(path for path in fresh.rglob("*") if path.is_file()) == before


@pytest.mark.slow
@pytest.mark.fault("F16", "a month archived, read back, replayed", engines="BigQuery emulator")
def test_a_month_on_bigquery_equals_the_month_on_duckdb(
    bigquery: BigQueryEmulator, imported: Path, tmp_path: Path
) -> None:
    for name in ("embedded", "cloud"):
        shutil.copytree(imported, tmp_path / name)
    embedded = Project.open(tmp_path / "embedded")
    cloud = cloudy(tmp_path / "cloud", api_endpoint=bigquery.url, dataset=bigquery.terms().dataset)
    with pytest.raises(EngineError, match="warehouse init` creates the dataset"):
        checks._versions(cloud)
    assert "created fact_trades" in store.migrate(cloud)
    assert store.migrate(cloud) == []
    for project in (embedded, cloud):
        simulate(project, "main", WEEKS)
    assert store.digest(cloud, "sim:main") == store.digest(embedded, "sim:main")
    ours, theirs = (records.signals(p, "sim:main", WEEKS) for p in (embedded, cloud))
    assert len(ours) > 10
    assert theirs == ours
    assert checks.check_thread(cloud, "sim:main") == checks.check_thread(embedded, "sim:main")
    name = next(row["signal_id"] for row in ours if row["outcome"] == "rejected")
    assert explain.explain(cloud, "sim:main", name) == explain.explain(embedded, "sim:main", name)
    again = [replay(p) for p in (cloud, embedded)]
    assert again[0] == again[1]
    assert (again[0].differing, again[0].equal) == (0, len(ours))
    (cloud.root / "state" / "hot.sqlite").unlink()
    alone = replay(cloud)
    assert (alone.differing, alone.equal + alone.not_archived) == (0, len(ours))
    assert checks._versions(cloud) == checks._versions(embedded)
    sql = "SELECT COUNT(*) AS n FROM fact_bars"
    assert store.query(cloud, sql, WEEKS).equals(store.query(embedded, sql, WEEKS))
