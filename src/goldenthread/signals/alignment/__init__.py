"""Other bars laid beside the bars of a symbol: other members, longer periods."""
