"""Errors, grouped by what the caller should do next.

::

    GoldenthreadError
    ├── UsageError               a person must change a file, a flag or a command   exit 2
    ├── DataError                set the row aside, report it, carry on             exit 1
    ├── ConflictError            stop: two records of the truth disagree            exit 3
    │   └── LeaseLostError       stop at once: another run took over                exit 4
    ├── LeaseHeldError           another run is at work; wait for it                exit 4
    └── EngineError              a store, market data or broker engine failed       exit 3
        ├── EngineBusyError      retry with back-off
        ├── EngineRefusedError   do not retry: the engine understood and said no
        └── UnknownOutcomeError  ask before doing anything: it may have happened
"""

from __future__ import annotations

from typing import ClassVar


class GoldenthreadError(Exception):
    """Anything this package raises on purpose; the message says what to do next."""

    exit_code: ClassVar[int] = 3


class UsageError(GoldenthreadError):
    """A person must change a file, a flag or the command; the message names all three parts."""

    exit_code = 2


class DataError(GoldenthreadError):
    """A row is not fit for use: it is set aside and the work carries on."""

    exit_code = 1


class ConflictError(GoldenthreadError):
    """Two records of the truth disagree; the job stops before it writes."""


class LeaseLostError(ConflictError):
    """The lease of this run expired and another run took over: stop at once."""

    exit_code = 4


class LeaseHeldError(GoldenthreadError):
    """Another run holds the lease."""

    exit_code = 4


class EngineError(GoldenthreadError):
    """A storage, market-data or broker engine failed."""


class EngineBusyError(EngineError):
    """The engine is busy; the same call may go through later."""


class EngineRefusedError(EngineError):
    """The engine understood and said no; sending the same again cannot help.

    Args:
        message: What the engine said, and what to do about it.
        code: The engine's own code, kept on the record it refused.
    """

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class UnknownOutcomeError(EngineError):
    """The call may or may not have taken effect: ask the engine, never send again."""
