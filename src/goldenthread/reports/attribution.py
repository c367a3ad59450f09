"""What refusals were worth: per filter and gate, the theoretical result of what it refused.

Only outcomes that are RESOLVED and priced as planned have money in here. OPEN and UNPRICEABLE
ones are counted apart, and so are those whose entry never triggered: their price answers another
question (had it been a market order). A signal several filters refused belongs to all of them;
``alone`` counts those one filter refused by itself, the only ones it decided.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from goldenthread.domain.signal import SignalStatus
from goldenthread.domain.trade import OutcomeStatus
from goldenthread.reports.notation import money, signed_money

if TYPE_CHECKING:
    from collections.abc import Mapping

ENOUGH = 10
"""Resolved signals a filter must have refused alone before its money is worth a sentence."""

PLANNED = "PLANNED"
"""``priced_as`` of an outcome that followed the signal's own order."""

BROKER_REFUSED = "BROKER_REFUSED"
"""The rejection reason that is the broker's, neither a filter's nor a gate's."""

_TALLY: dict[str, pl.DataType] = {
    "resolved": pl.Int64(),
    "open": pl.Int64(),
    "unpriceable": pl.Int64(),
    "untriggered": pl.Int64(),
    "net_pnl": pl.Float64(),
    "hit_rate": pl.Float64(),
}


def attribution(refused: pl.DataFrame) -> pl.DataFrame:
    """One row for each filter, gate or broker refusal, by kind and name.

    Args:
        refused: Refused signals: ``rejection_reasons verdicts outcome_status priced_as
            theoretical_net_pnl``.

    Returns:
        ``kind name refused resolved open unpriceable untriggered net_pnl hit_rate`` and the same
        with ``alone`` for the signals it refused by itself. ``net_pnl`` is what the resolved ones
        would have made together, ``hit_rate`` the share of them that would have made nothing or
        lost: how often refusing was right. Both are null when none is resolved.
    """
    if refused.is_empty():
        counts = {"kind": pl.String(), "name": pl.String(), "refused": pl.Int64(), **_TALLY}
        alone = {f"alone_{name}": kind for name, kind in _TALLY.items()}
        return pl.DataFrame(schema={**counts, "alone": pl.Int64(), **alone})
    reasons = pl.col("rejection_reasons")
    each = refused.select(
        name=reasons,
        sole=reasons.list.len() == 1,
        **_outcome_columns(),
    ).explode("name")
    sole = {f"alone_{name}": made for name, made in _tally(pl.col("sole")).items()}
    table = each.group_by("name").agg(
        refused=pl.len().cast(pl.Int64),
        **_tally(pl.lit(value=True)),
        alone=pl.col("sole").sum().cast(pl.Int64),
        **sole,
    )
    kinds = table.join(_kinds(refused), on="name", how="left").with_columns(
        kind=pl.when(name=BROKER_REFUSED).then(pl.lit("broker")).otherwise(pl.col("kind")),
    )
    ordered = kinds.select(pl.col("kind").fill_null("gate"), pl.exclude("kind"))
    return ordered.sort("kind", "name")


def endings(expired: pl.DataFrame) -> pl.DataFrame:
    """One row for each way a signal ended unfilled: ``status end_reason signals`` and its tally.

    The tally (``resolved open unpriceable untriggered net_pnl hit_rate``) is that of
    ``attribution``; an order that was never touched is ``untriggered`` and has no money here.
    """
    if expired.is_empty():
        keys = {"status": pl.String(), "end_reason": pl.String(), "signals": pl.Int64()}
        return pl.DataFrame(schema={**keys, **_TALLY})
    columns = expired.select("status", "end_reason", **_outcome_columns())
    counted = columns.group_by("status", "end_reason").agg(
        signals=pl.len().cast(pl.Int64), **_tally(pl.lit(value=True))
    )
    return counted.sort("status", "end_reason")


def outcomes(traded: int, refused: pl.DataFrame, expired: pl.DataFrame) -> dict[str, int]:
    """How the decided signals ended: traded, refused (by what spoke first), expired, invalidated.

    A refusal counts for the kind of its ``rejection_reason``, the first that failed.
    """
    kinds = dict(_kinds(refused).iter_rows()) if not refused.is_empty() else {}
    kinds[BROKER_REFUSED] = "broker"
    first = refused["rejection_reason"].to_list() if not refused.is_empty() else []
    by_kind = [kinds.get(reason, "gate") for reason in first]
    ended = expired["status"].to_list() if not expired.is_empty() else []
    return {
        "traded": traded,
        "refused by a filter": by_kind.count("filter"),
        "refused by a gate": by_kind.count("gate"),
        "refused by the broker": by_kind.count("broker"),
        "expired": ended.count(SignalStatus.EXPIRED.value),
        "invalidated": ended.count(SignalStatus.INVALIDATED.value),
    }


def money_line(table: pl.DataFrame) -> str:
    """The one sentence worth knowing: the filter whose refusals alone moved the most money.

    Args:
        table: What ``attribution`` gave. Gates speak when no filter has enough resolved
            refusals (``ENOUGH``) of its own; equal money goes to the first name.
    """
    enough = table.filter(pl.col("alone_resolved") >= ENOUGH)
    filters = enough.filter(pl.col("kind") == "filter")
    ranked = (filters if filters.height else enough).sort(
        pl.col("alone_net_pnl").abs(), "name", descending=[True, False]
    )
    if ranked.is_empty():
        return (
            f"No filter or gate has refused {ENOUGH} signals by itself with a known outcome yet: "
            "nothing can be said about what they are worth"
        )
    row = ranked.row(0, named=True)
    return f"{row['name']} alone refused {row['alone']} trades that would have {_made(row)}"


def _made(row: Mapping[str, object]) -> str:
    net = row["alone_net_pnl"]
    amount = net if isinstance(net, float) else 0.0
    verb = f"lost {money(-amount)}" if round(amount) < 0 else f"made {signed_money(amount)}"
    words = {"open": "open", "unpriceable": "unpriceable", "untriggered": "never triggered"}
    counts = [f"{row['alone_resolved']} resolved"]
    counts += [
        f"{row[f'alone_{key}']} {word}" for key, word in words.items() if row[f"alone_{key}"]
    ]
    return f"{verb} ({', '.join(counts)})"


def _outcome_columns() -> dict[str, pl.Expr]:
    return {
        "outcome_status": pl.col("outcome_status"),
        "planned": pl.col("priced_as").eq_missing(PLANNED),
        "pnl": pl.col("theoretical_net_pnl").cast(pl.Float64),
    }


def _tally(among: pl.Expr) -> dict[str, pl.Expr]:
    planned, status = pl.col("planned"), pl.col("outcome_status")
    resolved = among & planned & (status == OutcomeStatus.RESOLVED.value)
    pnl = pl.col("pnl").filter(resolved)
    counts = {
        "resolved": resolved,
        "open": among & planned & (status == OutcomeStatus.OPEN.value),
        "unpriceable": among & planned & (status == OutcomeStatus.UNPRICEABLE.value),
        "untriggered": among & ~planned,
    }
    return {
        **{name: kept.sum().cast(pl.Int64) for name, kept in counts.items()},
        "net_pnl": pl.when(resolved.any()).then(pnl.sum()),
        "hit_rate": (pnl <= 0).mean(),
    }


def _kinds(refused: pl.DataFrame) -> pl.DataFrame:
    verdicts = refused.select(pl.col("verdicts").explode()).unnest("verdicts")
    named = verdicts.filter(pl.col("kind").is_in(["filter", "gate"]))
    return named.group_by("name").agg(pl.col("kind").min())
