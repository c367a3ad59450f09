"""Candidates to positions: gates, sizing, orders, exits, reconciliation."""
