"""The Python face of many days at once."""
