"""Executions of equities told in parts, out of order and more than once."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from typing_extensions import override

from faults.weather import Weather, answer
from goldenthread.adapters.alpaca.symbols import canonical, class_of
from goldenthread.domain.asset import AssetClass

if TYPE_CHECKING:
    from collections.abc import Callable

    from requests import PreparedRequest, Response

_MOST_PARTS, _PAGE = 9, 100
_APART = Decimal("0.0001")
Json = dict[str, Any]


@dataclass
class Scatter(Weather):
    """Every execution the exchange tells becomes 1 to 9, whose mean price is that of the whole.

    A list is shuffled, and holds some of its rows two or three times.
    """

    parts: dict[str, list[Json]] = field(default_factory=dict)
    told: int = 0

    @override
    def meet(self, request: PreparedRequest, pass_on: Callable[[], Response]) -> Response:
        self.sent += 1
        asked = urlsplit(str(request.url))
        if not asked.path.startswith("/v2/account/activities"):
            return pass_on()
        if "page_token" in parse_qs(asked.query):
            return answer(request, 200, [])
        rows = pass_on().json()
        assert len(rows) < _PAGE, "all rows of the exchange in one page, all parts in another"
        split = [part for row in rows for part in self._of(row)]
        told = [row for row in split for _ in range(self.chance.choice((1, 1, 2, 3)))]
        self.chance.shuffle(told)
        self.told += len(told)
        return answer(request, 200, told)

    def _of(self, row: Json) -> list[Json]:
        """The parts of one execution, always the same ones; a fee and a coin stay whole."""
        if (
            row["activity_type"] != "FILL"
            or class_of(canonical(row["symbol"])) is not AssetClass.EQUITY
        ):
            return [row]
        if row["id"] not in self.parts:
            self.parts[row["id"]] = self._cut(row)
        return self.parts[row["id"]]

    def _cut(self, row: Json) -> list[Json]:
        whole = int(row["qty"])
        count = self.chance.randint(1, min(_MOST_PARTS, whole))
        cuts = [0, *sorted(self.chance.sample(range(1, whole), count - 1)), whole]
        sizes = [Decimal(b - a) for a, b in pairwise(cuts)]
        prices = [Decimal(row["price"])] * count
        if count > 1:  # a bit more for the one and less for the other: the same in total
            prices[0] += _APART * sizes[1]
            prices[1] -= _APART * sizes[0]
        done = Decimal(row["cum_qty"]) - whole
        left = Decimal(row["leaves_qty"]) + whole
        made = []
        for number, (size, price) in enumerate(zip(sizes, prices, strict=True)):
            done, left = done + size, left - size
            part = {"id": f"{row['id']}-{number}", "qty": str(size), "price": str(price)}
            made.append({**row, **part, "cum_qty": str(done), "leaves_qty": str(left)})
        return made


def _is_coin(row: Json) -> bool:
    return class_of(canonical(row["symbol"])) is AssetClass.CRYPTO
