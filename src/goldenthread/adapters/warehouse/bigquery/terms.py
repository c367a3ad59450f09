"""Which project and dataset, within what limits, and the client that reaches them."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from google.api_core.client_options import ClientOptions
from google.auth.credentials import AnonymousCredentials
from google.cloud.bigquery import Client

from goldenthread.adapters.warehouse.bigquery.failures import as_our_errors


class BigQueryTerms(NamedTuple):
    """Where the tables lie and what a job may take.

    ``api_endpoint`` replaces Google's address; with ``http://`` it is an emulator, which is asked
    without credentials. ``timeout_s`` bounds one call with its retries, ``job_timeout_s`` the wait
    for one job, ``max_query_bytes`` what any job may be billed for.
    """

    project: str
    dataset: str
    location: str
    max_query_bytes: int
    api_endpoint: str = ""
    timeout_s: float = 30.0
    job_timeout_s: float = 600.0

    @property
    def is_emulated(self) -> bool:
        """Whether nobody is billed and nobody is asked who he is."""
        return self.api_endpoint.startswith("http://")

    @property
    def home(self) -> str:
        """The dataset by its full name."""
        return f"{self.project}.{self.dataset}"

    def full(self, table: str) -> str:
        """The table by its full name."""
        return f"{self.home}.{table}"


@lru_cache(maxsize=8)
def connect(terms: BigQueryTerms) -> Client:
    """A client for the project; the same one for the same terms.

    Raises:
        EngineError: There are no credentials on this machine.
    """
    options = ClientOptions(api_endpoint=terms.api_endpoint) if terms.api_endpoint else None
    with as_our_errors(terms.home):
        nobody = AnonymousCredentials() if terms.is_emulated else None  # type: ignore[no-untyped-call]  # google-auth is typed in part
        return Client(
            project=terms.project,
            credentials=nobody,
            location=terms.location,
            client_options=options,
        )
