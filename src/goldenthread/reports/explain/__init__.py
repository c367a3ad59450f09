"""One signal told from its rows: text, JSON, and a page with its candles."""
