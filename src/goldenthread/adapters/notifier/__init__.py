"""Engines of the port ``notifier``."""
