"""Engines of the port ``warehouse``."""
