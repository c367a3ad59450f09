"""What the BigQuery engine says and understands, without a server."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import TimeoutError as WaitedTooLongError
from decimal import Decimal
from typing import Any

import pytest
from google.api_core import exceptions as google
from google.auth.exceptions import DefaultCredentialsError
from requests.exceptions import ConnectionError as UnreachableError

from contracts.test_warehouse import IDEAS
from goldenthread.adapters.warehouse.bigquery.failures import as_our_errors
from goldenthread.adapters.warehouse.bigquery.merging import merge_plan
from goldenthread.adapters.warehouse.bigquery.parameters import typed
from goldenthread.adapters.warehouse.bigquery.schema import declared
from goldenthread.adapters.warehouse.bigquery.views import find_view
from goldenthread.domain.errors import (
    EngineBusyError,
    EngineError,
    EngineRefusedError,
    UsageError,
)
from goldenthread.warehouse.tables import TABLES


def answer(kind: type[google.GoogleAPICallError], reason: str, said: str = "because") -> Exception:
    detail = {"reason": reason, "message": said}
    made: Exception = kind(said, errors=[detail] if reason else ())
    return made


@pytest.mark.parametrize(
    ("error", "asked", "expected", "said"),
    [
        # a job over its budget comes as a 500: only the reason tells
        (
            answer(google.InternalServerError, "bytesBilledLimitExceeded"),
            False,
            UsageError,
            "over its budget: because; take a shorter",
        ),
        (answer(google.Forbidden, "accessDenied"), True, EngineRefusedError, "BigQuery Job User"),
        (answer(google.Forbidden, "quotaExceeded"), False, EngineBusyError, "busy with p.d"),
        (answer(google.Forbidden, "rateLimitExceeded"), True, EngineBusyError, "busy with p.d"),
        (answer(google.ServiceUnavailable, ""), False, EngineBusyError, "busy with p.d"),
        (answer(google.BadRequest, "invalidQuery"), True, UsageError, "cannot be run: because"),
        (answer(google.BadRequest, "invalidQuery"), False, EngineRefusedError, "(invalidQuery)"),
        (answer(google.NotFound, "notFound", "Table p:d.t"), True, UsageError, "Table p:d.t"),
        (
            answer(google.NotFound, "notFound", "Not found: Dataset p:d was not found"),
            True,
            EngineRefusedError,
            "`goldenthread warehouse init` creates",
        ),
        (
            answer(google.NotFound, "notFound", "Not found: Project p"),
            True,
            EngineRefusedError,
            "check [warehouse] project",
        ),
        (UnreachableError("refused"), False, EngineBusyError, "did not answer for p.d: refused"),
        (WaitedTooLongError(), False, EngineBusyError, "did not answer"),
        (google.RetryError("too long", None), True, EngineBusyError, "did not answer"),  # type: ignore[no-untyped-call]  # typed in part
        (DefaultCredentialsError("none"), False, EngineError, "gcloud auth"),  # type: ignore[no-untyped-call]  # typed in part
    ],
)
def test_a_failure_is_told_by_its_reason_with_what_to_do(
    error: Exception, asked: bool, expected: type[Exception], said: str
) -> None:
    with pytest.raises(expected) as caught, as_our_errors("p.d", asked=asked):
        raise error
    assert said in str(caught.value)
    assert type(caught.value) is expected


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (True, "BOOL"),
        (7, "INT64"),
        (0.5, "FLOAT64"),
        (Decimal("0.1"), "NUMERIC"),
        (dt.date(2024, 1, 1), "DATE"),
        (dt.datetime(2024, 1, 1, tzinfo=dt.UTC), "TIMESTAMP"),
        ("x", "STRING"),
        (None, "STRING"),
    ],
)
def test_a_parameter_has_the_type_of_its_value(value: object, kind: str) -> None:
    (made,) = typed("SELECT @a", {"a": value, "unused": 1})
    sent: dict[str, Any] = made.to_api_repr()
    assert (sent["name"], sent["parameterType"]["type"]) == ("a", kind)


def test_a_list_is_an_array_of_one_type() -> None:
    (made,) = typed("SELECT 1 FROM UNNEST(@days)", {"days": [dt.date(2024, 1, 1)]})
    sent: dict[str, Any] = made.to_api_repr()
    assert sent["parameterType"] == {"type": "ARRAY", "arrayType": {"type": "DATE"}}
    assert sent["parameterValue"] == {"arrayValues": [{"value": "2024-01-01"}]}
    with pytest.raises(UsageError, match="@x: the items are INT64, STRING"):
        typed("SELECT @x", {"x": [1, "a"]})
    with pytest.raises(UsageError, match="@x: got dict; allowed: bool"):
        typed("SELECT @x", {"x": {}})


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_a_partitioned_table_requires_its_filter(table: Any) -> None:  # noqa: ANN401  # a Table
    made = declared(table, f"p.d.{table.name}", require_filter=True).to_api_repr()
    assert made.get("requirePartitionFilter", False) == bool(table.partition)
    kept = made.get("timePartitioning")
    assert kept == ({"type": table.granularity, "field": "ds"} if table.partition else None)
    assert made["labels"] == {"app": "goldenthread"}


def test_a_merge_is_pruned_by_literal_dates() -> None:
    span = (dt.date(2024, 1, 1), dt.date(2024, 1, 31))
    plan = merge_plan(IDEAS, "p.d.ideas", "p.d.waiting", span)
    assert plan.merge.startswith(
        "MERGE `p.d.ideas` AS t USING `p.d.waiting` AS s\n"
        "ON t.`ds` BETWEEN DATE '2024-01-01' AND DATE '2024-01-31' AND t.`id` = s.`id`\n"
    )
    assert "UPDATE SET `price` = s.`price`, `revision` = s.`revision`, `note` = s.`note`" in (
        plan.merge
    )


def test_a_view_names_its_tables_with_their_dataset_and_is_otherwise_untouched() -> None:
    sql = "-- why\nCREATE OR REPLACE VIEW v AS\nWITH a AS (SELECT * FROM x)  -- x\nSELECT * FROM a"
    view = find_view(sql, "d")
    assert view is not None
    assert (view.name, view.select) == (
        "v",
        "WITH a AS (SELECT * FROM d.x)  -- x\nSELECT * FROM a",
    )
    assert find_view("INSERT INTO x SELECT 1", "d") is None
