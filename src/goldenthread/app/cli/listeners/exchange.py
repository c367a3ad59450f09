"""The command ``exchange``: an offline Alpaca for anyone's bot."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from goldenthread.app.cli.options import Json, date_of
from goldenthread.app.cli.output import emit


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command()(exchange)


def exchange(  # one flag each
    port: Annotated[int, typer.Option("--port", help="Alpaca's API; 0 is a free one.")] = 8199,
    admin_port: Annotated[
        int, typer.Option("--admin-port", help="Clock and faults; 0 is a free one.")
    ] = 8198,
    first: Annotated[str, typer.Option("--from", help="The date it has met, YYYY-MM-DD.")] = "",
    bars: Annotated[
        Path | None,
        typer.Option("--bars", help="A folder of `data import`, or a file (default: made up)."),
    ] = None,
    rate_limit: Annotated[
        int, typer.Option("--rate-limit", min=0, help="Requests a minute; 0 is no limit.")
    ] = 200,
    as_json: Json = False,
) -> None:
    """Serve Alpaca's trading and data API on 127.0.0.1, offline, until Ctrl-C.

    Point any client at it: TradingClient(key, secret, url_override=URL). Its clock moves only
    when told: curl -X POST ADMIN/advance -d '{"days": 1}'

    Example: goldenthread exchange
    Example: goldenthread exchange --bars data --from 2012-06-29 --port 9000 --admin-port 9001
    """
    from goldenthread.app.clock import SystemClock
    from goldenthread.app.exchange.market import open_market
    from goldenthread.app.exchange.server import ExchangeServer
    from goldenthread.app.exchange.terms import ExchangeTerms

    terms = ExchangeTerms(
        start=date_of(first, "--from") if first else None,
        requests_per_minute=rate_limit or None,
    )
    market = open_market(bars, SystemClock().now())
    with ExchangeServer(market, terms, port, admin_port) as server:
        shown = {
            "url": server.url,
            "stream": server.stream_url,
            "admin": server.admin_url,
            "key": server.key_id,
            "secret": server.secret_key,
            "met": server.state()["met"],
            "bars": f"{market.first} to {market.last}",
            "symbols": ", ".join(sorted(market.assets)),
        }
        emit(shown, as_json=as_json, title="exchange")
        sys.stdout.flush()
        try:
            server.wait()
        except KeyboardInterrupt:
            typer.echo("exchange: closed; what it held is gone", err=True)
