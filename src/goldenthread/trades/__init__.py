"""Positions to trades, without side effects."""
