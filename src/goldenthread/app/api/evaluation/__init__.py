"""The Python face of looking back: refusals priced, days decided again, books compared."""
