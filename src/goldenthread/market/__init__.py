"""Bars fit to decide on."""
