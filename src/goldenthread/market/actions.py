"""Corporate actions from files: our simple CSV, or LEAN's factor and map files."""

from __future__ import annotations

import csv
import datetime as dt
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from goldenthread.domain.asset import ActionKind, AssetClass, CorporateAction
from goldenthread.domain.errors import DataError, UsageError
from goldenthread.market.rows import asset_class_of
from goldenthread.rules.calendar import next_session, session_open

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

_COLUMNS = ("symbol", "kind", "ex_ds", "ratio", "amount", "new_symbol")
_WANTED = {
    ActionKind.SPLIT: "ratio",
    ActionKind.DIVIDEND: "amount",
    ActionKind.SYMBOL_CHANGE: "new_symbol",
}
_FACTOR_COLUMNS = 4
_MAP_COLUMNS = (2, 3)
_LISTED = "20501231"
"""The date of the last row of LEAN's map file while a company is listed."""
_LARGEST_DENOMINATOR = 100
_PRECISION = Fraction(1, 50_000)
"""LEAN writes split factors with six or seven digits: a ratio is known no better than this."""
_DIVIDEND_STEP = Decimal("0.0001")

Rows = list[list[str]]


def read_actions(path: Path) -> list[CorporateAction]:
    """The corporate actions of a file, or of every ``.csv`` in a folder; sorted.

    A file is one of three, told apart by its first line:

    - ours: a header ``symbol,kind,ex_ds,ratio,amount,new_symbol`` (the last three as needed);
    - a LEAN factor file (date, price factor, split factor, close; the factors hold up to and
      with the date): a change of the split factor is a SPLIT, a change of the price factor a
      DIVIDEND, effective the session after the date. The symbol is the file's name;
    - a LEAN map file (date, ticker until then): a change of ticker is a SYMBOL_CHANGE of the
      old ticker, an end before 2050-12-31 a DELISTING. Bars stand under the last ticker, so a
      change is left out when another file has the old ticker's name: it is another company's
      by now (GOOG became GOOGL, and GOOG is class C).

    Raises:
        UsageError: Nothing there, or a line that cannot be read; nothing is taken then.
    """
    files = sorted(path.glob("*.csv")) if path.is_dir() else [path]
    if not files or not files[0].is_file():
        message = f"{path} holds no actions; give a CSV file, or a folder of LEAN's .csv files"
        raise UsageError(message)
    taken = {file.stem.upper() for file in files}
    actions = [action for file in files for action in _read_file(file, taken)]
    return sorted(actions, key=lambda a: (a.symbol, a.ex_ds, a.kind))


def _read_file(path: Path, taken: set[str]) -> list[CorporateAction]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = [row for row in csv.reader(file) if row]
    except (OSError, UnicodeError, csv.Error) as error:
        message = f"{path} cannot be read: {error}; give a CSV file in UTF-8"
        raise UsageError(message) from error
    read = _reader_of(path, rows, taken)
    try:
        return list(read(rows))
    except (ValueError, ArithmeticError, DataError) as error:
        cause = error.errors()[0]["msg"] if isinstance(error, ValidationError) else error
        message = f"{path}: {cause}; nothing was taken from it: correct it and import it again"
        raise UsageError(message) from error


def _reader_of(
    path: Path, rows: Rows, taken: set[str]
) -> Callable[[Rows], Iterable[CorporateAction]]:
    symbol, head = path.stem.upper(), rows[0] if rows else []
    if "symbol" in head and "kind" in head and "ex_ds" in head:
        return _read_ours
    if head and head[0].isdigit() and len(head) == _FACTOR_COLUMNS:
        return partial(_read_factors, symbol)
    if head and head[0].isdigit() and len(head) in _MAP_COLUMNS:
        return partial(_read_tickers, symbol, taken - {symbol})
    message = (
        f"{path} starts with {','.join(head)!r}; a file of actions starts with "
        f"{','.join(_COLUMNS)}, or is a LEAN factor or map file"
    )
    raise UsageError(message)


def _read_ours(rows: Rows) -> Iterator[CorporateAction]:
    header = rows[0]
    unknown = sorted(set(header) - set(_COLUMNS))
    if unknown:
        message = f"column {unknown[0]!r} is unknown; the columns are {', '.join(_COLUMNS)}"
        raise ValueError(message)
    for number, row in enumerate(rows[1:], start=2):
        cells = {
            name: cell.strip() for name, cell in zip(header, row, strict=False) if cell.strip()
        }
        try:
            yield _ours(cells)
        except (ValueError, ArithmeticError, DataError) as error:
            message = f"line {number} ({','.join(row)}): {error}"
            raise ValueError(message) from error


def _ours(cells: dict[str, str]) -> CorporateAction:
    absent = [name for name in ("symbol", "kind", "ex_ds") if name not in cells]
    if absent:
        message = f"{absent[0]} is empty"
        raise ValueError(message)
    kind = ActionKind(cells["kind"].upper())
    wanted = _WANTED.get(kind)
    if wanted and wanted not in cells:
        message = f"a {kind} needs {wanted}"
        raise ValueError(message)
    ratio, amount = _number(cells, "ratio", 1), _number(cells, "amount", 0)
    if not (ratio > 0 and amount >= 0):
        message = "ratio is new shares per old share, above 0; amount is at least 0"
        raise ValueError(message)
    symbol, ex_ds = cells["symbol"].upper(), dt.date.fromisoformat(cells["ex_ds"])
    return CorporateAction(
        symbol=symbol,
        kind=kind,
        ex_ds=ex_ds,
        ratio=ratio,
        amount=amount,
        new_symbol=cells.get("new_symbol", "").upper(),
        source="actions file",
        known_at=session_open(asset_class_of(symbol), ex_ds),
    )


def _number(cells: dict[str, str], name: str, default: int) -> Decimal:
    text = cells.get(name, str(default))
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite():
        message = f"{name} is {text!r}, not a number"
        raise ValueError(message)
    return value


def _read_factors(symbol: str, rows: Rows) -> Iterator[CorporateAction]:
    for (day, price, split, close), (_, next_price, next_split, _) in pairwise(rows):
        dividend = Decimal(close) * (1 - Decimal(price) / Decimal(next_price))
        amount = dividend.quantize(_DIVIDEND_STEP)
        if amount > 0:
            yield _lean(symbol, ActionKind.DIVIDEND, day, amount=amount)
        ratio = _split_ratio(Fraction(next_split) / Fraction(split))
        if ratio != 1:
            yield _lean(symbol, ActionKind.SPLIT, day, ratio=ratio)


def _split_ratio(measured: Fraction) -> Decimal:
    """The ratio in whole shares where the file's digits allow it, else to six decimals."""
    plain = measured.limit_denominator(_LARGEST_DENOMINATOR)
    if plain and abs(plain / measured - 1) <= _PRECISION:
        return Decimal(plain.numerator) / Decimal(plain.denominator)
    return Decimal(round(measured * 1_000_000)) / 1_000_000


def _read_tickers(symbol: str, others: set[str], rows: Rows) -> Iterator[CorporateAction]:
    for (day, old, *_), (_, new, *_) in pairwise(rows):
        if old != new and old.upper() not in {*others, symbol}:
            yield _lean(old.upper(), ActionKind.SYMBOL_CHANGE, day, new_symbol=new.upper())
    if rows[-1][0] < _LISTED:
        yield _lean(symbol, ActionKind.DELISTING, rows[-1][0])


def _lean(symbol: str, kind: ActionKind, last: str, **values: Any) -> CorporateAction:  # noqa: ANN401  the one field its kind uses
    """An action effective the session after ``last`` (``20140606``)."""
    day = dt.date.fromisoformat(f"{last[:4]}-{last[4:6]}-{last[6:]}")
    ex_ds = next_session(AssetClass.EQUITY, day)
    opened = session_open(AssetClass.EQUITY, ex_ds)
    fields = {"symbol": symbol, "kind": kind, "ex_ds": ex_ds, "source": "lean", "known_at": opened}
    return CorporateAction.model_validate({**fields, **values})
