"""Engines of the port ``market_data``."""
