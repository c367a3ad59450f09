"""Bars to candidates, without side effects."""
