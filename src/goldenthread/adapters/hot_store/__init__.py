"""Engines of the port ``hot_store``."""
