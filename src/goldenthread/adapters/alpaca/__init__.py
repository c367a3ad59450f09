"""How Alpaca writes things, in both directions; the clients and our exchange share it."""
