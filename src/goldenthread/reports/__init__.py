"""Facts to figures, without side effects."""
