"""Alpaca accounts and market data, as the settings name them."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from goldenthread.app.clock import SystemClock
from goldenthread.domain.errors import UsageError

if TYPE_CHECKING:
    from goldenthread.adapters.alpaca.connection import Access
    from goldenthread.adapters.broker.alpaca import AlpacaBroker
    from goldenthread.adapters.market_data.alpaca import AlpacaMarketData
    from goldenthread.app.settings import Settings

_THIS_MACHINE = ("127.0.0.1", "localhost", "::1")


def open_alpaca(settings: Settings, book: str, *, advances: bool = True) -> AlpacaBroker:
    """The Alpaca account of a book; ``advances`` lets it move the clock of our own exchange.

    Raises:
        UsageError: A live account without its two switches, a key missing, or an address that
            does not fit the book.
    """
    from goldenthread.adapters.alpaca.exchange_clock import (  # noqa: PLC0415  # only when named
        advancing,
    )
    from goldenthread.adapters.broker.alpaca import AlpacaBroker  # noqa: PLC0415  # only when named

    kind, _, account = book.partition(":")
    host = urlsplit(settings.alpaca.trading_url).hostname or ""
    if kind == "live":
        _refuse_unless_meant(settings, account)
    elif host.endswith("alpaca.markets") and not host.startswith("paper-api."):
        msg = (
            f"book {book} with [alpaca] trading_url {settings.alpaca.trading_url} would trade a"
            " live account; remove the address, or use a book live:<account id>"
        )
        raise UsageError(msg)
    if kind == "sim" and host not in _THIS_MACHINE:
        msg = (
            f"book {book} needs an exchange of this machine in [alpaca] trading_url, got"
            f" {settings.alpaca.trading_url or 'nothing'!r}; start `goldenthread exchange`, or use"
            " a book paper:<account id>"
        )
        raise UsageError(msg)
    admin = settings.alpaca.admin_url
    return AlpacaBroker(
        alpaca_access(settings, settings.alpaca.trading_url),
        SystemClock(),
        paper=kind != "live",
        advance=advancing(admin) if admin and advances else None,
    )


def open_puller(settings: Settings) -> AlpacaMarketData:
    """Where new bars are pulled from.

    Raises:
        UsageError: The engine of the settings has nowhere to pull from, or a key is missing.
    """
    if settings.market_data.engine != "alpaca":
        msg = (
            f"market data engine {settings.market_data.engine!r} has nowhere to pull from; set"
            " [market_data] engine to 'alpaca', or import files with `goldenthread data import"
            " FILE.csv|.parquet`"
        )
        raise UsageError(msg)
    from goldenthread.adapters.market_data.alpaca import (  # noqa: PLC0415  # only when named
        AlpacaMarketData,
    )

    terms = settings.alpaca
    return AlpacaMarketData(
        alpaca_access(settings, terms.data_url),
        alpaca_access(settings, terms.trading_url),
        SystemClock(),
        terms.feed,
    )


def alpaca_access(settings: Settings, url: str) -> Access:
    """Where Alpaca is and who we are there.

    Raises:
        UsageError: The package or a key is missing.
    """
    from goldenthread.adapters.alpaca.connection import Access  # noqa: PLC0415  # only when named

    terms = settings.alpaca
    for name, secret in (("KEY_ID", terms.key_id), ("SECRET_KEY", terms.secret_key)):
        if not secret.get_secret_value():
            msg = (
                f"no Alpaca key: set the variable GOLDENTHREAD_ALPACA__{name} (or APCA_API_{name});"
                " Alpaca's dashboard shows it once, when it is made"
            )
            raise UsageError(msg)
    return Access(
        key_id=terms.key_id.get_secret_value(),
        secret_key=terms.secret_key,
        url=url or None,
        timeout_s=terms.timeout_s,
        per_minute=terms.requests_per_minute,
    )


def _refuse_unless_meant(settings: Settings, account: str) -> None:
    """A live account takes two switches: one in the settings, one on the command line."""
    if not settings.broker.allow_live:
        msg = (
            f"live:{account} trades real money, and [broker] allow_live is false; set it to true in"
            f" goldenthread.toml and give --live {account} as well, or use a paper book"
        )
        raise UsageError(msg)
    if settings.broker.live_account != account:
        got = settings.broker.live_account or "nothing"
        msg = (
            f"live:{account} trades real money: --live got {got}; give --live {account} to say"
            " that you mean it"
        )
        raise UsageError(msg)
