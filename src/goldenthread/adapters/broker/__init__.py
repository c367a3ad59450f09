"""Engines of the port ``broker``."""
