"""Jobs run to their end: typed, labelled, within the budget and the time they may take."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, cast

from google.api_core.exceptions import GoogleAPICallError
from google.cloud.bigquery import LoadJobConfig, QueryJobConfig
from google.cloud.bigquery.format_options import ParquetOptions
from google.cloud.bigquery.retry import DEFAULT_RETRY

from goldenthread.adapters.warehouse.bigquery.failures import as_our_errors, reason_of
from goldenthread.adapters.warehouse.bigquery.parameters import typed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa
    from google.cloud.bigquery import Client, LoadJob, QueryJob, SchemaField
    from google.cloud.bigquery.table import RowIterator

    from goldenthread.adapters.warehouse.bigquery.terms import BigQueryTerms

_UPLOADS = 2
"""How often an upload that broke off is taken up again."""


class BigQueryJobs:
    """The jobs of one dataset; unqualified names in a statement are its tables.

    A query job has a new id at each attempt; BigQuery tells the client about a repeated request
    by that id, so that nothing runs twice.
    """

    def __init__(self, client: Client, terms: BigQueryTerms) -> None:
        self._client = client
        self._terms = terms
        self.retry = DEFAULT_RETRY.with_timeout(terms.timeout_s)

    def run(self, sql: str, parameters: Mapping[str, Any]) -> QueryJob:
        """The finished job of a statement of ours."""
        with as_our_errors(self._terms.home):
            job = self._begun(sql, parameters)
            self._rows(job)
        return job

    def select(self, sql: str, parameters: Mapping[str, Any]) -> pa.Table:
        """The rows of a SELECT."""
        with as_our_errors(self._terms.home, asked=True):
            rows = self._rows(self._begun(sql, parameters))
            return rows.to_arrow(create_bqstorage_client=False)

    def bytes_read(self, sql: str, parameters: Mapping[str, Any]) -> int:
        """The bytes the SELECT would be billed for at most; nothing is run."""
        with as_our_errors(self._terms.home, asked=True):
            job = self._begun(sql, parameters, dry=True)
        return int(job.total_bytes_processed or 0)

    def load(
        self, parquet: bytes, destination: str, fields: Sequence[SchemaField], job_id: str
    ) -> bool:
        """Whether the job of that id filled the destination; False: an earlier one failed.

        An id that is taken (this process asked twice, or one before it) is read: a job that
        still runs is waited for, and what a finished one did is the caller's to check.
        """
        with as_our_errors(self._terms.home):
            try:
                job, ours = self._sent(parquet, destination, fields, job_id), True
            except GoogleAPICallError as error:
                if reason_of(error) != "duplicate":
                    raise
                job, ours = self._known(job_id), False
            try:
                job.result(retry=self.retry, timeout=self._terms.job_timeout_s)
            except GoogleAPICallError:
                if ours or not job.error_result:
                    raise
                return False
        return True

    def _begun(self, sql: str, parameters: Mapping[str, Any], *, dry: bool = False) -> QueryJob:
        config = QueryJobConfig(
            default_dataset=self._terms.home,
            query_parameters=typed(sql, parameters),
            labels={"app": "goldenthread"},
            dry_run=dry,
            use_query_cache=not dry,
        )
        if not dry:
            config.maximum_bytes_billed = self._terms.max_query_bytes
        return self._client.query(
            sql,
            job_config=config,
            job_id_prefix="goldenthread-",
            retry=self.retry,
            timeout=self._terms.timeout_s,
            job_retry=None,
        )

    def _rows(self, job: QueryJob) -> RowIterator:
        found: RowIterator = job.result(
            retry=self.retry, timeout=self._terms.job_timeout_s, job_retry=None
        )
        return found

    def _sent(
        self, parquet: bytes, destination: str, fields: Sequence[SchemaField], job_id: str
    ) -> LoadJob:
        options = ParquetOptions()  # type: ignore[no-untyped-call]  # typed in part
        options.enable_list_inference = True
        config = LoadJobConfig(
            source_format="PARQUET",
            schema=fields,
            write_disposition="WRITE_TRUNCATE",
            labels={"app": "goldenthread"},
        )
        config.parquet_options = options
        return self._client.load_table_from_file(
            io.BytesIO(parquet),
            destination,
            size=len(parquet),
            num_retries=_UPLOADS,
            job_id=job_id,
            job_config=config,
            timeout=self._terms.timeout_s,
        )

    def _known(self, job_id: str) -> LoadJob:
        job = self._client.get_job(job_id, retry=self.retry, timeout=self._terms.timeout_s)
        return cast("LoadJob", job)
