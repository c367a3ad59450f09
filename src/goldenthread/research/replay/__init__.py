"""The days of a book decided again from its facts alone, and held against them."""
