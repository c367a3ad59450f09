"""Firestore's errors in our words: what is wrong, and what a person does about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.api_core import exceptions as google
from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError

from goldenthread.domain.errors import (
    DataError,
    EngineBusyError,
    EngineError,
    GoldenthreadError,
    UnknownOutcomeError,
)

if TYPE_CHECKING:
    from goldenthread.adapters.hot_store.firestore.place import FirestorePlace

VENDOR = (google.GoogleAPIError, GoogleAuthError)
"""Whatever Google's client raises on purpose."""

_REFUSED = (google.FailedPrecondition, google.AlreadyExists, google.NotFound, google.Aborted)
_UNCLEAR = (
    google.ServiceUnavailable,
    google.DeadlineExceeded,
    google.InternalServerError,
    google.Unknown,
    google.Cancelled,
    google.RetryError,
)
_BUSY = (*_UNCLEAR, google.Aborted, google.ResourceExhausted)
_TOO_LARGE = "exceeds maximum size"

_LOGIN = "run `gcloud auth application-default login`, or name a key file in"
_CREDENTIALS = f"{_LOGIN} GOOGLE_APPLICATION_CREDENTIALS"
_ADVICE: dict[type[Exception], str] = {
    DefaultCredentialsError: f"there are no Google credentials: {_CREDENTIALS}",
    GoogleAuthError: f"Google does not take the credentials: {_CREDENTIALS}",
    google.Unauthenticated: f"Google does not take the credentials: {_CREDENTIALS}",
    google.PermissionDenied: (
        "these credentials may not use it: grant them the role roles/datastore.user on the"
        " project, and enable the Firestore API there"
    ),
    google.NotFound: (
        "there is no such project or database: check [hot_store] project and database, or"
        " create it with `gcloud firestore databases create`"
    ),
    google.FailedPrecondition: (
        "it lacks an index or is not in native mode: deploy deploy/firestore.indexes.json, and"
        " use a database in Firestore native mode"
    ),
    google.InvalidArgument: "it does not take the call: check [hot_store] project and database",
}


class NotConfirmedError(Exception):
    """A write that was refused, or whose answer never came: read back before anything else.

    Args:
        told: The error for the caller, should reading back not settle it.
    """

    def __init__(self, told: GoldenthreadError) -> None:
        super().__init__(str(told))
        self.told = told


def told(place: FirestorePlace, error: Exception) -> GoldenthreadError:
    """The error of a read or a connection, in our words."""
    if isinstance(error, _BUSY):
        return EngineBusyError(
            f"Firestore {place} does not answer ({_cause(error)}): check the network"
            f"{_emulator(place)}, then run the command again"
        )
    fitting = (words for kind, words in _ADVICE.items() if isinstance(error, kind))
    advice = next(fitting, "see the cause in brackets")
    return EngineError(f"Firestore {place}: {advice} ({_cause(error)})")


def write_told(place: FirestorePlace, error: Exception) -> Exception:
    """The error of a write: NotConfirmedError where only reading back can tell what happened."""
    if isinstance(error, google.InvalidArgument) or _TOO_LARGE in str(error):
        return DataError(
            f"Firestore {place} does not take this write ({_cause(error)}): nothing was written;"
            " make the documents smaller, or divide the commit"
        )
    if isinstance(error, _UNCLEAR):
        return NotConfirmedError(unclear(place, error))
    if isinstance(error, _REFUSED):
        return NotConfirmedError(
            EngineBusyError(
                f"Firestore {place}: others change the same documents at the same moment"
                f" ({_cause(error)}); run the command again when they are done"
            )
        )
    if isinstance(error, _BUSY):
        return NotConfirmedError(told(place, error))
    return told(place, error)


def unclear(place: FirestorePlace, error: Exception) -> UnknownOutcomeError:
    """What is said when nobody can tell whether a write took effect."""
    return UnknownOutcomeError(
        f"Firestore {place} did not confirm a write ({_cause(error)}); it may have taken effect:"
        f" check the network{_emulator(place)}, then run the command again, it looks first"
    )


def _emulator(place: FirestorePlace) -> str:
    return " and [hot_store] emulator_host" if place.emulator_host else ""


def _cause(error: Exception) -> str:
    text = str(getattr(error, "message", "") or error).strip().splitlines()
    return f"{type(error).__name__}: {text[0][:200] if text else 'no words'}"
