"""What BigQuery says went wrong, as our errors: told apart by reason, never by class."""

from __future__ import annotations

from concurrent.futures import TimeoutError as WaitedTooLongError
from contextlib import contextmanager
from typing import TYPE_CHECKING

from google.api_core.exceptions import GoogleAPICallError, RetryError
from google.auth.exceptions import GoogleAuthError, TransportError
from requests.exceptions import RequestException

from goldenthread.domain.errors import (
    EngineBusyError,
    EngineError,
    EngineRefusedError,
    UsageError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

_BUSY = frozenset(
    {
        "backendError",
        "internalError",
        "jobBackendError",
        "jobInternalError",
        "jobRateLimitExceeded",
        "quotaExceeded",
        "rateLimitExceeded",
        "stopped",
        "tableUnavailable",
        "timeout",
    }
)
_ASKED_WRONGLY = frozenset({"invalid", "invalidQuery", "notFound", "resourcesExceeded"})
OVER_BUDGET = "bytesBilledLimitExceeded"
_ADVICE = {
    "notFound": "check [warehouse] project and dataset; `goldenthread warehouse init` creates "
    "the dataset and its tables",
    "accessDenied": "give the account the roles BigQuery Data Editor (on the dataset) and "
    "BigQuery Job User (on the project)",
    "billingNotEnabled": "enable billing for the project",
    "authError": "sign in again: gcloud auth application-default login",
}
_REACH = "check the network and [warehouse] api_endpoint, and run again: nothing merged is lost"


def reason_of(error: GoogleAPICallError) -> str:
    """BigQuery's word for the fault; empty when it gave none.

    The class of an error says less: a job over its budget, for example, arrives as a 500.
    """
    for detail in error.errors or []:
        if isinstance(detail, dict) and detail.get("reason"):
            return str(detail["reason"])
    return ""


@contextmanager
def as_our_errors(home: str, *, asked: bool = False) -> Iterator[None]:
    """Failures inside become ours; ``asked``: a wrong statement is the asker's to mend.

    Raises:
        UsageError: The statement cannot be run, or is over its budget.
        EngineBusyError: BigQuery is busy, slow or out of reach: the same call may go through.
        EngineRefusedError: BigQuery said no: rights, a missing dataset, a wrong statement.
        EngineError: There are no credentials, or none that are valid.
    """
    try:
        yield
    except GoogleAPICallError as error:
        raise _ours(error, home, asked=asked) from error
    except (RetryError, RequestException, TransportError, WaitedTooLongError) as error:
        msg = f"BigQuery did not answer for {home}: {_first_line(error)}; {_REACH}"
        raise EngineBusyError(msg) from error
    except GoogleAuthError as error:
        msg = f"no right to use {home}: {_first_line(error)}; {_ADVICE['authError']}"
        raise EngineError(msg) from error


def _ours(error: GoogleAPICallError, home: str, *, asked: bool) -> Exception:
    reason, said = reason_of(error), _first_line(error.message)
    if reason == OVER_BUDGET:
        msg = (
            f"BigQuery refused a job as over its budget: {said}; take a shorter date range or "
            f"fewer columns, or raise [warehouse] max_query_bytes"
        )
        return UsageError(msg)
    if asked and reason in _ASKED_WRONGLY and not _is_missing_home(said):
        return UsageError(
            f"the query cannot be run: {said}; docs/data/00_data_catalog.md has the names"
        )
    if reason in _BUSY or (not reason and error.code in {429, 500, 502, 503, 504}):
        return EngineBusyError(f"BigQuery is busy with {home}: {said}; {_REACH}")
    advice = _ADVICE.get(reason, "the warehouse was not changed by it")
    return EngineRefusedError(f"BigQuery refused {home} ({reason}): {said}; {advice}", reason)


def _is_missing_home(said: str) -> bool:
    return "Not found: Dataset" in said or "Not found: Project" in said


def _first_line(error: object) -> str:
    return str(error).splitlines()[0].strip() if str(error) else type(error).__name__
