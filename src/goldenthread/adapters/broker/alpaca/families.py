"""Which order is whose leg: Alpaca tells only when it shows the parent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from goldenthread.adapters.alpaca.orders import report_from_json
from goldenthread.domain.order import OrderReport, OrderStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from goldenthread.adapters.alpaca.values import Json

_SIMPLE = {"", "simple", None}


class _Place(NamedTuple):
    parent_id: str
    leg: Literal["", "take_profit", "stop_loss"]


class Families:
    """Remembers every leg it was shown; a replacement takes the place of what it replaces."""

    def __init__(self) -> None:
        self._places: dict[str, _Place] = {}

    def one(self, row: Json) -> OrderReport:
        """The order alone, with its parent if one is known."""
        place = self._places.get(row["id"]) or self._places.get(row.get("replaces") or "")
        report = report_from_json(row)
        if place is None:
            return report
        self._places[row["id"]] = place
        return report.model_copy(update=place._asdict())

    def flat(self, rows: Iterable[Json]) -> list[tuple[Json, OrderReport]]:
        """Every order and leg of a nested listing once, by id, with the JSON it came from."""
        found: dict[str, Json] = {}
        for row in rows:
            self.learn(row)
            for each in (row, *(row.get("legs") or ())):
                found[each["id"]] = each
        for row in sorted(found.values(), key=lambda r: r.get("submitted_at") or r["created_at"]):
            self.one(row)  # replacements in the order they were made
        return [(found[name], self.one(found[name])) for name in sorted(found)]

    def learn(self, row: Json) -> None:
        """Remember the legs of a nested order."""
        for leg in row.get("legs") or ():
            report = report_from_json(leg, row["id"])
            self._places[report.broker_order_id] = _Place(report.parent_id, report.leg)

    def with_legs(self, row: Json, fetch: Callable[[str], Json]) -> tuple[OrderReport, ...]:
        """The order, then its legs, take profit first; of a replaced leg what took its place."""
        self.learn(row)
        legs = [self._present(leg, fetch) for leg in row.get("legs") or ()]
        unique = {leg.broker_order_id: leg for leg in legs if leg is not None}
        ordered = sorted(unique.values(), key=lambda leg: leg.leg, reverse=True)
        return (self.one(row), *ordered)

    def _present(self, row: Json, fetch: Callable[[str], Json]) -> OrderReport | None:
        report = self.one(row)
        while report.status is OrderStatus.REPLACED:
            successor = row.get("replaced_by")
            if not successor:
                return None
            row = fetch(successor)
            report = self.one(row)
        return report


def has_legs(row: Json) -> bool:
    """Whether the order may have legs that a plain answer does not show."""
    return row.get("order_class") not in _SIMPLE and not row.get("legs")
