"""Goldenthread: from daily bars to trades, and everything that was not traded."""

__version__ = "0.1.0"
