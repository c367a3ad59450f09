"""The rows of one merge, loaded beside their target and proved to be there."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import uuid
from typing import TYPE_CHECKING, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
from google.cloud.bigquery import SchemaField
from google.cloud.bigquery import Table as StoredTable

from goldenthread.adapters.warehouse.bigquery.failures import as_our_errors
from goldenthread.adapters.warehouse.bigquery.schema import LABELS, fields_of
from goldenthread.domain.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from google.cloud.bigquery import Client

    from goldenthread.adapters.warehouse.bigquery.jobs import BigQueryJobs
    from goldenthread.adapters.warehouse.bigquery.terms import BigQueryTerms
    from goldenthread.domain.clock import Clock
    from goldenthread.ports.warehouse import Table

_SEAL = "content_sha256"
_KEPT = dt.timedelta(days=1)
"""How long a staging table outlives a crash."""
_ATTEMPTS = 3


class Parcel(NamedTuple):
    """Rows as Parquet, each sealed with the digest of them all, and how many they are."""

    parquet: bytes
    content: str
    rows: int


def packed(rows: pa.Table) -> Parcel:
    """The rows ready to be sent; equal rows in equal order have an equal digest."""
    whole = rows.combine_chunks()
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, whole.schema) as stream:
        stream.write_table(whole)
    content = hashlib.sha256(sink.getvalue()).hexdigest()
    seal = pa.repeat(pa.scalar(content), whole.num_rows)
    file = io.BytesIO()
    pq.write_table(whole.append_column(_SEAL, seal), file, compression="zstd")
    return Parcel(file.getvalue(), content, whole.num_rows)


class Staging:
    """Where rows wait for their merge: a table of their own that expires by itself."""

    def __init__(
        self, client: Client, jobs: BigQueryJobs, terms: BigQueryTerms, clock: Clock
    ) -> None:
        self._client = client
        self._jobs = jobs
        self._terms = terms
        self._clock = clock

    def load(self, table: Table, rows: pa.Table) -> str:
        """The name of a staging table that is proved to hold exactly these rows.

        The first job id follows from the rows, so that a load which a crash interrupted is found
        again; an id that is used up (its job failed, or its rows have gone) is never used twice.

        Raises:
            EngineError: Three loads were answered with success and none can be read back.
        """
        parcel = packed(rows)
        fields = _staged_fields(table)
        stem = f"goldenthread-{self._terms.dataset}-{table.name}-{parcel.content[:24]}"
        for job_id in _job_ids(stem):  # ids are the project's, so they name the dataset
            name = self._terms.full(job_id.replace("-", "_"))
            self._create(name, fields)
            if self._jobs.load(parcel.parquet, name, fields, job_id) and self._holds(name, parcel):
                return name
            self.drop(name)
        msg = (
            f"{_ATTEMPTS} loads of {parcel.rows} rows for {table.name} did not arrive; nothing "
            f"was merged. Look for jobs named {stem}* in {self._terms.project}"
        )
        raise EngineError(msg)

    def drop(self, name: str) -> None:
        """Remove a staging table; its absence is fine."""
        with as_our_errors(self._terms.home):
            self._client.delete_table(
                name, retry=self._jobs.retry, timeout=self._terms.timeout_s, not_found_ok=True
            )

    def _create(self, name: str, fields: list[SchemaField]) -> None:
        made = StoredTable(name, schema=fields)
        made.expires = self._clock.now() + _KEPT
        made.labels = LABELS
        with as_our_errors(self._terms.home):
            self._client.create_table(
                made, exists_ok=True, retry=self._jobs.retry, timeout=self._terms.timeout_s
            )

    def _holds(self, name: str, parcel: Parcel) -> bool:
        """Whether reading back gives the count and, on every row, the digest of what was sent."""
        sql = f"SELECT COUNT(*) AS n, MIN({_SEAL}) AS low, MAX({_SEAL}) AS high FROM `{name}`"
        (found,) = self._jobs.select(sql, {}).to_pylist()
        return bool(found == {"n": parcel.rows, "low": parcel.content, "high": parcel.content})


def _job_ids(first: str) -> Iterator[str]:
    yield first
    for _ in range(_ATTEMPTS - 1):
        yield f"{first}-{uuid.uuid4().hex[:12]}"


def _staged_fields(table: Table) -> list[SchemaField]:
    """The target's columns, none required, JSON as its text, and the seal."""
    return [
        *(
            SchemaField(
                field.name,
                "STRING" if field.field_type == "JSON" else field.field_type,
                "REPEATED" if field.mode == "REPEATED" else "NULLABLE",
                fields=field.fields,
            )
            for field in fields_of(table.columns)
        ),
        SchemaField(_SEAL, "STRING"),
    ]
