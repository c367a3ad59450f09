"""The pytest fixture ``alpaca_exchange``: an offline Alpaca for one test.

pytest loads this file at every start where the package is installed, so it imports nothing but
pytest; what the fixture needs is imported when a test asks for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from typing import Any

    from goldenthread.app.exchange.market import ExchangeMarket
    from goldenthread.app.exchange.server import ExchangeServer

MARKER = "alpaca_exchange"
_HELP = (
    f"{MARKER}(bars=None, **terms): what the fixture of that name starts with; bars is a folder or"
    " file of daily bars or a polars frame, terms are those of ExchangeTerms (start, cash, ...)"
)


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", _HELP)


@pytest.fixture
def alpaca_exchange(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ExchangeServer]:
    """A running exchange on free ports, with ``url``, ``stream_url``, ``key_id``, ``secret_key``.

    ``advance`` moves its clock, ``fault`` breaks the wire, ``state`` shows the account. Without
    a marker it trades made-up bars of AAPL, MSFT, SPY, BTC/USD and ETH/USD from 2 January 2024.
    """
    from goldenthread.app.exchange.server import ExchangeServer  # noqa: PLC0415  # see above
    from goldenthread.app.exchange.terms import ExchangeTerms  # noqa: PLC0415  # see above

    marker = request.node.get_closest_marker(MARKER)
    options = dict(marker.kwargs) if marker else {}
    market = _market(options.pop("bars", None), tmp_path)
    with ExchangeServer(market, ExchangeTerms(**_exact(options))) as exchange:
        yield exchange


def _market(bars: Any, folder: Path) -> ExchangeMarket:  # noqa: ANN401  # whatever a test has
    from pathlib import Path  # noqa: PLC0415  # see above

    from goldenthread.app.clock import SystemClock  # noqa: PLC0415  # see above
    from goldenthread.app.exchange.market import open_market  # noqa: PLC0415  # see above

    path = bars
    if hasattr(bars, "write_parquet"):
        path = folder / "exchange.parquet"
        bars.write_parquet(path)
    return open_market(None if path is None else Path(path), SystemClock().now())


def _exact(options: Mapping[str, Any]) -> dict[str, Any]:
    """The terms with dates and money made of what a test writes for them."""
    import datetime as dt  # noqa: PLC0415  # see above
    from decimal import Decimal  # noqa: PLC0415  # see above

    terms = dict(options)
    if isinstance(terms.get("start"), str):
        terms["start"] = dt.date.fromisoformat(terms["start"])
    for name in {"cash", "slippage_bps", "multiplier"} & terms.keys():
        terms[name] = Decimal(str(terms[name]))
    return terms
