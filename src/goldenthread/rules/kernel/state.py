"""What a ride remembers from session to session, and how functions of it are compiled."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast, get_type_hints

import numba
import numpy as np
from numba.extending import register_jitable

from goldenthread.rules import ticks
from goldenthread.rules.tape import Terms

if TYPE_CHECKING:
    from collections.abc import Callable

_Function = TypeVar("_Function", bound="Callable[..., Any]")

for _rule in (
    ticks.whole,
    ticks.half_even,
    ticks.split_price,
    ticks.split_units,
    ticks.slipped,
    ticks.trailed,
    ticks.beyond,
    ticks.coin_fee,
    ticks.value_cents,
    ticks.share_cents,
):
    register_jitable(_rule)

_AS_WRITTEN: dict[str, Any] = {
    "nogil": True,
    "error_model": "numpy",
    "forceinline": True,
    "_nrt": False,
}
"""``_nrt``: nothing is allocated in compiled code, so no array's references need counting."""


def compiled(function: _Function) -> _Function:
    """The function compiled to machine code at its first call, to the last bit as written."""
    return cast("_Function", numba.njit(**_AS_WRITTEN)(function))


def cached(function: _Function) -> _Function:
    """The same, kept on disk from one process to the next while its folder and the kernel stay.

    numba looks for changes only in the file of a function, not in what that calls, and stumbles
    over what was kept of types that are gone. So a function is kept under the digest of sources.
    """
    function.__qualname__ += f"_{_digest(Path(function.__code__.co_filename).parent)}"
    return cast("_Function", numba.njit(**_AS_WRITTEN, cache=True)(function))


@cache
def _digest(folder: Path) -> str:
    """What the sources in a folder and those of the kernel are known by."""
    kernel = Path(__file__).parent
    rules = (kernel.with_name("ticks.py"), kernel.with_name("tape.py"))
    sha = hashlib.sha256()
    for source in sorted({*folder.glob("*.py"), *kernel.glob("*.py"), *rules}):
        sha.update(source.read_bytes())
    return sha.hexdigest()[:16]


class State:
    """One ride, as a record whose fields compiled code reads and writes.

    Prices are in the units of the current session, ``cost earned bought sold top bottom`` in
    money and in shares and prices of the signal's date. NaN is a price nobody has seen yet.
    ``held`` counts units of 1e-9, sessions are indices into the tape, -1 stands for none;
    ``last_part`` is the last tranche there is.
    """

    session: int
    sign: int
    order: int
    at_market: bool
    breakeven: int
    valid_bars: int
    max_bars: int
    step: int
    last_part: int
    planned: float
    stop: float
    initial: float
    trail: float
    ratio: float
    best: float
    worst: float
    last_close: float
    last_bar: int
    sessions: int
    bars_held: int
    entered: int
    left: int
    ended: int
    held: int
    due: int
    reason: int
    is_trailed: bool
    entry_triggered: bool
    stop_triggered: bool
    entry_price: float
    entry_ratio: float
    cost: float
    earned: float
    bought: float
    sold: float
    fees: float
    dividends: float
    top: float
    bottom: float
    executions: int
    logged: int


class Part:
    """A tranche as a record: units still ordered or held, its target, whether it was touched.

    ``size`` is what was ordered in units of today, whatever of it was sold.
    """

    units: int
    size: int
    target: float
    touched: bool


class Day:
    """The session a ride is in, as a record: its index ``at`` and the columns of the tape."""

    at: int
    open: float
    high: float
    low: float
    close: float
    split: float
    dividend: float
    taker: float
    maker: float
    sec: float
    taf: float
    taf_cap: float
    cat: float
    borrow: float


class Row:
    """One execution, as a record; the columns of ``Executions`` but the ticket."""

    session: int
    leg: int
    price: float
    units: int
    coin_fee: int
    fee: float
    reason: int
    maker: bool
    part: int
    ratio: float


class Bar(NamedTuple):
    """One session's prices as an order sees them."""

    open: float
    high: float
    low: float
    close: float


class Desk(NamedTuple):
    """What the functions of one session share; the ``log`` records executions while it has room."""

    day: Day
    terms: Terms
    log: Sequence[Row]


_KINDS = {int: np.int64, float: np.float64, bool: np.bool_}


def records(kind: type, count: int) -> Any:  # noqa: ANN401  # numpy knows no type of records
    """An array of so many records with the fields of ``kind``, all zero."""
    return np.zeros(count, _layout(kind))


@cache
def _layout(kind: type) -> np.dtype[np.void]:
    fields = [(name, _KINDS[of]) for name, of in get_type_hints(kind).items()]
    return np.dtype(fields, align=True)
