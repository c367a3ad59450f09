"""Figures beside those of one curve: against benchmarks, and by what made them."""
