"""Alpaca, paper or live: an engine of the port ``broker`` on the vendor's own client."""

from goldenthread.adapters.broker.alpaca.broker import AlpacaBroker

__all__ = ["AlpacaBroker"]
