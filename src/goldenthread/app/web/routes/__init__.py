"""The addresses: each page, and its data in JSON under /api."""
