"""Two spellings of one symbol: ``BTC/USD`` in orders, ``BTCUSD`` in positions and activities."""

from __future__ import annotations

from goldenthread.domain.asset import AssetClass

_QUOTES = ("USDT", "USDC", "USD", "BTC")
_LONGEST_TICKER = 5
_CLASSES = {"us_equity": AssetClass.EQUITY, "crypto": AssetClass.CRYPTO}


def asset_class_of(name: str) -> AssetClass | None:
    """The class Alpaca calls ``name``; None for one we do not trade (options, and new ones)."""
    return _CLASSES.get(name)


def asset_class_name(asset_class: AssetClass) -> str:
    """What Alpaca calls the class."""
    return {value: name for name, value in _CLASSES.items()}[asset_class]


def joined(symbol: str) -> str:
    """The symbol as positions and activities spell it, without the slash."""
    return symbol.replace("/", "")


def canonical(text: str, asset_class: AssetClass | None = None) -> str:
    """Our spelling of a symbol in any of Alpaca's: ``BTCUSD``, ``BTC/USD`` and ``BTC%2FUSD``.

    Without the class, six letters or more that end in a currency are a pair of coins: no ticker
    of a stock is that long.
    """
    text = text.replace("%2F", "/").replace("%2f", "/").upper()
    if "/" in text or asset_class is AssetClass.EQUITY:
        return text
    if asset_class is None and (len(text) <= _LONGEST_TICKER or not text.isalnum()):
        return text
    for quote in _QUOTES:
        if text.endswith(quote) and len(text) > len(quote):
            return f"{text.removesuffix(quote)}/{quote}"
    return text


def class_of(symbol: str) -> AssetClass:
    """The class of a symbol in our spelling."""
    return AssetClass.CRYPTO if "/" in symbol else AssetClass.EQUITY
