"""Many days at once."""
