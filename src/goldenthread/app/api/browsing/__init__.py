"""What a person browses in a book: pages of signals and trades, versions, health."""
