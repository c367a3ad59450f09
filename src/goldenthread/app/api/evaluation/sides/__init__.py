"""What may be compared: books, saved backtests, versions of a strategy."""
