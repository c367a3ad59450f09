"""Factors written in Python: which files define them, and what they make of bars."""
