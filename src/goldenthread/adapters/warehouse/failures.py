"""What DuckDB says went wrong, as our errors."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import duckdb

from goldenthread.domain.errors import EngineBusyError, EngineError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

_ASKED_WRONGLY = (
    duckdb.ProgrammingError,
    duckdb.DataError,
    duckdb.NotSupportedError,
    duckdb.PermissionException,  # a file or an address, which no SELECT may open
)


DAMAGED_FILE = (
    "if the file is damaged, move it away, copy the read copy (or a backup) to its name, and run "
    "again: what is missing is archived again from the hot store"
)
DAMAGED_COPY = (
    "if the copy is damaged, delete it: `goldenthread warehouse init` publishes it again from the "
    "writer's file"
)


@contextmanager
def as_our_errors(file: str, advice: str, *, asked: bool = False) -> Iterator[None]:
    """Failures inside become ours; ``asked``: a wrong statement is the asker's to mend.

    Raises:
        UsageError: The statement cannot be run.
        EngineBusyError: Another program has the file open for writing.
        EngineError: The file cannot be read or written; the message ends with ``advice``.
    """
    try:
        yield
    except RuntimeError as error:
        if "interrupted" in str(error):  # DuckDB's word for Ctrl-C
            raise KeyboardInterrupt from error
        raise
    except duckdb.Error as error:
        said = str(error).splitlines()[0]
        if asked and isinstance(error, _ASKED_WRONGLY):
            msg = f"the query cannot be run: {said}; docs/data/00_data_catalog.md has the names"
            raise UsageError(msg) from error
        if "set lock" in said:
            msg = f"another program has {file} open for writing: {said}; close it and try again"
            raise EngineBusyError(msg) from error
        msg = (
            f"the warehouse {file} cannot be used: {said}. Check that the disk has room and the "
            f"file can be read and written; {advice}"
        )
        raise EngineError(msg) from error
