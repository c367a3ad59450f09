"""Versions and dates as rows."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from goldenthread.domain.asset import AssetClass
from goldenthread.rules.calendar import is_session
from goldenthread.warehouse.rows.columns import (
    OPERATIONAL,
    Day,
    Instant,
    Json,
    Loaded,
    Name,
    Raw,
    Row,
    Text,
    Whole,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from goldenthread.domain.strategy import Version


class VersionRow(Loaded):
    """One version of a configuration (SCD type 2)."""

    book: Name = Field(description="The account and engine, for example sim:main.")
    version_key: Name = Field(description="sha256 of the canonical configuration.")
    config: Json = Field(description="The canonical configuration.")
    valid_from: Instant = Field(description="From this instant, itself included.")
    valid_to: Instant | None = Field(
        default=None, description="Until this instant, itself excluded; null: in force."
    )
    git_hash: Annotated[Text, OPERATIONAL] = Field(description="The checkout that opened it.")
    engine_digest: Annotated[Text, OPERATIONAL] = Field(description="The code that opened it.")
    revision: Instant = Field(description="When the row last changed: valid_to, else valid_from.")


class StrategyRow(VersionRow):
    """One version of a strategy."""

    strategy_id: Name = Field(description="The strategy.")
    code: Annotated[Json | None, OPERATIONAL] = Field(
        default=None,
        description="The text of each file of Python factors it calls; null without, or unknown.",
    )


class PolicyRow(VersionRow):
    """One version of the policy."""

    policy_id: Name = Field(description="The policy.")


class AssetRow(VersionRow):
    """One version of what is known of an asset."""

    symbol: Name = Field(description="The asset, crypto written BTC/USD.")


class DateRow(Row):
    """One date; joins as entry, exit, signal or partition date."""

    ds: Day = Field(description="The date.")
    year: Whole = Field(description="Calendar year.")
    quarter: Whole = Field(description="1 to 4.")
    month: Whole = Field(description="1 to 12.")
    iso_year: Whole = Field(description="The year of the ISO week.")
    iso_week: Whole = Field(description="1 to 53.")
    weekday: Whole = Field(description="1 Monday to 7 Sunday.")
    is_month_end: bool = Field(description="Whether it is the last of its month.")
    is_equity_session: bool = Field(description="Whether New York trades.")
    is_crypto_session: bool = Field(description="Always true: every UTC day is one.")


def version_row(version: Version, book: str, id_column: str) -> Raw:
    """The version in one book; ``id_column`` names what it is a version of."""
    return {
        "book": book,
        id_column: version.id,
        "version_key": version.version_key,
        "config": version.config,
        "valid_from": version.valid_from,
        "valid_to": version.valid_to,
        "git_hash": version.git_hash,
        "engine_digest": version.engine_digest,
        "revision": version.valid_to or version.valid_from,
    }


def strategy_row(version: Version, book: str, code: Mapping[str, str]) -> Raw:
    """The version of a strategy with the texts of its Python factors, found by their sha256."""
    files: dict[str, str] = json.loads(version.config).get("code", {})
    is_known = bool(files) and all(sha in code for sha in files.values())
    texts = {file: code[sha] for file, sha in files.items()} if is_known else None
    row = version_row(version, book, "strategy_id")
    return {**row, "code": None if texts is None else json.dumps(texts, sort_keys=True)}


def date_row(ds: dt.date) -> Raw:
    """The date with its calendar fields and session flags."""
    iso = ds.isocalendar()
    return {
        "ds": ds,
        "year": ds.year,
        "quarter": (ds.month + 2) // 3,
        "month": ds.month,
        "iso_year": iso.year,
        "iso_week": iso.week,
        "weekday": iso.weekday,
        "is_month_end": (ds + dt.timedelta(days=1)).month != ds.month,
        "is_equity_session": is_session(AssetClass.EQUITY, ds),
        "is_crypto_session": is_session(AssetClass.CRYPTO, ds),
    }
